//! `claude`, `goal_seek`, `foreach`, `write_file` and `validate`.

use super::{refuses, says, step};
use crate::playbook::model::{
    Action, ClaudeCall, Count, FileFormat, Foreach, GoalSeek, ItemTemplate, Items, Validate,
    WriteFile,
};

fn claude(text: &str) -> ClaudeCall {
    match step(text).action {
        Action::Claude(call) => *call,
        other => panic!("{other:?}"),
    }
}

fn foreach(text: &str) -> Foreach {
    match step(text).action {
        Action::Foreach(each) => *each,
        other => panic!("{other:?}"),
    }
}

fn goal_seek(text: &str) -> GoalSeek {
    match step(text).action {
        Action::GoalSeek(seek) => *seek,
        other => panic!("{other:?}"),
    }
}

fn write_file(options: &str) -> WriteFile {
    match step(&format!("- write_file: {{path: a, content: b{options}}}\n")).action {
        Action::WriteFile(file) => *file,
        other => panic!("{other:?}"),
    }
}

fn validate(text: &str) -> Validate {
    *step(&format!("- shell: a\n  validate: {text}\n")).validate.unwrap()
}

#[test]
fn a_claude_call_has_its_options_beside_it() {
    let call = claude(
        "- claude: do it\n  model: opus\n  max_turns: 3\n  max_budget_usd: 1.5\n  allowed_tools: Read, Bash(git log, x)\n  permission_mode: acceptEdits\n  skip_permissions: false\n  output_schema: {type: object}\n",
    );
    assert_eq!(call.options.model.unwrap().source(), "opus");
    assert_eq!(call.options.max_turns, Some(3));
    assert_eq!(call.options.max_budget_usd, Some(1.5));
    assert_eq!(call.options.allowed_tools, ["Read", "Bash(git log, x)"]);
    assert_eq!(call.options.permission_mode.as_deref(), Some("acceptEdits"));
    assert_eq!(call.options.skip_permissions, Some(false));
    assert_eq!(call.output_schema.unwrap().to_text(), "{\"type\":\"object\"}");
    says(
        "- claude: a\n  permission_mode: acceptedits\n",
        &["2:20 `permission_mode` cannot be `acceptedits` (did you mean `acceptEdits`?)"],
    );
    refuses("- claude: a\n  max_turns: 0\n", "2:14 `max_turns` must be at least 1, not 0");
    refuses("- claude: a\n  max_budget_usd: 0\n", "2:19 `max_budget_usd` must be more than 0");
    says(
        "- claude: a\n  extra_args: -v -r 1\n",
        &[
            "2:15 `extra_args` must not hold `-v` (prodigy sets it itself, to follow and resume the agent)",
        ],
    );
    refuses(
        "- claude: a\n  extra_args: [--effort, low, --output-format=text]\n",
        "2:15 `extra_args` must not hold `--output-format=text`",
    );
    refuses(
        "- claude: a\n  permission_mode: plan\n  skip_permissions: true\n",
        "3:21 `skip_permissions` contradicts `permission_mode: plan`",
    );
}

#[test]
fn foreach_has_a_flat_and_a_nested_form() {
    let flat = foreach(
        "- foreach: ls\n  do: [{shell: \"echo ${item}\"}]\n  parallel: 3\n  max_items: 2\n",
    );
    assert!(matches!(&flat.items, Items::Command(text) if text.source() == "ls"));
    assert_eq!((flat.parallel, flat.max_items), (Count::Fixed(3), Some(Count::Fixed(2))));
    let nested = foreach(
        "- foreach: {items: [a, 5, {b: c}], do: [d], parallel: true, continue_on_error: true}\n",
    );
    let Items::List(items) = &nested.items else { panic!("{:?}", nested.items) };
    assert!(matches!(&items[0], ItemTemplate::Text(text) if text.source() == "a"));
    assert!(matches!(&items[1], ItemTemplate::Constant(value) if value.to_text() == "5"));
    assert_eq!(nested.parallel, Count::Fixed(10));
    assert!(nested.continue_on_error);
    let input = foreach("- foreach: {input: items.json, json_path: \"$.items[*]\", do: [d]}\n");
    assert!(
        matches!(&input.items, Items::Input { json_path: Some(path), .. } if path == "$.items[*]")
    );
    let older = foreach("- foreach: {foreach: [a], do: [b]}\n");
    assert!(matches!(older.items, Items::List(_)));
    let outside = foreach("- foreach: {items: [a]}\n  do: [b]\n");
    assert_eq!(outside.steps.len(), 1);
}

#[test]
fn a_whole_hole_is_a_list_by_name() {
    let each = foreach(
        "- foreach: \"${files}\"\n  do: [b]\nvariables: {files: [x]}\n"
            .replace("- foreach", "commands:\n- foreach")
            .as_str(),
    );
    assert!(matches!(&each.items, Items::Value(text) if text.source() == "${files}"));
}

