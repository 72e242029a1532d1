//! A session through its whole life, alone and with many threads.

mod damage;
mod derived;
mod finding;
mod travel;

use std::sync::Arc;

use super::*;
use crate::session::*;

pub(crate) fn started(name: &str) -> SessionStarted {
    let session_id = SessionId::fresh();
    SessionStarted {
        format: JOURNAL_FORMAT,
        prodigy: "0.1.0".into(),
        workflow_id: WorkflowId::of(name, &session_id),
        session_id,
        kind: SessionKind::Standard,
        name: name.into(),
        workflow_path: "/flows/a.yaml".into(),
        workflow_hash: Digest::of(b"text"),
        directory: "/work".into(),
        repository: "app".into(),
        parameters: Vec::new(),
        passes: Vec::new(),
        max_iterations: None,
        profile: None,
        total_steps: 3,
        supersedes: None,
        adopted_from: None,
        stages: Vec::new(),
    }
}

pub(crate) fn home() -> (tempfile::TempDir, Home) {
    let place = tempfile::tempdir().unwrap();
    let home = Home::at(&place.path().join("home")).unwrap();
    (place, home)
}

pub(crate) fn start(index: usize) -> EventKind {
    EventKind::StepStarted {
        address: Address::root().step(index),
        attempt: 1,
        command: format!("echo {index}"),
        name: String::new(),
        id: None,
        agent_session: None,
        agent_continues: false,
        head: None,
    }
}

pub(crate) fn finish(index: usize, output: &str) -> EventKind {
    let text = Stored::plain(output);
    let stdout = Output { text, bytes: output.len() as u64, cut: false };
    let result = StepResult {
        artifacts: Vec::new(),
        kind: StepKind::Shell,
        status: StepStatus::Success,
        goes_on: true,
        attempts: 1,
        report: Report { exit_code: Some(0), stdout, duration_ms: 12, ..Report::default() },
        captures: vec![Captured { name: "out".into(), value: None }],
        handler: None,
        head: None,
        detail: None,
    };
    EventKind::StepFinished {
        address: Address::root().step(index),
        id: None,
        result: Arc::new(result),
        checkpoint: None,
        name: String::new(),
    }
}

pub(crate) fn go_back(to: u64) -> EventKind {
    returned_to(to, RewindCause::FromCheckpoint)
}

/// What can be seen of a state from outside, for comparison.
pub(crate) fn seen(state: &SessionState) -> String {
    let attempts: Vec<u32> =
        state.standing.records().map(|(address, _)| state.lifetime.next_attempt(address)).collect();
    format!(
        "{} {:?} {:?} {:?} {attempts:?} {:?}",
        state.last_seq, state.status, state.updated_at, state.lifetime.versions, state.standing
    )
}

#[test]
fn a_session_is_what_was_committed() {
    let (_place, home) = home();
    let header = started("flow");
    let id = header.session_id.clone();
    let live = {
        let session =
            OpenSession::create(&home, header, "commands: []\n", Durability::Strict).unwrap();
        for index in 1..=3 {
            session.commit(start(index)).unwrap();
            session.commit(finish(index, "line\n\"quoted\" \u{1F600}")).unwrap();
            session.sync().unwrap();
        }
        session.with(seen)
    };
    let loaded = OpenSession::read(&home, &id).unwrap();
    assert_eq!(loaded.events.len(), 7);
    assert!(loaded.damage.is_none());
    assert_eq!(seen(&loaded.state), live);
    assert_eq!(stored_workflow(&home, &id).unwrap(), "commands: []\n");
    let session = OpenSession::open(&home, &id, Durability::Strict).unwrap();
    assert_eq!((session.with(seen), session.torn()), (live, 0));
    assert_eq!(session.commit(start(4)).unwrap().seq, 8);
}

#[test]
fn a_held_session_is_busy_and_free_again_afterwards() {
    let (_place, home) = home();
    let header = started("flow");
    let id = header.session_id.clone();
    assert_eq!(holder(&home, &id), None);
    let session = OpenSession::create(&home, header, "", Durability::Strict).unwrap();
    let busy = OpenSession::open(&home, &id, Durability::Strict).err().unwrap();
    assert!(busy.to_string().contains(&format!("pid {}", std::process::id())), "{busy}");
    assert_eq!(holder(&home, &id).unwrap().pid, std::process::id());
    drop(session);
    assert_eq!(holder(&home, &id), None);
    OpenSession::open(&home, &id, Durability::Strict).unwrap();
}

