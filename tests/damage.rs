//! Damaged state, seen from the command line: nothing panics, nothing is skipped in silence, and
//! what is told leads on.

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

use std::path::{Path, PathBuf};

use support::{Ran, Sandbox};

const FLOW: &str = r#"
commands:
  - {id: one, shell: "echo one >> words; printf 'a value'", capture_output: value}
  - {shell: "echo two >> words; false", on_failure: "echo mended >> words"}
  - {shell: "echo \"three ${value}\" >> words; [ -e go ]"}
  - echo four >> words
"#;

/// A failed session whose files a test damages.
struct Victim {
    sandbox: Sandbox,
    session: PathBuf,
    journal: Vec<u8>,
    id: String,
}

impl Victim {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("flow.yaml", FLOW);
        sandbox.run(&["cook", "flow.yaml"]).exits(1);
        let mut sessions = std::fs::read_dir(sandbox.state().join("sessions")).unwrap();
        let session = sessions.next().unwrap().unwrap().path();
        let journal = std::fs::read(session.join("journal.jsonl")).unwrap();
        let id = session.file_name().unwrap().to_str().unwrap().to_owned();
        sandbox.write("go", "");
        sandbox.write("words", "");
        Self { sandbox, session, journal, id }
    }

    fn journal_path(&self) -> PathBuf {
        self.session.join("journal.jsonl")
    }

    /// What the journal is now, where it is a file.
    fn present(&self) -> Option<Vec<u8>> {
        let path = self.journal_path();
        path.is_file().then(|| std::fs::read(path).unwrap())
    }

    fn write(&self, journal: &[u8]) {
        std::fs::write(self.journal_path(), journal).unwrap();
    }

    /// The card of a run that was killed when this record was the last on disk.
    fn killed_after(&self, synced: u64) {
        let path = self.session.join("session.json");
        let card = std::fs::read(&path).unwrap();
        let mut card: serde_json::Value = serde_json::from_slice(&card).unwrap();
        card["status"] = "running".into();
        card["last_synced_seq"] = synced.into();
        std::fs::write(&path, card.to_string()).unwrap();
        let _ = std::fs::remove_dir_all(self.sandbox.state().join("state/work/checkpoints"));
    }

    /// Runs everything that only looks: it ends with a code of its own and changes nothing.
    #[track_caller]
    fn look(&self, what: &str) {
        let before = self.present();
        for arguments in [
            &["sessions", "list"][..],
            &["sessions", "show", &self.id],
            &["checkpoints", "list"],
            &["checkpoints", "show", &self.id],
            &["checkpoints", "validate", &self.id],
            &["events", "ls", "--session", &self.id],
            &["resume", &self.id, "--plan"],
        ] {
            let ran = self.sandbox.run(arguments);
            let good = matches!(ran.code, Some(0 | 3 | 5));
            assert!(good, "{what}: {arguments:?} {ran:#?}");
            check_words_of(&ran, what);
        }
        assert_eq!(before, self.present(), "{what}");
    }

    /// The session is completed after this resume. Where the dead run had failed and only its
    /// own end was lost, the resume records that end, and the next one starts the step again.
    #[track_caller]
    fn ends_after(&self, resumed: &Ran, what: &str) {
        if resumed.code == Some(1) && self.sandbox.words("words").is_empty() {
            self.sandbox.run(&["resume", &self.id]).exits(0);
            return;
        }
        assert_eq!(resumed.code, Some(0), "{what}: {resumed:#?}");
    }

    /// A resume is refused as damage, says where and what to do, and runs nothing.
    #[track_caller]
    fn is_refused(&self, what: &str) -> Ran {
        let ran = self.sandbox.run(&["resume", &self.id]);
        assert_eq!(ran.code, Some(5), "{what}: {ran:#?}");
        assert!(ran.stderr.contains("journal.jsonl"), "{what}: {ran:#?}");
        assert!(ran.stderr.contains("help: "), "{what}: {ran:#?}");
        assert_eq!(self.sandbox.words("words"), "", "{what}");
        let latest = self.sandbox.run(&["resume"]);
        assert_eq!(self.sandbox.words("words"), "", "{what}: {latest:#?}");
        ran
    }
}

