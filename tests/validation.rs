//! What stands against a recovery: a failed session in a git repository, damaged in one way after the other.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod support;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use prodigy::playbook::parse;
use prodigy::process::Stop;
use prodigy::recovery::{
    Around, CheckName, CheckStatus, Files, Ground, Integrity, Validation, validate,
};
use prodigy::session::{Digest, Secrets, SessionId};
use prodigy::store::{Home, Loaded, OpenSession, stored_workflow};
use support::Sandbox;

const WORKFLOW: &str = "
name: build
requires: {tools: [git], env: [LANGUAGE]}
env: {LEVEL: 3}
artifacts: [shared.txt]
commands:
  - id: make
    shell: mkdir -p out/deep && echo one > out/deep/a && echo app > app && echo > shared.txt
    artifacts: [out, app]
    requires: {tools: no-such-tool-1, files: gone-1}
    when: 'true'
  - id: large
    shell: head -c 200000 /dev/zero | tr '\\0' x; git commit -q --allow-empty -m two; echo >> shared.txt
    capture_output: text
  - foreach: [x, y]
    do: [{shell: 'echo ${item} > ${item}.part', artifacts: '${item}.part'}]
  - id: check
    shell: test -e repaired
    requires: {tools: ['fitting >= 2'], files: [rules.txt], env: [OWN], }
    env: {OWN: 1}
";

struct Session {
    sandbox: Sandbox,
    home: Home,
    id: SessionId,
}

impl Session {
    /// A session that failed at its last step; the first step's requirements were met then.
    fn failed() -> Self {
        let sandbox = Sandbox::new();
        let workflow = WORKFLOW
            .replace("    requires: {tools: no-such-tool-1, files: gone-1}\n", "")
            .replace("    when: 'true'\n", "");
        sandbox.write("build.yml", &workflow);
        sandbox.write("rules.txt", "");
        let tools = sandbox.root().join("tools");
        std::fs::create_dir(&tools).unwrap();
        write_tool(&tools, "2.4");
        git(&sandbox, &["init", "-q"]);
        git(&sandbox, &["commit", "-q", "--allow-empty", "-m", "one"]);
        let mut command = sandbox.command(&["cook", "build.yml"]);
        command.env("LANGUAGE", "en").env("PATH", path(&sandbox));
        let ran = support::Ran::of(command.output().unwrap()).exits(1);
        assert!(ran.stdout.contains("step 4"), "{ran:#?}");
        let home = Home::at(&sandbox.state()).unwrap();
        let entry = std::fs::read_dir(home.sessions()).unwrap().next().unwrap().unwrap();
        let id = entry.file_name().into_string().unwrap();
        let id = serde_json::from_value(id.into()).unwrap();
        Self { sandbox, home, id }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.sandbox.directory().join(name)
    }

    /// Validates its present state, or that of a version.
    fn validate(&self, version: Option<usize>, outside: &Outside) -> Validation {
        let loaded: Loaded = OpenSession::read(&self.home, &self.id).unwrap();
        let integrity = Integrity::examine(&self.home, &loaded);
        // The copy that ran, with requirements that finished steps do not need any more.
        let text = stored_workflow(&self.home, &self.id).unwrap();
        let text = text.replace(
            "artifacts: [out, app]",
            "artifacts: [out, app]\n    requires: {tools: no-such-tool-1, files: gone-1}",
        );
        let workflow = parse(Path::new("build.yml"), &text).unwrap().workflow;
        let directory = self.sandbox.directory();
        let mut environment: Vec<(OsString, OsString)> =
            vec![("PATH".into(), path(&self.sandbox).into()), ("LANGUAGE".into(), "en".into())];
        environment.extend(outside.environment.iter().map(|(a, b)| (a.into(), b.into())));
        let level = Digest::of(outside.level.as_bytes());
        let ground = Ground {
            loaded: &loaded,
            integrity: &integrity,
            workflow: &workflow,
            around: Around {
                directory: &directory,
                environment,
                render: &|text| Ok(text.source().to_owned()),
                stop: &Stop::never(),
            },
            environment: &[("LEVEL".to_owned(), level)],
            secrets: &Secrets::default(),
            trouble: None,
            files: outside.files,
        };
        match version {
            None => validate(&ground, &loaded.state, loaded.state.last_seq),
            Some(number) => {
                let seq = loaded.state.lifetime.versions[number - 1].seq;
                validate(&ground, &loaded.at(seq).unwrap(), seq)
            }
        }
    }
}

