//! Time limits: of steps in all shapes of handlers, of handlers, stages and the workflow.

use super::Case;

pub const CASES: &[Case] = &[
    Case {
        name: "a timeout and on_failure: true",
        yaml: r"
- shell: ./say a; exec sleep 60
  timeout: 300ms
  on_failure: true
- shell: ./say b
",
        words: "a b",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "a timeout and a string handler",
        yaml: r"
- shell: ./say a; exec sleep 60
  timeout: 300ms
  on_failure: ./say h
- shell: ./say b
",
        words: "a h b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a timeout and a list of steps",
        yaml: r"
- shell: ./say a; exec sleep 60
  timeout: 300ms
  on_failure: [./say h, ./say i]
- shell: ./say b
",
        words: "a h i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a timeout and no handler",
        yaml: r"
- shell: ./say a; exec sleep 60
  timeout: 300ms
- shell: ./say b
",
        words: "a",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a timeout is retried",
        yaml: r"
- shell: ./say a; exec sleep 60
  timeout: 300ms
  retry: {attempts: 2, initial_delay: 0, retry_on: [timeout]}
- shell: ./say b
",
        words: "a a",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a timeout, then the original again",
        yaml: r"
- shell: ./flaky a 1 || exec sleep 60
  timeout: 300ms
  on_failure: {shell: ./say h, max_attempts: 2}
- shell: ./say b
",
        words: "a h a b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a stage's time is up",
        yaml: r"
stages:
  - name: one
    timeout: 300ms
    commands:
      - shell: ./say a
      - shell: ./say b; exec sleep 60
    on_failure: {shell: ./say h, fail_workflow: false}
  - name: two
    commands:
      - shell: ./say c
",
        words: "a b h c",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "the workflow's time is up",
        yaml: r"
timeout: 300ms
on_failure: ./say w
commands:
  - shell: ./say a
  - shell: exec sleep 60
  - shell: ./say b
",
        words: "a w",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a step of a handler hangs",
        yaml: r"
- shell: ./say a 1
  on_failure:
    handlers:
      - commands:
          - shell: ./say h; exec sleep 60
            timeout: 300ms
      - shell: ./say i
- shell: ./say b
",
        words: "a h i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "the second command of a handler hangs",
        yaml: r"
- shell: ./say a 1
  on_failure:
    handlers:
      - timeout: 300ms
        commands: [./say h, ./say i; exec sleep 60]
      - shell: ./say j
- shell: ./say b
",
        words: "a h i j b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a loop of a handler hangs",
        yaml: r"
- shell: ./say a 1
  on_failure:
    handlers:
      - timeout: 300ms
        foreach: [x, y]
        do:
          - shell: ./say ${item}; exec sleep 60
      - shell: ./say j
- shell: ./say b
",
        words: "a x j b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a hanging handler of a stage",
        yaml: r"
stages:
  - name: one
    commands:
      - shell: ./say a 1
    on_failure: {shell: ./say h; exec sleep 60, timeout: 300ms, fail_workflow: false}
  - name: two
    commands:
      - shell: ./say b
",
        words: "a h b",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "a hanging handler of the workflow",
        yaml: r"
on_failure: {shell: ./say w; exec sleep 60, timeout: 300ms}
commands:
  - shell: ./say a 1
",
        words: "a w",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a handler whose time limit is no duration",
        yaml: r#"
variables: {limit: soon}
commands:
  - shell: ./say a 1
    on_failure:
      handlers:
        - {shell: ./say h, timeout: "${limit}"}
        - {shell: ./say i}
  - shell: ./say b
"#,
        words: "a i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a handler in a directory that is not there",
        yaml: r"
- shell: ./say a 1
  on_failure:
    handlers:
      - commands: [{shell: ./say h, working_dir: nowhere}]
      - shell: ./say i
- shell: ./say b
",
        words: "a i b",
        exit: 0,
        status: "completed",
    },
];