/// Errors are told once, in our words.
#[track_caller]
fn check_words_of(ran: &Ran, what: &str) {
    assert!(!ran.stderr.contains("panicked"), "{what}: {ran:#?}");
    if !matches!(ran.code, Some(0 | 1)) {
        assert_eq!(ran.stderr.matches("error: ").count(), 1, "{what}: {ran:#?}");
    }
}

fn is_long() -> bool {
    std::env::var_os("PRODIGY_LONG_TESTS").is_some()
}

/// Every place, or some that lie everywhere.
fn places(length: usize, some: usize) -> impl Iterator<Item = usize> {
    let step = if is_long() { 1 } else { (length / some).max(1) };
    // Odd steps do not follow the length of lines.
    (0..length).step_by(step | 1)
}

/// What the good records tell as finished is not among the words of the resume, all else is.
#[track_caller]
fn check_repeated(words: &str, good: &str, what: &str) {
    assert!("one two mended three a value four".ends_with(words), "{what}: {words}");
    // The second step fails; its only attempt ends in a record of its own.
    for (word, end) in [("one", "step_finished\":{\"address\":\"1\""), ("two", "attempt_finished")]
    {
        assert_eq!(words.contains(word), !good.contains(end), "{what}: {words}");
    }
}

#[test]
fn a_journal_cut_at_any_byte_goes_on_or_was_never_there() {
    let victim = Victim::new();
    let first = victim.journal.iter().position(|byte| *byte == b'\n').unwrap();
    for length in places(victim.journal.len(), 25) {
        let what = format!("cut at {length} of {}", victim.journal.len());
        victim.write(&victim.journal[..length]);
        victim.killed_after(0);
        victim.sandbox.write("words", "");
        if length % 25 == 0 {
            victim.look(&what);
        }
        let ran = victim.sandbox.run(&["resume", &victim.id]);
        check_words_of(&ran, &what);
        if length < first {
            assert!(matches!(ran.code, Some(3 | 5)), "{what}: {ran:#?}");
            assert_eq!(victim.sandbox.words("words"), "", "{what}");
            continue;
        }
        victim.ends_after(&ran, &what);
        let words = victim.sandbox.words("words");
        let prefix = String::from_utf8_lossy(&victim.journal[..length]);
        let whole = &prefix[..prefix.rfind('\n').map_or(0, |end| end + 1)];
        let torn = length - whole.len();
        let record = prefix.len() == length
            && serde_json::from_str::<serde_json::Value>(&prefix[whole.len()..]).is_ok();
        // A record that lacks nothing but its line end counts.
        check_repeated(&words, if record { &prefix } else { whole }, &what);
        let told = ran.stderr.contains("written only in part");
        assert_eq!(told, torn > 0 && !record, "{what}: {ran:#?}");
        let again = victim.sandbox.run(&["resume", &victim.id]).exits(0);
        assert!(!again.stderr.contains("written only in part"), "told once: {again:#?}");
    }
}

#[test]
fn a_journal_that_is_shorter_than_what_was_on_disk_is_damaged() {
    let victim = Victim::new();
    for length in places(victim.journal.len(), 15) {
        let what = format!("cut at {length} of {}", victim.journal.len());
        // The card says that all of it was on disk.
        victim.write(&victim.journal[..length]);
        if victim.journal[..=length].iter().filter(|byte| **byte == b'\n').count()
            == victim.journal.iter().filter(|byte| **byte == b'\n').count()
        {
            continue;
        }
        victim.look(&what);
        victim.is_refused(&what);
    }
}

#[test]
fn no_changed_byte_is_passed_over() {
    let victim = Victim::new();
    for place in places(victim.journal.len(), 25) {
        for change in [0x01, 0x20, 0x80] {
            let what = format!("byte {place} changed by {change:#x}");
            let mut journal = victim.journal.clone();
            journal[place] ^= change;
            victim.write(&journal);
            if change == 0x01 {
                victim.look(&what);
            }
            victim.is_refused(&what);
        }
    }
}

