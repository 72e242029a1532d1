//! Starts the program: everything happens in the library.
fn main() {}
