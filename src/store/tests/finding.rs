//! Which session is meant, labels, and cleaning up.

use std::time::Duration;

use super::super::*;
use super::{finish, home, started};
use crate::session::*;

fn made(home: &Home, name: &str, repository: &str, status: Option<SessionStatus>) -> SessionId {
    let header = SessionStarted { repository: repository.into(), ..started(name) };
    let id = header.session_id.clone();
    let session = OpenSession::create(home, header, "", Durability::Strict).unwrap();
    session.commit(finish(1, "x")).unwrap();
    if let Some(status) = status {
        session.commit(EventKind::RunFinished { status, active_ms: 5, failure: None }).unwrap();
    }
    id
}

const COMPLETED: Option<SessionStatus> = Some(SessionStatus::Completed);
const FAILED: Option<SessionStatus> = Some(SessionStatus::Failed);

fn found(home: &Home, repository: &str, text: &str) -> SessionId {
    find(home, Some(repository), text).unwrap().session_id
}

#[test]
fn ids_names_and_prefixes_find_their_session() {
    let (_place, home) = home();
    let old = made(&home, "flow", "app", FAILED);
    let done = made(&home, "flow", "app", COMPLETED);
    let there = made(&home, "flow", "other", FAILED);
    let alone = made(&home, "alone", "other", COMPLETED);
    for id in [&old, &done, &there] {
        assert_eq!(found(&home, "app", id.as_str()), *id);
        assert_eq!(found(&home, "app", id.uuid()), *id);
        assert_eq!(found(&home, "app", &id.as_str()[..20]), *id);
        assert_eq!(found(&home, "app", &WorkflowId::of("flow", id).to_string()), *id);
        assert_eq!(found(&home, "app", &format!("mapreduce-20260101_101010_{id}")), *id);
    }
    assert_eq!(found(&home, "app", "flow"), old, "the latest that can be resumed here");
    assert_eq!(found(&home, "other", "flow"), there);
    assert_eq!(found(&home, "app", "alone"), alone, "the latest anywhere");
    assert_eq!(found(&home, "app", "alon"), alone);
    let error = find(&home, Some("app"), "flow-").unwrap_err();
    assert!(matches!(&error, StoreError::Ambiguous { candidates, .. } if candidates.len() == 3));
    let long = "a".repeat(5000);
    for text in ["", "sess", "session-", "alo", "../../x", "/etc/passwd", "*", "%2e%2e", &long] {
        let error = find(&home, Some("app"), text).unwrap_err();
        assert!(matches!(error, StoreError::NotFound { .. }), "{text}: {error}");
    }
    assert_eq!(latest_resumable(&home, "app").unwrap().unwrap().session_id, old);
    assert_eq!(latest_resumable(&home, "nowhere").unwrap(), None);
}

