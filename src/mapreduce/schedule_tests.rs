//! Tests of the order of work.

use proptest::prelude::*;

use super::*;

fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(milliseconds).unwrap()
}

fn schedule(total: u32, max_parallel: u32) -> Schedule {
    Schedule::new(total, NonZeroU32::new(max_parallel).unwrap())
}

/// Starts what can be started; what it started.
fn fill(schedule: &mut Schedule, now: DateTime<Utc>) -> Vec<u32> {
    let mut started = Vec::new();
    while let Next::Start(position) = schedule.next(now) {
        schedule.start(position);
        started.push(position);
    }
    started
}

#[test]
fn items_start_in_order_and_at_most_so_many_at_a_time() {
    let mut map = schedule(5, 2);
    assert_eq!(fill(&mut map, at(0)), [0, 1]);
    assert_eq!(map.next(at(0)), Next::WaitForItem);
    map.end(1, ItemEnd::Succeeded);
    assert_eq!(fill(&mut map, at(0)), [2]);
    map.end(0, ItemEnd::Dead);
    assert_eq!(map.next(at(0)), Next::WaitForDisk, "two finishes are not on disk");
    map.synced(0);
    assert_eq!(fill(&mut map, at(0)), [3]);
    let counts = map.counts();
    assert_eq!((counts.running, counts.pending, counts.succeeded, counts.dead), (2, 1, 1, 1));
    assert_eq!(map.dead().collect::<Vec<_>>(), [0]);
}

#[test]
fn nothing_to_do_is_finished() {
    assert_eq!(schedule(0, 1).next(at(0)), Next::Finished);
    let mut map = schedule(1, 1);
    map.start(0);
    map.end(0, ItemEnd::Skipped);
    assert_eq!(map.next(at(0)), Next::Finished);
    assert_eq!(map.state(0), Some(ItemState::Ended(ItemEnd::Skipped)));
    assert_eq!(map.state(1), None);
}

#[test]
fn a_result_counts_once() {
    let mut map = schedule(2, 2);
    map.start(0);
    map.end(0, ItemEnd::Succeeded);
    map.end(0, ItemEnd::Dead);
    map.start(0);
    map.delay(0, at(5));
    map.give_back(0);
    assert_eq!(map.state(0), Some(ItemState::Ended(ItemEnd::Succeeded)));
    assert_eq!(map.counts().succeeded, 1);
    assert_eq!(map.counts().running, 0);
}

#[test]
fn a_delayed_item_leaves_its_place_to_others_and_comes_first_when_due() {
    let mut map = schedule(3, 1);
    map.start(0);
    map.delay(0, at(100));
    assert_eq!(map.state(0), Some(ItemState::Delayed));
    assert_eq!(map.next(at(0)), Next::Start(1));
    assert_eq!(map.next(at(100)), Next::Start(0));
    map.start(1);
    map.end(1, ItemEnd::Succeeded);
    map.synced(0);
    map.start(2);
    map.end(2, ItemEnd::Succeeded);
    map.synced(0);
    assert_eq!(map.next(at(0)), Next::WaitUntil(at(100)));
    assert_eq!(fill(&mut map, at(100)), [0]);
}

#[test]
fn after_a_crash_only_what_was_in_progress_runs_again() {
    let mut map = schedule(5, 3);
    // The starts of parallel items may be recorded in any order.
    map.start(2);
    map.start(0);
    map.start(1);
    map.end(1, ItemEnd::Succeeded);
    map.delay(0, at(50));
    map.begin_run();
    assert_eq!(fill(&mut map, at(0)), [2, 3, 4]);
    map.end(2, ItemEnd::Succeeded);
    assert_eq!(fill(&mut map, at(60)), [0], "the rest of a delay is waited for");
}

#[test]
fn an_interrupted_item_is_pending_and_a_new_run_takes_it_up() {
    let mut map = schedule(2, 1);
    map.start(0);
    map.give_back(0);
    assert_eq!(map.state(0), Some(ItemState::Pending));
    map.begin_run();
    assert_eq!(map.next(at(0)), Next::Start(0));
}

#[test]
fn a_stop_lets_end_what_has_begun_and_begins_nothing() {
    let mut map = schedule(4, 2);
    map.start(0);
    map.start(2);
    map.begin_run();
    map.start(0);
    map.stop_at(0);
    assert_eq!(fill(&mut map, at(0)), [2], "a crash caught it in the middle");
    assert_eq!(map.next(at(0)), Next::WaitForItem);
    map.end(2, ItemEnd::Dead);
    assert_eq!(map.next(at(0)), Next::Stopped);
    assert_eq!(map.state(0), Some(ItemState::Pending));
}

