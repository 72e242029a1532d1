//! The table of rules: what a line of output says about a failure, and why.

use crate::session::FailureClass::{
    self, Auth, Build, CorruptState, DiskFull, Lint, MergeConflict, MissingTool, Network,
    OutOfMemory, Permission, RateLimit, ServerError, Test, Unknown,
};

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
pub(super) const RULES: &[Rule] = &[
    // Resources
    said(
        Unknown,
        12.0,
        r"limit for number of file watchers|inotify",
        "too many file watchers, though the system calls it ENOSPC",
    ),
    said(DiskFull, 11.0, r"no space left on device|\bENOSPC\b", "the disk is full"),
    said(DiskFull, 11.0, r"disk quota exceeded|\bEDQUOT\b", "the disk quota is used up"),
    said(
        DiskFull,
        9.0,
        r"(not|n't have) enough (free |disk )*space|(disk|file ?system) (is )?full",
        "the disk is full",
    ),
    said(
        OutOfMemory,
        10.0,
        r"cannot allocate memory|memory allocation of \d+ bytes failed|\bENOMEM\b|std::bad_alloc",
        "an allocation failed",
    ),
    said(
        OutOfMemory,
        10.0,
        r"(heap|java heap|virtual memory|ran) (space|out of memory|exhausted)|OutOfMemoryError|^(fatal error: )?out of memory|^MemoryError",
        "it ran out of memory",
    ),
    said(
        OutOfMemory,
        10.0,
        r"OOMKilled|oom-kill|killed signal terminated program|signal: 9, SIGKILL",
        "the system killed it, likely for memory",
    ),
    said(OutOfMemory, 8.0, r"(^|[: ])killed( +\S.*)?$", "the system killed it, likely for memory"),
    // Providers and servers
    json(
        RateLimit,
        10.0,
        r"rate_limit_error|RateLimitError|ThrottlingException|toomanyrequests|RESOURCE_EXHAUSTED",
        "the provider refuses because of too many requests",
    ),
    said(
        RateLimit,
        9.5,
        r"too many requests|\brate[- ]limit(ed|ing)?\b|(error|http|status|code)\D{0,12}\b429\b",
        "the provider refuses because of too many requests",
    ),
    said(
        RateLimit,
        9.0,
        r"(usage|session|weekly|monthly|daily) limit (reached|exceeded)|(hit|reached|exceeded) your .{0,20}(limit|quota)|quota (has been )?exceeded|insufficient_quota",
        "a limit of the account is reached",
    ),
    json(
        ServerError,
        10.0,
        r"overloaded_error|api_error\b|InternalServerError",
        "the server could not answer",
    ),
    said(
        ServerError,
        9.0,
        r"\b5(00|02|03|04|29) (internal server error|bad gateway|service unavailable|gateway time-?out|overloaded)|internal server error|bad gateway|service (temporarily )?unavailable|gateway time-?out",
        "the server answered with an error",
    ),
    said(
        ServerError,
        9.0,
        r"(api error|returned error|http(/[\d.]+)?( error| status| code)?|status( code)?)\W{0,3}\b5\d\d\b",
        "the server answered with an error",
    ),
    // Credentials
    json(
        Auth,
        10.0,
        r"authentication_error|invalid (x-)?api[- ]key|AuthenticationError|NoCredentialProviders",
        "the credentials are wrong or missing",
    ),
    said(
        Auth,
        10.0,
        r"permission denied \((publickey|password|keyboard)|host key verification failed|too many authentication failures",
        "the other side does not accept the key",
    ),
    said(
        Auth,
        9.5,
        r"authentication (failed|required|error)|password authentication failed|no password supplied|access denied for user|login incorrect|incorrect (user ?name or )?password|bad credentials|invalid (user ?name|credentials|token|login)",
        "the credentials are wrong or missing",
    ),
    said(
        Auth,
        9.5,
        r"could not read (username|password)|terminal prompts disabled|a (password|terminal) is required|no basic auth credentials|\bENEEDAUTH\b|not logged in|please (run \S+ )?log ?in|credentials? (are|is|was|were) (missing|expired|invalid)|token (has |is )?expired|unable to locate credentials",
        "the credentials are missing",
    ),
    said(
        Auth,
        9.0,
        r"\b401 (unauthorized|client error)|\b403 (forbidden|client error)|(error|http(/[\d.]+)?|status|code)\W{0,3}E?\b?40[13]\b|^unauthorized\b|requested access to the resource is denied|repository not found\.?$",
        "the server refuses these credentials",
    ),
    // Network
    said(
        Network,
        9.5,
        r"could(n't| not) resolve (host|proxy)|name or service not known|temporary failure (in name resolution|resolving)|nodename nor servname|no such host|\b(ENOTFOUND|EAI_AGAIN)\b|failed to lookup address|could not resolve hostname|dns error|unable to resolve host",
        "a host name could not be resolved",
    ),
    said(
        Network,
        9.0,
        r"connection (timed out|refused|reset|aborted)|\bE(CONNREFUSED|CONNRESET|TIMEDOUT|HOSTUNREACH|NETUNREACH|PIPE)\b|no route to host|network is unreachable|operation timed out|connect(ion)? timeout",
        "the connection failed",
    ),
    said(
        Network,
        8.5,
        r"failed to connect to|could not connect to|unable to connect|connection closed by|failed to establish a new connection|max retries exceeded with url|read timed out|i/o timeout|tls handshake (timeout|failure)|client\.timeout exceeded|socket hang up|net::ERR_|network (error|request failed)|early EOF|spurious network|ssl_connect|ssl(eof)?error",
        "the connection failed",
    ),
    said(
        Network,
        9.0,
        r"curl: \((5|6|7|28|35|52|55|56|92)\)|^wget: unable to",
        "the connection failed",
    ),
    said(
        Network,
        8.5,
        r"\b(requests|urllib3|httpx|aiohttp|http\.client)\.\S*(Connect|Timeout|Protocol|RemoteDisconnected|NewConnection)\S*",
        "the connection failed",
    ),
    said(
        Network,
        7.0,
        r"failed to (fetch|download)( from| https?:)|download(ing)? .{0,80}failed|unable to fetch some archives",
        "a download failed",
    ),
    json(
        Network,
        12.0,
        r"connection broken by|Retry\(total=0",
        "the connection failed again and again",
    ),
    said(
        Network,
        3.0,
        r"could not read from remote repository|remote end hung up unexpectedly|rpc failed",
        "the remote repository cannot be reached",
    ),
    // Programs and permissions
    said(
        MissingTool,
        11.0,
        r"command not found|^(\S*sh|\S+): (line )?(\d+: )?[^: ]+: not found$|executable file not found in|is not recognized as an internal|linker .{1,20} not found|no such (command|subcommand)|is not a git command",
        "a program is missing",
    ),
    said(
        MissingTool,
        9.5,
        r"^(/usr/bin/)?env: .{1,80}: no such file or directory|bad interpreter|required file not found|^make: \S+: no such file|(python\S*|node): no module named|program not found|could not find (program|executable|tool)|could not determine executable to run",
        "a program is missing",
    ),
    said(
        Permission,
        9.0,
        r"permission denied|\bEACCES\b|operation not permitted|\bEPERM\b|access is denied",
        "the file system or system refuses it",
    ),
    said(
        Permission,
        9.0,
        r"read-only file system|\bEROFS\b|must be (run as )?root|are you root|insufficient (permissions|privileges)|dubious ownership|must be (superuser|owner of)",
        "this user may not do that",
    ),
    // git and state
    said(
        MergeConflict,
        11.0,
        r"^CONFLICT \(|automatic merge failed|merge conflict in|fix conflicts and then|unmerged (paths|files)|could not apply [0-9a-f]{7}|needs merge$|patch (failed|does not apply)",
        "git could not merge",
    ),
    said(
        CorruptState,
        10.0,
        r"object (file )?\S+ is (empty|corrupt)|loose object .* is corrupt|^fatal: bad (object|config)|index file (smaller|corrupt)|bad (index file|signature) |data stream error|pack has \S* ?(bad|unresolved)|database disk image is malformed",
        "stored data is damaged",
    ),
    said(
        CorruptState,
        8.5,
        r"(checksum|hash|digest|integrity)( sum)?( check)? (mismatch|failed|does not match)|sha(256|512)\S* mismatch|\b(corrupt(ed)?|damaged) (state|cache|index|database|checkpoint|journal|archive|lock ?file)|\bEINTEGRITY\b|unexpected end of (archive|file in archive)",
        "stored data is damaged",
    ),
    // Builds
    said(Build, 11.0, r"\[(build|setup) failed\]|failed to compile", "the build failed"),
    // Said after any cause: a full disk, a missing linker, a lint.
    said(
        Build,
        7.0,
        r"could not compile|^build failed|compilation (failed|failure|error|terminated|aborted)",
        "the build failed",
    ),
    said(
        Build,
        10.0,
        r"ld returned \d+ exit status|linker command failed|linking with .* failed|undefined (reference|symbol)|\berror TS\d+:|ninja: build stopped|^CMake Error|no rule to make target|error: failed to run custom build command",
        "the build failed",
    ),
    said(
        Build,
        9.0,
        r"^error\[E\d{4}\]|^\S+:\d+(:\d+)?: (fatal )?error\b|^\S+\.go:\d+:\d+: |^\S+\(\d+,\d+\): error ",
        "a compiler reports an error",
    ),
    said(
        Build,
        9.0,
        r"failed (building|to build)|metadata-generation-failed|subprocess-exited-with-error|\bERESOLVE\b|^npm (ERR!|error) gyp|resolution impossible|failed to select a version|unmet dependencies|unable to locate package",
        "its dependencies could not be built or found",
    ),
    said(
        Build,
        8.0,
        r"^\s*(SyntaxError|IndentationError|ModuleNotFoundError|ImportError): |cannot find module|module not found",
        "the code cannot be loaded",
    ),
    said(
        Build,
        5.0,
        r"no matching distribution found|could not find a version that satisfies",
        "a dependency could not be found",
    ),
    said(Build, 3.0, r"^make(\[\d+\])?: \*\*\* ", "make stopped"),
    // Formatting, lint, types
    said(
        Lint,
        11.0,
        r"^✖ \d+ problems?|\d+ files? would be reformatted|^would reformat|code style issues|\d+ offenses? detected|^Diff in .+(:\d+:?| at line \d+:?)$|^Found \d+ errors?\b|^oh no! .*",
        "formatting or lint findings",
    ),
    said(
        Lint,
        10.5,
        r"^\S+\.\w+:\d+:\d+:? [A-Z]{1,4}\d{3,4}\b|\bSC\d{4}\b|\bclippy::|rust-clippy/|\((errcheck|govet|staticcheck|unused|revive|gosimple|ineffassign|gofmt)\)$|your code has been rated",
        "lint findings",
    ),
    said(
        Lint,
        9.5,
        r"^\s*\d+:\d+ +(error|warning) +.+ +[a-z@/-]+$|^\S+\.pyi?:\d+: error: .*\[[a-z-]+\]$",
        "lint findings",
    ),
    // Tests
    said(
        Test,
        11.0,
        r"^test result: FAILED|^error: (\d+ targets? failed|test failed)|^=+ .*\b\d+ (failed|errors?)\b.* in [\d.]+|^FAILED( \(| +\S+::| *$)|tests?:? +\d+ failed|^\s*\d+ failing\b|\b\d+ (tests?|specs?|examples?|scenarios?),? (have )?(\d+ )?fail(ed|ures?)|[1-9]\d* failures?\b.*$|failures: [1-9]|there (was|were) \d+ (failures?|errors?)|\d+ tests? failed|test suites?: [1-9]\d* failed",
        "tests failed",
    ),
    said(
        Test,
        10.5,
        r"^\s*--- FAIL: |^FAIL(ED|:)?\s+\S[^\[]*$|^not ok \d+|^test .* \.\.\. FAILED|^\s*\S+::\S+ FAILED|^\s*[✗✕×] ",
        "a test failed",
    ),
    said(Test, 5.0, r"^FAIL$", "tests failed"),
    said(
        Test,
        7.0,
        r"^(E +)?\S*AssertionError\b|assertion .*failed|assertion `|expected .+ (but )?(got|received|to (be|equal|match))",
        "an assertion failed",
    ),
];

