//! What `retry` makes of an imagined failure.

use std::fmt::Write as _;

use crate::cli::args::{Fault, FaultKind};
use crate::playbook::failure::{Retry, RetryOn};
use crate::session::FailureClass;

/// The attempts that there would be.
pub(super) enum Tries {
    One,
    Many { attempts: u32, delays: Vec<String>, certain: bool },
    NotCovered,
}

impl Tries {
    pub(super) fn of(retry: Option<&Retry>, fault: &Fault) -> Self {
        let Some(retry) = retry.filter(|retry| retry.attempts > 1) else { return Self::One };
        let fits = |on: &RetryOn| match (on, fault.kind) {
            (RetryOn::ExitCode(code), kind) => Some(*code == kind.exit_code()),
            (RetryOn::Class(class), FaultKind::Timeout) => Some(*class == FailureClass::Timeout),
            // What the command prints decides.
            (RetryOn::Class(_) | RetryOn::Pattern(_), _) => None,
        };
        let certain =
            retry.retry_on.is_empty() || retry.retry_on.iter().any(|on| fits(on) == Some(true));
        if !certain && retry.retry_on.iter().all(|on| fits(on) == Some(false)) {
            return Self::NotCovered;
        }
        let delay = |number| humantime::format_duration(retry.delay(number, 0.0)).to_string();
        let delays = (1..retry.attempts.min(9)).map(delay).collect();
        Self::Many { attempts: retry.attempts, delays, certain }
    }

    pub(super) fn tell(&self, fault: &Fault, text: &mut String) {
        let Self::Many { attempts, delays, certain } = self else {
            if matches!(self, Self::NotCovered) {
                text.push_str("  no retry    retry_on does not cover it\n");
            }
            return;
        };
        let _ = writeln!(
            text,
            "  retry       {}up to {attempts} attempts in all, after {}",
            if *certain { "" } else { "if retry_on covers what it printed, " },
            delays.join(", ")
        );
        if let Some(times) = fault.times
            && times < *attempts
        {
            let next = times + 1;
            let _ = writeln!(
                text,
                "              attempt {next} runs; what follows is for its failure"
            );
        }
    }

    /// The attempt whose failure the handlers see, where that is certain.
    pub(super) fn last(&self, fault: &Fault) -> Option<u32> {
        match self {
            Self::One | Self::NotCovered => Some(1),
            Self::Many { attempts, certain: true, .. } if fault.times.is_none() => Some(*attempts),
            Self::Many { .. } => None,
        }
    }
}
