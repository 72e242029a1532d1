//! `on_failure` in all its shapes.

use std::time::Duration;

use super::{refuses, says, step, steps, workflow};
use crate::playbook::failure::{Condition, Handler, HandlerScope, Strategy};
use crate::playbook::model::Action;
use crate::playbook::{Severity, parse};

fn handlers(text: &str) -> Vec<Handler> {
    step(&format!("- shell: a\n  on_failure: {text}\n")).on_failure.unwrap().handlers
}

fn handler(text: &str) -> Handler {
    let mut handlers = handlers(text);
    assert_eq!(handlers.len(), 1);
    handlers.remove(0)
}

fn commands(handler: &Handler) -> Vec<String> {
    let text = |action: &Action| match action {
        Action::Shell(text) => format!("shell {}", text.source()),
        Action::Claude(call) => format!("claude {}", call.prompt.source()),
        other => format!("{other:?}"),
    };
    handler.steps.iter().map(|step| text(&step.action)).collect()
}

#[test]
fn true_ignores_and_false_fails() {
    assert!(step("- shell: a\n  on_failure: true\n").on_failure.unwrap().ignore);
    assert!(step("- shell: a\n  on_failure: false\n").on_failure.is_none());
}

#[test]
fn texts_lists_and_mappings_are_handlers() {
    assert_eq!(commands(&handler("echo b")), ["shell echo b"]);
    assert_eq!(commands(&handler("/fix it")), ["claude /fix it"]);
    assert_eq!(
        commands(&handler("[echo b, /fix, {shell: c}]")),
        ["shell echo b", "claude /fix", "shell c"]
    );
    assert_eq!(commands(&handler("{shell: b}")), ["shell b"]);
    assert_eq!(commands(&handler("{claude: /b, shell: c}")), ["shell c", "claude /b"]);
    assert_eq!(commands(&handler("{commands: [b, {claude: c}]}")), ["shell b", "claude c"]);
    assert_eq!(commands(&handler("{steps: [b]}")), ["shell b"]);
}

#[test]
fn words_that_mean_something_elsewhere_are_no_commands() {
    says(
        "- shell: a\n  on_failure: continue\n",
        &[
            "2:15 `on_failure: continue` would run a command called `continue` (write `true` to ignore the failure, `false` to fail)",
        ],
    );
    refuses(
        "- shell: a\n  on_failure: {handlers: [stop]}\n",
        "2:27 `on_failure: stop` would run a command called `stop`",
    );
}

#[test]
fn all_keys_of_a_handler_are_read() {
    let handler = handler(
        "
    handlers:
      - id: h
        when: ${error.exit_code} == 1
        priority: 5
        scope: step
        timeout: 10
        retry: 1
        fail_workflow: false
        handler_failure_fatal: true
        commit_required: true
        capture: out
        on_success: echo fine
        on_failure: echo worse
        max_attempts: 3
        commands: [fix]
",
    );
    assert_eq!(handler.id.as_deref(), Some("h"));
    assert!(
        matches!(&handler.condition, Condition::When(when) if when.source() == "${error.exit_code} == 1")
    );
    assert_eq!(handler.scope, Some(HandlerScope::Step));
    assert_eq!(handler.retry.unwrap().attempts, 2);
    assert_eq!(handler.fail_workflow, Some(false));
    assert!(handler.failure_fatal && handler.commit_required);
    assert_eq!(handler.capture.as_deref(), Some("out"));
    assert_eq!(handler.on_success.len(), 1);
    assert_eq!(handler.on_failure.unwrap().handlers.len(), 1);
    assert_eq!((handler.max_attempts, handler.retry_original), (3, false));
}

#[test]
fn higher_priority_comes_first_then_the_order_of_the_file() {
    let handlers = handlers(
        "{handlers: [{shell: a}, {shell: b, priority: 2}, {shell: c, priority: 2}, {shell: d, priority: -1}]}",
    );
    let order: Vec<String> = handlers.iter().flat_map(commands).collect();
    assert_eq!(order, ["shell b", "shell c", "shell a", "shell d"]);
}

#[test]
fn attempts_and_retries_count_differently() {
    assert_eq!(handler("{shell: b, max_attempts: 3}").max_attempts, 3);
    assert_eq!(handler("{shell: b, max_retries: 3}").max_attempts, 4);
    assert_eq!(handler("{shell: b, retry_original: true}").max_attempts, 2);
    assert_eq!(handler("{shell: b}").max_attempts, 1);
    refuses(
        "- shell: a\n  on_failure: {shell: b, max_attempts: 2, max_retries: 1}\n",
        "2:43 `max_retries` and `max_attempts` say the same in two ways",
    );
    refuses(
        "- shell: a\n  on_failure: {shell: b, max_attempts: 3, retry_original: false}\n",
        "2:43 `max_attempts: 3` runs the original again, `retry_original: false` does not",
    );
}

