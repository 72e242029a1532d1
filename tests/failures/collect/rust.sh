# rustc, cargo, clippy, rustfmt.
rust_project() {
  project
  mkdir src
  printf '[package]\nname = "invoice"\nversion = "0.1.0"\nedition = "2021"\n%s\n' "${1:-}" >Cargo.toml
  printf 'pub fn total(items: &[u32]) -> u32 {\n    items.iter().sum()\n}\n' >src/lib.rs
}
cargo="--tool=cargo --version"

rust_project
printf 'pub fn total(items: &[u32]) -> u32 {\n    let sum: String = items.iter().sum::<u32>();\n    sum\n}\n' >src/lib.rs
failure cargo-build-types build "cargo build" "$cargo"
failure cargo-test-does-not-compile build "cargo test" "$cargo" --decoy "the command is for tests"
failure cargo-clippy-does-not-compile build "cargo clippy -- -D warnings" "$cargo" --decoy "the command is for lint"

rust_project
mkdir src/auth
printf 'pub mod auth;\npub mod network_timeout;\n' >src/lib.rs
printf 'pub fn login(password: &str) -> bool {\n    permission_denied(password)\n}\n' >src/auth.rs
printf 'pub const RATE_LIMIT: u32 = "429 too many requests";\n' >src/network_timeout.rs
failure cargo-build-auth-file build "cargo build" "$cargo" --decoy "files auth.rs and network_timeout.rs, a text that says 429"

rust_project
printf 'fn main() {\n    let words = vec![String::from("a")];\n    drop(words);\n    println!("{:?}", words);\n}\n' >main.rs
failure rustc-borrow build "rustc main.rs" "--tool=rustc --version"

rust_project
printf 'extern "C" { fn launch() -> i32; }\nfn main() { println!("{}", unsafe { launch() }); }\n' >src/main.rs
failure cargo-link build "cargo build --quiet" "$cargo"

rust_project '[dependencies]
serde = "=1.0.100"
serde_derive = "=1.0.200"
serde_json = { version = "1", features = ["no_such_feature"] }'
failure cargo-features build "cargo check" "$cargo"

rust_project
printf 'fn main() {\n    println!("cargo:warning=looking for libfoo");\n    panic!("libfoo not found: install it first");\n}\n' >build.rs
failure cargo-build-script build "cargo build" "$cargo"

rust_project
printf '\n#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn adds() {\n        assert_eq!(total(&[1, 2]), 3);\n    }\n    #[test]\n    fn adds_nothing() {\n        assert_eq!(total(&[]), 1);\n    }\n}\n' >>src/lib.rs
failure cargo-test-fails test "cargo test" "$cargo"
failure cargo-test-quiet test "cargo test --quiet 2>&1 | tail -n 30 | tee test.log; exit 101" "$cargo"

rust_project
printf '\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn network_timeout() {\n        panic!("server said: 503 service unavailable, then connection refused");\n    }\n    #[test]\n    fn disk_full() {}\n    #[test]\n    fn permission_denied_is_told() {}\n}\n' >>src/lib.rs
failure cargo-test-network-name test "cargo test" "$cargo" --decoy "the failing test is called network_timeout and its panic tells of a refused connection"

rust_project
printf '\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn reads_the_configuration() {\n        std::fs::read_to_string("/etc/no/such").unwrap();\n    }\n    #[test]\n    fn reads_a_secret() {\n        Err::<(), _>(std::io::Error::from(std::io::ErrorKind::PermissionDenied)).unwrap();\n    }\n}\n' >>src/lib.rs
failure cargo-test-unwrap test "cargo test" "$cargo" --decoy "a test unwraps 'permission denied'"

rust_project
printf '/// Adds.\n///\n/// ```\n/// assert_eq!(invoice::twice(2), 5);\n/// ```\npub fn twice(n: u32) -> u32 {\n    n * 2\n}\n' >>src/lib.rs
failure cargo-test-doc test "cargo test --doc" "$cargo"

