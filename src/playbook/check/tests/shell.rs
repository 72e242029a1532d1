//! What stands in a shell command (SPEC 4.2, DECISIONS A35–A37, B4).

use super::kit::*;
use crate::playbook::model::*;

#[test]
fn a_dotted_name_that_nobody_knows_is_an_error() {
    let flow = workflow(vec![shell(2, "make").called("build"), shell(3, "echo ${biuld.output}")]);
    assert_eq!(problems(&flow), ["3:19 error: unknown name `biuld` [did you mean `build`?]"]);
}

#[test]
fn a_bare_name_belongs_to_the_shell_unless_it_looks_like_a_slip() {
    let flow = |command| workflow(vec![shell(2, "ls").captured("file_list"), shell(3, command)]);
    assert_eq!(
        problems(&flow("cat ${file_lst}")),
        ["3:18 warning: `${file_lst}` is no name of this workflow and is left to the shell \
          [did you mean `file_list`?]"]
    );
    for command in [
        "cat ${other}",
        "file_lst=3; cat ${file_lst}",
        "for file_lst in a b; do cat ${file_lst}; done",
        "read -r file_lst; cat ${file_lst}",
        "echo $file_lst ${HOME} ${1} ${x##*.}",
    ] {
        assert_eq!(problems(&flow(command)), Vec::<String>::new(), "{command}");
    }
}

#[test]
fn a_bare_name_of_a_later_step_is_too_early() {
    let flow = workflow(vec![shell(2, "echo ${out}"), shell(3, "ls").captured("out")]);
    assert!(problems(&flow)[0].starts_with("2:19 error: `out` is used before it exists"));
    let own = workflow(vec![shell(2, "out=1; echo ${out}"), shell(3, "ls").captured("out")]);
    assert_eq!(problems(&own), Vec::<String>::new());
}

#[test]
fn items_outside_a_loop_belong_to_the_shell() {
    let flow = workflow(vec![shell(2, "for item in a b; do echo ${item}; done")]);
    assert_eq!(problems(&flow), Vec::<String>::new());
}

#[test]
fn raw_is_warned_about_for_data_only() {
    let flow = Workflow {
        variables: vec![variable(1, "flags", "-a -b")],
        ..workflow(vec![shell(2, "ls").captured("out"), shell(3, "ls ${out | raw} ${flags | raw}")])
    };
    assert_eq!(
        problems(&flow),
        ["3:17 warning: `out | raw` runs whatever the value holds as shell code \
          [leave `| raw` out to pass it as one word]"]
    );
}

#[test]
fn a_loop_over_one_word_is_warned_about() {
    let flow = |command| workflow(vec![shell(2, "ls").captured("files"), shell(3, command)]);
    assert_eq!(
        problems(&flow("for f in ${files}; do echo $f; done")),
        ["3:23 warning: `files` is one word here, so the loop runs once \
          [write `${files | lines}` for its lines, or `| words` for its words]"]
    );
    assert_eq!(
        problems(&flow("for f in ${files | lines}; do echo $f; done")),
        Vec::<String>::new()
    );
    let lines = Step {
        capture: Capture {
            format: Some(CaptureFormat::Lines),
            ..Capture::of(Some("files".to_owned()))
        },
        ..shell(2, "ls")
    };
    let list = workflow(vec![lines, shell(3, "for f in ${files}; do echo $f; done")]);
    assert_eq!(problems(&list), Vec::<String>::new());
}

#[test]
fn a_command_that_is_nothing_but_data_is_refused() {
    let flow = workflow(vec![shell(2, "ls").captured("out"), shell(3, "${out}")]);
    assert_eq!(
        problems(&flow),
        ["3:14 error: the whole command is the value of `out`, which is data \
          [write `${out | raw}` to run it as shell code on purpose]"]
    );
    let good = Workflow {
        parameters: vec![parameter("test_command")],
        variables: vec![variable(1, "cmd", "make test"), variable(2, "made", "${test_command}")],
        ..workflow(vec![shell(3, "${test_command}"), shell(4, "${cmd}"), shell(5, "${made}")])
    };
    assert_eq!(problems(&good), Vec::<String>::new());
}

#[test]
fn other_languages_get_no_data() {
    let flow = Workflow {
        shell: Shell { words: vec!["python3".to_owned(), "-c".to_owned()] },
        variables: vec![variable(1, "n", "3")],
        ..workflow(vec![shell(2, "print(1)").captured("out"), shell(3, "print(${out}, ${n})")])
    };
    assert_eq!(
        problems(&flow),
        ["3:20 error: `out` is data and cannot be written into a program of this `shell:` \
          [read it from the environment, where it is exported as `out`]"]
    );
}

#[test]
fn the_file_of_a_loop_may_be_named_by_data() {
    let input = crate::expr::ShellText::parse("${out}").unwrap().at(place(3, 14));
    let mut each = foreach(3, vec![shell(4, "echo ${item}")]);
    let Action::Foreach(inner) = &mut each.action else { panic!() };
    inner.items = Items::Input { input, json_path: None };
    let flow = workflow(vec![shell(2, "mktemp").captured("out"), each]);
    assert_eq!(problems(&flow), Vec::<String>::new());
}
