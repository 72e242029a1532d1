//! Every strategy at every scope: steps, stages, the workflow.

use super::Case;

pub const CASES: &[Case] = &[
    Case {
        name: "a stage's fallback lets the workflow go on",
        yaml: r"
stages:
  - name: one
    commands:
      - shell: ./say a
      - shell: ./flaky b 1
    on_failure:
      strategy: fallback
      shell: ./say h
  - name: two
    commands:
      - shell: ./say c
",
        words: "a b h c",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "a stage's cleanup does not repair it",
        yaml: r"
stages:
  - name: one
    commands:
      - shell: ./say a
      - shell: ./flaky b 1
    on_failure:
      strategy: cleanup
      shell: ./say h
  - name: two
    commands:
      - shell: ./say c
",
        words: "a b h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a stage's custom does not repair it",
        yaml: r"
stages:
  - name: one
    commands:
      - shell: ./say a
      - shell: ./flaky b 1
    on_failure:
      strategy: custom
      shell: ./say h
  - name: two
    commands:
      - shell: ./say c
",
        words: "a b h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a stage goes back to its first step",
        yaml: r"
stages:
  - name: one
    commands:
      - shell: ./say a
      - shell: ./flaky b 1
    on_failure:
      strategy: partial_resume
      from_step: 1
      shell: ./say h
  - name: two
    commands:
      - shell: ./say c
",
        words: "a b h a b c",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a stage goes back to the failed step",
        yaml: r"
stages:
  - name: one
    commands:
      - shell: ./say a
      - shell: ./flaky b 1
    on_failure:
      strategy: partial_resume
      from_step: 2
  - name: two
    commands:
      - shell: ./say c
",
        words: "a b b c",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a stage goes back only so often",
        yaml: r"
stages:
  - name: one
    commands:
      - shell: ./say a
      - shell: ./say b 1
    on_failure:
      strategy: partial_resume
      from_step: 2
      max_attempts: 2
      shell: ./say h
  - name: two
    commands:
      - shell: ./say c
",
        words: "a b h b h b h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a stage's retry ends",
        yaml: r"
stages:
  - name: one
    commands:
      - shell: ./say a
      - shell: ./say b 1
    on_failure:
      strategy: retry
      delay: 10ms
      max_attempts: 2
  - name: two
    commands:
      - shell: ./say c
",
        words: "a b a b",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a stage aborts",
        yaml: r"
stages:
  - name: one
    commands:
      - shell: ./say a
      - shell: ./flaky b 1
    on_failure:
      strategy: abort
      cleanup: ./say h
  - name: two
    commands:
      - shell: ./say c
",
        words: "a b h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a stage's max_attempts runs it again",
        yaml: r"
stages:
  - name: one
    commands:
      - shell: ./say a
      - shell: ./flaky b 1
    on_failure:
      max_attempts: 2
      shell: ./say h
  - name: two
    commands:
      - shell: ./say c
",
        words: "a b h a b c",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a stage's retry, then its handler",
        yaml: r"
stages:
  - name: one
    commands:
      - shell: ./say a
      - shell: ./say b 1
    retry: {attempts: 2, initial_delay: 0}
    on_failure:
      shell: ./say h
  - name: two
    commands:
      - shell: ./say c
",
        words: "a b a b h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "the workflow's fallback lets it end",
        yaml: r"
on_failure:
  strategy: fallback
  shell: ./say h
commands:
  - shell: ./say a
  - shell: ./flaky b 1
  - shell: ./say c
",
        words: "a b h",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "the workflow's cleanup does not repair it",
        yaml: r"
on_failure:
  strategy: cleanup
  shell: ./say h
commands:
  - shell: ./say a
  - shell: ./flaky b 1
  - shell: ./say c
",
        words: "a b h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "the workflow goes back to a step",
        yaml: r"
on_failure:
  strategy: partial_resume
  from_step: 2
  shell: ./say h
commands:
  - shell: ./say a
  - shell: ./flaky b 1
  - shell: ./say c
",
        words: "a b h b c",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "the workflow runs again",
        yaml: r"
on_failure:
  strategy: retry
  delay: 10ms
  shell: ./say h
commands:
  - shell: ./say a
  - shell: ./flaky b 1
  - shell: ./say c
",
        words: "a b h a b c",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "the workflow aborts",
        yaml: r"
on_failure:
  strategy: abort
  cleanup: [./say h, ./say i]
commands:
  - shell: ./say a
  - shell: ./flaky b 1
  - shell: ./say c
",
        words: "a b h i",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "the workflow's max_attempts runs it again",
        yaml: r"
on_failure:
  shell: ./say h
  max_attempts: 3
commands:
  - shell: ./say a
  - shell: ./flaky b 2
  - shell: ./say c
",
        words: "a b h a b h a b c",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a workflow of stages runs again",
        yaml: r"
on_failure: {strategy: retry, delay: 10ms}
stages:
  - name: one
    commands:
      - shell: ./say a
      - shell: ./flaky b 1
    on_failure:
      shell: ./say h
  - name: two
    commands:
      - shell: ./say c
",
        words: "a b h a b c",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "retry waits longer each time and ends",
        yaml: r"
- shell: ./say a 1
  on_failure: {strategy: retry, delay: 20ms, max_attempts: 3}
- shell: ./say b
",
        words: "a a a",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "abort whose cleanup fails",
        yaml: r"
- shell: ./say a 1
  on_failure: {strategy: abort, cleanup: [./say h 1, ./say i]}
- shell: ./say b
",
        words: "a h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "abort is not stopped by fail_workflow: false of another",
        yaml: r"
- shell: ./say a 1
  on_failure:
    handlers:
      - {strategy: abort, cleanup: ./say h}
      - {shell: ./say i, fail_workflow: false}
- shell: ./say b
",
        words: "a h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a fallback that fails leads to the next",
        yaml: r"
- id: a
  shell: ./say a 1
  on_failure:
    handlers:
      - {strategy: fallback, shell: ./say h 1}
      - {strategy: fallback, shell: ./say i; echo other}
- shell: ./say ${a.output}
",
        words: "a h i other",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "partial_resume of a step that repairs what it needs",
        yaml: r"
- id: make
  shell: ./say m
- shell: ./say n
- shell: ./flaky o 2
  on_failure: {strategy: partial_resume, from_step: make, max_attempts: 3}
- shell: ./say p
",
        words: "m n o m n o m n o p",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "partial_resume inside a loop",
        yaml: r"
- foreach: [x, y]
  do:
    - shell: ./say ${item}
    - shell: ./flaky v 1
      on_failure: {strategy: partial_resume, from_step: 1}
- shell: ./say z
",
        words: "x v x v y v z",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "retry.on_failure: fallback",
        yaml: r"
- id: a
  shell: ./say a 1
  retry: {attempts: 2, initial_delay: 0, on_failure: fallback}
  on_failure: ./say h; echo stand-in
- shell: ./say ${a.output}
",
        words: "a a h stand-in",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a retry waits for its delay",
        yaml: r"
- shell: ./flaky a 2
  retry: {attempts: 3, backoff: exponential, initial_delay: 50ms, jitter: 0.5}
- shell: ./say b
",
        words: "a a a b",
        exit: 0,
        status: "completed",
    },
];