#[test]
fn lost_doubled_and_swapped_records_zeros_and_line_ends_of_others_are_damage() {
    let victim = Victim::new();
    let lines: Vec<&[u8]> = victim.journal.split_inclusive(|byte| *byte == b'\n').collect();
    let last = lines.len() - 1;
    let mut variants: Vec<(String, Vec<u8>)> = Vec::new();
    for index in 0..last {
        let mut lost = lines.clone();
        lost.remove(index);
        variants.push((format!("lost {index}"), lost.concat()));
        let mut doubled = lines.clone();
        doubled.insert(index, lines[index]);
        variants.push((format!("doubled {index}"), doubled.concat()));
        let mut swapped = lines.clone();
        swapped.swap(index, index + 1);
        variants.push((format!("swapped {index}"), swapped.concat()));
    }
    let text = String::from_utf8(victim.journal.clone()).unwrap();
    variants.push(("CRLF".to_owned(), text.replace('\n', "\r\n").into_bytes()));
    variants.push(("empty lines".to_owned(), text.replace('\n', "\n\n").into_bytes()));
    let mut zeros = victim.journal.clone();
    zeros[100..400].fill(0);
    variants.push(("a block of zeros".to_owned(), zeros));
    variants.push(("only zeros".to_owned(), vec![0; victim.journal.len()]));
    variants.push(("empty".to_owned(), Vec::new()));
    variants.push(("garbage".to_owned(), b"\x7fELF\x02\x01\n{}\n[]\n".to_vec()));
    variants.push(("something behind".to_owned(), [&victim.journal[..], b"null\n"].concat()));
    for (what, journal) in variants {
        victim.write(&journal);
        victim.look(&what);
        victim.is_refused(&what);
    }
}

#[test]
fn after_a_repair_what_was_lost_runs_again_and_nothing_else() {
    let victim = Victim::new();
    let lines: Vec<&[u8]> = victim.journal.split_inclusive(|byte| *byte == b'\n').collect();
    for index in 1..lines.len() {
        let what = format!("record {}", index + 1);
        let mut journal: Vec<Vec<u8>> = lines.iter().map(|line| line.to_vec()).collect();
        journal[index][30] ^= 0x04;
        victim.write(&journal.concat());
        victim.sandbox.write("words", "");
        let ran = victim.is_refused(&what);
        assert!(ran.stderr.contains("checkpoints validate"), "{what}: {ran:#?}");
        victim.sandbox.run(&["checkpoints", "validate", &victim.id, "--repair", "--yes"]).exits(0);
        victim.sandbox.run(&["checkpoints", "validate", &victim.id]).exits(0);
        let ran = victim.sandbox.run(&["resume", &victim.id]);
        victim.ends_after(&ran, &what);
        let words = victim.sandbox.words("words");
        let good = String::from_utf8(lines[..index].concat()).unwrap();
        check_repeated(&words, &good, &what);
    }
}

#[test]
fn force_starts_again_whatever_is_damaged() {
    for what in ["journal", "empty", "gone", "directory"] {
        let victim = Victim::new();
        let path = victim.journal_path();
        match what {
            "journal" => victim.write(b"garbage\n"),
            "empty" => victim.write(b""),
            "gone" => std::fs::remove_file(&path).unwrap(),
            _ => {
                std::fs::remove_file(&path).unwrap();
                std::fs::create_dir(&path).unwrap();
            }
        }
        victim.look(what);
        victim.sandbox.run(&["resume", &victim.id]).exits(5);
        let ran = victim.sandbox.run(&["resume", &victim.id, "--force"]).exits(0);
        assert_eq!(victim.sandbox.words("words"), "one two mended three a value four", "{ran:#?}");
    }
}

#[test]
fn a_journal_that_is_no_file_of_ours_is_not_followed() {
    use std::os::unix::fs::symlink;
    let victim = Victim::new();
    let path = victim.journal_path();
    let elsewhere = victim.sandbox.root().join("elsewhere");
    std::fs::rename(&path, &elsewhere).unwrap();
    let links: [(&str, &dyn Fn()); 4] = [
        ("link", &|| symlink(&elsewhere, &path).unwrap()),
        ("link to nothing", &|| symlink("/no/such", &path).unwrap()),
        ("directory", &|| std::fs::create_dir(&path).unwrap()),
        ("pipe", &|| {
            assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        }),
    ];
    for (what, make) in links {
        make();
        victim.look(what);
        victim.is_refused(what);
        if path.symlink_metadata().unwrap().is_dir() {
            std::fs::remove_dir(&path).unwrap();
        } else {
            std::fs::remove_file(&path).unwrap();
        }
    }
    assert_eq!(std::fs::read(&elsewhere).unwrap(), victim.journal);
}