#[test]
fn a_child_that_lives_on_does_not_keep_the_session() {
    let (_place, home) = home();
    let header = started("flow");
    let id = header.session_id.clone();
    let session = OpenSession::create(&home, header, "", Durability::Strict).unwrap();
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    drop(session);
    let opened = OpenSession::open(&home, &id, Durability::Strict);
    child.kill().unwrap();
    child.wait().unwrap();
    opened.unwrap();
}

#[test]
fn temporary_files_of_dead_processes_go_and_young_ones_stay() {
    let (_place, home) = home();
    let header = started("flow");
    let id = header.session_id.clone();
    drop(OpenSession::create(&home, header, "", Durability::Strict).unwrap());
    let [old, young] = ["old", "young"].map(|name| {
        let path = home.checkpoints("app").join(format!(".prodigy-{name}"));
        std::fs::write(&path, "").unwrap();
        path
    });
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    std::fs::File::options().write(true).open(&old).unwrap().set_modified(hour_ago).unwrap();
    drop(OpenSession::open(&home, &id, Durability::Strict).unwrap());
    assert!(!old.exists() && young.exists());
}

#[test]
fn a_file_that_cannot_be_written_is_told_by_the_name_that_a_person_knows() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("missing/it");
    let error = replace_file(&path, b"text", None).unwrap_err().to_string();
    let wanted = format!("cannot write {}: No such file or directory (os error 2)", path.display());
    assert_eq!(error, wanted);
}

#[test]
fn of_many_that_open_at_once_one_gets_it() {
    let (_place, home) = home();
    let header = started("flow");
    let id = header.session_id.clone();
    drop(OpenSession::create(&home, header, "", Durability::Strict).unwrap());
    let together = std::sync::Barrier::new(20);
    let opened: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    together.wait();
                    let opened = OpenSession::open(&home, &id, Durability::Strict);
                    together.wait();
                    opened.is_ok()
                })
            })
            .collect();
        tries.into_iter().map(|attempt| attempt.join().unwrap()).collect()
    });
    assert_eq!(opened.iter().filter(|one| **one).count(), 1);
}

#[test]
fn going_back_to_an_event_is_the_same_live_and_replayed() {
    let (_place, home) = home();
    let header = started("flow");
    let id = header.session_id.clone();
    let session = OpenSession::create(&home, header, "", Durability::Strict).unwrap();
    session.commit(finish(1, "one")).unwrap(); // 2
    let after_one = session.with(|state| format!("{:?}", state.standing));
    session.commit(finish(2, "two")).unwrap(); // 3
    let after_two = session.with(|state| format!("{:?}", state.standing));
    session.commit(go_back(2)).unwrap(); // 4
    assert_eq!(session.with(|state| format!("{:?}", state.standing)), after_one);
    session.commit(go_back(3)).unwrap(); // 5: forward again
    assert_eq!(session.with(|state| format!("{:?}", state.standing)), after_two);
    session.commit(go_back(4)).unwrap(); // 6: to a state that was itself a return
    assert_eq!(session.with(|state| format!("{:?}", state.standing)), after_one);
    assert_eq!(session.with(|state| state.lifetime.versions.len()), 2);
    assert!(session.commit(go_back(99)).is_err());
    let live = session.with(seen);
    session.sync().unwrap();
    drop(session);
    assert_eq!(seen(&OpenSession::read(&home, &id).unwrap().state), live);
}

#[test]
fn threads_share_the_disk_and_lose_nothing() {
    let (_place, home) = home();
    let header = started("flow");
    let id = header.session_id.clone();
    let session = OpenSession::create(&home, header, "", Durability::Strict).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let session = &session;
            scope.spawn(move || {
                for round in 0..50 {
                    session.commit(finish(thread * 50 + round + 1, "x")).unwrap();
                    session.sync().unwrap();
                }
            });
        }
    });
    drop(session);
    let loaded = OpenSession::read(&home, &id).unwrap();
    assert!(loaded.damage.is_none(), "{:?}", loaded.damage);
    assert_eq!(loaded.state.standing.records().count(), 400);
}

#[test]
fn kept_texts_come_back_or_say_why_not() {
    let (_place, home) = home();
    let session = OpenSession::create(&home, started("flow"), "", Durability::Strict).unwrap();
    let digest = session.keep(b"large text").unwrap();
    assert_eq!(session.kept(digest.as_str()).unwrap(), b"large text");
    std::fs::write(home.blob(session.id(), &digest), "large test").unwrap();
    assert!(session.kept(digest.as_str()).unwrap_err().to_string().contains("damaged"));
    session.keep(b"large text").unwrap();
    assert_eq!(session.kept(digest.as_str()).unwrap(), b"large text");
    for hostile in ["../../x", "", "../journal.jsonl", &"a".repeat(5000)] {
        assert!(session.kept(hostile).is_err());
    }
}
