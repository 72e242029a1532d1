//! Journals that were cut, flipped, swapped, filled with zeros or written by others.

use std::path::Path;

use proptest::prelude::*;

use super::super::error::StoreError;
use super::super::journal::{Journal, NO_LINE, write_record};
use super::super::scan::{Scan, scan};
use super::super::{Durability, Home, OpenSession, fold, repair};
use super::{finish, go_back, home, seen, start, started};
use crate::session::{Event, EventKind, SessionId};

/// A journal of `steps` steps: its events and its bytes.
fn journal(steps: usize) -> (Vec<Event>, Vec<u8>) {
    let mut kinds = vec![EventKind::SessionStarted(Box::new(started("flow")))];
    for index in 1..=steps {
        kinds.push(start(index));
        kinds.push(finish(index, "grüße \"x\" \\ {[\n"));
    }
    let at = chrono::DateTime::from_timestamp(1_700_000_000, 123).unwrap();
    let events: Vec<Event> =
        kinds.into_iter().zip(1..).map(|(kind, seq)| Event::new(seq, at, kind)).collect();
    let bytes = written(&events);
    (events, bytes)
}

fn written(events: &[Event]) -> Vec<u8> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("journal");
    let mut journal = Journal::create(&path).unwrap();
    for event in events {
        journal.append(event).unwrap();
    }
    drop(journal);
    std::fs::read(&path).unwrap()
}

fn read(bytes: &[u8]) -> Scan {
    scan(Path::new("journal"), bytes).unwrap()
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn every_prefix_is_a_shorter_journal_with_a_torn_end() {
    let (events, bytes) = journal(2);
    for length in 0..=bytes.len() {
        let scan = read(&bytes[..length]);
        assert!(scan.damage.is_none(), "cut at {length}: {:?}", scan.damage);
        let whole = bytes[..length].iter().filter(|byte| **byte == b'\n').count();
        let unended = usize::from(scan.end.unended);
        assert_eq!(scan.events, events[..whole + unended], "cut at {length}");
        assert_eq!(scan.end.length + scan.torn, length as u64);
    }
}

#[test]
fn what_stands_together_is_there_whole_or_not_at_all() {
    let (mut events, _) = journal(2);
    for event in &mut events[2..4] {
        event.with_next = true;
    }
    let bytes = written(&events);
    let ends: Vec<usize> = lines(&bytes)
        .iter()
        .scan(0, |end, line| {
            *end += line.len();
            Some(*end)
        })
        .collect();
    for length in 0..=bytes.len() {
        let scan = read(&bytes[..length]);
        assert!(scan.damage.is_none(), "cut at {length}: {:?}", scan.damage);
        assert_eq!(scan.end.length + scan.torn, length as u64, "cut at {length}");
        let group = ends[1] + 1..ends[4] - 1;
        let expected = if group.contains(&length) { 2 } else { scan.events.len() };
        assert_eq!(scan.events, events[..expected], "cut at {length}");
        assert!(!(3..5).contains(&scan.events.len()), "cut at {length}");
    }
    // Zeros from the second record of the group on.
    let mut holed = bytes.clone();
    holed[ends[2] + 50..].fill(0);
    holed.resize(4096, 0);
    let scan = read(&holed);
    assert_eq!((scan.last, scan.end.length), (2, ends[1] as u64));
    assert_eq!(scan.torn, (ends[2] + 50 - ends[1]) as u64);
    // What was bad in it is damage, as anywhere else.
    let mut flipped = bytes.clone();
    flipped[ends[2] + 50] ^= 1;
    let scan = read(&flipped);
    assert_eq!(scan.last, 2);
    assert!(matches!(scan.damage, Some(StoreError::Damaged { line: 4, .. })));
}

#[test]
fn no_flipped_byte_goes_unnoticed() {
    let (events, bytes) = journal(1);
    for place in 0..bytes.len() {
        // Every bit; what stands for a line end can also become anything else.
        let every = if bytes[place] == b'\n' { 255 } else { 0 };
        for flip in (0..8).map(|bit| 1 << bit).chain(1..=every) {
            let mut flipped = bytes.clone();
            flipped[place] ^= flip;
            let scan = read(&flipped);
            assert!(
                scan.damage.is_some() || scan.events == events,
                "byte {place} ^ {flip}: {} of {} records and no damage",
                scan.events.len(),
                events.len()
            );
            assert_eq!(scan.events, events[..scan.events.len()]);
        }
    }
}

#[test]
fn zeros_behind_the_end_are_a_torn_end_and_zeros_inside_are_not() {
    let (events, bytes) = journal(2);
    for cut in [bytes.len(), bytes.len() - 1, bytes.len() - 30] {
        let mut filled = bytes[..cut].to_vec();
        filled.resize(cut + 4096, 0);
        let scan = read(&filled);
        assert!(scan.damage.is_none(), "{:?}", scan.damage);
        assert!(scan.events.len() >= events.len() - 1);
        assert_eq!(scan.end.length + scan.torn, cut as u64);
    }
    let mut holed = bytes.clone();
    holed[300..320].fill(0);
    assert!(read(&holed).damage.is_some());
    assert_eq!(read(&[0; 512]).torn, 0);
}

#[test]
fn lost_doubled_swapped_and_foreign_lines_are_damage() {
    let (events, bytes) = journal(3);
    let all = lines(&bytes);
    for place in 0..all.len() {
        let mut doubled = all.clone();
        doubled.insert(place, all[place].clone());
        assert!(read(&doubled.concat()).damage.is_some(), "doubled {place}");
        let mut foreign = all.clone();
        foreign.insert(place, b"{\"other\":1}\n".to_vec());
        assert!(read(&foreign.concat()).damage.is_some(), "foreign {place}");
        if place + 1 < all.len() {
            let mut lost = all.clone();
            lost.remove(place);
            let scan = read(&lost.concat());
            assert!(scan.damage.is_some(), "lost {place}");
            assert_eq!(scan.events, events[..place]);
            let mut swapped = all.clone();
            swapped.swap(place, place + 1);
            assert!(read(&swapped.concat()).damage.is_some(), "swapped {place}");
        }
    }
    let windows: Vec<u8> = all.iter().flat_map(|l| [&l[..l.len() - 1], b"\r\n"].concat()).collect();
    assert!(read(&windows).damage.is_some());
    let junk = [bytes.as_slice(), b"junk"].concat();
    assert!(read(&junk).damage.is_some());
    assert!(read(&[bytes.as_slice(), b"\n"].concat()).damage.is_some());
    assert!(read(b"\xff\xfe\n").damage.is_some());
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let (events, _) = journal(0);
    let mut json = serde_json::to_value(&events[0]).unwrap();
    json["event"]["session_started"] = serde_json::json!({ "format": 7, "else": "entirely" });
    let mut line = Vec::new();
    write_record(&mut line, &NO_LINE, &json).unwrap();
    let error = scan(Path::new("j"), &line).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 7, known: 1, .. }), "{error}");
}