#[test]
fn caches_that_are_lost_or_broken_stop_nothing() {
    let snapshots = |victim: &Victim| victim.sandbox.state().join("state/work/checkpoints");
    let damages: [(&str, &dyn Fn(&Victim)); 6] = [
        ("no snapshot", &|it| std::fs::remove_dir_all(snapshots(it)).unwrap()),
        ("broken snapshot", &|it| {
            for file in std::fs::read_dir(snapshots(it)).unwrap() {
                std::fs::write(file.unwrap().path(), "{\"a\": 1").unwrap();
            }
        }),
        ("no card", &|it| std::fs::remove_file(it.session.join("session.json")).unwrap()),
        ("broken card", &|it| std::fs::write(it.session.join("session.json"), "\0\0\0").unwrap()),
        ("no logs", &|it| {
            let _ = std::fs::remove_dir_all(it.session.join("logs"));
        }),
        ("no lock", &|it| {
            std::fs::remove_dir_all(it.sandbox.state().join("resume_locks")).unwrap();
        }),
    ];
    for (what, damage) in damages {
        let victim = Victim::new();
        damage(&victim);
        victim.look(what);
        let ran = victim.sandbox.run(&["resume"]).exits(0);
        assert_eq!(victim.sandbox.words("words"), "three a value four", "{what}: {ran:#?}");
    }
}

#[test]
fn files_of_others_in_the_state_directory_disturb_nobody() {
    let victim = Victim::new();
    let state = victim.sandbox.state();
    let garbage = |path: &Path| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"\xff\xfe garbage \0").unwrap();
    };
    garbage(&state.join("sessions/README"));
    garbage(&state.join("sessions/session-00000000-0000-4000-8000-000000000000"));
    garbage(&state.join("sessions/session-00000000-0000-4000-8000-000000000001/session.json"));
    garbage(&state.join("sessions/session-00000000-0000-4000-8000-000000000002/journal.jsonl"));
    garbage(&state.join("sessions/.DS_Store"));
    garbage(&state.join("state/work/checkpoints/other.json"));
    garbage(&state.join("state/work/checkpoints/.x.json.tmp"));
    garbage(&state.join("state/mappings/job.json"));
    garbage(&state.join("resume_locks/x.lock"));
    std::fs::create_dir_all(state.join("sessions/session-00000000-0000-4000-8000-000000000003"))
        .unwrap();
    victim.look("garbage");
    victim.sandbox.run(&["sessions", "list"]).exits(0);
    victim.sandbox.run(&["resume"]).exits(0);
    assert_eq!(victim.sandbox.words("words"), "three a value four");
    victim.sandbox.run(&["checkpoints", "clean", "--all", "--force"]).exits(0);
    assert!(state.join("sessions/README").exists());
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    for file in ["journal.jsonl", "session.json"] {
        let victim = Victim::new();
        let path = victim.session.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let newer = if file == "journal.jsonl" {
            let (first, rest) = text.split_once('\n').unwrap();
            let content = first[18..].replace("\"format\":1", "\"format\":99");
            assert_ne!(content, first[18..]);
            let mut hasher = crc32fast::Hasher::new();
            hasher.update(b"00000000");
            hasher.update(content.as_bytes());
            format!("{{\"crc\":\"{:08x}\",{content}\n{rest}", hasher.finalize())
        } else {
            text.replace("\"format\": 1", "\"format\": 99")
        };
        assert_ne!(newer, text);
        std::fs::write(&path, newer).unwrap();
        victim.look(file);
        let ran = victim.sandbox.run(&["resume", &victim.id]).exits(5);
        assert!(ran.stderr.contains("99") && ran.stderr.contains('1'), "{ran:#?}");
        assert_eq!(victim.sandbox.words("words"), "");
    }
}
