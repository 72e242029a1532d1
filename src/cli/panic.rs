//! What is said when the program itself has a bug.

use std::io::Write as _;

/// Replaces the message of a panic by one that says how to go on; the exit code stays 101.
pub(super) fn install() {
    std::panic::set_hook(Box::new(|panic| {
        let message = format!(
            "error: this is a bug in prodigy {}: {panic}\n  \
             because of the journal, everything that was recorded is safe\n\
             help: prodigy resume   (and please report the lines above)\n",
            env!("CARGO_PKG_VERSION"),
        );
        let _ = std::io::stderr().write_all(message.as_bytes());
    }));
}