struct Outside {
    environment: Vec<(&'static str, &'static str)>,
    level: &'static str,
    files: Files,
}

impl Default for Outside {
    fn default() -> Self {
        Self { environment: Vec::new(), level: "3", files: Files::Stay }
    }
}

fn write_tool(place: &Path, version: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let file = place.join("fitting");
    std::fs::write(&file, format!("#!/bin/sh\necho fitting {version}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn path(sandbox: &Sandbox) -> String {
    let path = std::env::var("PATH").unwrap();
    format!("{}:{path}", sandbox.root().join("tools").display())
}

fn git(sandbox: &Sandbox, arguments: &[&str]) {
    let plain = sandbox.command(&[""; 0]);
    let mut command = Command::new("git");
    command.args(arguments).current_dir(sandbox.directory()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    assert!(command.status().unwrap().success(), "git {arguments:?}");
}

/// A case: what happens to the session, and for each part of the validation in order how it comes out.
struct Case {
    what: &'static str,
    happens: fn(&Session),
    outside: Outside,
    version: Option<usize>,
    comes_out: [CheckStatus; 4],
    /// Each is part of an error or a warning.
    told: &'static [&'static str],
    /// Each is part of the help.
    help: &'static [&'static str],
}

const P: CheckStatus = CheckStatus::Passed;
const W: CheckStatus = CheckStatus::Warning;
const F: CheckStatus = CheckStatus::Failed;

fn case(what: &'static str, happens: fn(&Session), comes_out: [CheckStatus; 4]) -> Case {
    let outside = Outside::default();
    Case { what, happens, outside, version: None, comes_out, told: &[], help: &[] }
}

fn remove(path: PathBuf) {
    std::fs::remove_file(path).unwrap();
}

fn the_blob(session: &Session) -> PathBuf {
    fn find(place: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                find(&path, found);
            } else if name.len() == 64 {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    find(&session.home.session(&session.id), &mut found);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn each_thing_that_stands_against_a_recovery_is_found() {
    let cases = [
        case("nothing happens", |_| {}, [P, P, P, P]),
        Case {
            told: &["the artifact app of step 1 is not there any more"],
            help: &["--from-step 1"],
            ..case("an artifact is lost", |it| remove(it.place("app")), [P, P, F, P])
        },
        Case {
            told: &["the artifact app of step 1 has another content than then"],
            ..case(
                "an artifact of the same size changes",
                |it| std::fs::write(it.place("app"), "APP\n").unwrap(),
                [P, P, F, P],
            )
        },
        Case {
            told: &["the artifact app of step 1 has another content than then (5 B, it was 4 B)"],
            outside: Outside { files: Files::Return, ..Outside::default() },
            ..case(
                "an artifact changes that is put back",
                |it| std::fs::write(it.place("app"), "apps\n").unwrap(),
                [P, P, W, P],
            )
        },
        Case {
            told: &["the artifact out of step 1 has another content"],
            ..case(
                "something deep in a directory changes",
                |it| std::fs::write(it.place("out/deep/a"), "two\n").unwrap(),
                [P, P, F, P],
            )
        },
        Case {
            told: &["the artifact shared.txt of step 2 is not there"],
            help: &["--from-checkpoint v1"],
            ..case("one of the workflow is lost", |it| remove(it.place("shared.txt")), [P, P, F, P])
        },
        Case {
            told: &["the artifact y.part of step 3.do[2]/1 is not there"],
            help: &["--from-step '3.do[2]/1'"],
            ..case("one of a round is lost", |it| remove(it.place("y.part")), [P, P, F, P])
        },
        Case {
            version: Some(1),
            told: &["HEAD is", "shared.txt of step 1 is as step 2 left it, which runs again"],
            ..case("what a later step made is lost", |it| remove(it.place("y.part")), [P, W, W, P])
        },
        Case {
            told: &["step \"check\" requires fitting >= 2, and", "is 1.9"],
            help: &["install fitting >= 2"],
            ..case(
                "a tool is older than it must be",
                |it| write_tool(&it.sandbox.root().join("tools"), "1.9"),
                [P, P, P, F],
            )
        },
        Case {
            told: &["requires the file rules.txt, which is not there"],
            ..case("a required file is gone", |it| remove(it.place("rules.txt")), [P, P, P, F])
        },
        Case {
            outside: Outside { environment: vec![("LANGUAGE", "")], ..Outside::default() },
            told: &["the workflow requires the environment variable LANGUAGE, which is empty"],
            ..case("a required variable is empty", |_| {}, [P, F, P, P])
        },
        Case {
            outside: Outside { level: "4", ..Outside::default() },
            told: &["env LEVEL has another value than before"],
            ..case("a variable has another value", |_| {}, [P, W, P, P])
        },
        Case {
            told: &["HEAD is", "at the checkpoint"],
            ..case(
                "HEAD moves",
                |it| git(&it.sandbox, &["commit", "-q", "--allow-empty", "-m", "three"]),
                [P, W, P, P],
            )
        },
        Case {
            told: &["there is no git repository any more"],
            ..case(
                "the repository is gone",
                |it| std::fs::remove_dir_all(it.place(".git")).unwrap(),
                [P, W, P, P],
            )
        },
        Case {
            told: &["record "],
            help: &["--from-checkpoint v1"],
            ..case("a kept output is lost", |it| remove(the_blob(it)), [F, P, P, P])
        },
        Case {
            told: &["it is not what its name says"],
            ..case(
                "a kept output is damaged",
                |it| std::fs::write(the_blob(it), "other").unwrap(),
                [F, P, P, P],
            )
        },
        Case {
            version: Some(1),
            ..case("a later output is lost", |it| remove(the_blob(it)), [P, W, W, P])
        },
        Case {
            told: &["the journal cannot be read to its end"],
            ..case("the journal is damaged", damage_journal, [F, P, P, P])
        },
        Case {
            version: Some(1),
            told: &["the journal cannot be read to its end"],
            ..case("the journal is damaged behind the checkpoint", damage_journal, [W, W, W, P])
        },
        Case {
            told: &["the snapshot will be written anew"],
            ..case(
                "the snapshot is damaged",
                |it| {
                    let loaded = OpenSession::read(&it.home, &it.id).unwrap();
                    let header = loaded.state.header().unwrap();
                    let path = it.home.snapshot(&header.repository, &header.workflow_id);
                    std::fs::write(path, "{").unwrap();
                },
                [W, P, P, P],
            )
        },
    ];
    for case in cases {
        let session = Session::failed();
        (case.happens)(&session);
        let found = session.validate(case.version, &case.outside);
        let what = case.what;
        let names = [
            CheckName::Integrity,
            CheckName::Environment,
            CheckName::Artifacts,
            CheckName::Dependencies,
        ];
        for (name, status) in names.into_iter().zip(case.comes_out) {
            assert_eq!(found.check(name).unwrap().status, status, "{what}: {name:?} {found:#?}");
        }
        assert_eq!(found.is_valid, !case.comes_out.contains(&F), "{what}: {found:#?}");
        assert_eq!(found.is_damage_only(), case.comes_out == [F, P, P, P], "{what}: {found:#?}");
        let lines: Vec<&String> = found.errors.iter().chain(&found.warnings).collect();
        for told in case.told {
            assert!(lines.iter().any(|line| line.contains(told)), "{what}: {told} {found:#?}");
        }
        for help in case.help {
            assert!(found.help.iter().any(|line| line.contains(help)), "{what}: {help} {found:#?}");
        }
        // As it is stored with the recovery and read again.
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(serde_json::from_value::<Validation>(json).unwrap(), found, "{what}");
    }
}

/// Changes a byte of a record while step 3 runs.
fn damage_journal(session: &Session) {
    let path = session.home.journal(&session.id);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let finish =
        lines.iter().position(|line| line.contains("\"step_finished\":{\"address\":\"2\""));
    let mut lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
    let next = finish.unwrap() + 2;
    lines[next] = lines[next].replacen("\"at\"", "\"aT\"", 1);
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
}

/// What the help says is what brings the session to a good end.
#[test]
fn the_command_that_goes_back_makes_the_artifact_again() {
    for (artifact, way) in
        [("shared.txt", "--from-checkpoint"), ("app", "--from-step"), ("y.part", "--from-step")]
    {
        let session = Session::failed();
        remove(session.place(artifact));
        let found = session.validate(None, &Outside::default());
        let help = found.help.iter().find(|line| line.contains(way)).unwrap();
        session.sandbox.write("repaired", "");
        let help = help.replace('\'', "");
        let words: Vec<&str> = help.split(' ').skip(1).collect();
        let mut command = session.sandbox.command(&words);
        command.env("LANGUAGE", "en").env("PATH", path(&session.sandbox));
        support::Ran::of(command.output().unwrap()).exits(0);
        assert!(session.place(artifact).exists(), "{artifact}");
    }
}

/// `recovery initiate` in the surroundings of the first run.
fn initiate(session: &Session, arguments: &[&str]) -> support::Ran {
    let mut command = session.sandbox.command(&[&["recovery", "initiate"], arguments].concat());
    command.env("LANGUAGE", "en").env("PATH", path(&session.sandbox));
    support::Ran::of(command.output().unwrap())
}

fn status(session: &Session) -> serde_json::Value {
    let status = session.sandbox.run(&["recovery", "status", "--json"]).exits(0).json();
    status.as_array().unwrap().last().unwrap().clone()
}

#[test]
fn a_recovery_does_not_begin_where_something_stands_against_it() {
    for way in ["retry", "resume"] {
        let session = Session::failed();
        remove(session.place("app"));
        session.sandbox.write("repaired", "");
        let ran = initiate(&session, &["--type", way]).exits(1);
        assert!(ran.stderr.contains("artifact app of step 1 is not there any more"), "{ran:#?}");
        assert!(ran.stderr.contains("help: prodigy resume build-"), "{ran:#?}");
        let status = status(&session);
        assert_eq!(status["status"], "failed", "{status:#}");
        assert_eq!(status["validation_results"]["is_valid"], false, "{status:#}");
        assert_eq!(status["progress_steps"].as_array().unwrap().len(), 1, "{status:#}");
        std::fs::write(session.place("app"), "app\n").unwrap();
        initiate(&session, &["--type", way]).exits(0);
        assert_eq!(self::status(&session)["validation_results"]["is_valid"], true);
    }
}

#[test]
fn a_recovery_goes_on_from_an_earlier_checkpoint_when_later_records_are_damaged() {
    let session = Session::failed();
    session.sandbox.write("repaired", "");
    remove(the_blob(&session));
    let ran = initiate(&session, &["--type", "retry"]).exits(5);
    assert!(ran.stderr.contains("cannot be recovered as it is"), "{ran:#?}");
    let ran = initiate(&session, &["--type", "resume"]).exits(0);
    assert!(ran.stderr.contains("warning: record "), "{ran:#?}");
    let status = status(&session);
    assert!(status["target_checkpoint_id"].as_str().unwrap().ends_with("@v1"), "{status:#}");
    assert_eq!(status["corruption_detected"], true, "{status:#}");
    // The step whose output was lost ran again.
    the_blob(&session);
}
