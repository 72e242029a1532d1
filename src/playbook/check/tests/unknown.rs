//! Names that nobody knows (DECISIONS B1, B5, B12, B18, B46).

use super::kit::*;
use crate::playbook::model::*;

#[test]
fn an_unknown_name_is_an_error_with_the_nearest_known_one() {
    let flow =
        workflow(vec![shell(2, "ls").captured("file_list"), claude(3, "/analyze ${file_lst} now")]);
    assert_eq!(
        problems(&flow),
        ["3:24 error: unknown name `file_lst` [did you mean `file_list`?]"]
    );
}

#[test]
fn one_cause_is_reported_once_at_its_first_use() {
    let flow = workflow(vec![claude(2, "${nope} and ${nope}"), claude(3, "${nope.x}")]);
    let found = problems(&flow);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("2:15 error: unknown name `nope`"), "{found:?}");
}

#[test]
fn places_inside_block_texts_are_exact() {
    let prompt = "first line\nthen ${nope}\n";
    let mut step = claude(2, "x");
    let block = crate::expr::Place { line: 2, column: 13, block_indent: Some(6) };
    let Action::Claude(call) = &mut step.action else { panic!() };
    call.prompt = crate::expr::Template::parse(prompt).unwrap().at(block);
    let found = problems(&workflow(vec![step]));
    assert!(found[0].starts_with("4:14 error: unknown name `nope`"), "{found:?}");
}

#[test]
fn variables_parameters_captures_and_environment_are_known() {
    let flow = Workflow {
        variables: vec![variable(2, "target", "x")],
        parameters: vec![parameter("mode")],
        env: vec![env("REGION", "eu")],
        secrets: vec![Secret {
            name: "TOKEN".to_owned(),
            source: SecretSource::Env("TOKEN".to_owned()),
        }],
        profiles: vec![Profile { name: "prod".to_owned(), env: vec![env("HOST", "h")] }],
        ..workflow(vec![
            claude(9, "${target} ${mode} ${REGION} ${TOKEN} ${HOST} ${env.ANY} ${ARG} $ARG"),
            Step {
                env: vec![env("STEP", "s")],
                ..claude(10, "${STEP} ${workflow.name} ${attempt}")
            },
        ])
    };
    assert_eq!(problems(&flow), Vec::<String>::new());
}

#[test]
fn the_environment_of_a_step_is_known_only_there() {
    let flow = workflow(vec![
        Step { env: vec![env("STEP", "s")], ..claude(2, "${STEP}") },
        claude(3, "${STEP}"),
    ]);
    assert_eq!(
        problems(&flow),
        ["3:15 error: unknown name `STEP` [write `${env.STEP}` for a variable of the environment]"]
    );
}

#[test]
fn names_of_the_process_environment_are_written_with_env() {
    let flow = workflow(vec![claude(2, "${DATABASE_URL}")]);
    assert_eq!(
        problems(&flow),
        ["2:15 error: unknown name `DATABASE_URL` \
          [write `${env.DATABASE_URL}` for a variable of the environment]"]
    );
    let open = Workflow { env_files: vec![text(2, 5, ".env")], ..flow };
    assert_eq!(problems(&open), Vec::<String>::new());
}

#[test]
fn a_default_or_exists_makes_any_name_good() {
    let flow = workflow(vec![
        claude(2, "${nope:-x} ${build.number:-0} ${error.message:-none}"),
        Step { when: when(3, "exists(nope) and exists(a.b)"), ..claude(3, "x") },
    ]);
    assert_eq!(problems(&flow), Vec::<String>::new());
}

#[test]
fn an_unquoted_word_in_a_condition_is_told_to_be_quoted() {
    let flow = Workflow {
        parameters: vec![parameter("mode")],
        ..workflow(vec![Step { when: when(3, "${mode} == production"), ..claude(2, "x") }])
    };
    assert_eq!(
        problems(&flow),
        ["3:22 error: unknown name `production` [text stands in quotes: 'production']"]
    );
    let always = workflow(vec![Step { when: when(3, "always"), ..claude(2, "x") }]);
    assert_eq!(
        problems(&always),
        ["3:11 error: unknown name `always` [write `true`, or leave the condition out]"]
    );
}

#[test]
fn older_names_are_told_in_their_newer_spelling() {
    let flow = workflow(vec![claude(2, "${PROJECT_ROOT}"), claude(3, "${CAPTURED_OUTPUT}")]);
    assert_eq!(
        problems(&flow),
        [
            "2:15 error: unknown name `PROJECT_ROOT` [write `${workflow.dir}`]",
            "3:15 error: unknown name `CAPTURED_OUTPUT` [write `${last.output}`]",
        ]
    );
}

#[test]
fn every_field_is_looked_at() {
    let bad = |line| text(line, 9, "${nope}");
    let steps = [
        Step { name: Some(bad(1)), ..claude(1, "x") },
        Step { working_dir: Some(bad(1)), ..claude(1, "x") },
        Step { output_file: Some(bad(1)), ..claude(1, "x") },
        Step { commit_message: Some(bad(1)), ..claude(1, "x") },
        Step { timeout: Some(Limit::Computed(bad(1))), ..claude(1, "x") },
        Step { env: vec![env("A", "${nope}")], ..claude(1, "x") },
        Step { on_success: vec![claude(1, "${nope}")], ..claude(1, "x") },
        Step { on_exit_code: vec![(2, vec![claude(1, "${nope}")])], ..claude(1, "x") },
        claude(1, "x").failing(vec![claude(1, "${nope}")]),
        foreach(1, vec![claude(1, "${nope}")]),
        step(
            1,
            Action::WriteFile(Box::new(WriteFile {
                path: text(1, 1, "a"),
                content: bad(1),
                format: FileFormat::Text,
                mode: None,
                create_dirs: false,
            })),
        ),
        step(
            1,
            Action::GoalSeek(Box::new(GoalSeek {
                goal: bad(1),
                improve: claude(1, "x"),
                measure: claude(1, "x"),
                threshold: 100.0,
                max_attempts: 1,
                timeout: None,
                fail_on_incomplete: true,
            })),
        ),
    ];
    for step in steps {
        let found = problems(&workflow(vec![step.clone()]));
        assert_eq!(found.len(), 1, "{step:?}: {found:?}");
        assert!(found[0].contains("unknown name `nope`"), "{found:?}");
    }
    let whole = [
        Workflow { env: vec![env("A", "${nope}")], ..workflow(vec![claude(1, "x")]) },
        Workflow { env_files: vec![bad(1)], ..workflow(vec![claude(1, "x")]) },
        Workflow { timeout: Some(Limit::Computed(bad(1))), ..workflow(vec![claude(1, "x")]) },
        Workflow { finally: vec![claude(1, "${nope}")], ..workflow(vec![claude(1, "x")]) },
        Workflow {
            on_failure: Some(handlers(vec![claude(1, "${nope}")])),
            ..workflow(vec![claude(1, "x")])
        },
        Workflow { variables: vec![variable(1, "a", "${nope}")], ..workflow(vec![claude(1, "x")]) },
    ];
    for flow in whole {
        let found = problems(&flow);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("unknown name `nope`"), "{found:?}");
    }
}

#[test]
fn an_environment_entry_may_use_the_outer_value_of_its_name() {
    let step = Step { env: vec![env("PATH", "${PATH}:/opt/bin")], ..shell(2, "ls") };
    let flow = Workflow { env: vec![env("LANG", "${LANG}")], ..workflow(vec![step]) };
    assert_eq!(problems(&flow), Vec::<String>::new());
}
