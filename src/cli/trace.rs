//! `-v`, `-vv`, `-vvv`: what the program does, on stderr, for developers.

use tracing::Level;

/// Starts logging; without `-v` nothing is set up.
pub(super) fn install(verbose: u8, colored: bool) {
    let level = match verbose {
        0 => return,
        1 => Level::INFO,
        2 => Level::DEBUG,
        _ => Level::TRACE,
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(colored)
        .log_internal_errors(false)
        .finish();
    // Fails only where a subscriber is set already, which then stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