rust_project
printf '\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn aborts() {\n        std::process::abort();\n    }\n}\n' >>src/lib.rs
failure cargo-test-aborts test "cargo test" "$cargo" --decoy "killed by a signal"

rust_project
printf 'pub fn first(items: &Vec<u32>) -> u32 {\n    return items[0].clone();\n}\n' >>src/lib.rs
failure cargo-clippy lint "cargo clippy --all-targets -- -D warnings" "$cargo"
failure cargo-clippy-quiet lint "cargo clippy -q -- -D clippy::all" "$cargo" --decoy "could not compile"
rust_project
printf 'pub fn  total( items : &[u32] )->u32{items.iter().sum()}\n' >src/lib.rs
failure cargo-fmt lint "cargo fmt --check" "$cargo"
failure cargo-fmt-all lint "cargo fmt --all -- --check" "$cargo"
printf 'use std::fmt::Debug;\npub fn connection_refused() -> u32 {\n    let unused = 3;\n    42\n}\n' >src/lib.rs
failure rustc-deny-warnings lint "cargo clippy -- -D warnings" "$cargo" --decoy "a function named connection_refused"

rust_project '[dependencies]
itoa-but-not-there-at-all = "1"'
failure cargo-no-such-crate build "cargo build" "$cargo"
rust_project '[dependencies]
anyhow = "1"'
CARGO_HOME=/root/.cargo failure cargo-offline-network network "cargo build" "$cargo" --offline --env CARGO_HOME=/home/user/.empty-cargo --env CARGO_NET_RETRY=1

rust_project '[dependencies]
itoa = "1"'
cargo generate-lockfile -q
sed -i 's/^checksum = "..../checksum = "0000/' Cargo.lock
failure cargo-checksum corrupt_state "cargo build --locked" "$cargo"
printf 'version = 4\n[[package]\nname = "inv' >Cargo.lock
failure cargo-lockfile-cut corrupt_state "cargo build" "$cargo"

rust_project
failure cargo-no-subcommand missing_tool "cargo mutants" "$cargo"
failure cargo-no-linker missing_tool "cargo test" "$cargo" --env CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc --decoy "could not compile"
failure rustup-no-toolchain missing_tool "cargo +nightly-2020-01-01 fmt" "$cargo" --offline --env RUSTUP_AUTO_INSTALL=0
failure cargo-publish-no-token auth "cargo publish --allow-dirty --no-verify" "$cargo" --env CARGO_HOME=/home/user/.empty-cargo

rust_project
printf 'fn main() {\n    let mut all: Vec<Vec<u8>> = Vec::new();\n    loop {\n        all.push(vec![1; 64 << 20]);\n    }\n}\n' >src/main.rs
cargo build -q
failure rust-allocation out_of_memory "./target/debug/invoice" "$cargo" --memory 500
failure cargo-run-allocation out_of_memory "cargo run --quiet" "$cargo" --memory 1500
printf 'fn main() {\n    let index = std::env::args().count() + 5;\n    println!("{}", [1, 2, 3][index]);\n}\n' >src/main.rs
cargo build -q
failure rust-panic unknown "./target/debug/invoice" "$cargo"
printf 'fn main() -> Result<(), std::num::ParseIntError> {\n    let count: u32 = "many".parse()?;\n    println!("{count}");\n    Ok(())\n}\n' >src/main.rs
cargo build -q
failure rust-main-error unknown "./target/debug/invoice --rate-limit 5000" "$cargo" --decoy "an option named --rate-limit"
printf 'fn main() {\n    let failed = std::net::TcpStream::connect("127.0.0.1:9").err();\n    eprintln!("Error: {}", failed.map(|e| e.to_string()).unwrap_or_default());\n    std::process::exit(1);\n}\n' >src/main.rs
cargo build -q
failure rust-connect network "./target/debug/invoice" "$cargo"
