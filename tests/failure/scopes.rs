//! Failures of stages and of the workflow, scopes around scopes, and `finally`.

use super::Case;

pub const CASES: &[Case] = &[
    Case {
        name: "a stage's handler notifies and the failure goes on",
        yaml: "stages:\n  - name: one\n    commands:\n      - shell: ./say a 1\n    on_failure: ./say h\n  - name: two\n    commands:\n      - shell: ./say b\n",
        words: "a h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "fail_workflow: false lets a stage pass",
        yaml: "stages:\n  - name: one\n    commands:\n      - shell: ./say a 1\n    on_failure: {shell: ./say h, fail_workflow: false}\n  - name: two\n    commands:\n      - shell: ./say b\n",
        words: "a h b",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "a stage runs again",
        yaml: "stages:\n  - name: one\n    retry: {attempts: 2, initial_delay: 0}\n    commands:\n      - shell: ./say a\n      - shell: ./flaky b 1\n  - name: two\n    commands:\n      - shell: ./say c\n",
        words: "a b a b c",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a stage's handler runs it again",
        yaml: "stages:\n  - name: one\n    on_failure: {shell: ./say h, strategy: retry, delay: 10ms}\n    commands:\n      - shell: ./say a\n      - shell: ./flaky b 1\n  - name: two\n    commands:\n      - shell: ./say c\n",
        words: "a b h a b c",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "step, stage and workflow handlers from the inside out",
        yaml: "on_failure: ./say w\nstages:\n  - name: one\n    on_failure: ./say s\n    commands:\n      - shell: ./say a 1\n        on_failure: ./say h 1\n  - name: two\n    commands:\n      - shell: ./say b\n",
        words: "a h s w",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "the workflow's handler notifies",
        yaml: "on_failure:\n  - shell: ./say w\n  - shell: ./say x\ncommands:\n  - shell: ./say a\n  - shell: ./say b 1\n  - shell: ./say c\n",
        words: "a b w x",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "the workflow's handler lets it pass",
        yaml: "on_failure: {shell: ./say w, fail_workflow: false}\ncommands:\n  - shell: ./say a 1\n  - shell: ./say b\n",
        words: "a w",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "finally runs after a failure and its handlers",
        yaml: "on_failure: ./say w\nfinally:\n  - shell: ./say f\n    when: workflow.status == 'failed'\n  - shell: ./say g\n    when: workflow.status == 'completed'\ncommands:\n  - shell: ./say a 1\n",
        words: "a w f",
        exit: 1,
        status: "failed",
    },
];
