//! Failures in the phases of a map: setup, items one after the other, reduce, and around them.

use super::Case;

pub const CASES: &[Case] = &[
    Case {
        name: "setup is repaired and its handler's output reaches the items",
        yaml: r"
setup:
  - id: s
    shell: ./say s 1
    on_failure: {strategy: fallback, shell: ./say h; echo got}
map:
  input: printf '%s\n' x y
  max_parallel: 1
  agent_template: ['./say ${item}-${s.output}']
reduce: [./say r]
",
        words: "s h x-got y-got r",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "setup runs again after its handler",
        yaml: r"
setup:
  commands: [./say s, ./flaky t 1]
  on_failure: {shell: ./say h, max_attempts: 2}
map:
  input: printf '%s\n' x
  max_parallel: 1
  agent_template: ['./say ${item}']
",
        words: "s t h s t x",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "setup that fails ends the job after its cleanup and the workflow's",
        yaml: r"
on_failure: './say w-${error.step}'
setup:
  commands: [./say s 1]
  on_failure: {strategy: abort, cleanup: ./say c}
map:
  input: printf '%s\n' x
  agent_template: ['./say ${item}']
",
        words: "s c w-setup/1",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a step of an item has a chain of handlers",
        yaml: r"
map:
  input: printf '%s\n' x y
  max_parallel: 1
  agent_template:
    - shell: ./say ${item}; [ ${item} = x ]
      on_failure:
        handlers:
          - {shell: './say h-${item}', when: error.exit_code == 5}
          - {shell: './say i-${item} 1'}
          - {shell: './say j-${item}'}
    - ./say ${item}2
reduce: [./say r]
",
        words: "x x2 y i-y j-y y2 r",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a handler of an item has a handler, and the original runs again",
        yaml: r"
map:
  input: printf '%s\n' x y
  max_parallel: 1
  agent_template:
    - shell: if [ ${item} = y ]; then ./flaky y 1; else ./say x; fi
      on_failure:
        max_attempts: 2
        shell: ./say h 1
        on_failure: './say i-${error.exit_code}'
reduce: [./say r]
",
        words: "x y h i-1 y r",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "an item goes back to an earlier step of its own",
        yaml: r"
map:
  input: printf '%s\n' x y
  max_parallel: 1
  agent_template:
    - {id: first, shell: './say ${item}1'}
    - shell: if [ ${item} = y ]; then ./flaky y2 1; else ./say x2; fi
      on_failure: {strategy: partial_resume, from_step: first, shell: ./say h}
reduce: [./say r]
",
        words: "x1 x2 y1 y2 h y1 y2 r",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "an item is aborted after its cleanup, and the others go on",
        yaml: r"
error_policy: {max_failures: 1}
map:
  input: printf '%s\n' x y z
  max_parallel: 1
  agent_template:
    - shell: ./say ${item}; [ ${item} != y ]
      on_failure: {strategy: abort, cleanup: [./say c, ./say d]}
reduce: [./say r]
",
        words: "x y c d z r",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "a step of an item is retried, then its handler fails, then the item is passed over",
        yaml: r"
error_policy: {on_item_failure: skip}
map:
  input: printf '%s\n' x y
  max_parallel: 1
  agent_template:
    - shell: ./say ${item}; [ ${item} != x ]
      retry: {attempts: 2, initial_delay: 0}
      on_failure: ./say h 1
    - ./say ${item}2
reduce: [./say r]
",
        words: "x x h y y2 r",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "reduce runs again after its handler",
        yaml: r"
map:
  input: printf '%s\n' x
  max_parallel: 1
  agent_template: ['./say ${item}']
reduce:
  commands: [./say r, ./flaky t 1]
  on_failure: {strategy: retry, delay: 10ms, shell: ./say h}
",
        words: "x r t h r t",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "reduce fails, and the workflow's handlers and finally follow",
        yaml: r"
on_failure: './say w-${error.step}-${error.exit_code}'
finally: [./say f]
map:
  input: printf '%s\n' x
  max_parallel: 1
  agent_template: ['./say ${item}']
reduce:
  commands: [./say r 3]
  on_failure: {shell: ./say h 4, on_failure: ./say i}
",
        words: "x r h i w-reduce/1-3 f",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "the workflow's handler lets a failed reduce pass",
        yaml: r"
on_failure: {shell: ./say w, fail_workflow: false}
map:
  input: printf '%s\n' x
  max_parallel: 1
  agent_template: ['./say ${item}']
reduce: [./say r 3]
",
        words: "x r w",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "the workflow's handler is told what the failed item printed and how it ended",
        yaml: r#"
on_failure: './say "w-${error.step}-${error.kind}-${error.exit_code}-${error.output}"'
map:
  input: printf '%s\n' x y
  max_parallel: 1
  agent_template: ['./say ${item}; echo oh; [ ${item} = x ] || exit 4']
reduce: [./say r]
"#,
        words: "x y r w-map/item_2/1-exit-4-oh",
        exit: 1,
        status: "failed",
    },
];
