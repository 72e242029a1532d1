//! `events ls`, `follow` and `export`: the journal as a person reads it, one line per event.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::Value as Json;

use super::event_words::{event_address, event_type, event_words};
use super::{Ink, Style, line};
use crate::session::{Address, Event, EventKind, Stored, item_address};

/// Which events are wanted; the default is all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventFilter {
    /// Only these types ([`super::EVENT_TYPES`]); all when empty.
    pub types: Vec<String>,
    /// Only those written at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only those about this place and what lies below it.
    pub within: Option<Address>,
}

impl EventFilter {
    /// True when `event` is wanted.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        let kind = event_type(&event.kind);
        (self.types.is_empty() || self.types.iter().any(|wanted| wanted == kind))
            && self.since.is_none_or(|since| event.at >= since)
            && self.within.as_ref().is_none_or(|scope| {
                let item = match &event.kind {
                    EventKind::ItemFinished { item, .. } => Some(item_address(*item)),
                    _ => None,
                };
                let address = item.as_ref().or_else(|| event_address(&event.kind));
                address.is_some_and(|address| address.is_within(scope))
            })
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventRow {
    /// Its number.
    pub seq: u64,
    /// When it was written.
    pub timestamp: DateTime<Utc>,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// What it says.
    pub text: String,
    /// All that is recorded, with secrets as `***`.
    pub event: Json,
}

/// As wide as the longest type.
const TYPE_WIDTH: usize = 16;

impl EventRow {
    /// The row of `event`.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self {
            seq: event.seq,
            timestamp: event.at,
            kind: event_type(&event.kind),
            address: event_address(&event.kind).cloned(),
            text: event_words(&event.kind),
            event: shown_json(event),
        }
    }
}

/// The line of `event`, with its newline.
#[must_use]
pub fn event_line(event: &Event, style: Style) -> String {
    let mut text = String::with_capacity(120);
    let at = event.at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (faint, end) = (style.start(Ink::Faint), style.end());
    let kind = event_type(&event.kind);
    let _ = write!(text, "{faint}{at}{end} {:>5} {kind:<TYPE_WIDTH$}", event.seq);
    if let Some(address) = event_address(&event.kind) {
        let place = if address.is_root() { "(all)".into() } else { line(address.as_str()) };
        let _ = write!(text, "  {}{place}{end}", style.start(Ink::Strong));
    }
    let _ = writeln!(text, "  {}", event_words(&event.kind));
    text
}

/// The events that `filter` wants, as rows. In JSON an array.
#[must_use]
pub fn event_rows(events: &[Event], filter: &EventFilter) -> Vec<EventRow> {
    events.iter().filter(|event| filter.wants(event)).map(EventRow::of).collect()
}

