//! Scopes around scopes, chains inside chains, what is seen where, and `finally`.

use super::Case;

pub const CASES: &[Case] = &[
    Case {
        name: "a failure goes outward with its own error",
        yaml: r#"
on_failure: ./say "w-${error.step}-${error.exit_code}"
stages:
  - name: one
    on_failure: ./say "s-${error.step}-${error.exit_code}"
    commands:
      - shell: ./say a 3
        on_failure: ./say "h-${error.step}-${error.exit_code}"; exit 4
"#,
        words: "a h-one/1-3 s-one/1-3 w-one/1-3",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a handler's handler sees the handler's error",
        yaml: r#"
- shell: ./say a 3
  on_failure:
    shell: ./say h 4
    on_failure: ./say "i-${error.step}-${error.exit_code}"
- shell: ./say b
"#,
        words: "a h i-1.on_failure[1]/1-4 b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "nested handlers in a stage",
        yaml: r"
stages:
  - name: one
    commands:
      - shell: ./say a 1
    on_failure:
      shell: ./say h 1
      fail_workflow: false
      on_failure:
        handlers:
          - shell: ./say i 1
          - shell: ./say j
  - name: two
    commands:
      - shell: ./say b
",
        words: "a h i j b",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "a handler runs again after its own handler",
        yaml: r"
- shell: ./say a 1
  on_failure:
    shell: ./flaky h 1
    on_failure: {shell: ./say i, max_attempts: 2}
- shell: ./say b
",
        words: "a h i h b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a handler's retry, then its handler",
        yaml: r"
- shell: ./say a 1
  on_failure:
    shell: ./say h 1
    retry: {attempts: 2, initial_delay: 0}
    on_failure: ./say i
- shell: ./say b
",
        words: "a h h i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a step of a handler retries",
        yaml: r"
- shell: ./say a 1
  on_failure:
    - shell: ./flaky h 1
      retry: {attempts: 2, initial_delay: 0}
    - shell: ./say i
- shell: ./say b
",
        words: "a h h i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a step of a handler has a fallback of its own",
        yaml: r"
- shell: ./say a 1
  on_failure:
    - id: h
      shell: ./say h 1
      on_failure: {strategy: fallback, shell: ./say i; echo got}
    - shell: ./say ${h.output}
- shell: ./say b
",
        words: "a h i got b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "all handlers of a chain take part in one count of runs",
        yaml: r"
- shell: ./say a 1
  on_failure:
    handlers:
      - {shell: ./say h, max_attempts: 2}
      - {shell: ./say i, max_attempts: 3}
- shell: ./say b
",
        words: "a h a i a",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "scope: command does not answer a check",
        yaml: r"
- shell: ./say a; echo no json
  capture: it
  capture_format: json
  on_failure:
    handlers:
      - {shell: ./say h, scope: command}
      - {shell: ./say i, scope: step}
- shell: ./say b
",
        words: "a i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "scope: phase and workflow",
        yaml: r"
on_failure:
  handlers:
    - {shell: ./say v, scope: phase}
    - {shell: ./say w, scope: workflow}
stages:
  - name: one
    commands:
      - shell: ./say a 1
    on_failure:
      handlers:
        - {shell: ./say r, scope: workflow}
        - {shell: ./say s, scope: phase}
",
        words: "a s w",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a condition with and, or, not and variables",
        yaml: r#"
variables: {mode: safe}
commands:
  - id: first
    shell: ./say a; echo ready
  - shell: ./say b 7
    on_failure:
      handlers:
        - {shell: ./say h, when: error.exit_code == 7 and mode == 'fast'}
        - {shell: ./say i, when: not (first.output == 'ready') or error.kind == 'signal'}
        - {shell: ./say j, when: "(${error.exit_code} > 5 && mode == 'safe') || false"}
  - shell: ./say c
"#,
        words: "a b j c",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a condition that compares an object with a number fails its handler",
        yaml: r"
variables: {many: {a: 1}}
commands:
  - shell: ./say a 1
    on_failure:
      handlers:
        - {shell: ./say h, when: many > 3}
        - {shell: ./say i}
  - shell: ./say b
",
        words: "a i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a handler's id, capture and step ids are seen later",
        yaml: r#"
- id: a
  shell: ./say a 1
  on_failure:
    handlers:
      - {id: bad, shell: ./say h; exit 5}
      - id: good
        commands:
          - {id: inner, shell: ./say i; echo in}
          - shell: echo out
- shell: ./say "${good.output}-${inner.output}-${a.handler.output}-${bad.exit_code}-${bad.failed}-${good.success}"
"#,
        words: "a h i out-in-out-5-true-true",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "what did not run is null",
        yaml: r#"
- id: a
  shell: ./say a
  on_failure:
    handlers:
      - {id: fix, shell: ./say h, capture: word}
- shell: ./say "${fix.output:-none}-${a.handler.output:-none}-${word:-none}"
- {shell: ./say b, when: is_null(fix.output)}
"#,
        words: "a none-none-none b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "fail_workflow: false of a chain that fails",
        yaml: r"
- shell: ./say a 1
  on_failure:
    handlers:
      - {shell: ./say h 1}
      - {shell: ./say i 1, fail_workflow: false}
- shell: ./say b
",
        words: "a h i b",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "continue_on_error and a handler that fails",
        yaml: r"
- shell: ./say a 1
  continue_on_error: true
  on_failure: ./say h 1
- shell: ./say b
",
        words: "a h b",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "on_success of a handler",
        yaml: r"
- shell: ./say a 1
  on_failure:
    shell: ./say h
    on_success: ./say s
- shell: ./say b
",
        words: "a h s b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "finally sees the error",
        yaml: r#"
finally:
  - shell: ./say "f-${error.step}-${error.exit_code}"
commands:
  - shell: ./say a
  - shell: ./say b 3
"#,
        words: "a b f-2-3",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "error is null in finally when all went well",
        yaml: r#"
finally:
  - shell: ./say "f-${error.step:-null}"
    when: is_null(error.message)
commands:
  - shell: ./say a
"#,
        words: "a f-null",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a finally that fails fails the run",
        yaml: r"
finally:
  - shell: ./say f 1
  - shell: ./say g
commands:
  - shell: ./say a
",
        words: "a f",
        exit: 1,
        status: "failed",
    },
];