#[test]
fn fail_workflow_alone_is_an_option_of_the_step() {
    let step = step("- shell: a\n  on_failure: {fail_workflow: false}\n");
    assert!(step.continue_on_error && step.on_failure.is_none());
    refuses("- shell: a\n  on_failure: {}\n", "2:15 this handler does nothing");
    refuses("- shell: a\n  on_failure: {timeout: 5}\n", "2:15 this handler does nothing");
    refuses("- shell: a\n  on_failure: {shel: b}\n", "2:16 unknown key `shel` in `on_failure`");
}

#[test]
fn strategies_have_their_keys_beside_or_inside() {
    let strategy = |text: &str| handler(text).strategy;
    assert!(matches!(strategy("{shell: b, strategy: fallback}"), Strategy::Fallback));
    assert!(
        matches!(strategy("{strategy: retry, delay: 5s}"), Strategy::Retry { delay } if delay == Duration::from_secs(5))
    );
    assert_eq!(handler("{strategy: retry}").max_attempts, 3);
    let inside = handler("{strategy: {retry: {delay: 2, max_attempts: 4}}}");
    assert!(
        matches!(inside.strategy, Strategy::Retry { delay } if delay == Duration::from_secs(2))
    );
    assert_eq!(inside.max_attempts, 4);
    assert!(
        matches!(strategy("{strategy: intervene, message: look}"), Strategy::Intervene { message } if message.source() == "look")
    );
    assert!(
        matches!(strategy("{strategy: abort, cleanup: [c, d]}"), Strategy::Abort { cleanup } if cleanup.len() == 2)
    );
    refuses(
        "- shell: a\n  on_failure: {shell: b, strategy: fallback, delay: 5}\n",
        "2:46 `delay` belongs to `strategy: retry`",
    );
    refuses("- shell: a\n  on_failure: {strategy: fallback}\n", "2:15 this handler does nothing");
    says(
        "- shell: a\n  on_failure: {shell: b, strategy: recover}\n",
        &["2:36 `strategy` cannot be `recover` (did you mean `recovery`?)"],
    );
}

#[test]
fn partial_resume_goes_back_in_its_own_list() {
    let file = |from: &str| {
        format!(
            "- id: one\n  shell: a\n- shell: b\n  on_failure: {{strategy: partial_resume, from_step: {from}}}\n- id: end\n  shell: c\n"
        )
    };
    let index = |from: &str| match &steps(&file(from))[1].on_failure.as_ref().unwrap().handlers[0]
        .strategy
    {
        Strategy::PartialResume { index, .. } => *index,
        other => panic!("{other:?}"),
    };
    assert_eq!((index("one"), index("1"), index("2")), (1, 1, 2));
    refuses(&file("end"), "4:53 `from_step: end` is step 3, which comes after this one, step 2");
    refuses(&file("9"), "4:53 `from_step: 9` is no step: the list has steps 1 to 3");
    refuses(&file("0"), "4:53 `from_step: 0` is no step: the list has steps 1 to 3");
    says(
        &file("onne"),
        &["4:53 `from_step: onne` is no step of the same list (did you mean `one`?)"],
    );
}

#[test]
fn a_malformed_condition_is_only_a_warning() {
    let text =
        "- shell: a\n  on_failure: {handlers: [{when: \"${error.exit_code} ==\", shell: b}]}\n";
    let loaded = parse(std::path::Path::new("flow.yml"), text).unwrap();
    assert_eq!(loaded.problems.len(), 1);
    assert_eq!(loaded.problems[0].severity, Severity::Warning);
    assert_eq!(loaded.problems[0].at.line, 2);
    let step = loaded.workflow.top_steps().next().unwrap();
    let handler = &step.on_failure.as_ref().unwrap().handlers[0];
    assert!(
        matches!(&handler.condition, Condition::Malformed { source, .. } if source == "${error.exit_code} ==")
    );
}

#[test]
fn a_list_of_handlers_stands_under_handlers() {
    refuses(
        "- shell: a\n  on_failure:\n    - strategy: fallback\n      commands: [b]\n",
        "3:7 a list under `on_failure` holds the steps of one handler, `strategy` is for handlers",
    );
    refuses("- shell: a\n  on_failure: []\n", "2:15 `on_failure` is empty");
    refuses("- shell: a\n  on_failure: {handlers: []}\n", "2:26 `handlers` is empty");
    refuses(
        "- shell: a\n  on_failure: {handlers: [b], max_attempts: 2}\n",
        "2:31 unknown key `max_attempts` in `on_failure`",
    );
}

#[test]
fn stages_and_workflows_have_handlers_too() {
    let workflow = workflow(
        "stages:\n  - name: one\n    commands: [a]\n    on_failure: echo stage\non_failure: {shell: echo all, fail_workflow: false}\n",
    );
    assert!(workflow.on_failure.is_some());
    assert!(workflow.stages()[0].on_failure.is_some());
}