/// The event's kind and fields as JSON, with stored values as people see them.
fn shown_json(event: &Event) -> Json {
    serde_json::to_value(&event.kind)
        .and_then(serde_json::from_value::<Stored>)
        .map(|whole| whole.to_json())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::super::EVENT_TYPES;
    use super::super::story::{Story, address, everything};
    use super::*;

    fn lines(story: &Story, filter: &EventFilter) -> String {
        let wanted = story.events.iter().filter(|event| filter.wants(event));
        wanted.map(|event| event_line(event, Style::Plain)).collect()
    }

    #[test]
    fn every_type_has_its_line() {
        let story = everything();
        assert_data_eq!(
            lines(&story, &EventFilter::default()),
            str![[r#"
2023-11-14T22:13:21Z     1 session_started   flow, 3 steps
2023-11-14T22:13:22Z     2 run_started       run 1 on host, pid 4242: cook
2023-11-14T22:13:23Z     3 step_started      1  attempt 1: make …
2023-11-14T22:13:24Z     4 step_spawned      1  pid 77
2023-11-14T22:13:25Z     5 agent_ended       1  agent of attempt 1 ended: cost unknown
2023-11-14T22:13:26Z     6 attempt_finished  1  attempt 1: exit code 1 (1.2s)
2023-11-14T22:13:27Z     7 retry_scheduled   1  attempt 2 in 1.5s, not counted
2023-11-14T22:13:28Z     8 step_started      1  attempt 2: make all
2023-11-14T22:13:29Z     9 attempt_finished  1  attempt 2: exit code 1 (1.2s)
2023-11-14T22:13:30Z    10 error_raised      1  step 1, attempt 2: no route/x1b[2J [network], correlation id corr-1
2023-11-14T22:13:31Z    11 handler_skipped   1.on_failure[1]  handler 1 passed over: its condition is false
2023-11-14T22:13:32Z    12 handler_started   1.on_failure[2]  handler fix-2, recovery, run 1
2023-11-14T22:13:33Z    13 handler_finished  1.on_failure[2]  handler fix-2 failed: exit code 9
2023-11-14T22:13:34Z    14 handler_started   1.on_failure[3]  handler fix-3, recovery, run 1
2023-11-14T22:13:35Z    15 handler_finished  1.on_failure[3]  handler fix-3 succeeded
2023-11-14T22:13:36Z    16 error_settled     1  the workflow goes on
2023-11-14T22:13:37Z    17 step_finished     1  recovered: exit code 1 (1.2s), 2 attempts
2023-11-14T22:13:38Z    18 loop_started      2  2 items
2023-11-14T22:13:39Z    19 scored            2.goal[1]  80, threshold not reached
2023-11-14T22:13:40Z    20 confirmed         3  confirmed by terminal
2023-11-14T22:13:41Z    21 waiting           3  for a provider's limit: the provider's limit ends at noon
2023-11-14T22:13:42Z    22 run_finished      parked after 1m 20s
2023-11-14T22:13:43Z    23 run_started       run 2 on host, pid 4242: resume flow
2023-11-14T22:13:44Z    24 answered          3  it was done
2023-11-14T22:13:45Z    25 workflow_changed  edited; as before: 1 step
2023-11-14T22:13:46Z    26 rewound           1  run again after its handler, asked for by 1.on_failure[3]
2023-11-14T22:13:47Z    27 scope_finished    pass[1]  failed, the failure goes up
2023-11-14T22:13:48Z    28 run_finished      failed after 1m 1s: step 3: exit code 1
2023-11-14T22:13:49Z    29 job_started       job, 2 items
2023-11-14T22:13:50Z    30 item_finished     item_1 done
2023-11-14T22:13:51Z    31 item_failed       map/item_2/1  item_2 run 1: exit code 1
2023-11-14T22:13:52Z    32 item_finished     item_2 failed
2023-11-14T22:13:53Z    33 dlq_cleared       1 item cleared
2023-11-14T22:13:54Z    34 recovery_started  3  retry (recovery-0123456789ab), attempt 2: the network failed
2023-11-14T22:13:55Z    35 recovery_finished  recovered (recovery-0123456789ab): step 3 succeeded
2023-11-14T22:13:56Z    36 checkpoint_made   1  checkpoint before-rollback
2023-11-14T22:13:57Z    37 files_restored    tree 9c1f0e7d2b9c
2023-11-14T22:13:58Z    38 files_kept        tree 0123456789, HEAD fedcba9876
2023-11-14T22:13:59Z    39 rollback_started  to v1; undone by v2
2023-11-14T22:14:00Z    40 forked            from session-00000000-0000-4000-8000-000000000002 at v1
2023-11-14T22:14:01Z    41 moved             to /elsewhere
2023-11-14T22:14:02Z    42 superseded        by session-00000000-0000-4000-8000-000000000002

"#]]
        );
        let mut told: Vec<_> = story.events.iter().map(|event| event_type(&event.kind)).collect();
        told.sort_unstable();
        told.dedup();
        let mut all = EVENT_TYPES.to_vec();
        all.sort_unstable();
        assert_eq!(told, all, "the story tells every type once or more");
    }

    #[test]
    fn the_names_of_types_are_those_of_the_journal() {
        for event in everything().events {
            let json = serde_json::to_value(&event.kind).unwrap();
            assert!(json.get(event_type(&event.kind)).is_some(), "{json}");
        }
    }

    #[test]
    fn filters_join() {
        let story = everything();
        let filter = EventFilter {
            types: vec!["step_started".into(), "rewound".into()],
            since: Some(super::super::story::start() + chrono::TimeDelta::seconds(3)),
            within: Some(address("1")),
        };
        let rows = event_rows(&story.events, &filter);
        assert!(!rows.is_empty());
        for row in rows {
            assert!(["step_started", "rewound"].contains(&row.kind));
            assert!(row.address.unwrap().is_within(&address("1")));
        }
        let none = EventFilter { types: vec!["no_such".into()], ..EventFilter::default() };
        assert_eq!(lines(&story, &none), "");
    }
}
