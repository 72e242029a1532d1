//! Names of checkpoints, `finally`, fields that are only a shell name.

use super::kit::*;
use crate::playbook::model::*;

#[test]
fn stages_and_checkpoints_share_their_names() {
    let named = |line, name: &str| Step {
        checkpoint: Checkpoint::Named(name.to_owned()),
        ..shell(line, "a")
    };
    let flow = stages(vec![
        stage(2, "build", vec![named(4, "deploy"), named(5, "a"), named(6, "a")]),
        stage(7, "deploy", vec![shell(8, "c")]),
    ]);
    let help = "[`resume --from-checkpoint` takes both, so the names must differ]";
    assert_eq!(
        problems(&flow),
        [
            format!(
                "4:5 error: the checkpoint `deploy` has the name of the stage at line 7 {help}"
            ),
            format!(
                "6:5 error: the checkpoint `a` has the name of the checkpoint at line 5 {help}"
            ),
        ]
    );
}

#[test]
fn a_finally_that_takes_away_what_a_resume_needs_is_warned_about() {
    let flow = |step| Workflow { finally: vec![step], ..workflow(vec![shell(2, "a")]) };
    let found = problems(&flow(shell(4, "rm -rf work")));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("4:5 warning: this also runs when the run is interrupted"));
    let asked =
        Step { when: when(5, "${workflow.status} != 'interrupted'"), ..shell(4, "rm -rf work") };
    assert_eq!(problems(&flow(asked)), Vec::<String>::new());
    assert_eq!(problems(&flow(shell(4, "echo done"))), Vec::<String>::new());
}

#[test]
fn a_field_that_is_only_a_shell_name_is_warned_about() {
    let flow = workflow(vec![Step { working_dir: Some(text(3, 18, "$OUT")), ..shell(2, "a") }]);
    assert_eq!(
        problems(&flow),
        ["3:18 warning: `$OUT` is taken as it stands here [write `${OUT}` for its value]"]
    );
    let argument = workflow(vec![Step { working_dir: Some(text(3, 18, "$ARG")), ..shell(2, "a") }]);
    assert_eq!(problems(&argument), Vec::<String>::new());
}