#[test]
fn a_rewind_into_the_future_is_damage() {
    let (mut events, _) = journal(1);
    let at = events[0].at;
    events.push(Event::new(4, at, go_back(4)));
    assert!(read(&written(&events)).damage.is_some());
}

/// A finished session in a home, with its journal's path.
fn on_disk() -> (tempfile::TempDir, Home, SessionId) {
    let (place, home) = home();
    let header = started("flow");
    let id = header.session_id.clone();
    let session = OpenSession::create(&home, header, "", Durability::Strict).unwrap();
    for index in 1..=3 {
        session.commit(start(index)).unwrap();
        session.commit(finish(index, "x")).unwrap();
    }
    (place, home, id)
}

#[test]
fn a_journal_shorter_than_what_was_on_disk_is_damage_and_can_be_repaired() {
    let (_place, home, id) = on_disk();
    let path = home.journal(&id);
    let bytes = std::fs::read(&path).unwrap();
    let all = lines(&bytes);
    std::fs::write(&path, all[..5].concat()).unwrap();
    let error = OpenSession::open(&home, &id, Durability::Strict).err().unwrap();
    assert!(matches!(error, StoreError::Damaged { line: 6, .. }), "{error}");
    assert_eq!(OpenSession::read(&home, &id).unwrap().events.len(), 5);
    // The snapshot remembers it too.
    std::fs::remove_file(home.card(&id)).unwrap();
    assert!(OpenSession::open(&home, &id, Durability::Strict).is_err());
    let repaired = repair(&home, &id).unwrap();
    assert_eq!((repaired.last_seq, repaired.lost_bytes), (5, 0));
    let session = OpenSession::open(&home, &id, Durability::Strict).unwrap();
    assert_eq!(session.commit(finish(3, "again")).unwrap().seq, 6);
}

#[test]
fn a_repair_keeps_what_it_cuts_off() {
    let (_place, home, id) = on_disk();
    let path = home.journal(&id);
    let bytes = std::fs::read(&path).unwrap();
    let all = lines(&bytes);
    let mut broken = all.clone();
    broken[4][40] ^= 1;
    std::fs::write(&path, broken.concat()).unwrap();
    let repaired = repair(&home, &id).unwrap();
    assert_eq!(repaired.last_seq, 4);
    assert_eq!(std::fs::read(repaired.saved.unwrap()).unwrap(), broken[4..].concat());
    assert_eq!(std::fs::read(&path).unwrap(), all[..4].concat());
    assert!(repair(&home, &id).unwrap().damage.is_none());
    OpenSession::open(&home, &id, Durability::Strict).unwrap();
}

