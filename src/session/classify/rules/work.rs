//! What compilers, linters and test runners say.

use super::{Rule, said};
use crate::session::FailureClass::{Build, Lint, Test};

pub(super) const WORK: &[Rule] = &[
    // Builds
    said(Build, 11.0, r"\[(build|setup) failed\]|failed to compile", "the build failed"),
    // Said after any cause: a full disk, a missing linker, a lint.
    said(
        Build,
        7.0,
        r"could not compile|^build failed|ld returned \d+ exit status|linker command failed|linking with .* failed|compilation (failed|failure|error|terminated|aborted)",
        "the build failed",
    ),
    said(
        Build,
        10.0,
        r"undefined (reference|symbol)|multiple definition of|\bld: cannot find |relocation \S+ against|\berror TS\d+:|ninja: build stopped|^CMake Error|no rule to make target|error: failed to run custom build command",
        "the build failed",
    ),
    said(
        Build,
        9.0,
        r"^error\[E\d{4}\]|^vet: |^\S+:\d+(:\d+)?: (fatal )?error\b|^\S+\.go:\d+:\d+: |^\S+\(\d+,\d+\): error ",
        "a compiler reports an error",
    ),
    said(
        Build,
        9.0,
        r"failed (building|to build)|metadata-generation-failed|subprocess-exited-with-error|\bERESOLVE\b|^npm (ERR!|error) gyp|resolution impossible|failed to select a version|no matching package|unmet dependencies|unable to locate package|^no package '\S+' found|not found in the pkg-config search path|\bfound \d+ fatal errors?$",
        "its dependencies could not be built or found",
    ),
    said(
        Build,
        8.0,
        r"^\s*(SyntaxError|IndentationError|ModuleNotFoundError|ImportError): |cannot find module|module not found|^(PHP )?Parse error: +syntax|\.\w+:\d+(:\d+)?: syntax error|\bcannot load such file -- |\bfailed opening required ",
        "the code cannot be loaded",
    ),
    said(
        Build,
        3.0,
        r"no matching distribution found|could not find a version that satisfies",
        "a dependency could not be found",
    ),
    said(Build, 3.0, r"^make(\[\d+\])?: \*\*\* ", "make stopped"),
    // Formatting, lint, types
    said(
        Lint,
        11.0,
        r"^✖ \d+ problems?|\d+ files? would be reformatted|^would reformat|code style issues|\d+ offenses? detected|^Diff in .+(:\d+:?| at line \d+:?)$|^Found \d+ errors?(\.| in .*\(checked.*)$|^oh no! .*",
        "formatting or lint findings",
    ),
    said(
        Lint,
        10.5,
        r"^\S+\.\w+:\d+:\d+:? [A-Z]{1,4}\d{3,4}\b|(?-i:^[A-Z]{1,4}\d{3,4} (\[\*\] )?[`A-Z])|\bSC\d{4}\b|\bclippy::|rust-clippy/|\((errcheck|govet|staticcheck|unused|revive|gosimple|ineffassign|gofmt)\)$|your code has been rated",
        "lint findings",
    ),
    said(
        Lint,
        9.5,
        r"^\s*\d+:\d+ +(error|warning) +.+ +[a-z@/-]+$|^\S+:\d+:(\d+:)? (error|warning|style|performance|portability): .*\[[a-zA-Z][\w.,-]*\]$|clang-format-violations|^\S+:\d+: (trailing whitespace|space before tab|new blank line at EOF)",
        "lint findings",
    ),
    said(Lint, 10.0, r"implied by `-[DF] ", "a warning that is forbidden here"),
    // As compilers print it, too: the command decides.
    said(Lint, 9.0, r"^\S+\.go:\d+:\d+: |^\S+:\d+(:\d+)?: (error|warning)\b", "lint findings"),
    // Tests
    said(
        Test,
        11.0,
        r"^test result: FAILED|^error: (\d+ targets? failed|test (run )?failed)|^=+ .*\b\d+ (failed|errors?)\b.* in [\d.]+|^FAILED( \(| +\S+::| *$)|tests?:? +\d+ failed|^\s*\d+ failing\b|\b\d+ (tests?|specs?|examples?|scenarios?),? (have )?(\d+ )?fail(ed|ures?)|\bassertions, [1-9]\d* failures?|\*\*\* +[1-9]\d* failures?|\b\d+ (\w+ )?passed, [1-9]\d* failed|[1-9]\d* (features?|scenarios?|steps?) failed|\b[1-9]\d* failed, \d+ passed|failures: [1-9]|there (was|were) \d+ (failures?|errors?)|\d+ tests? failed|\b[1-9]\d* (of|out of|/) \d+ (tests?|checks?|specs?|cases?|assertions?) (have |has )?(failed|did not pass)|test suites?: [1-9]\d* failed",
        "tests failed",
    ),
    said(
        Test,
        10.5,
        r"^\s*--- FAIL: |(?-i:^\s*FAIL(ED|:)?\s+\S[^\[]*$)|^not ok \d+|^test .* \.\.\. FAILED|(?-i:^\s*\S+::\S+ FAILED)|^\s*[✗✕] ",
        "a test failed",
    ),
    said(Test, 5.0, r"^FAIL$", "tests failed"),
    said(
        Test,
        7.0,
        r"^(E +)?\S*AssertionError\b|assertion .*failed|assertion `|expected .+ (but got|received|to (be|equal|match))",
        "an assertion failed",
    ),
];
