//! `ADDRESS=KIND`: a step that is made to fail, or thought to.

use std::str::FromStr;

use crate::session::Address;

/// The value of `--inject` and `--simulate-failure`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The step.
    pub address: Address,
    /// How it fails.
    pub kind: FaultKind,
    /// How many attempts fail; absent: all.
    pub times: Option<u32>,
}

/// How a made failure looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It ends with this exit code, 1–255.
    Exit(i32),
    /// Its time is up.
    Timeout,
}

impl FaultKind {
    /// The exit code that goes with it: a real timeout has 124, too.
    #[must_use]
    pub fn exit_code(self) -> i32 {
        match self {
            Self::Exit(code) => code,
            Self::Timeout => 124,
        }
    }
}

impl Fault {
    /// As [`Fault::from_str`], but the kind may be left out and is then exit code 1.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse_with_default(text: &str) -> Result<Self, String> {
        if text.contains('=') {
            return text.parse();
        }
        Ok(Self { address: Address::parse(text)?, kind: FaultKind::Exit(1), times: None })
    }
}

impl FromStr for Fault {
    type Err = String;

    /// `3=exit:75`, `3=exit` (code 1), `staging/1=timeout`; with `,times:2` only the first two
    /// attempts fail.
    fn from_str(text: &str) -> Result<Self, String> {
        let (address, how) = text.rsplit_once('=').ok_or_else(|| {
            format!("{text:?} says no kind of failure; write {text}=exit:1 or {text}=timeout")
        })?;
        let (kind, times) = match how.split_once(',') {
            Some((kind, times)) => (kind, Some(parse_times(times)?)),
            None => (how, None),
        };
        Ok(Self { address: Address::parse(address)?, kind: parse_kind(kind)?, times })
    }
}

fn parse_times(text: &str) -> Result<u32, String> {
    let times = text.strip_prefix("times:").and_then(|number| number.parse().ok());
    times
        .filter(|times| *times > 0)
        .ok_or_else(|| format!("{text:?} says no number of attempts; write times:2"))
}

fn parse_kind(text: &str) -> Result<FaultKind, String> {
    let code = match text {
        "timeout" => return Ok(FaultKind::Timeout),
        "exit" => Some(1),
        text => text.strip_prefix("exit:").unwrap_or(text).parse().ok(),
    };
    match code {
        Some(code @ 1..=255) => Ok(FaultKind::Exit(code)),
        _ => Err(format!(
            "{text:?} is no kind of failure; write exit:CODE with a code from 1 to 255, or timeout"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_times_are_read() {
        let fault: Fault = "3.on_failure[1]/2=exit:75,times:2".parse().unwrap();
        assert_eq!(fault.address.as_str(), "3.on_failure[1]/2");
        assert_eq!((fault.kind, fault.times), (FaultKind::Exit(75), Some(2)));
        assert_eq!("3=timeout".parse::<Fault>().unwrap().kind, FaultKind::Timeout);
        let fault: Fault = "a b/1=exit,times:1".parse().unwrap();
        assert_eq!((fault.kind, fault.times), (FaultKind::Exit(1), Some(1)));
        assert_eq!("3=9".parse::<Fault>().unwrap().kind, FaultKind::Exit(9));
        assert_eq!(Fault::parse_with_default("3").unwrap().kind, FaultKind::Exit(1));
    }

    #[test]
    fn what_is_not_a_failure_is_refused() {
        for text in ["3", "3=0", "3=256", "3=fire", "=1", "3=1,times:0", "3=1,2", "3=1,", "a//b=1"]
        {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }
}
