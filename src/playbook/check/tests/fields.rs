//! Fields that a value does not have.

use super::kit::*;
use crate::playbook::model::*;

#[test]
fn a_field_that_a_built_in_does_not_have() {
    let flow = workflow(vec![
        shell(2, "make").failing(vec![claude(3, "${error.mesage}")]),
        claude(4, "${workflow.nam} ${attempt.x} ${session.id}"),
    ]);
    assert_eq!(
        problems(&flow),
        [
            "3:15 error: `error` has no field `mesage` [did you mean `error.message`?]",
            "4:15 error: `workflow` has no field `nam` [did you mean `workflow.name`?]",
            "4:31 error: `attempt` is a plain value and has no fields",
        ]
    );
}

#[test]
fn a_field_that_a_result_does_not_have() {
    let flow = workflow(vec![
        shell(2, "make").called("build"),
        claude(3, "${build.exitcode} ${build.output} ${build.handler.output} ${build.error.x}"),
        claude(4, "${build.results}"),
    ]);
    let found = problems(&flow);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(
        found[0],
        "3:15 error: `build` has no field `exitcode` [did you mean `build.exit_code`?]"
    );
    assert!(found[1].starts_with("4:15 error: `build` has no field `results` [it has `output`"));
}

#[test]
fn only_loops_have_results() {
    let flow = workflow(vec![
        foreach(2, vec![claude(3, "x")]).called("each"),
        claude(4, "${each.results} ${each.results[0].output}"),
    ]);
    assert_eq!(problems(&flow), Vec::<String>::new());
}

#[test]
fn the_shape_of_captured_output_is_not_known() {
    let flow = workflow(vec![
        shell(2, "cat x.json").captured("data"),
        claude(3, "${data.anything.at[0].all}"),
    ]);
    assert_eq!(problems(&flow), Vec::<String>::new());
}

#[test]
fn captured_output_has_no_exit_code() {
    let flow = workflow(vec![
        Step { continue_on_error: true, ..shell(2, "make test").captured("tests") },
        claude(3, "${tests.exit_code}"),
    ]);
    assert_eq!(
        problems(&flow),
        ["3:15 warning: `tests` is captured output and has no `exit_code` of the step \
          [give the step an `id` and write `${ID.exit_code}`]"]
    );
}

#[test]
fn mappings_of_variables_are_known_beforehand() {
    let inner = Constant::Map(vec![("port".to_owned(), Constant::Scalar(80_u64.into()))]);
    let server = Constant::Map(vec![
        ("host".to_owned(), Constant::Text(text(2, 3, "h"))),
        ("inner".to_owned(), inner),
    ]);
    let flow = Workflow {
        variables: vec![Variable { name: "server".to_owned(), value: server }],
        ..workflow(vec![claude(
            5,
            "${server.host} ${server.inner.port} ${server.inner.prot} ${server.x:-y}",
        )])
    };
    assert_eq!(
        problems(&flow),
        ["5:51 error: `server.inner` has no field `prot` [did you mean `server.inner.port`?]"]
    );
}