/// What a command is for, by its words: settles ties and what says nothing.
pub(super) const PURPOSES: &[(FailureClass, &str)] = &[
    (
        Lint,
        r"\b(clippy|eslint|ruff|black|flake8|pylint|prettier|rustfmt|golangci-lint|shellcheck|stylelint|mypy|pyright|rubocop|yamllint|gofmt|isort|(cargo|go|deno) fmt|(run|yarn|pnpm) (lint|format)|make (lint|fmt|format))\b",
    ),
    (
        Test,
        r"\b(cargo (test|nextest)|pytest|unittest|go test|jest|vitest|mocha|(npm|yarn|pnpm)( run)? test|tox|rspec|phpunit|(mvn|gradlew?) test|ctest|make (test|check)|playwright test|deno test)\b",
    ),
    (
        Build,
        r"\b(cargo (build|check|install)|cmake|ninja|(npm|yarn|pnpm)( run)? build|tsc|gcc|g\+\+|cc|clang|javac|go (build|vet|install)|docker build|webpack|vite build|mvn (package|compile|install)|gradlew? (build|assemble)|make( all| build)?$|pip install|npm (ci|install))\b?",
    ),
];

/// What the exit codes of some programs mean when they print nothing.
pub(super) const EXIT_CODES: &[(&str, &[i32], FailureClass, &str)] = &[
    ("curl", &[5, 6, 7, 28, 35, 52, 55, 56, 92], Network, "curl says that the connection failed"),
    ("curl", &[67], Auth, "curl says that the login was refused"),
    ("curl", &[23], DiskFull, "curl could not write what it received"),
    ("wget", &[4, 5], Network, "wget says that the connection failed"),
    ("wget", &[6], Auth, "wget says that the login was refused"),
    ("wget", &[8], ServerError, "wget says that the server answered with an error"),
    ("ssh", &[255], Network, "ssh says that the connection failed"),
    ("scp", &[255], Network, "scp says that the connection failed"),
    ("rsync", &[10, 12, 30, 35, 255], Network, "rsync says that the connection failed"),
];

/// Lines that report something good, or only tell what somebody else said: never evidence.
pub(super) const IGNORED: &str = concat!(
    r"^\s*(test .* \.\.\. (ok|ignored)|ok\b|PASS(ED)?\b|✓|√|✔|--- (PASS|SKIP)|# |// )",
    r"|\bPASSED\b|\bpassed$",
    // Logs of what was tested, and traces of the shell.
    r"|^\S*\[?\d{4}-\d\d-\d\d[T ][\d:.,Z+-]+\]?\s+\[?(TRACE|DEBUG|INFO|NOTICE|WARN)",
    r"|^\[?(TRACE|DEBUG|INFO)\b|^\++ |^(DEBUG|INFO):",
    // Quotations and differences.
    r"|^\s*(> |\| |[+-]\s*[\x22'])",
);
