//! Names of stages and checkpoints, handlers whose condition cannot be read, `finally`.

use super::kit::*;
use crate::playbook::failure::Condition;
use crate::playbook::model::*;

fn named(name: &str) -> Vec<String> {
    problems(&stages(vec![stage(3, name, vec![shell(4, "a")])]))
}

#[test]
fn names_that_mean_something_else_are_refused() {
    for (name, why) in [
        ("2", "a number is the address of a step"),
        ("v3", "it looks like a version of a checkpoint"),
        ("map", "it is the name of a phase"),
        ("a/b", "it holds other characters"),
        ("a[1]", "it holds other characters"),
        (" ", "it is empty"),
        (" a", "it begins or ends with a space"),
        (".a", "it begins with a dot"),
    ] {
        let found = named(name);
        assert_eq!(found.len(), 1, "{name:?}: {found:?}");
        let expected = format!("3:5 error: {name:?} cannot be the name of a stage: {why}");
        assert!(found[0].starts_with(&expected), "{found:?}");
    }
    for name in ["staging", "v3a", "Build 2", "a.b-c_d", "maps"] {
        assert_eq!(named(name), Vec::<String>::new());
    }
}

#[test]
fn stages_and_checkpoints_share_their_names() {
    let flow = stages(vec![
        stage(
            2,
            "build",
            vec![Step { checkpoint: Checkpoint::Named("deploy".to_owned()), ..shell(4, "a") }],
        ),
        stage(5, "build", vec![shell(6, "b")]),
        stage(7, "deploy", vec![shell(8, "c")]),
    ]);
    let help = "[`resume --from-checkpoint` takes both, so the names must differ]";
    assert_eq!(
        problems(&flow),
        [
            format!("5:5 error: the stage `build` has the name of the stage at line 2 {help}"),
            format!(
                "4:5 error: the checkpoint `deploy` has the name of the stage at line 7 {help}"
            ),
        ]
    );
}

#[test]
fn a_condition_that_cannot_be_read_is_a_warning() {
    let mut step = shell(2, "a").failing(vec![shell(4, "b")]);
    let handler = &mut step.on_failure.as_mut().unwrap().handlers[0];
    handler.condition = Condition::Malformed {
        source: "a ==".to_owned(),
        reason: "something is missing".to_owned(),
    };
    assert_eq!(
        problems(&workflow(vec![step])),
        ["4:5 warning: the condition `a ==` cannot be read: something is missing \
          [the handler counts as failed and the next one is tried]"]
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
