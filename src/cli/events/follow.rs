//! `prodigy events follow`: events as they happen.

use std::io::Write as _;

use serde_json::json;

use crate::cli::args::EventsFollow;
use crate::cli::lookup::{Place, sound};
use crate::cli::output::Console;
use crate::cli::watch::Watch;
use crate::exit::{ExitKind, Failure};
use crate::view::{EventRow, event_line};

use super::run::{filter, session_of};

/// Shows what has happened and what happens, until no process runs the session any more.
pub(super) fn run(arguments: &EventsFollow, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = session_of(&place, &arguments.filter)?;
    let filter = filter(&arguments.filter);
    let style = console.output.style();
    let mut watch = Watch::new(&place, &card.session_id);
    let mut shown = 0;
    loop {
        let running = watch.is_running();
        if let Some(loaded) = watch.news()? {
            let new = loaded.events.partition_point(|event| event.seq <= shown);
            for event in loaded.events.iter().skip(new).filter(|event| filter.wants(event)) {
                match arguments.json {
                    true => console.output.line(json!(EventRow::of(event))),
                    false => console.output.text(event_line(event, style)),
                }
            }
            shown = loaded.state.last_seq;
            let _ = console.output.flush();
            if loaded.damage.is_some() {
                return sound(loaded);
            }
        }
        if console.output.ended() || !running {
            return Ok(ExitKind::Success);
        }
        watch.pause();
    }
}