#[test]
fn a_torn_end_is_cut_off_when_the_session_is_opened() {
    let (_place, home, id) = on_disk();
    let path = home.journal(&id);
    let bytes = std::fs::read(&path).unwrap();
    let torn = [bytes.as_slice(), &lines(&bytes)[3][..50]].concat();
    std::fs::write(&path, &torn).unwrap();
    let loaded = OpenSession::read(&home, &id).unwrap();
    assert_eq!((loaded.torn, loaded.events.len()), (50, 7));
    let session = OpenSession::open(&home, &id, Durability::Strict).unwrap();
    assert_eq!(session.torn(), 50);
    drop(session);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    // Only the line end is missing: nothing is lost.
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let session = OpenSession::open(&home, &id, Durability::Strict).unwrap();
    assert_eq!(session.with(|state| state.last_seq), 7);
    session.commit(start(9)).unwrap();
    drop(session);
    assert!(std::fs::read(&path).unwrap().starts_with(&bytes));
    assert!(OpenSession::read(&home, &id).unwrap().damage.is_none());
}

/// What was not on disk yet when the power failed: a page of it may be lost and the next not.
#[test]
fn a_hole_behind_what_was_on_disk_is_a_torn_end() {
    let (_place, home, id) = on_disk();
    let path = home.journal(&id);
    let session = OpenSession::open(&home, &id, Durability::Strict).unwrap();
    let synced = session.with(|state| state.last_seq);
    let good = std::fs::metadata(&path).unwrap().len();
    session.commit(start(4)).unwrap();
    session.commit(finish(4, &"long ".repeat(2000))).unwrap();
    session.commit(start(5)).unwrap();
    let killed = std::fs::read(&path).unwrap();
    assert_eq!(killed.last(), Some(&0), "there is room behind the records");
    let whole = killed.iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1;
    let page = usize::try_from(good.next_multiple_of(4096)).unwrap();
    // The card of the dead run, which wrote no other.
    let card = std::fs::read(home.card(&id)).unwrap();
    drop(session);
    for (from, to) in [(page - 40, page), (page, page + 4096)] {
        let mut holed = killed.clone();
        holed[from..to].fill(0);
        std::fs::write(&path, &holed).unwrap();
        std::fs::write(home.card(&id), &card).unwrap();
        let loaded = OpenSession::read(&home, &id).unwrap();
        assert!(loaded.damage.is_none() && loaded.events.len() as u64 >= synced, "{loaded:?}");
        assert_eq!(loaded.length + loaded.torn, whole);
        // A hole in what was on disk is damage.
        let mut later: serde_json::Value = serde_json::from_slice(&card).unwrap();
        later["last_synced_seq"] = (synced + 3).into();
        let later = later.to_string();
        std::fs::write(home.card(&id), later).unwrap();
        assert!(OpenSession::read(&home, &id).unwrap().damage.is_some());
    }
}

#[test]
fn what_is_no_file_is_an_error_and_links_are_not_followed() {
    let (place, home, id) = on_disk();
    let path = home.journal(&id);
    let elsewhere = place.path().join("elsewhere");
    std::fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    assert!(OpenSession::open(&home, &id, Durability::Strict).is_err());
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(OpenSession::read(&home, &id).is_err());
    std::fs::remove_dir(&path).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    assert!(OpenSession::read(&home, &id).is_err());
}

fn kinds() -> impl Strategy<Value = Vec<Option<EventKind>>> {
    let step = 1..6_usize;
    let kind = prop_oneof![
        3 => step.clone().prop_map(|index| Some(start(index))),
        4 => (step, ".{1,12}").prop_map(|(index, text)| Some(finish(index, &text))),
        1 => Just(None),
    ];
    prop::collection::vec(kind, 1..40)
}

/// Events in order; each `None` goes back to an earlier one that `choice` picks.
fn events(kinds: Vec<Option<EventKind>>, choice: u64) -> Vec<Event> {
    let first = EventKind::SessionStarted(Box::new(started("flow")));
    let at = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    std::iter::once(Some(first))
        .chain(kinds)
        .zip(1..)
        .map(|(kind, seq)| {
            let back = || go_back(choice.wrapping_mul(seq) % (seq - 1) + 1);
            Event::new(seq, at, kind.unwrap_or_else(back))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_fold_can_stop_anywhere_and_go_on(kinds in kinds(), choice: u64, cut: prop::sample::Index) {
        let events = events(kinds, choice);
        let cut = cut.index(events.len() + 1);
        let mut state = fold(&events[..cut]);
        for event in &events[cut..] {
            state.apply(event);
            if let EventKind::Rewound { to_seq: Some(target), .. } = &event.kind {
                state.return_to(fold(&events[..usize::try_from(*target).unwrap()]), &event.kind);
            }
        }
        prop_assert!(seen(&state) == seen(&fold(&events)));
    }

    #[test]
    fn what_is_written_is_what_is_read(kinds in kinds(), choice: u64) {
        let events = events(kinds, choice);
        prop_assert!(read(&written(&events)).events == events);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>, at: prop::sample::Index, cut: bool) {
        let (events, good) = journal(2);
        let _ = scan(Path::new("j"), &bytes);
        let place = at.index(good.len());
        let tail = if cut { &[] } else { &good[place..] };
        let spliced = [&good[..place], bytes.as_slice(), tail].concat();
        let scan = read(&spliced);
        prop_assert!(events.starts_with(&scan.events));
        prop_assert!(scan.damage.is_some() || scan.events == events || cut);
    }
}
