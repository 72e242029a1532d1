//! Which failure a person means: by its own id, or by its session.

use crate::cli::lookup::Place;
use crate::exit::{ExitKind, Failure};
use crate::recovery::{
    FailureRecord, RecoveryState, RecoveryStatus, Shelf, failure_ids, present_failure,
};
use crate::session::SessionStatus;
use crate::store::{self, Card, Entry, Home, Loaded, StoreError};

/// A session that is to be recovered.
pub(super) struct Target {
    pub(super) card: Card,
    pub(super) loaded: Loaded,
    /// The failure it stands at.
    pub(super) failure: Option<FailureRecord>,
    /// A recovery that was begun and is not over.
    pub(super) open: Option<RecoveryState>,
}

/// What `id` means, or without one the latest failed session of this repository.
pub(super) fn target(place: &Place, id: Option<&str>) -> Result<Target, Failure> {
    let Some(id) = id else { return latest(place) };
    let (card, asked) = match id.starts_with("failure-") {
        true => (session_of(place, id)?, Some(id)),
        false => (place.find(id)?, None),
    };
    let target = look(place, card)?;
    let Some(asked) = asked else { return Ok(target) };
    let meant = |known: &str| known == asked;
    if target.failure.as_ref().is_some_and(|failure| meant(&failure.id))
        || target.open.as_ref().is_some_and(|open| meant(&open.failure_id))
    {
        return Ok(target);
    }
    let id = &target.card.workflow_id;
    if !failure_ids(&target.loaded.events).iter().any(|(known, _)| meant(known)) {
        return Err(Failure::new(ExitKind::NotFound, format!("no failure {asked:?} in {id}"))
            .with_help(format!("prodigy sessions show {id}")));
    }
    let now = match &target.failure {
        Some(failure) => format!("it has failed again since: {}", failure.id),
        None => "it has gone on since".to_owned(),
    };
    Err(Failure::new(ExitKind::Usage, format!("{id} does not stand at {asked} any more"))
        .because(now)
        .with_help(format!("prodigy recovery status {id}")))
}

/// The session and what there is to recover of it.
pub(super) fn look(place: &Place, card: Card) -> Result<Target, Failure> {
    let loaded = place.read(&card.session_id)?;
    let failure = present_failure(&loaded);
    let states = Shelf::of(&place.home).of_session(&card.session_id)?;
    let open = states.into_iter().rev().find(|state| {
        let same = || failure.as_ref().is_some_and(|failure| failure.id == state.failure_id);
        match state.status {
            RecoveryStatus::InProgress => true,
            RecoveryStatus::Pending => same(),
            RecoveryStatus::Completed | RecoveryStatus::Failed => false,
        }
    });
    Ok(Target { card, loaded, failure, open })
}

fn session_of(place: &Place, failure: &str) -> Result<Card, Failure> {
    let known = |entry: Entry| match entry {
        Entry::Known(card) | Entry::Damaged { card: Some(card), .. } => {
            card.session_id.failure_number(failure).map(|_| card)
        }
        Entry::Damaged { card: None, .. } => None,
    };
    store::cards(&place.home)?.into_iter().find_map(known).ok_or_else(|| {
        Failure::new(ExitKind::NotFound, format!("no session has a failure {failure:?}"))
            .with_help("prodigy sessions list --status failed")
    })
}

fn latest(place: &Place) -> Result<Target, Failure> {
    let shelf = Shelf::of(&place.home);
    let open: Vec<RecoveryState> = shelf.all()?.0;
    let is_open = |card: &Card| {
        let mut of_it = open.iter().filter(|it| it.recovery_context.session_id == card.session_id);
        of_it.any(|state| state.status.is_open())
    };
    let here = |card: &Card| {
        place.repository.as_ref() == Some(&card.repository)
            && card.superseded_by.is_none()
            && card.cleaned_at.is_none()
    };
    let entries = store::cards(&place.home)?;
    let mut failed = entries.iter().filter_map(|entry| match entry {
        Entry::Known(card) if card.status == SessionStatus::Failed || is_open(card) => Some(card),
        Entry::Damaged { card: Some(card), .. } => Some(card),
        _ => None,
    });
    if let Some(card) = failed.find(|card| here(card)) {
        return look(place, card.clone());
    }
    let failure = Failure::new(ExitKind::NotFound, "no session of this repository has failed");
    let mut known = entries.iter().filter_map(Entry::known);
    // One that runs needs nobody.
    let stands = |card: &Card| !card.status.is_completed() && card.status != SessionStatus::Running;
    Err(match known.find(|card| here(card) && stands(card)) {
        Some(card) => failure
            .because(format!("{} was stopped, or waits for something", card.workflow_id))
            .with_help(format!("prodigy resume {}", card.workflow_id)),
        None => failure.with_help("prodigy sessions list --status failed"),
    })
}

/// Why a session that did not fail is not recovered.
pub(super) fn nothing_failed(target: &Target, home: &Home) -> Failure {
    let card = &target.card;
    if let Some(holder) = store::holder(home, &card.session_id) {
        let session = card.session_id.to_string();
        return StoreError::Busy { session, holder: holder.to_string() }.into();
    }
    let id = &card.workflow_id;
    let failure = Failure::new(ExitKind::Usage, format!("{id} has not failed"));
    match target.loaded.state.status {
        Some(status) if status.is_completed() => failure.because("it is completed"),
        _ => failure
            .because("it was stopped, or waits for something")
            .with_help(format!("prodigy resume {id}")),
    }
}
