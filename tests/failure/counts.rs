//! How often what runs again: each rule has its own count, and what runs again as a whole begins
//! to count anew inside.

use super::Case;

pub const CASES: &[Case] = &[
    Case {
        name: "a failed handler before the one that repairs takes no run away",
        yaml: r"
- shell: ./flaky a 2
  on_failure:
    handlers:
      - {shell: ./say h 1}
      - {shell: ./say i, max_attempts: 3}
- shell: ./say b
",
        words: "a h i a h i a b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "with a failed handler before it the repair has all its runs and no more",
        yaml: r"
- shell: ./say a 1
  on_failure:
    handlers:
      - {shell: ./say h 1}
      - {strategy: retry, delay: 10ms, max_attempts: 3, shell: ./say i}
- shell: ./say b
",
        words: "a h i a h i a h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a handler's retries begin anew with each failure",
        yaml: r"
- shell: ./flaky a 2
  on_failure:
    shell: ./say h; [ $(( $(./times h) % 2 )) = 0 ]
    retry: {attempts: 2, initial_delay: 0}
    max_attempts: 3
- shell: ./say b
",
        words: "a h h a h h a b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a repair inside of a handler begins anew with each failure",
        yaml: r"
- shell: ./flaky a 2
  on_failure:
    - shell: ./say h; [ $(( $(./times h) % 2 )) = 0 ]
      on_failure: {shell: ./say i, max_attempts: 2}
    - shell: ./say j
  continue_on_error: true
- shell: ./flaky c 2
  on_failure:
    max_attempts: 3
    commands:
      - shell: ./say k; [ $(( $(./times k) % 2 )) = 0 ]
        on_failure: {shell: ./say l, max_attempts: 2}
",
        words: "a h i h j c k l k c k l k c",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a step's repair begins anew when its stage runs again after a handler",
        yaml: r"
stages:
  - name: one
    on_failure: {shell: ./say s, max_attempts: 2}
    commands:
      - shell: ./flaky a 3
        on_failure: {shell: ./say h, max_attempts: 2}
  - name: two
    commands: [./say b]
",
        words: "a h a s a h a b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a step's repair begins anew when its stage is retried",
        yaml: r"
stages:
  - name: one
    retry: {attempts: 2, initial_delay: 0}
    commands:
      - shell: ./flaky a 3
        on_failure: {shell: ./say h, max_attempts: 2}
  - name: two
    commands: [./say b]
",
        words: "a h a a h a b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a stage's retries begin anew when the workflow runs again",
        yaml: r"
on_failure: {strategy: retry, delay: 10ms, shell: ./say w}
stages:
  - name: one
    retry: {attempts: 2, initial_delay: 0}
    commands: [./flaky a 3]
  - name: two
    commands: [./say b]
",
        words: "a a w a a b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "two steps that go back end",
        yaml: r"
- shell: ./say a
- shell: ./flaky b 9
  on_failure: {strategy: partial_resume, from_step: 1, max_attempts: 2}
  continue_on_error: true
- shell: ./say c 1
  on_failure: {strategy: partial_resume, from_step: 1, max_attempts: 2}
",
        words: "a b a b a b c a b c a b c",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "the retries of what is gone back over begin anew",
        yaml: r"
- id: first
  shell: ./say a; [ $(( $(./times a) % 2 )) = 0 ]
  retry: {attempts: 2, initial_delay: 0}
- shell: ./flaky b 1
  on_failure: {strategy: partial_resume, from_step: first}
",
        words: "a a b a a b",
        exit: 0,
        status: "completed",
    },
];
