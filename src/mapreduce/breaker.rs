//! The circuit breaker of a map: after many failures in a row nothing starts for a while,
//! then a few probes decide. Pure: every time is an argument.

use chrono::{DateTime, TimeDelta, Utc};

use crate::playbook::mapreduce::BreakerLimits;

/// A circuit breaker. Its state is not kept over runs: a new run begins closed.
#[derive(Debug, Clone)]
pub struct Breaker {
    limits: BreakerLimits,
    state: State,
    /// Grows with each change of state, so that an item that was started before a change
    /// has no say after it.
    generation: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed { failures_in_a_row: u32 },
    Open { until: DateTime<Utc> },
    HalfOpen { probing: u32, succeeded: u32 },
}

/// The leave to start one item; handed back when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u32);

/// The answer to the question whether an item may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// It may.
    Start(Ticket),
    /// Not before this time.
    WaitUntil(DateTime<Utc>),
    /// Not before a probe ended.
    WaitForProbe,
}

/// How an item that had leave to start ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketEnd {
    /// It succeeded.
    Succeeded,
    /// It failed for good.
    Failed,
    /// Neither: it was interrupted or given back.
    Nothing,
}

impl Breaker {
    /// A closed one.
    #[must_use]
    pub fn new(limits: BreakerLimits) -> Self {
        Self { limits, state: State::Closed { failures_in_a_row: 0 }, generation: 0 }
    }

    /// Whether an item may start at `now`; a [`Permit::Start`] counts as started.
    pub fn permit(&mut self, now: DateTime<Utc>) -> Permit {
        if let State::Open { until } = self.state {
            if now < until {
                return Permit::WaitUntil(until);
            }
            self.change(State::HalfOpen { probing: 0, succeeded: 0 });
        }
        if let State::HalfOpen { probing, .. } = &mut self.state {
            if *probing >= self.limits.half_open_requests.get() {
                return Permit::WaitForProbe;
            }
            *probing += 1;
        }
        Permit::Start(Ticket(self.generation))
    }

    /// An item ended at `now`; true when this opened the breaker.
    pub fn end(&mut self, ticket: Ticket, end: TicketEnd, now: DateTime<Utc>) -> bool {
        if ticket.0 != self.generation {
            return false;
        }
        match (&mut self.state, end) {
            (State::Closed { failures_in_a_row }, TicketEnd::Succeeded) => *failures_in_a_row = 0,
            (State::Closed { failures_in_a_row }, TicketEnd::Failed) => {
                *failures_in_a_row += 1;
                if *failures_in_a_row >= self.limits.failure_threshold.get() {
                    self.open(now);
                    return true;
                }
            }
            (State::HalfOpen { probing, succeeded }, TicketEnd::Succeeded) => {
                *probing = probing.saturating_sub(1);
                *succeeded += 1;
                if *succeeded >= self.limits.success_threshold.get() {
                    self.change(State::Closed { failures_in_a_row: 0 });
                }
            }
            (State::HalfOpen { .. }, TicketEnd::Failed) => {
                self.open(now);
                return true;
            }
            (State::HalfOpen { probing, .. }, TicketEnd::Nothing) => {
                *probing = probing.saturating_sub(1);
            }
            (State::Open { .. }, _) | (State::Closed { .. }, TicketEnd::Nothing) => {}
        }
        false
    }

    /// True unless everything may start.
    #[must_use]
    pub fn is_tripped(&self) -> bool {
        !matches!(self.state, State::Closed { .. })
    }

    fn open(&mut self, now: DateTime<Utc>) {
        let timeout = TimeDelta::from_std(self.limits.timeout).unwrap_or(TimeDelta::MAX);
        let until = now.checked_add_signed(timeout).unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.change(State::Open { until });
    }

    fn change(&mut self, state: State) {
        self.state = state;
        self.generation = self.generation.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn start(breaker: &mut Breaker, now: i64) -> Ticket {
        match breaker.permit(at(now)) {
            Permit::Start(ticket) => ticket,
            other => panic!("{other:?}"),
        }
    }

    /// A breaker that five failures in a row have opened at second 100.
    fn opened() -> Breaker {
        let mut breaker = Breaker::new(BreakerLimits::default());
        for number in 1..=5 {
            let ticket = start(&mut breaker, 100);
            assert_eq!(breaker.end(ticket, TicketEnd::Failed, at(100)), number == 5);
        }
        breaker
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let mut breaker = Breaker::new(BreakerLimits::default());
        for _ in 0..20 {
            for end in
                [TicketEnd::Failed, TicketEnd::Failed, TicketEnd::Nothing, TicketEnd::Succeeded]
            {
                let ticket = start(&mut breaker, 0);
                assert!(!breaker.end(ticket, end, at(0)));
            }
        }
        assert!(!breaker.is_tripped());
        assert!(opened().is_tripped());
        assert_eq!(opened().permit(at(129)), Permit::WaitUntil(at(130)));
    }

    #[test]
    fn some_probes_that_succeed_close_it() {
        let mut breaker = opened();
        let probes = [130, 130, 131].map(|now| start(&mut breaker, now));
        assert_eq!(breaker.permit(at(131)), Permit::WaitForProbe);
        breaker.end(probes[0], TicketEnd::Succeeded, at(132));
        let fourth = start(&mut breaker, 132);
        breaker.end(probes[1], TicketEnd::Succeeded, at(133));
        assert!(breaker.is_tripped());
        breaker.end(probes[2], TicketEnd::Succeeded, at(133));
        assert!(!breaker.is_tripped());
        assert!(!breaker.end(fourth, TicketEnd::Failed, at(134)), "an old probe has no say");
    }

    #[test]
    fn one_probe_that_fails_opens_it_again() {
        let mut breaker = opened();
        let (first, second) = (start(&mut breaker, 130), start(&mut breaker, 130));
        assert!(breaker.end(first, TicketEnd::Failed, at(140)));
        assert!(!breaker.end(second, TicketEnd::Failed, at(150)), "it does not wait longer for it");
        assert_eq!(breaker.permit(at(169)), Permit::WaitUntil(at(170)));
        start(&mut breaker, 170);
    }

    #[test]
    fn an_interrupted_probe_makes_room_for_another() {
        let mut breaker = opened();
        let probes = [130, 130, 130].map(|now| start(&mut breaker, now));
        assert_eq!(breaker.permit(at(130)), Permit::WaitForProbe);
        breaker.end(probes[0], TicketEnd::Nothing, at(130));
        start(&mut breaker, 130);
    }

    #[test]
    fn items_started_before_it_opened_have_no_say() {
        let mut breaker = Breaker::new(BreakerLimits::default());
        let old: Vec<Ticket> = (0..8).map(|_| start(&mut breaker, 0)).collect();
        for ticket in &old[..5] {
            breaker.end(*ticket, TicketEnd::Failed, at(0));
        }
        start(&mut breaker, 30);
        assert!(!breaker.end(old[5], TicketEnd::Failed, at(31)));
        assert!(!breaker.end(old[6], TicketEnd::Succeeded, at(31)));
        assert!(breaker.is_tripped());
    }
}