#[test]
fn a_hold_stops_all_starts_until_it_is_over() {
    let mut map = schedule(2, 2);
    map.hold(at(100));
    map.hold(at(50));
    assert_eq!(map.next(at(99)), Next::WaitUntil(at(100)));
    assert_eq!(map.next(at(100)), Next::Start(0));
}

#[test]
fn an_item_of_the_dead_letter_queue_can_run_again() {
    let mut map = schedule(2, 2);
    map.start(0);
    map.end(0, ItemEnd::Dead);
    map.start(1);
    map.end(1, ItemEnd::Succeeded);
    map.begin_run();
    map.requeue(0);
    assert_eq!(fill(&mut map, at(0)), [0]);
    map.end(0, ItemEnd::Succeeded);
    assert_eq!(map.counts().dead, 0);
    assert_eq!(map.next(at(0)), Next::Finished);
}

#[test]
fn hundreds_of_thousands_of_items_are_a_normal_size() {
    let mut map = schedule(300_000, 8);
    let mut running = std::collections::VecDeque::from(fill(&mut map, at(0)));
    while let Some(position) = running.pop_front() {
        map.end(position, ItemEnd::Succeeded);
        map.synced(0);
        running.extend(fill(&mut map, at(0)));
    }
    assert_eq!(map.counts().succeeded, 300_000);
}

#[test]
fn many_delayed_items_do_not_slow_down_the_others() {
    let mut map = schedule(100_000, 1);
    for position in 0..100_000 {
        assert_eq!(map.next(at(0)), Next::Start(position));
        map.start(position);
        map.delay(position, at(1_000 + i64::from(position)));
    }
    assert_eq!(map.next(at(0)), Next::WaitUntil(at(1_000)));
    assert_eq!(map.next(at(5_000)), Next::Start(0));
}

#[derive(Debug, Clone, Copy)]
enum Happening {
    EndSome(usize, ItemEnd),
    DelaySome(usize, i64),
    GiveBack(usize),
    Crash,
    Sync,
}

fn happening() -> impl Strategy<Value = Happening> {
    let end = prop_oneof![Just(ItemEnd::Succeeded), Just(ItemEnd::Dead), Just(ItemEnd::Skipped)];
    prop_oneof![
        6 => (any::<usize>(), end).prop_map(|(which, end)| Happening::EndSome(which, end)),
        2 => (any::<usize>(), 0_i64..20).prop_map(|(which, by)| Happening::DelaySome(which, by)),
        1 => any::<usize>().prop_map(Happening::GiveBack),
        1 => Just(Happening::Crash),
        3 => Just(Happening::Sync),
    ]
}

proptest! {
    /// Whatever happens, every item ends exactly once and the limits hold.
    #[test]
    fn every_item_ends_exactly_once(
        total in 0_u32..60,
        max_parallel in 1_u32..6,
        happenings in proptest::collection::vec(happening(), 0..200),
    ) {
        let mut map = schedule(total, max_parallel);
        let mut ends = vec![0; total as usize];
        let (mut now, mut unsynced) = (0, 0);
        let finish = [Happening::Sync, Happening::EndSome(0, ItemEnd::Succeeded)];
        for happening in happenings.into_iter().chain(finish.into_iter().cycle()) {
            now += 1;
            fill(&mut map, at(now));
            prop_assert!(map.counts().running <= max_parallel);
            prop_assert!(unsynced < 2 * max_parallel);
            let running: Vec<u32> = map.running().collect();
            let pick = |which: usize| running.get(which % running.len().max(1)).copied();
            match happening {
                Happening::EndSome(which, end) => if let Some(position) = pick(which) {
                    map.end(position, end);
                    ends[position as usize] += 1;
                    unsynced += 1;
                },
                Happening::DelaySome(which, by) => if let Some(position) = pick(which) {
                    map.delay(position, at(now + by));
                },
                Happening::GiveBack(which) => if let Some(position) = pick(which) {
                    map.give_back(position);
                },
                Happening::Crash => {
                    map.begin_run();
                    unsynced = 0;
                }
                Happening::Sync => {
                    map.synced(0);
                    unsynced = 0;
                }
            }
            let counts = map.counts();
            prop_assert_eq!(
                counts.total,
                counts.running + counts.pending + counts.succeeded + counts.dead + counts.skipped
            );
            if map.next(at(now)) == Next::Finished {
                break;
            }
        }
        prop_assert!(ends.iter().all(|count| *count == 1), "{:?}", ends);
    }
}
