//! Outputs as real tools print them, and the class of each.

use super::*;
use FailureClass::*;

/// Command, exit code, stdout, stderr, class.
type Case = (&'static str, i32, &'static str, &'static str, FailureClass);

fn class(case: &Case) -> Verdict {
    let (command, code, stdout, stderr, _) = case;
    explain(&Evidence { kind: FailureKind::Exit, exit_code: Some(*code), command, stdout, stderr })
}

fn all_hold(cases: &[Case]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|case| (case, class(case)))
        .filter(|(case, found)| found.class != case.4)
        .map(|(case, found)| {
            format!(
                "{} → {:?} ({}), not {:?}\n{}{}",
                case.0, found.class, found.why, case.4, case.2, case.3
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn formatting_lint_and_types() {
    all_hold(&[
        (
            "cargo fmt --check",
            1,
            "Diff in /src/main.rs:1:\n-fn main( ) {\n+fn main() {\n",
            "",
            Lint,
        ),
        (
            "cargo clippy --all-targets -- -D warnings",
            101,
            "",
            "error: this expression creates a reference which is immediately dereferenced\n  --> src/lib.rs:3:9\n   |\n3  |     f(&x);\n   |       ^^ help: change this to: `x`\n   |\n   = help: for further information visit https://rust-lang.github.io/rust-clippy/master/index.html#needless_borrow\n   = note: `-D clippy::needless-borrow` implied by `-D warnings`\n\nerror: could not compile `demo` (lib) due to 1 previous error\n",
            Lint,
        ),
        (
            "npx eslint src",
            1,
            "\n/app/src/index.js\n  1:7   error  'x' is assigned a value but never used  no-unused-vars\n  3:12  error  'fetchTimeout' is not defined            no-undef\n\n✖ 2 problems (2 errors, 0 warnings)\n\n",
            "",
            Lint,
        ),
        (
            "ruff check .",
            1,
            "app/net.py:1:8: F401 [*] `socket` imported but unused\nFound 1 error.\n[*] 1 fixable with the `--fix` option.\n",
            "",
            Lint,
        ),
        (
            "black --check .",
            1,
            "",
            "would reformat /app/a.py\n\nOh no! 💥 💔 💥\n1 file would be reformatted, 3 files would be left unchanged.\n",
            Lint,
        ),
        ("flake8", 1, "./app.py:1:80: E501 line too long (93 > 79 characters)\n", "", Lint),
        (
            "prettier --check src",
            1,
            "Checking formatting...\n",
            "[warn] src/index.js\n[warn] Code style issues found in the above file. Run Prettier with --write to fix.\n",
            Lint,
        ),
        (
            "mypy app",
            1,
            "app/net.py:12: error: Incompatible return value type (got \"str\", expected \"int\")  [return-value]\nFound 1 error in 1 file (checked 3 source files)\n",
            "",
            Lint,
        ),
        (
            "shellcheck run.sh",
            1,
            "In run.sh line 3:\nrm $x\n   ^-- SC2086 (info): Double quote to prevent globbing.\n",
            "",
            Lint,
        ),
        (
            "golangci-lint run",
            1,
            "main.go:9:10: Error return value of `f.Close` is not checked (errcheck)\n\tf.Close()\n",
            "",
            Lint,
        ),
        (
            "rubocop",
            1,
            "app.rb:1:1: C: Style/FrozenStringLiteralComment\n\n1 file inspected, 1 offense detected\n",
            "",
            Lint,
        ),
        ("test -z \"$(gofmt -l .)\" && gofmt -l .", 1, "", "", Lint),
    ]);
}

#[test]
fn tests_that_failed() {
    all_hold(&[
        (
            "cargo test",
            101,
            "running 2 tests\ntest net::network_timeout ... ok\ntest parse::empty ... FAILED\n\nfailures:\n\n---- parse::empty stdout ----\nthread 'parse::empty' panicked at src/parse.rs:10:5:\nassertion `left == right` failed\n  left: 1\n right: 2\n\nfailures:\n    parse::empty\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n",
            "   Compiling demo v0.1.0\n    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.50s\nerror: test failed, to rerun pass `--lib`\n",
            Test,
        ),
        (
            "pytest -q",
            1,
            "F.                                                        [100%]\n=== FAILURES ===\n___ test_add ___\n\n    def test_add():\n>       assert add(1, 1) == 3\nE       assert 2 == 3\n\ntest_a.py:4: AssertionError\n=== short test summary info ===\nFAILED test_a.py::test_add - assert 2 == 3\n1 failed, 1 passed in 0.03s\n",
            "",
            Test,
        ),
        (
            "pytest",
            1,
            "FAILED tests/test_net.py::test_connection - ConnectionError: Connection refused\n========== 1 failed, 11 passed in 2.13s ==========\n",
            "",
            Test,
        ),
        (
            "npx jest",
            1,
            "",
            "FAIL src/sum.test.js\n  ✕ adds (2 ms)\n\n  ● adds\n\n    expect(received).toBe(expected)\n\n    Expected: 4\n    Received: 3\n\nTest Suites: 1 failed, 1 passed, 2 total\nTests:       1 failed, 3 passed, 4 total\nTime:        0.6 s\nRan all test suites.\n",
            Test,
        ),
        (
            "npm test",
            1,
            "\n  10 passing (12ms)\n  1 failing\n\n  1) retries after ECONNREFUSED:\n     AssertionError: expected 1 to equal 2\n",
            "npm ERR! Test failed.  See above for more details.\n",
            Test,
        ),
        (
            "go test ./...",
            1,
            "--- FAIL: TestAdd (0.00s)\n    add_test.go:8: got 3, want 4\nFAIL\nFAIL\texample.com/add\t0.002s\nFAIL\n",
            "",
            Test,
        ),
        (
            "python -m unittest",
            1,
            "",
            "FAIL: test_add (test_a.T)\n----\nTraceback (most recent call last):\n  File \"test_a.py\", line 5, in test_add\n    self.assertEqual(1, 2)\nAssertionError: 1 != 2\n\n----\nRan 3 tests in 0.001s\n\nFAILED (failures=1)\n",
            Test,
        ),
        (
            "bundle exec rspec",
            1,
            "Finished in 0.01 seconds\n3 examples, 1 failure\n\nFailed examples:\n\nrspec ./a_spec.rb:3 # adds\n",
            "",
            Test,
        ),
        (
            "vendor/bin/phpunit",
            1,
            "There was 1 failure:\n\n1) AddTest::testAdd\nFailed asserting that 3 matches expected 4.\n\nFAILURES!\nTests: 2, Assertions: 2, Failures: 1.\n",
            "",
            Test,
        ),
        (
            "mvn test",
            1,
            "[ERROR] Tests run: 12, Failures: 1, Errors: 0, Skipped: 0\n[INFO] BUILD FAILURE\n",
            "",
            Test,
        ),
        ("prove t", 1, "not ok 2 - adds\n#   Failed test 'adds'\n", "", Test),
        (
            "./run-tests.sh",
            1,
            "ok 1 - survives connection timed out\nnot ok 2 - parses\n1..2\n",
            "",
            Test,
        ),
    ]);
}

#[test]
fn builds_that_failed() {
    all_hold(&[
        (
            "cargo build",
            101,
            "",
            "error[E0308]: mismatched types\n --> src/main.rs:2:18\n  |\n2 |     let x: u32 = \"connection refused\";\n  |            ---   ^^^^ expected `u32`, found `&str`\n\nFor more information about this error, try `rustc --explain E0308`.\nerror: could not compile `demo` (bin \"demo\") due to 1 previous error\n",
            Build,
        ),
        (
            "cargo test",
            101,
            "",
            "error[E0425]: cannot find value `x` in this scope\nerror: could not compile `demo` (lib test) due to 1 previous error\n",
            Build,
        ),
        (
            "make",
            2,
            "gcc -c main.c\n",
            "main.c: In function 'main':\nmain.c:3:5: error: expected ';' before 'return'\nmake: *** [Makefile:2: main.o] Error 1\n",
            Build,
        ),
        (
            "gcc main.c",
            1,
            "",
            "/usr/bin/ld: /tmp/ccX.o: in function `main':\nmain.c:(.text+0x5): undefined reference to `connection_timeout'\ncollect2: error: ld returned 1 exit status\n",
            Build,
        ),
        (
            "npx tsc",
            2,
            "src/a.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'.\n",
            "",
            Build,
        ),
        (
            "go build ./...",
            1,
            "",
            "# example.com/demo\n./main.go:5:2: undefined: fmt.Printl\n",
            Build,
        ),
        (
            "go test ./...",
            1,
            "FAIL\texample.com/demo [build failed]\nFAIL\n",
            "# example.com/demo\n./main.go:5:2: undefined: x\n",
            Build,
        ),
        (
            "npm run build",
            1,
            "",
            "Error: Cannot find module './missing'\nRequire stack:\n- /app/index.js\nnpm ERR! code ELIFECYCLE\n",
            Build,
        ),
        (
            "pip install nonesuch",
            1,
            "",
            "ERROR: Could not find a version that satisfies the requirement nonesuch (from versions: none)\nERROR: No matching distribution found for nonesuch\n",
            Build,
        ),
        (
            "npm ci",
            1,
            "",
            "npm ERR! code ERESOLVE\nnpm ERR! ERESOLVE unable to resolve dependency tree\n",
            Build,
        ),
        (
            "python app.py",
            1,
            "",
            "  File \"app.py\", line 3\n    def f(:\n          ^\nSyntaxError: invalid syntax\n",
            Build,
        ),
        (
            "apt-get install -y nonesuch",
            100,
            "Reading package lists...\n",
            "E: Unable to locate package nonesuch\n",
            Build,
        ),
        (
            "cmake -B build",
            1,
            "",
            "CMake Error at CMakeLists.txt:3 (find_package):\n  Could not find FooConfig.cmake\n-- Configuring incomplete, errors occurred!\n",
            Build,
        ),
        (
            "mvn package",
            1,
            "[ERROR] COMPILATION ERROR :\n[ERROR] Failed to execute goal: Compilation failure\n",
            "",
            Build,
        ),
        ("make", 2, "", "make: *** No rule to make target 'all'.  Stop.\n", Build),
    ]);
}

#[test]
fn the_network() {
    all_hold(&[
        (
            "curl -fsS https://example.invalid",
            6,
            "",
            "curl: (6) Could not resolve host: example.invalid\n",
            Network,
        ),
        (
            "curl https://example.com",
            28,
            "",
            "curl: (28) Failed to connect to example.com port 443 after 75001 ms: Connection timed out\n",
            Network,
        ),
        ("curl -s https://example.com > page", 7, "", "", Network),
        (
            "git fetch",
            128,
            "",
            "fatal: unable to access 'https://github.com/a/b/': Could not resolve host: github.com\n",
            Network,
        ),
        (
            "git clone git@github.com:a/b",
            128,
            "",
            "ssh: connect to host github.com port 22: Connection timed out\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
            Network,
        ),
        (
            "git clone https://h/r",
            128,
            "",
            "error: RPC failed; curl 56 GnuTLS recv error (-54)\nfetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output\n",
            Network,
        ),
        (
            "npm install",
            1,
            "",
            "npm ERR! code ENOTFOUND\nnpm ERR! errno ENOTFOUND\nnpm ERR! network request to https://registry.npmjs.org/left-pad failed, reason: getaddrinfo ENOTFOUND registry.npmjs.org\nnpm ERR! network This is a problem related to network connectivity.\n\nnpm ERR! A complete log of this run can be found in:\nnpm ERR!     /root/.npm/_logs/debug-0.log\n",
            Network,
        ),
        (
            "pip install requests",
            1,
            "",
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError': /simple/requests/\nERROR: Could not find a version that satisfies the requirement requests (from versions: none)\nrequests.exceptions.ConnectionError: HTTPSConnectionPool(host='pypi.org', port=443): Max retries exceeded with url: /simple\n",
            Network,
        ),
        (
            "python fetch.py",
            1,
            "",
            "Traceback (most recent call last):\n  File \"fetch.py\", line 3, in <module>\nrequests.exceptions.ConnectTimeout: HTTPSConnectionPool(host='api.example.com', port=443): Max retries exceeded\n",
            Network,
        ),
        (
            "ssh host true",
            255,
            "",
            "ssh: connect to host host port 22: Connection refused\n",
            Network,
        ),
        ("ssh -q host true", 255, "", "", Network),
        (
            "psql -h db -c 'select 1'",
            2,
            "",
            "psql: error: connection to server at \"db\" (10.0.0.5), port 5432 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n",
            Network,
        ),
        (
            "apt-get update",
            100,
            "",
            "W: Failed to fetch http://deb.debian.org/debian/dists/stable/InRelease  Temporary failure resolving 'deb.debian.org'\nE: Some index files failed to download.\n",
            Network,
        ),
        (
            "cargo build",
            101,
            "",
            "    Updating crates.io index\nwarning: spurious network error (3 tries remaining): [28] Timeout was reached\nerror: failed to download from `https://static.crates.io/crates/libc/0.2.1/download`\n\nCaused by:\n  [6] Couldn't resolve host name (Could not resolve host: static.crates.io)\n",
            Network,
        ),
        (
            "go mod download",
            1,
            "",
            "go: example.com/x@v1.0.0: Get \"https://proxy.golang.org/example.com/x\": dial tcp: lookup proxy.golang.org: no such host\n",
            Network,
        ),
        (
            "docker pull alpine",
            1,
            "",
            "Error response from daemon: Get \"https://registry-1.docker.io/v2/\": net/http: TLS handshake timeout\n",
            Network,
        ),
        (
            "node index.js",
            1,
            "",
            "Error: connect ECONNREFUSED 127.0.0.1:5432\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16)\n",
            Network,
        ),
        ("rsync -a a host:b", 12, "", "", Network),
    ]);
}

#[test]
fn providers_and_servers() {
    all_hold(&[
        (
            "curl -f https://api",
            22,
            "",
            "curl: (22) The requested URL returned error: 503\n",
            ServerError,
        ),
        (
            "curl -f https://api",
            22,
            "",
            "curl: (22) The requested URL returned error: 429\n",
            RateLimit,
        ),
        (
            "git push",
            128,
            "",
            "error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502\nfatal: the remote end hung up unexpectedly\n",
            ServerError,
        ),
        ("gh api x", 1, "", "gh: API rate limit exceeded for user ID 1. (HTTP 403)\n", RateLimit),
        (
            "docker pull x",
            1,
            "",
            "Error response from daemon: toomanyrequests: You have reached your pull rate limit.\n",
            RateLimit,
        ),
        ("wget -q https://api", 8, "", "", ServerError),
        (
            "python call.py",
            1,
            "",
            "openai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached'}}\n",
            RateLimit,
        ),
        (
            "aws s3 ls",
            255,
            "",
            "An error occurred (ThrottlingException) when calling the ListBuckets operation: Rate exceeded\n",
            RateLimit,
        ),
        ("deploy", 1, "HTTP/1.1 500 Internal Server Error\n", "deploy: failed\n", ServerError),
        (
            "npm publish",
            1,
            "",
            "npm ERR! code E503\nnpm ERR! 503 Service Unavailable - PUT https://registry.npmjs.org/x\n",
            ServerError,
        ),
    ]);
}

#[test]
fn credentials_and_permissions() {
    all_hold(&[
        (
            "git push",
            128,
            "",
            "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
            Auth,
        ),
        (
            "git push",
            128,
            "",
            "fatal: could not read Username for 'https://github.com': terminal prompts disabled\n",
            Auth,
        ),
        (
            "git push",
            128,
            "",
            "remote: Invalid username or password.\nfatal: Authentication failed for 'https://github.com/a/b/'\n",
            Auth,
        ),
        (
            "psql",
            2,
            "",
            "psql: error: connection to server at \"db\" (10.0.0.5), port 5432 failed: FATAL:  password authentication failed for user \"app\"\n",
            Auth,
        ),
        (
            "npm publish",
            1,
            "",
            "npm ERR! code E401\nnpm ERR! Unable to authenticate, your authentication token seems to be invalid.\n",
            Auth,
        ),
        ("curl -f https://api", 22, "", "curl: (22) The requested URL returned error: 401\n", Auth),
        ("docker push x", 1, "", "denied: requested access to the resource is denied\n", Auth),
        (
            "sudo true",
            1,
            "",
            "sudo: a terminal is required to read the password; either use the -S option\nsudo: a password is required\n",
            Auth,
        ),
        (
            "aws s3 ls",
            253,
            "",
            "Unable to locate credentials. You can configure credentials by running \"aws configure\".\n",
            Auth,
        ),
        ("ssh host", 255, "", "Host key verification failed.\n", Auth),
        ("cat /root/x", 1, "", "cat: /root/x: Permission denied\n", Permission),
        ("./deploy.sh", 126, "", "sh: 1: ./deploy.sh: Permission denied\n", Permission),
        (
            "apt-get install x",
            100,
            "",
            "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock, are you root?\n",
            Permission,
        ),
        (
            "npm i -g x",
            243,
            "",
            "npm ERR! code EACCES\nnpm ERR! syscall mkdir\nnpm ERR! Error: EACCES: permission denied, mkdir '/usr/lib/node_modules'\n",
            Permission,
        ),
        ("touch /ro/x", 1, "", "touch: cannot touch '/ro/x': Read-only file system\n", Permission),
        (
            "git status",
            128,
            "",
            "fatal: detected dubious ownership in repository at '/app'\n",
            Permission,
        ),
        ("psql -c 'select * from t'", 1, "", "ERROR:  permission denied for table t\n", Permission),
    ]);
}

#[test]
fn missing_programs() {
    all_hold(&[
        ("nonesuch", 127, "", "sh: 1: nonesuch: not found\n", MissingTool),
        (
            "make",
            2,
            "",
            "make: cargo: No such file or directory\nmake: *** [Makefile:2: all] Error 127\n",
            MissingTool,
        ),
        ("bash run.sh", 1, "", "run.sh: line 4: jq: command not found\n", MissingTool),
        (
            "cargo nextest run",
            101,
            "",
            "error: no such command: `nextest`\n\nhelp: view all installed commands with `cargo --list`\n",
            MissingTool,
        ),
        (
            "cargo build",
            101,
            "",
            "error: linker `cc` not found\n  |\n  = note: No such file or directory (os error 2)\n\nerror: could not compile `demo` (bin \"demo\") due to 1 previous error\n",
            MissingTool,
        ),
        ("python -m pytest", 1, "", "/usr/bin/python: No module named pytest\n", MissingTool),
        (
            "./run.sh",
            126,
            "",
            "sh: 1: ./run.sh: /bin/bash^M: bad interpreter: No such file or directory\n",
            MissingTool,
        ),
        (
            "docker run x foo",
            1,
            "",
            "docker: Error response from daemon: exec: \"foo\": executable file not found in $PATH.\n",
            MissingTool,
        ),
        (
            "git lfs pull",
            1,
            "",
            "git: 'lfs' is not a git command. See 'git --help'.\n",
            MissingTool,
        ),
    ]);
}

#[test]
fn memory_and_disk() {
    all_hold(&[
        (
            "node build.js",
            134,
            "",
            "<--- Last few GCs --->\n\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n 1: 0xb7c560 node::Abort()\n",
            OutOfMemory,
        ),
        (
            "python big.py",
            1,
            "",
            "Traceback (most recent call last):\n  File \"big.py\", line 1, in <module>\nMemoryError\n",
            OutOfMemory,
        ),
        (
            "cargo build",
            101,
            "",
            "error: could not compile `big` (lib)\n\nCaused by:\n  process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)\n",
            OutOfMemory,
        ),
        (
            "java -jar x",
            1,
            "",
            "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space\n\tat A.main(A.java:5)\n",
            OutOfMemory,
        ),
        (
            "g++ big.cc",
            1,
            "",
            "g++: fatal error: Killed signal terminated program cc1plus\ncompilation terminated.\n",
            OutOfMemory,
        ),
        ("./train", 137, "epoch 1\n", "Killed\n", OutOfMemory),
        (
            "./train | tee log",
            1,
            "",
            "run.sh: line 3:  4711 Killed                  ./train\n",
            OutOfMemory,
        ),
        (
            "tar xf a.tar",
            2,
            "",
            "tar: a/b: Cannot write: No space left on device\ntar: Exiting with failure status due to previous errors\n",
            DiskFull,
        ),
        (
            "cargo build",
            101,
            "",
            "error: failed to write `/target/x.rmeta`: No space left on device (os error 28)\n\nerror: could not compile `x` (lib) due to 1 previous error\n",
            DiskFull,
        ),
        ("cp a b", 1, "", "cp: error writing 'b': Disk quota exceeded\n", DiskFull),
        (
            "npm ci",
            1,
            "",
            "npm WARN tar TAR_ENTRY_ERROR ENOSPC: no space left on device, write\nnpm ERR! code ENOSPC\nnpm ERR! errno -28\n",
            DiskFull,
        ),
        (
            "apt-get install x",
            100,
            "",
            "E: You don't have enough free space in /var/cache/apt/archives/.\n",
            DiskFull,
        ),
    ]);
}

#[test]
fn merges_and_damage() {
    all_hold(&[
        (
            "git merge topic",
            1,
            "Auto-merging a.txt\nCONFLICT (content): Merge conflict in a.txt\nAutomatic merge failed; fix conflicts and then commit the result.\n",
            "",
            MergeConflict,
        ),
        (
            "git rebase main",
            1,
            "CONFLICT (content): Merge conflict in network_timeout.rs\n",
            "error: could not apply 1a2b3c4... Add timeout\nhint: Resolve all conflicts manually\n",
            MergeConflict,
        ),
        (
            "git apply x.patch",
            1,
            "",
            "error: patch failed: a.txt:1\nerror: a.txt: patch does not apply\n",
            MergeConflict,
        ),
        (
            "git status",
            128,
            "",
            "error: object file .git/objects/ab/cd is empty\nfatal: loose object abcd (stored in .git/objects/ab/cd) is corrupt\n",
            CorruptState,
        ),
        ("sqlite3 x.db .tables", 11, "", "Error: database disk image is malformed\n", CorruptState),
        (
            "npm ci",
            1,
            "",
            "npm ERR! code EINTEGRITY\nnpm ERR! sha512-abc integrity checksum failed when using sha512\n",
            CorruptState,
        ),
        (
            "git log",
            128,
            "",
            "error: bad signature 0x00000000\nfatal: index file corrupt\n",
            CorruptState,
        ),
    ]);
}

#[test]
fn decoys_do_not_fool_it() {
    all_hold(&[
        // A test of that name passed; something else went wrong.
        (
            "./ci.sh",
            3,
            "test client::network_timeout ... ok\ntest client::connection_refused ... ok\ntest result: ok. 2 passed; 0 failed; 0 ignored\n",
            "",
            Unknown,
        ),
        (
            "./ci.sh",
            1,
            "PASS src/rate-limit.test.js\n  ✓ answers 429 too many requests (3 ms)\n  ✓ survives: connection timed out\n",
            "",
            Unknown,
        ),
        (
            "./ci.sh",
            1,
            "--- PASS: TestDiskFull (0.00s)\nok  \texample.com/network\t0.01s\n",
            "",
            Unknown,
        ),
        (
            "pytest",
            1,
            "tests/test_net.py::test_permission_denied PASSED\ntests/test_a.py::test_x FAILED\n=== 1 failed, 1 passed in 0.1s ===\n",
            "",
            Test,
        ),
        // It is quoted, or the log of something that was tried.
        (
            "./check",
            1,
            "the log said \"connection timed out\" yesterday\n",
            "check: it did not\n",
            Unknown,
        ),
        ("./check", 1, "> fatal: Authentication failed\n", "unexpected text above\n", Unknown),
        (
            "./check",
            1,
            "2026-01-02T10:00:00Z INFO connection refused, trying the next host\nall hosts tried, answer is 7\n",
            "",
            Unknown,
        ),
        ("sh -x run.sh", 1, "", "+ echo no space left on device\n+ false\n", Unknown),
        ("./check", 1, "", "thing `permission denied` is not an option\n", Unknown),
        // It was so at first; the end says something else.
        (
            "./deploy",
            1,
            EARLY,
            "error[E0308]: mismatched types\nerror: could not compile `demo` (lib) due to 1 previous error\n",
            Build,
        ),
        (
            "npm run lint",
            1,
            "",
            "npm WARN network connection refused, using cache\n\n✖ 1 problem (1 error, 0 warnings)\n",
            Lint,
        ),
        // Not what it looks like.
        (
            "npx watch",
            1,
            "",
            "Error: ENOSPC: System limit for number of file watchers reached, watch '/app'\n",
            Unknown,
        ),
        ("echo 500 files", 1, "500 files copied\n", "", Unknown),
        ("./count", 1, "0 failures\n", "", Unknown),
        ("false", 1, "", "", Unknown),
        ("exit 7", 7, "", "", Unknown),
        ("grep -q x file", 1, "", "", Unknown),
    ]);
}

/// Fifty lines after a network problem that was survived.
const EARLY: &str = "curl: (7) Failed to connect to mirror port 80: Connection refused\n\
    1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20\n21\n22\n23\n24\n25\n";

#[test]
fn the_kind_decides_where_it_can() {
    let evidence = |kind, exit_code| Evidence {
        kind,
        exit_code,
        command: "curl https://example.com",
        stdout: "",
        stderr: "curl: (28) Connection timed out",
    };
    assert_eq!(classify(&evidence(FailureKind::Timeout, None)), Timeout);
    assert_eq!(classify(&evidence(FailureKind::IdleTimeout, None)), Timeout);
    assert_eq!(classify(&evidence(FailureKind::Exit, Some(28))), Network);
    assert_eq!(classify(&evidence(FailureKind::Start, None)), MissingTool);
    assert_eq!(classify(&evidence(FailureKind::Capture, None)), Unknown);
    assert_eq!(classify(&evidence(FailureKind::Injected, None)), Unknown);
}

#[test]
fn signals_and_special_codes() {
    let evidence = |kind, code, command, stderr| Evidence {
        kind,
        exit_code: Some(code),
        command,
        stdout: "",
        stderr,
    };
    assert_eq!(classify(&evidence(FailureKind::Signal, 137, "./x", "")), OutOfMemory);
    assert_eq!(classify(&evidence(FailureKind::Signal, 143, "./x", "")), Unknown);
    assert_eq!(classify(&evidence(FailureKind::Signal, 139, "./x", "")), Unknown);
    assert_eq!(classify(&evidence(FailureKind::Exit, 124, "timeout 5 ./x", "")), Timeout);
    assert_eq!(classify(&evidence(FailureKind::Exit, 124, "./x", "")), Unknown);
    assert_eq!(classify(&evidence(FailureKind::Exit, 127, "./x", "")), MissingTool);
    assert_eq!(classify(&evidence(FailureKind::Exit, 126, "./x", "")), Permission);
}

#[test]
fn agents_say_it_in_json() {
    let evidence = |stdout| Evidence {
        kind: FailureKind::Agent,
        exit_code: Some(1),
        command: "/fix the build",
        stdout,
        stderr: "",
    };
    let overloaded = r#"API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    assert_eq!(classify(&evidence(overloaded)), ServerError);
    assert_eq!(classify(&evidence("Claude AI usage limit reached|1750000000")), RateLimit);
    assert_eq!(classify(&evidence("You've hit your session limit · resets 3pm")), RateLimit);
    assert_eq!(classify(&evidence("Invalid API key · Please run /login")), Auth);
    assert_eq!(classify(&evidence("API Error: 500 Internal server error")), ServerError);
    assert_eq!(classify(&evidence("I could not finish the task.")), Unknown);
}

#[test]
fn colours_and_endless_lines_do_not_matter() {
    let stderr =
        format!("\u{1b}[31mcat: x: \u{1b}[1mPermission denied\u{1b}[0m\n{}", "é".repeat(3_000));
    let evidence = Evidence {
        kind: FailureKind::Exit,
        exit_code: Some(1),
        command: "cat x",
        stdout: "",
        stderr: &stderr,
    };
    assert_eq!(classify(&evidence), Permission);
}

#[test]
fn every_class_of_the_table_says_why() {
    for rule in RULES {
        assert!(!rule.why.is_empty() && !rule.why.ends_with('.'), "{}", rule.pattern);
        assert!((1.0..=12.0).contains(&rule.weight), "{}", rule.pattern);
    }
}
