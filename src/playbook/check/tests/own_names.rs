//! Names that cannot be given (DECISIONS A38, B15, B51).

use super::kit::*;
use crate::playbook::model::*;

#[test]
fn ids_are_unique_in_the_whole_file() {
    let flow = workflow(vec![
        shell(2, "a").called("x"),
        shell(3, "b").failing(vec![shell(4, "c").called("x")]),
    ]);
    assert_eq!(
        problems(&flow),
        ["4:5 error: the id `x` is already given at line 2 [ids are unique in the whole file]"]
    );
}

#[test]
fn an_id_and_a_capture_of_the_same_name_clash_but_capturing_again_does_not() {
    let flow = workflow(vec![shell(2, "a").captured("x"), shell(3, "b").captured("x")]);
    assert_eq!(problems(&flow), Vec::<String>::new());
    let flow = workflow(vec![shell(2, "a").captured("x"), shell(3, "b").called("x")]);
    assert_eq!(
        problems(&flow),
        [
            "3:5 error: `x` is both an id and a captured name (line 2) [give one of them another name]"
        ]
    );
    let same = workflow(vec![shell(2, "a").called("x").captured("x")]);
    assert_eq!(problems(&same).len(), 1);
}

#[test]
fn built_in_names_are_reserved() {
    let flow = workflow(vec![shell(2, "a").called("item"), shell(3, "b").captured("error")]);
    assert_eq!(
        problems(&flow),
        [
            "2:5 error: the id `item` is the name of a built-in value \
             [choose another name, for example `my_item`]",
            "3:5 error: the captured name `error` is the name of a built-in value \
             [choose another name, for example `my_error`]",
        ]
    );
}

#[test]
fn variables_hidden_by_built_ins_are_warned_about() {
    let flow =
        Workflow { variables: vec![variable(3, "map", "x")], ..workflow(vec![shell(5, "a")]) };
    assert_eq!(
        problems(&flow),
        ["3:8 warning: the variable `map` is hidden by the built-in value of that name \
          [choose another name, for example `my_map`]"]
    );
}

#[test]
fn names_that_change_how_programs_start_are_refused() {
    let flow = Workflow {
        variables: vec![variable(3, "PATH", "/bin")],
        ..workflow(vec![shell(5, "a").captured("LD_PRELOAD"), shell(6, "b").called("HOME")])
    };
    assert_eq!(
        problems(&flow),
        [
            "3:9 error: the variable `PATH` would change how programs start \
             [choose another name; to set it for commands use `env`]",
            "5:5 error: `LD_PRELOAD` cannot be captured: it would change how programs start \
             [choose another name; to set it for commands use `env`]",
        ]
    );
}

#[test]
fn words_of_the_expression_language_are_no_names() {
    let flow = Workflow {
        variables: vec![variable(2, "true", "x")],
        ..workflow(vec![shell(4, "a").called("not"), shell(5, "b").called("my-id_2")])
    };
    assert_eq!(
        problems(&flow),
        [
            "2:9 error: the variable `true` is a word of the expression language [choose another name]",
            "4:5 error: `not` is a word of the expression language [choose another name]",
        ]
    );
}