#[test]
fn the_list_survives_whatever_lies_there() {
    let (_place, home) = home();
    assert!(cards(&home).unwrap().is_empty());
    let running = started("running");
    let running_id = running.session_id.clone();
    let held = OpenSession::create(&home, running, "", Durability::Strict).unwrap();
    let dead = made(&home, "dead", "app", None);
    let cardless = made(&home, "cardless", "app", COMPLETED);
    std::fs::remove_file(home.card(&cardless)).unwrap();
    let zeroed = made(&home, "zeroed", "app", FAILED);
    std::fs::write(home.card(&zeroed), [0; 100]).unwrap();
    let broken = made(&home, "broken", "app", None);
    let mut bytes = std::fs::read(home.journal(&broken)).unwrap();
    let last = bytes.len() - 10;
    bytes[last] ^= 1;
    std::fs::write(home.journal(&broken), bytes).unwrap();
    let lost = made(&home, "lost", "app", None);
    std::fs::remove_file(home.journal(&lost)).unwrap();
    for half in [SessionId::fresh(), SessionId::fresh()] {
        std::fs::create_dir(home.session(&half)).unwrap();
        std::fs::write(home.workflow(&half), "").unwrap();
    }
    std::fs::write(home.sessions().join("junk"), "x").unwrap();
    std::fs::create_dir(home.sessions().join("session-../x".replace('/', "_"))).unwrap();

    let entries = cards(&home).unwrap();
    assert_eq!(entries.len(), 6);
    let status = |id: &SessionId| {
        let entry = entries.iter().find(|entry| entry.session() == id).unwrap();
        (entry.known().unwrap().status, matches!(entry, Entry::Damaged { .. }))
    };
    assert_eq!(status(&running_id), (SessionStatus::Running, false));
    assert_eq!(status(&dead), (SessionStatus::Interrupted, false));
    assert_eq!(status(&cardless), (SessionStatus::Completed, false));
    assert_eq!(status(&zeroed), (SessionStatus::Failed, false));
    assert_eq!(status(&broken), (SessionStatus::Interrupted, true));
    assert_eq!(status(&lost), (SessionStatus::Interrupted, true));
    assert_eq!(remove_half_made(&home).unwrap(), 2);
    assert_eq!(cards(&home).unwrap().len(), 6);
    drop(held);
}

#[test]
fn cleaning_keeps_the_card_of_what_is_over_and_never_touches_what_runs() {
    let (_place, home) = home();
    let done = made(&home, "done", "app", COMPLETED);
    let failed = made(&home, "failed", "app", FAILED);
    let running = started("running");
    let running_id = running.session_id.clone();
    let held = OpenSession::create(&home, running, "", Durability::Strict).unwrap();
    let listed = prunable(&home, Duration::ZERO).unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].card.session_id == done && listed[0].bytes > 0);
    assert!(prunable(&home, Duration::from_secs(3600)).unwrap().is_empty());
    assert!(home.journal(&done).exists(), "listing changes nothing");

    let workflow = listed[0].card.workflow_id.clone();
    assert!(prune(&home, &done).unwrap() > 0);
    assert!(!home.journal(&done).exists() && !home.snapshot("app", &workflow).exists());
    let card = find(&home, None, "done").unwrap();
    assert_eq!((card.status, card.cleaned_at.is_some()), (SessionStatus::Completed, true));
    assert!(OpenSession::read(&home, &done).unwrap_err().to_string().contains("cleaned"));
    assert!(prunable(&home, Duration::ZERO).unwrap().is_empty());

    prune(&home, &failed).unwrap();
    assert!(!home.session(&failed).exists());
    assert!(matches!(prune(&home, &running_id), Err(StoreError::Busy { .. })));
    assert!(matches!(prune(&home, &failed), Err(StoreError::NotFound { .. })));
    assert!(home.journal(&running_id).exists());
    drop(held);
}

#[test]
fn labels_name_the_latest_version_while_the_session_runs() {
    let (_place, home) = home();
    let header = started("flow");
    let id = header.session_id.clone();
    let session = OpenSession::create(&home, header, "", Durability::Strict).unwrap();
    let add = |name: &str| add_label(&home, &id, name, "workflow", indexmap::IndexMap::default());
    assert!(matches!(add("early"), Err(StoreError::NotFound { what: "checkpoint", .. })));
    session.commit(finish(1, "x")).unwrap();
    assert_eq!(add("first").unwrap().version, 1);
    session.commit(finish(2, "x")).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || add(&format!("thread {thread}")).unwrap());
        }
    });
    let all = labels(&home, &id).unwrap();
    assert_eq!(all.len(), 9);
    assert_eq!((all[0].name.as_str(), all[0].version, all[8].version), ("first", 1, 2));
    let path = home.labels(&id);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - 5);
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(labels(&home, &id).unwrap().len(), 8);
    add("after").unwrap();
    assert_eq!(labels(&home, &id).unwrap().len(), 9);
    bytes[30] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert!(matches!(labels(&home, &id), Err(StoreError::Damaged { line: 1, .. })));
}
