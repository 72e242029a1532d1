//! Names that are used before they exist, and built-in names in the wrong place (DECISIONS B35, A40).

use super::kit::*;
use crate::playbook::model::*;

#[test]
fn an_id_used_before_its_step_is_too_early() {
    let flow = workflow(vec![claude(2, "${build.output}"), shell(3, "make").called("build")]);
    assert_eq!(
        problems(&flow),
        ["2:15 error: `build` is used before it exists: it is set by the step at line 3 \
          [move that step up, or write `${build.output:-}`]"]
    );
    let late = workflow(vec![shell(2, "make").called("build"), claude(3, "${build.output}")]);
    assert_eq!(problems(&late), Vec::<String>::new());
}

#[test]
fn a_step_does_not_know_its_own_result_but_its_handlers_do() {
    let own = workflow(vec![claude(2, "${build.output}").called("build")]);
    assert_eq!(
        problems(&own),
        ["2:15 error: `build` is used before it exists: it is this step itself \
          [its result is known in its handlers and in later steps]"]
    );
    let handler = workflow(vec![
        shell(2, "make")
            .called("build")
            .failing(vec![claude(4, "${build.error} ${build.exit_code}")]),
    ]);
    assert_eq!(problems(&handler), Vec::<String>::new());
}

#[test]
fn names_of_handlers_and_validations_are_known_later() {
    let incomplete = OnIncomplete {
        steps: vec![claude(7, "${validation.gaps}").called("complete")],
        max_attempts: 2,
        fail_workflow: true,
        commit_required: false,
    };
    let validate = Validate {
        steps: vec![shell(5, "check").called("judge")],
        result_file: None,
        threshold: 100.0,
        timeout: None,
        on_incomplete: Some(incomplete),
    };
    let flow = workflow(vec![
        Step { validate: Some(Box::new(validate)), ..shell(2, "make") }
            .failing(vec![shell(9, "fix").called("fix")]),
        claude(11, "${fix.output} ${judge.output} ${complete.output} ${validation.status}"),
    ]);
    assert_eq!(problems(&flow), Vec::<String>::new());
}

#[test]
fn validation_is_not_known_before_one() {
    let found = problems(&workflow(vec![claude(2, "${validation.status}")]));
    assert_eq!(
        found,
        ["2:15 error: `validation` is only known after a step with `validate` \
          [no step before this one has a `validate`]"]
    );
}

#[test]
fn error_is_known_in_handlers_and_finally_only() {
    let message = || claude(5, "${error.message} ${error.exit_code}");
    let flow = Workflow {
        on_failure: Some(handlers(vec![message()])),
        finally: vec![message()],
        ..workflow(vec![
            Step { on_exit_code: vec![(2, vec![message()])], ..shell(2, "make") },
            shell(3, "make").failing(vec![message().failing(vec![message()])]),
        ])
    };
    assert_eq!(problems(&flow), Vec::<String>::new());
    let found = problems(&workflow(vec![claude(2, "${error.message}")]));
    assert_eq!(
        found,
        ["2:15 error: `error` is only known in failure handlers and in `finally` \
          [elsewhere write `${ID.error}` with the id of the step]"]
    );
    let on_success = workflow(vec![Step { on_success: vec![message()], ..shell(2, "make") }]);
    assert_eq!(problems(&on_success).len(), 1);
}

#[test]
fn map_names_are_not_known_here() {
    let found = problems(&workflow(vec![claude(2, "${map.results}")]));
    assert!(found[0].starts_with("2:15 error: `map` is only known in map workflows"), "{found:?}");
}

#[test]
fn stage_names_need_stages() {
    let found = problems(&workflow(vec![claude(2, "${stage.name}")]));
    assert!(found[0].starts_with("2:15 error: `stage` is only known in workflows with `stages`"));
    let flow = stages(vec![stage(2, "one", vec![claude(4, "${stage.name}")])]);
    assert_eq!(problems(&flow), Vec::<String>::new());
}

#[test]
fn what_is_read_before_the_first_step_knows_no_results() {
    let flow = Workflow {
        env: vec![env("A", "${build.output}")],
        ..workflow(vec![shell(4, "make").called("build")])
    };
    assert_eq!(
        problems(&flow),
        ["1:1 error: `build` is used before it exists: this is read before the first step \
          [it is set by the step at line 4]"]
    );
}

#[test]
fn the_latest_output_of_nothing_is_warned_about() {
    let flow =
        workflow(vec![claude(2, "${shell.output}"), shell(3, "ls"), claude(4, "${shell.output}")]);
    assert_eq!(
        problems(&flow),
        ["2:15 warning: no shell step runs before this place \
          [write `${shell.output:-}` if it may be empty]"]
    );
    let handler = workflow(vec![shell(2, "make").failing(vec![claude(3, "${shell.output}")])]);
    assert_eq!(problems(&handler), Vec::<String>::new());
}

#[test]
fn a_condition_that_can_never_be_true_is_warned_about() {
    let test = || shell(2, "make test").called("test_suite");
    let fix = || Step { when: when(4, "${test_suite.exit_code} != 0"), ..claude(3, "/fix") };
    assert_eq!(
        problems(&workflow(vec![test(), fix()])),
        ["4:11 warning: never true: when `test_suite` (line 2) fails, the workflow stops there \
          [add `continue_on_error: true` to `test_suite`, or use its `on_failure`]"]
    );
    let tolerant = Step { continue_on_error: true, ..test() };
    assert_eq!(problems(&workflow(vec![tolerant, fix()])), Vec::<String>::new());
    let handled = test().failing(vec![claude(9, "/look")]);
    assert_eq!(problems(&workflow(vec![handled, fix()])), Vec::<String>::new());
    let skipped = Step { when: when(2, "${env.CI}"), ..test() };
    assert_eq!(problems(&workflow(vec![skipped, fix()])), Vec::<String>::new());
    let finally = Workflow { finally: vec![fix()], ..workflow(vec![test()]) };
    assert_eq!(problems(&finally), Vec::<String>::new());
}
