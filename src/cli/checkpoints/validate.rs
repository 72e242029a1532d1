//! `prodigy checkpoints validate ID`: every record, and every text kept beside the journal.

use serde_json::{Value as Json, json};

use crate::cli::args::CheckpointsValidate;
use crate::cli::confirm::{self, Answer};
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::recovery::{Integrity, LostText};
use crate::session::{Progress, ResultPlace};
use crate::store::{self, Card, FrozenItems, Loaded, StoreError};
use crate::view;

/// Checks a session, and with `--repair` goes back to its last good record.
pub(super) fn run(
    arguments: &CheckpointsValidate,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = place.find(&arguments.id)?;
    let loaded = place.read(&card.session_id)?;
    let lost_texts = Integrity::examine(&place.home, &loaded).lost;
    let job_damage = check_job(&place, &card, &loaded).err();
    if arguments.json {
        console.output.json(&finding(&card, &loaded, &lost_texts, job_damage.as_ref()));
    } else {
        tell(&card, &loaded, &lost_texts, job_damage.as_ref(), console);
    }
    if arguments.repair && loaded.damage.is_some() {
        return repair(arguments, &place, &card, &loaded, console);
    }
    match loaded.damage {
        Some(damage) => Err(Failure::from(damage).with_help(format!(
            "prodigy checkpoints validate {} --repair   (continues from the last good record)",
            card.workflow_id
        ))),
        None if !lost_texts.is_empty() => Err(Failure::new(
            ExitKind::Damaged,
            format!(
                "{} of {} cannot be read",
                counted(lost_texts.len(), "output"),
                card.session_id
            ),
        )
        .because(lost_texts.iter().map(|text| text.why.as_str()).collect::<Vec<_>>().join("; "))
        .with_help(format!(
            "prodigy resume {} --from-checkpoint vN   (a version before event {})",
            card.workflow_id,
            lost_texts.first().map_or(0, |text| text.seq)
        ))),
        None => job_damage.map_or(Ok(ExitKind::Success), |damage| Err(damage.into())),
    }
}

/// The frozen items of a job, and the results that its records refer to, are what was written.
fn check_job(place: &Place, card: &Card, loaded: &Loaded) -> Result<(), StoreError> {
    let (state, home) = (&loaded.state, &place.home);
    let Some(job) = state.lifetime.job.as_deref().filter(|_| state.standing.frozen) else {
        return Ok(());
    };
    let items = FrozenItems::open(home, &card.repository, job)?;
    items.check(state.lifetime.items, state.lifetime.items_crc)?;
    for (.., place) in state.standing.items.results() {
        // A result in a record is checked with it.
        if let ResultPlace::File(at) = place {
            store::read_result(home, &card.repository, job, at)?;
        }
    }
    Ok(())
}

fn finding(
    card: &Card,
    loaded: &Loaded,
    lost_texts: &[LostText],
    job_damage: Option<&StoreError>,
) -> Json {
    let damage = loaded.damage.as_ref().or(job_damage);
    json!({
        "workflow_id": card.workflow_id,
        "session_id": card.session_id,
        "valid": damage.is_none() && lost_texts.is_empty(),
        "last_seq": loaded.state.last_seq,
        "version": loaded.state.lifetime.latest_version().map(|version| version.version),
        "damage": damage.map(ToString::to_string),
        "torn_bytes": loaded.torn,
        "missing_outputs": lost_texts
            .iter()
            .map(|text| json!({ "seq": text.seq, "error": text.why }))
            .collect::<Vec<_>>(),
        "runs_again": runs_again(loaded),
    })
}

fn tell(
    card: &Card,
    loaded: &Loaded,
    lost_texts: &[LostText],
    job_damage: Option<&StoreError>,
    console: &mut Console,
) {
    let sound = loaded.damage.is_none() && lost_texts.is_empty() && job_damage.is_none();
    let finding = if sound { "sound" } else { "damaged" };
    let records = counted(loaded.events.len(), "good record");
    let versions = counted(loaded.state.lifetime.versions.len(), "checkpoint");
    console.output.line(format_args!("{}: {finding}: {records}, {versions}", card.workflow_id));
    if loaded.torn > 0 {
        console.output.line(format_args!(
            "  a last line of {} was cut short by a crash; the next resume drops it",
            view::bytes(loaded.torn)
        ));
    }
    for text in lost_texts {
        console.output.line(format_args!("  record {}: {}", text.seq, view::line(&text.why)));
    }
    if loaded.damage.is_none() {
        return;
    }
    console.output.line(format_args!(
        "  the last good record is {}, at {}",
        loaded.state.last_seq,
        view::position(&loaded.state)
    ));
    let again = runs_again(loaded);
    if !again.is_empty() {
        console.output.line(format_args!("  would run again: step {}", again.join(", step ")));
    }
    let known = done(loaded);
    if card.steps_done > known {
        console.output.line(format_args!(
            "  {} that had finished would run again, too",
            counted(card.steps_done - known, "step")
        ));
    }
}

/// Steps that the good records show as begun and not ended.
fn runs_again(loaded: &Loaded) -> Vec<String> {
    let open =
        |progress| matches!(progress, Progress::Running | Progress::InDoubt | Progress::Between);
    let records = loaded.state.standing.records();
    let open = records.filter(|(_, record)| open(record.progress));
    open.map(|(address, _)| view::line(address.as_str()).into_owned()).collect()
}

fn done(loaded: &Loaded) -> usize {
    let records = loaded.state.standing.records();
    records.filter(|(address, record)| address.is_top_level() && record.result.is_some()).count()
}

fn repair(
    arguments: &CheckpointsValidate,
    place: &Place,
    card: &Card,
    loaded: &Loaded,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    if let Some(holder) = store::holder(&place.home, &card.session_id) {
        let session = card.session_id.to_string();
        return Err(StoreError::Busy { session, holder: holder.to_string() }.into());
    }
    if !arguments.yes {
        let question =
            format!("Continue {} from record {}?", card.workflow_id, loaded.state.last_seq);
        match confirm::ask(&question, &|| false) {
            Answer::Yes => {}
            Answer::No => {
                console.remark("nothing was changed");
                return Ok(ExitKind::Damaged);
            }
            Answer::NoTerminal => {
                return Err(Failure::new(ExitKind::NeedsPerson, "a repair has to be confirmed")
                    .because("there is no terminal to ask at")
                    .with_help(format!(
                        "prodigy checkpoints validate {} --repair --yes",
                        card.workflow_id
                    )));
            }
        }
    }
    let repaired = store::repair(&place.home, &card.session_id)?;
    console.remark(format_args!(
        "{} now ends after record {}; {} were cut off",
        card.workflow_id,
        repaired.last_seq,
        view::bytes(repaired.lost_bytes)
    ));
    if let Some(saved) = &repaired.saved {
        console.remark(format_args!("what was cut off is kept in {}", saved.display()));
    }
    console.remark(format_args!("to go on: prodigy resume {}", card.workflow_id));
    Ok(ExitKind::Success)
}

fn counted(number: usize, noun: &str) -> String {
    view::count(u64::try_from(number).unwrap_or(u64::MAX), noun)
}
