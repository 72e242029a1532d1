//! Lint, tests and builds.

use super::*;

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
