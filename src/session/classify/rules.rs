//! The table of rules: what a line of output says about a failure, and why.

mod machine;
mod outside;
mod work;

use std::sync::LazyLock;

use self::machine::MACHINE;
use self::outside::OUTSIDE;
use self::work::WORK;
use crate::session::FailureClass::{self, Auth, Build, DiskFull, Lint, Network, Test};

/// One rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// What a line that matches speaks for.
    pub(super) class: FailureClass,
    /// How sure that is, 1 to 12.
    pub(super) weight: f64,
    /// The regular expression, without regard to case.
    pub(super) pattern: &'static str,
    /// The reason for people.
    pub(super) why: &'static str,
    /// Whether it also counts inside quotation marks.
    pub(super) quoted: Quoted,
}

/// Whether a match inside quotation marks counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoted {
    /// No: it is told, not meant.
    Ignored,
    /// Yes: this is how a machine says it, in JSON.
    Counts,
}

const fn said(class: FailureClass, weight: f64, pattern: &'static str, why: &'static str) -> Rule {
    Rule { class, weight, pattern, why, quoted: Quoted::Ignored }
}

const fn json(class: FailureClass, weight: f64, pattern: &'static str, why: &'static str) -> Rule {
    Rule { class, weight, pattern, why, quoted: Quoted::Counts }
}

/// What lines say. Of all matches the one with the greatest weight wins, where lines far
/// from the end weigh less. Ten and more is for closing lines of tools that leave no doubt.
/// Of equal weights the earlier rule wins.
pub(super) static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| [OUTSIDE, MACHINE, WORK].concat());

/// What a command is for, by its words: settles ties and what says nothing.
pub(super) const PURPOSES: &[(FailureClass, &str)] = &[
    (
        Lint,
        r"\b(clippy|eslint|ruff|black|flake8|pylint|prettier|rustfmt|golangci-lint|shellcheck|stylelint|mypy|pyright|rubocop|yamllint|gofmt|isort|biome|oxlint|standard|codespell|cspell|vale|bandit|pydocstyle|yapf|autopep8|sqlfluff|markdownlint(-cli2)?|commitlint|htmlhint|ansible-lint|hadolint|actionlint|tflint|terraform fmt|checkstyle|ktlint|detekt|swiftlint|phpcs|phpstan|perlcritic|luacheck|taplo|pre-commit|clang-format|clang-tidy|cppcheck|go vet|git diff --check|(cargo|go|deno) fmt|(run|yarn|pnpm) (lint|format)|make (lint|fmt|format))\b",
    ),
    (
        Test,
        r"\b(cargo (test|nextest)|pytest|unittest|go test|jest|vitest|mocha|ava|tap|jasmine|karma|cypress|cucumber|behave|robot|prove|nose2|bats|busted|doctest|minitest|rake (test|spec)|dotnet test|swift test|mix test|sbt test|(npm|yarn|pnpm)( run)? test|tox|rspec|phpunit|(mvn|gradlew?) test|ctest|make (test|check)|playwright test|deno test)\b",
    ),
    (
        Build,
        r"\b(cargo (build|check|install)|cmake|ninja|(npm|yarn|pnpm)( run)? build|tsc|gcc|g\+\+|cc|clang|javac|go (build|install)|docker build|webpack|rollup|esbuild|parcel|sass|next build|rustc|gfortran|ghc|kotlinc|dotnet build|swift build|mix compile|sbt compile|bazel build|vite build|mvn (package|compile|install)|gradlew? (build|assemble)|make( all| build)?$|pip install|npm (ci|install))\b?",
    ),
];

/// What the exit codes of some programs mean when they print nothing.
pub(super) const EXIT_CODES: &[(&str, &[i32], FailureClass, &str)] = &[
    ("curl", &[5, 6, 7, 28, 35, 52, 55, 56, 92], Network, "curl says that the connection failed"),
    ("curl", &[67], Auth, "curl says that the login was refused"),
    ("curl", &[23], DiskFull, "curl could not write what it received"),
    ("curl", &[60], Auth, "curl cannot verify the server's certificate"),
    ("wget", &[4], Network, "wget says that the connection failed"),
    ("wget", &[5], Auth, "wget cannot verify the server's certificate"),
    ("wget", &[6], Auth, "wget says that the login was refused"),
    ("ssh", &[255], Network, "ssh says that the connection failed"),
    ("scp", &[255], Network, "scp says that the connection failed"),
    ("rsync", &[10, 12, 30, 35, 255], Network, "rsync says that the connection failed"),
];

/// Lines that report something good, or only tell what somebody else said: never evidence.
pub(super) const IGNORED: &str = concat!(
    r"^\s*(test .* \.\.\. (ok|ignored)|ok\b|PASS(ED)?\b|✓|√|✔|--- (PASS|SKIP)|# |// )",
    r"|(?-i:\bPASSED\b)|\bpassed$",
    // Logs of what was tested, and traces of the shell.
    r"|^\S*\[?\d{4}-\d\d-\d\d[T ][\d:.,Z+-]+\]?\s+\[?(TRACE|DEBUG|INFO|NOTICE|WARN)",
    r"|^\[?(TRACE|DEBUG|INFO)\b|^\++ |^(DEBUG|INFO):",
    // What was tried again: if that failed as well, a later line says so.
    r"|\(attempt \d+ (of|/) ?\d+\)|will retry\b|\bretrying in\b|\btrying (again|the next|another|mirror)\b|, reconnected\b",
    // Source that is shown.
    r"|^\s*(>\s*)?\d+ +\|",
    // Quotations and differences.
    r"|^\s*([<>] |\| |[+-]\s*[\x22'])",
);

/// A `timeout` that sends SIGKILL, at once or in the end.
pub(super) const KILLING_TIMEOUT: &str =
    r"\btimeout\b.*( -k|--kill-after| -s ?(SIG)?KILL|--signal=(SIG)?KILL| -s ?9\b)";

/// A record of a log that is an error itself.
pub(super) const ERROR_RECORD: &str =
    r"\b(level|lvl|severity)[\x22']?\s*[=:]\s*[\x22']?(error|fatal|critical|panic)\b";
