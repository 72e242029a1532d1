//! Forms of older files: accepted, or refused with the new spelling.

use super::{says, step};
use crate::playbook::model::Action;

#[test]
fn a_test_step_is_a_shell_step() {
    assert!(matches!(step("- test: make check\n").action, Action::Shell(_)));
    let step = step("- test: {command: make check, on_failure: {claude: /fix, max_attempts: 3}}\n");
    assert!(matches!(&step.action, Action::Shell(text) if text.source() == "make check"));
    assert_eq!(step.on_failure.unwrap().handlers[0].max_attempts, 3);
}

#[test]
fn what_is_gone_says_what_to_write() {
    says(
        "- analyze: {max_cache_age: 5}\n",
        &[
            "1:3 `analyze` is a step of older versions (write a `claude:` or `shell:` step that does the analysis)",
        ],
    );
    says(
        "- name: code-review\n  args: [x]\n",
        &[
            "2:3 `args` is an option of older versions (write the whole call: `claude: \"/NAME ARGUMENTS\"`)",
        ],
    );
    says(
        "- name: code-review\n",
        &["1:3 this step has no command (for a Claude command write `claude: \"/code-review\"`)"],
    );
    says("- run: make\n", &["1:3 `run` is not the name of a step (write `shell:`)"]);
    says(
        "claude: /lint\nname: x\n",
        &[
            "1:1 `claude` is a step, and steps stand in a list (write `commands:` and below it `- claude: …`)",
        ],
    );
}