#[test]
fn what_a_loop_lacks_is_said() {
    refuses("- foreach: [a]\n", "1:3 `foreach` has no `do`");
    refuses("- foreach: {do: [a]}\n", "1:3 `foreach` has no items");
    refuses("- foreach: []\n  do: [a]\n", "1:12 `foreach` is empty");
    refuses("- foreach: [a]\n  do: []\n", "2:7 `do` is empty");
    refuses(
        "- foreach: [a]\n  do: [b]\n  parallel: 0\n",
        "3:13 `parallel` must be at least 1, not 0",
    );
    refuses(
        "- foreach: {items: [a], command: b, do: [c]}\n",
        "1:25 `foreach` has `items` and `command`",
    );
    let bad_path = "- foreach: {input: a, json_path: \"items[\", do: [c]}\n";
    assert!(super::found(bad_path)[0].message.starts_with("`json_path` cannot be read"));
}

#[test]
fn a_goal_has_an_improver_and_a_measure() {
    let seek = goal_seek(
        "- goal_seek:\n    goal: all green\n    claude: fix\n    model: opus\n    validate: ./score.sh\n    threshold: 90\n    max_attempts: 3\n    timeout_seconds: 600\n    fail_on_incomplete: true\n",
    );
    assert!(matches!(&seek.improve.action, Action::Claude(call) if call.options.model.is_some()));
    assert!(matches!(&seek.measure.action, Action::Shell(text) if text.source() == "./score.sh"));
    assert_eq!((seek.threshold, seek.max_attempts, seek.fail_on_incomplete), (90.0, 3, true));
    let plain = goal_seek("- goal_seek: {goal: a, shell: b, validate: {shell: c}}\n");
    assert_eq!((plain.threshold, plain.max_attempts, plain.fail_on_incomplete), (100.0, 5, false));
    says(
        "- goal_seek: {goal: a}\n",
        &[
            "1:3 `goal_seek` has no `claude` or `shell` that improves",
            "1:3 `goal_seek` has no `validate`",
        ],
    );
    refuses(
        "- goal_seek: {goal: a, shell: b, validate: c, threshold: 101}\n",
        "1:58 `threshold` must be a number from 0 to 100, not `101`",
    );
}

#[test]
fn files_have_octal_modes() {
    assert_eq!(write_file("").mode, None);
    for (written, bits) in
        [("0644", 0o644), ("\"0600\"", 0o600), ("\"755\"", 0o755), ("0o640", 0o640)]
    {
        assert_eq!(write_file(&format!(", mode: {written}")).mode, Some(bits), "{written}");
    }
    says(
        "- write_file: {path: a, content: b, mode: 644}\n",
        &["1:43 `mode: 644` is a decimal number (write `mode: \"0644\"`)"],
    );
    refuses(
        "- write_file: {path: a, content: b, mode: rw}\n",
        "1:43 `mode` must be octal permission bits, not `rw`",
    );
    assert_eq!(write_file(", format: json, create_dirs: true").format, FileFormat::Json);
    refuses("- write_file: {path: a}\n", "1:3 `write_file` has no `content`");
    refuses(
        "- write_file: {path: a, content: {b: c}}\n",
        "1:34 `content` must be text, not a mapping",
    );
}

#[test]
fn validation_has_short_and_long_forms() {
    assert_eq!(validate("check").steps.len(), 1);
    assert_eq!(validate("[a, b]").steps.len(), 2);
    assert_eq!(validate("{command: a}").steps.len(), 1);
    let long = validate(
        "{shell: a, threshold: 80, timeout: 9, result_file: r.json, on_incomplete: {claude: /fix, max_attempts: 3, fail_workflow: false, commit_required: true}}",
    );
    assert_eq!(long.threshold, 80.0);
    let incomplete = long.on_incomplete.unwrap();
    assert_eq!(
        (incomplete.max_attempts, incomplete.fail_workflow, incomplete.commit_required),
        (3, false, true)
    );
    let short = validate("{shell: a, on_incomplete: [b, c]}").on_incomplete.unwrap();
    assert_eq!((short.steps.len(), short.max_attempts, short.fail_workflow), (2, 2, true));
    assert!(validate("{result_file: r.json}").steps.is_empty());
    says(
        "- shell: a\n  validate: {shell: b, threshold: \"95%\"}\n",
        &["2:35 `threshold` must be a number from 0 to 100, not `95%` (write `95`)"],
    );
    refuses(
        "- shell: a\n  validate: {shell: b, claude: c}\n",
        "2:14 `validate` has `shell` and `claude`",
    );
    refuses("- shell: a\n  validate: {threshold: 5}\n", "2:3 `validate` has no command");
}
