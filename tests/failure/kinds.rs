//! Handlers of and with loops, goals, validations and files.

use super::Case;

pub const CASES: &[Case] = &[
    Case {
        name: "foreach ends at the first failed round",
        yaml: "- foreach: [a, b, c]\n  do:\n    - shell: ./say ${item}\n    - shell: test ${item} != b\n  on_failure: ./say h\n- shell: ./say d\n",
        words: "a b h d",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "foreach with handlers inside",
        yaml: "- foreach: [a, b]\n  do:\n    - shell: ./say ${item} 1\n      on_failure: ./say h${item}\n- shell: ./say d\n",
        words: "a ha b hb d",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "foreach goes on after a failed round",
        yaml: "- foreach:\n    items: [a, b, c]\n    continue_on_error: true\n    do:\n      - shell: ./say ${item}\n      - shell: test ${item} != b\n- shell: ./say d\n",
        words: "a b c d",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "a re-run of a loop repeats only what failed",
        yaml: "- foreach: [a, b, c]\n  do:\n    - shell: case ${item} in b) ./flaky b 1;; *) ./say ${item};; esac\n  on_failure: {shell: ./say h, max_attempts: 2}\n- shell: ./say d\n",
        words: "a b h b c d",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "write_file in a handler",
        yaml: "- shell: ./say a 1\n  on_failure:\n    - write_file: {path: note, content: \"n${error.exit_code}\"}\n    - shell: ./say $(cat note)\n- shell: ./say b\n",
        words: "a n1 b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "goal_seek in a handler",
        yaml: "- shell: ./say a 1\n  on_failure:\n    - goal_seek:\n        goal: two words\n        shell: ./say g\n        validate: \"echo score: $(( $(./times g) * 50 ))\"\n        threshold: 100\n        max_attempts: 3\n- shell: ./say b\n",
        words: "a g g b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "foreach in a handler",
        yaml: "- shell: ./say a 1\n  on_failure:\n    - foreach: [x, y]\n      do:\n        - shell: ./say ${item}\n- shell: ./say b\n",
        words: "a x y b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "validate, on_incomplete, validate",
        yaml: "- shell: ./say a\n  validate:\n    shell: \"echo '{\\\"completion_percentage\\\": '$(( $(./times v) * 100 ))'}'\"\n    on_incomplete: {shell: ./say v}\n- shell: ./say b\n",
        words: "a v b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "validate that stays incomplete",
        yaml: "- shell: ./say a\n  validate:\n    shell: \"echo '{\\\"completion_percentage\\\": 10}'\"\n    on_incomplete: {shell: ./say v, max_attempts: 2}\n  on_failure: ./say h\n- shell: ./say b\n",
        words: "a v v h b",
        exit: 0,
        status: "completed",
    },
];
