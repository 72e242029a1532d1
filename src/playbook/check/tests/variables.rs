//! The order of `variables:`.

use super::kit::*;
use crate::playbook::model::*;

fn with(variables: Vec<Variable>) -> Vec<String> {
    problems(&Workflow {
        variables,
        parameters: vec![parameter("mode")],
        ..workflow(vec![shell(9, "a").called("build")])
    })
}

const HELP: &str = "[a variable may use parameters and the variables above it]";

#[test]
fn parameters_and_variables_above_may_be_used() {
    let found = with(vec![
        variable(2, "a", "${mode}"),
        variable(3, "b", "${a}/${env.HOME}/${workflow.name}"),
    ]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn later_variables_may_not() {
    let found = with(vec![variable(2, "a", "x ${b}"), variable(3, "b", "y")]);
    assert_eq!(found, [format!("2:10 error: `b` is used before it is set {HELP}")]);
}

#[test]
fn a_circle_is_one_problem() {
    let found =
        with(vec![variable(2, "a", "${b}"), variable(3, "b", "${c}"), variable(4, "c", "${a}")]);
    assert_eq!(
        found,
        [format!("2:8 error: variables use each other in a circle: a → b → c → a {HELP}")]
    );
    assert_eq!(
        with(vec![variable(2, "a", "${a}")]),
        [format!("2:8 error: the variable `a` uses itself {HELP}")]
    );
}

#[test]
fn results_of_steps_may_not() {
    let found = with(vec![variable(2, "a", "${build.output}")]);
    assert_eq!(
        found,
        ["2:8 error: `build` is used before it exists: this is read before the first step \
          [it is set by the step at line 9]"]
    );
}
