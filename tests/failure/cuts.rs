//! Every case once more with its journal cut between two records, as a crash there would leave it:
//! between attempts, handlers and what follows them.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value as Json;

use super::support::Sandbox;
use super::{Case, Outcome, cases, one_resume, outcome, resumed, sandbox};

/// A case that ran to its end.
struct Ended {
    sandbox: Sandbox,
    session: PathBuf,
    lines: Vec<String>,
    events: Vec<(String, Json)>,
    card: Json,
    said: Vec<Said>,
}

/// A word, and who said it.
struct Said {
    word: String,
    step: String,
    attempt: u64,
}

impl Ended {
    fn of(case: &Case) -> Self {
        let sandbox = sandbox();
        sandbox.write("case.yaml", case.yaml);
        sandbox.run(&["cook", "case.yaml"]).exits(case.exit);
        let mut sessions = std::fs::read_dir(sandbox.state().join("sessions")).unwrap();
        let session = sessions.next().unwrap().unwrap().path();
        let journal = std::fs::read_to_string(session.join("journal.jsonl")).unwrap();
        let card = std::fs::read_to_string(session.join("session.json")).unwrap();
        let lines: Vec<String> = journal.split_inclusive('\n').map(str::to_owned).collect();
        let event = |line: &String| {
            let event = serde_json::from_str::<Json>(line).unwrap()["event"].take();
            let (kind, fields) = event.as_object().unwrap().iter().next().unwrap();
            (kind.clone(), fields.clone())
        };
        let said = sandbox.read("said");
        let said = said.lines().map(|line| {
            let mut parts = line.splitn(3, ' ');
            Said {
                step: parts.next().unwrap().to_owned(),
                attempt: parts.next().unwrap().parse().unwrap(),
                word: parts.next().unwrap().to_owned(),
            }
        });
        Self {
            session,
            events: lines.iter().map(event).collect(),
            lines,
            card: serde_json::from_str(&card).unwrap(),
            said: said.collect(),
            sandbox,
        }
    }

    /// The words of attempts that ended in the first `cut` records. What a run owed of `finally`
    /// begins anew.
    fn kept(&self, cut: usize) -> Vec<&str> {
        let ended = |said: &&Said| {
            let item =
                said.step.strip_prefix("map/item_").and_then(|it| it.split(['/', '.']).next());
            let is_end = |(kind, fields): &(String, Json)| match kind.as_str() {
                "attempt_finished" | "step_finished" => fields["address"] == said.step.as_str(),
                "item_finished" => item == Some(&fields["item"].to_string()),
                _ => false,
            };
            let began = self.events.iter().position(|(kind, fields)| {
                kind == "step_started"
                    && fields["address"] == said.step.as_str()
                    && fields["attempt"].as_u64().unwrap_or(1) == said.attempt
            });
            let mut after = self.events[..cut].iter().skip(began.unwrap() + 1);
            !said.step.starts_with("finally[") && after.any(is_end)
        };
        self.said.iter().filter(ended).map(|said| said.word.as_str()).collect()
    }

    /// Cuts the journal, resumes, and tells what came of it and how many words there were before.
    fn resume_from(&self, case: &Case, cut: usize) -> (Outcome, usize) {
        let Self { sandbox, session, lines, card, .. } = self;
        std::fs::write(session.join("journal.jsonl"), lines[..cut].concat()).unwrap();
        let mut card = card.clone();
        card["status"] = "running".into();
        card["last_synced_seq"] = 1.into();
        std::fs::write(session.join("session.json"), card.to_string()).unwrap();
        let _ = std::fs::remove_dir_all(sandbox.state().join("state/work/checkpoints"));
        let kept = self.kept(cut);
        sandbox.write("words", &kept.iter().map(|word| format!("{word}\n")).collect::<String>());
        let outcome = outcome(case, sandbox, &sandbox.run(&["resume"]));
        (outcome, kept.len())
    }
}

/// Resumes a case from every `every`th record, beginning at the one numbered `first`.
fn differences(case: &Case, first: usize, every: usize) -> String {
    let ended = Ended::of(case);
    let mut again = None;
    let mut wrong = String::new();
    let finish = ended.events.iter().position(|(kind, _)| kind == "run_finished").unwrap();
    for cut in (1 + first % every..=finish).step_by(every) {
        let (Outcome { words, exit, status }, kept) = ended.resume_from(case, cut);
        if (words.as_str(), exit, status.as_str()) == (case.words, case.exit, case.status) {
            continue;
        }
        if case.status == "failed" {
            let again = again.get_or_insert_with(|| resumed(case));
            let one_resume = one_resume(case.words, case.words, &again.words, kept);
            if (exit, &status) == (again.exit, &again.status)
                && (words == again.words || words == one_resume)
            {
                continue;
            }
        }
        writeln!(
            wrong,
            "{} cut after record {cut} ({}), {kept} words:\n  wanted {:?} {} {}\n  got    {words:?} {exit} {status}",
            case.name, ended.events[cut - 1].0, case.words, case.exit, case.status
        )
        .unwrap();
    }
    wrong
}

#[test]
fn every_case_ends_as_written_after_a_crash_between_records() {
    let long = std::env::var_os("PRODIGY_LONG_TESTS").is_some();
    let every = if long { 1 } else { 4 };
    let cases: Vec<&Case> = cases().collect();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(String::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { break };
                    let differences = differences(case, index, every);
                    wrong.lock().unwrap().push_str(&differences);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{wrong}");
}
