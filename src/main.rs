//! Starts the program: everything happens in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    prodigy::cli::run(std::env::args_os()).into()
}
