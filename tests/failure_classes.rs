//! The classifier held against real failures: `tests/failures/cases` holds what real tools printed when
//! they failed, each labelled by what was broken on purpose (`tests/failures/collect.sh` breaks it).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a test ends where something is not as it must be"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use prodigy::playbook::recovery::RecoveryStrategy;
use prodigy::recovery::built_in;
use prodigy::session::{Evidence, FailureClass, FailureKind, Verdict, explain};
use serde::Deserialize;

/// One failure that happened.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What was broken: the right answer.
    class: FailureClass,
    /// What in it speaks for another class.
    decoy: Option<String>,
    command: String,
    /// Tool and version.
    tool: String,
    kind: FailureKind,
    exit_code: Option<i32>,
    stdout: String,
    stderr: String,
    half: Part,
    /// The file's name without its ending.
    #[serde(skip)]
    name: String,
    /// What the classifier says.
    #[serde(skip)]
    found: Option<Verdict>,
}

impl Case {
    fn found(&self) -> Verdict {
        self.found.unwrap()
    }
}

/// When a case was first measured.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
enum Part {
    /// Before the rules were made better: the half that was worked with.
    Tuned,
    /// Before the rules were made better: the other half. Its labels had been checked by eye, so it is not blind.
    HeldOut,
    /// After that, from tools and situations not seen before.
    Later,
    /// In the end; the rules were not fitted to these.
    Last,
    /// When all rules stood, by situations and without a look at the rules. Measured first, mended after.
    Unseen,
}

const CLASSES: [FailureClass; 15] = [
    FailureClass::Lint,
    FailureClass::Test,
    FailureClass::Build,
    FailureClass::Network,
    FailureClass::Timeout,
    FailureClass::RateLimit,
    FailureClass::ServerError,
    FailureClass::Auth,
    FailureClass::Permission,
    FailureClass::MissingTool,
    FailureClass::OutOfMemory,
    FailureClass::DiskFull,
    FailureClass::MergeConflict,
    FailureClass::CorruptState,
    FailureClass::Unknown,
];

/// True where the built-in rule for the class runs the step again by itself.
fn runs_again(class: FailureClass) -> bool {
    matches!(built_in(class).strategy, RecoveryStrategy::Retry | RecoveryStrategy::Resume)
}

fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(read);
    &CASES
}

fn read() -> Vec<Case> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/failures/cases");
    let mut cases: Vec<Case> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let case: Case = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let found = explain(&Evidence {
                kind: case.kind,
                exit_code: case.exit_code,
                command: &case.command,
                stdout: &case.stdout,
                stderr: &case.stderr,
            });
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            Case { name, found: Some(found), ..case }
        })
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

/// How well a set of cases was classified.
struct Measure {
    /// F1 of each class that occurs.
    by_class: Vec<(FailureClass, f64)>,
    right: usize,
    all: usize,
}

impl Measure {
    fn of<'a>(cases: impl Iterator<Item = &'a Case>) -> Self {
        let pairs: Vec<(FailureClass, FailureClass)> =
            cases.map(|case| (case.class, case.found().class)).collect();
        let count = |holds: &dyn Fn(&(FailureClass, FailureClass)) -> bool| {
            pairs.iter().filter(|pair| holds(pair)).count()
        };
        let by_class = CLASSES
            .into_iter()
            .filter(|class| pairs.iter().any(|(label, found)| label == class || found == class))
            .map(|class| {
                let hit = count(&|(label, found)| *label == class && *found == class);
                let labelled = count(&|(label, _)| *label == class);
                let found = count(&|(_, found)| *found == class);
                (class, 2.0 * hit as f64 / (labelled + found) as f64)
            })
            .collect();
        let right = count(&|(label, found)| label == found);
        Self { by_class, right, all: pairs.len() }
    }

    fn macro_f1(&self) -> f64 {
        self.by_class.iter().map(|(_, score)| score).sum::<f64>() / self.by_class.len() as f64
    }

    fn told(&self) -> String {
        let classes: Vec<String> =
            self.by_class.iter().map(|(class, score)| format!("{class:?} {score:.2}")).collect();
        format!(
            "macro-F1 {:.3}, {} of {} right: {}",
            self.macro_f1(),
            self.right,
            self.all,
            classes.join(", ")
        )
    }
}

/// The cases that went wrong, with the reason that was given.
fn confusion(cases: &[Case]) -> String {
    let lines: Vec<String> = cases
        .iter()
        .map(|case| (case, case.found()))
        .filter(|(case, found)| case.class != found.class)
        .map(|(case, found)| {
            let Case { name, class, half, .. } = case;
            format!("  {name} ({half:?}): {class:?}, taken for {:?}: {}", found.class, found.why)
        })
        .collect();
    lines.join("\n")
}

#[test]
fn real_failures_are_told_apart() {
    let cases = cases();
    let sets: [(&str, &dyn Fn(&Case) -> bool); 7] = [
        ("all", &|_| true),
        ("tuned", &|case| case.half == Part::Tuned),
        ("held out", &|case| case.half == Part::HeldOut),
        ("later", &|case| case.half == Part::Later),
        ("decoys", &|case| case.decoy.is_some()),
        ("last", &|case| case.half == Part::Last),
        ("unseen", &|case| case.half == Part::Unseen),
    ];
    for (name, belongs) in sets {
        let measure = Measure::of(cases.iter().filter(|case| belongs(case)));
        println!("{name}: {}", measure.told());
        let told = || format!("{name}: {}\n{}", measure.told(), confusion(cases));
        let share = measure.right as f64 / measure.all as f64;
        assert!(share >= if name == "last" { 0.85 } else { 0.95 }, "{}", told());
        if matches!(name, "decoys" | "last") {
            // Of some classes there are too few for a measure of each.
            continue;
        }
        assert!(measure.macro_f1() >= 0.95, "{}", told());
        for (_, score) in &measure.by_class {
            assert!(*score >= 0.8, "{}", told());
        }
    }
    let unsafe_choices: Vec<&str> = cases
        .iter()
        .filter(|case| !runs_again(case.class) && runs_again(case.found().class))
        .map(|case| case.name.as_str())
        .collect();
    assert!(unsafe_choices.is_empty(), "{unsafe_choices:?}\n{}", confusion(cases));
}

/// Without these the measure above would say little.
#[test]
fn there_are_enough_cases_of_each_class() {
    let cases = cases();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases {
        *counts.entry(format!("{:?}", case.class)).or_default() += 1;
    }
    for class in CLASSES {
        let count = counts.get(&format!("{class:?}")).copied().unwrap_or_default();
        assert!(count >= 5, "{class:?}: {counts:?}");
    }
    assert!(cases.len() >= 120, "{}", cases.len());
    assert!(cases.iter().filter(|case| case.decoy.is_some()).count() >= 30);
    assert!(cases.iter().filter(|case| !case.tool.is_empty()).count() >= 120);
}
