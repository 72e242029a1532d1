//! Sessions that travel from one home to another.

use base64::Engine as _;

use super::super::*;
use super::{finish, home, seen, started};
use crate::session::*;

fn packed() -> (tempfile::TempDir, Home, SessionId, std::path::PathBuf) {
    let (place, home) = home();
    let there = place.path().join("there");
    std::fs::create_dir(&there).unwrap();
    let mut header = started("flow");
    header.workflow_path = there.join("flows/a.yaml");
    header.directory = there;
    let id = header.session_id.clone();
    let session = OpenSession::create(&home, header, "name: flow\n", Durability::Strict).unwrap();
    session.commit(finish(1, "one")).unwrap();
    session.keep(&vec![7; 1_000_000]).unwrap();
    std::io::Write::write_all(&mut session.log(&Address::root().step(1), 1).unwrap(), b"log")
        .unwrap();
    let archive = place.path().join("flow.archive");
    export(&home, &id, &archive, None).unwrap(); // while it runs
    (place, home, id, archive)
}

#[test]
fn a_session_arrives_as_it_left() {
    let (place, old, id, archive) = packed();
    let new = Home::at(&place.path().join("new")).unwrap();
    let imported = import(&new, &archive, place.path()).unwrap();
    assert_eq!(imported.card.session_id, id);
    assert_eq!((imported.formerly, imported.moved_to), (None, None));
    assert_eq!(imported.card.status, SessionStatus::Interrupted);
    let (left, arrived) =
        (OpenSession::read(&old, &id).unwrap(), OpenSession::read(&new, &id).unwrap());
    assert_eq!(seen(&left.state), seen(&arrived.state));
    assert_eq!(kept(&new, &id, Digest::of(&vec![7; 1_000_000]).as_str()).unwrap().len(), 1_000_000);
    assert_eq!(std::fs::read(new.logs(&id).join("1.1.log")).unwrap(), b"log");
    assert_eq!(std::fs::read(new.workflow(&id)).unwrap(), b"name: flow\n");
    OpenSession::open(&new, &id, Durability::Strict).unwrap();
}

#[test]
fn a_taken_id_becomes_a_fresh_one_and_a_missing_directory_the_present_one() {
    let (place, home, id, archive) = packed();
    let here = place.path().join("here");
    std::fs::create_dir(&here).unwrap();
    std::fs::remove_dir_all(place.path().join("there")).unwrap();
    let imported = import(&home, &archive, &here).unwrap();
    assert_eq!(imported.formerly, Some(id.clone()));
    let fresh = imported.card.session_id;
    assert_ne!(fresh, id);
    let here = std::fs::canonicalize(here).unwrap();
    assert_eq!(imported.moved_to.as_ref(), Some(&here));
    let loaded = OpenSession::read(&home, &fresh).unwrap();
    assert!(loaded.damage.is_none());
    let header = loaded.state.header().unwrap();
    assert_eq!((&header.directory, &header.repository), (&here, &"here".to_owned()));
    assert_eq!(header.workflow_path, here.join("flows/a.yaml"));
    assert_eq!(find(&home, None, header.workflow_id.as_str()).unwrap().session_id, fresh);
    OpenSession::open(&home, &fresh, Durability::Strict).unwrap();
}

#[test]
fn bad_archives_leave_nothing_behind() {
    let (place, _, _, archive) = packed();
    let new = Home::at(&place.path().join("new")).unwrap();
    let good = std::fs::read_to_string(&archive).unwrap();
    let data = base64::engine::general_purpose::STANDARD.encode("evil");
    let sha = Digest::of(b"evil");
    let mut bad = vec![
        String::new(),
        "{}\n".to_owned(),
        good.replacen("\"format\":1", "\"format\":9", 1),
        good.replacen("prodigy-session", "something", 1),
        good[..good.len() / 2].to_owned(),
        good.lines().take(3).map(|line| format!("{line}\n")).collect(),
        good.replacen("\"data\":\"", "\"data\":\"AAAA", 1),
        good.replacen("\"bytes\":", "\"bytes\":1", 1),
    ];
    let heading = good.lines().next().unwrap();
    for name in [
        "../evil",
        "/tmp/evil",
        "logs/../../evil.log",
        "blobs/x",
        "session.json",
        "logs/.x.log",
        "",
    ] {
        bad.push(format!(
            "{heading}\n{{\"file\":{{\"name\":{name:?},\"bytes\":4,\"sha256\":\"{sha}\"}}}}\n{{\"data\":\"{data}\"}}\n{{\"end\":{{\"files\":1}}}}\n"
        ));
    }
    for (number, text) in bad.iter().enumerate() {
        std::fs::write(&archive, text).unwrap();
        assert!(import(&new, &archive, place.path()).is_err(), "archive {number}");
        let left = std::fs::read_dir(new.sessions()).unwrap().count();
        assert_eq!(left, 0, "archive {number}");
    }
    assert!(!place.path().join("evil").exists());
    std::fs::write(&archive, good).unwrap();
    import(&new, &archive, place.path()).unwrap();
}
