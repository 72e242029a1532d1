//! Map workflows: what each key becomes, and what is said where it means nothing.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{says, workflow};
use crate::playbook::mapreduce::{
    Direction, ErrorCollection, ErrorPolicy, Function, MapReduce, OnItemFailure,
};
use crate::playbook::model::{Body, Count, Limit};

/// The least that a map needs.
const MAP: &str = "map: {input: items.json, agent_template: [work]}\n";

#[track_caller]
fn job(text: &str) -> MapReduce {
    match workflow(text).body {
        Body::MapReduce(job) => *job,
        Body::Steps(_) | Body::Stages(_) => panic!("no map\n{text}"),
    }
}

#[track_caller]
fn policy(text: &str) -> ErrorPolicy {
    job(&format!("{MAP}{text}")).policy
}

#[test]
fn the_least_map_has_every_default() {
    let job = job(MAP);
    assert!(job.setup.is_none() && job.reduce.is_none());
    assert_eq!(job.map.input.source(), "items.json");
    assert_eq!(job.map.max_parallel, Count::Fixed(10));
    assert_eq!((job.map.offset, job.map.max_items), (0, None));
    assert_eq!(job.policy, ErrorPolicy::default());
    assert!(job.map.retry.is_none() && job.map.item_timeout.is_none());
}

#[test]
fn every_key_of_a_map_counts() {
    let job = job("
mode: mapreduce
setup: {commands: [a, b], timeout: 300, capture_outputs: {first: 0, second: {command_index: 1}}}
map:
  input: ls
  json_path: $.items[*]
  filter: item.score >= 5 && kind == 'x'
  sort_by: score DESC NULLS LAST, name
  distinct: id
  offset: 1
  max_items: ${first}
  agent_template: {commands: [c]}
  max_parallel: $second
  timeout_config: {agent_timeout_secs: 5m, timeout_policy: per_agent}
  checkpoint_frequency: 5
  retry: 2
  executor: local
  isolation: none
reduce: {commands: [d], timeout: 1m}
");
    let setup = job.setup.unwrap();
    assert_eq!((setup.name.as_str(), setup.steps.len()), ("setup", 2));
    assert_eq!(setup.timeout, Some(Limit::Fixed(Duration::from_secs(300))));
    let names: Vec<_> = setup.steps.iter().map(|step| step.capture.name.as_deref()).collect();
    assert_eq!(names, [Some("first"), Some("second")]);
    let map = job.map;
    assert_eq!(map.json_path.as_deref(), Some("$.items[*]"));
    assert_eq!(map.filter.unwrap().source(), "item.score >= 5 && kind == 'x'");
    assert_eq!(map.sort_by.unwrap().source(), "score DESC NULLS LAST, name");
    assert_eq!(map.distinct.unwrap().source(), "id");
    assert_eq!(map.offset, 1);
    let Some(Count::Computed(limit)) = &map.max_items else { panic!("{:?}", map.max_items) };
    assert_eq!(limit.source(), "${first}");
    let Count::Computed(parallel) = &map.max_parallel else { panic!("{:?}", map.max_parallel) };
    assert_eq!(parallel.source(), "${second}");
    assert_eq!(map.template.len(), 1);
    assert_eq!(map.item_timeout, Some(Limit::Fixed(Duration::from_secs(300))));
    assert_eq!(map.checkpoint_frequency, Some(5));
    assert_eq!(map.retry.unwrap().attempts, 3);
    let reduce = job.reduce.unwrap();
    assert_eq!((reduce.name.as_str(), reduce.steps.len()), ("reduce", 1));
    assert_eq!(reduce.timeout, Some(Limit::Fixed(Duration::from_secs(60))));
}

#[test]
fn aggregates_have_a_short_and_a_long_form() {
    let text = "
map:
  input: a
  agent_template: [b]
  variables:
    many: count
    total: {sum: size}
    names: {concat: name, separator: ', '}
    worst: {function: sort, of: size, order: desc}
    kinds: {group_by: kind, of: size}
    also: {function: group_by, by: kind}
";
    let made: Vec<_> = job(text)
        .map
        .variables
        .into_iter()
        .map(|it| {
            let source = |expression: Option<crate::expr::Expression>| {
                expression.map(|it| it.source().to_owned()).unwrap_or_default()
            };
            (it.name, it.function, source(it.of), source(it.by))
        })
        .collect();
    let expected = [
        ("many", Function::Count, "", ""),
        ("total", Function::Sum, "size", ""),
        ("names", Function::Concat { separator: ", ".to_owned() }, "name", ""),
        ("worst", Function::Sort(Direction::Descending), "size", ""),
        ("kinds", Function::GroupBy, "size", "kind"),
        ("also", Function::GroupBy, "", "kind"),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(name, function, of, by)| (name.to_owned(), function, of.to_owned(), by.to_owned()))
        .collect();
    assert_eq!(made, expected);
}

#[test]
fn what_an_aggregate_cannot_be_is_said() {
    let says = |aggregate: &str, problem: &str| {
        let text = format!("map:\n  input: a\n  agent_template: [b]\n  variables: {aggregate}\n");
        says(&text, &[problem]);
    };
    says(
        "[a]",
        "4:14 `variables` of a map must be a mapping from names to aggregates (for example `variables: {total: {sum: size}}`)",
    );
    says("{a: summ}", "4:18 there is no aggregate `summ` (did you mean `sum`?)");
    says("{a: {sum: x, max: x}}", "4:27 `a` says two things (keep one of them)");
    says("{a: {sum: x, of: y}}", "4:19 `a` says two things (keep one of them)");
    says(
        "{a: group_by}",
        "4:15 `a` does not say what it groups by (for example `{group_by: status}`)",
    );
    says("{a: {sum: x, separator: y}}", "4:27 `separator` belongs to `concat` (remove it)");
    says("{a: {of: x}}", "4:15 `a` has no function (for example `{sum: size}`)");
    says("{a: {type: sum}}", "4:19 `type` is not the name of that key (write `function:`)");
    says(
        "{a: {sum: x, initial: 0}}",
        "4:27 `initial` is an option of older versions (remove it: every aggregate begins empty)",
    );
    says("{a: {sum: 'x >'}}", "4:28 a value is missing here");
}

#[test]
fn the_error_policy_is_read_from_both_places() {
    let text = "on_item_failure: skip\ncontinue_on_failure: false\nmax_failures: 3\n\
                failure_threshold: 0.25\nerror_collection: immediate\n\
                circuit_breaker: {failure_threshold: 2, timeout: 1m}\n";
    let indented: String = text.lines().map(|line| format!("  {line}\n")).collect();
    let top = policy(text);
    assert_eq!(top, policy(&format!("error_policy:\n{indented}")));
    assert_eq!(top.on_item_failure, OnItemFailure::Skip);
    assert_eq!((top.continue_on_failure, top.max_failures), (false, Some(3)));
    assert_eq!(top.failure_threshold, Some(0.25));
    let breaker = top.circuit_breaker.unwrap();
    assert_eq!((breaker.failure_threshold.get(), breaker.success_threshold.get()), (2, 3));
    assert_eq!(breaker.timeout, Duration::from_secs(60));
    for spelling in ["batched:5", "{batched: 5}", "{batched: {size: 5}}"] {
        let collection = policy(&format!("error_collection: {spelling}\n")).error_collection;
        assert_eq!(collection, ErrorCollection::Batched(NonZeroU32::new(5).unwrap()));
    }
}

#[test]
fn items_run_again_as_the_policy_or_the_map_says() {
    let attempts = |text: &str| {
        let map = "map: {input: a, agent_template: [b]";
        job(&format!("{map}{text}")).map.retry.map(|retry| retry.attempts)
    };
    assert_eq!(attempts("}\n"), None);
    assert_eq!(attempts(", retry: 4}\n"), Some(5));
    assert_eq!(attempts("}\nerror_policy: {on_item_failure: retry}\n"), Some(3));
    assert_eq!(attempts("}\nerror_policy: {retry_config: {max_attempts: 7}}\n"), Some(7));
    assert_eq!(attempts(", retry: 4}\non_item_failure: retry\n"), Some(5));
}

#[test]
fn what_a_map_workflow_cannot_hold_is_said() {
    let help = "(a map workflow has `setup`, `map` and `reduce`: put the steps into one of them)";
    for key in ["commands", "steps", "stages"] {
        let problem = format!("2:1 `{key}` stands beside `map` {help}");
        says(&format!("{MAP}{key}: [a]\n"), &[&problem]);
    }
    says(
        "mode: standard\nmap: {input: a, agent_template: [b]}\n",
        &[
            "1:7 `map` stands in a file of `mode: standard` (remove `mode`, or write `mode: mapreduce`)",
        ],
    );
    says(
        "mode: mapreduce\n",
        &["1:1 the map workflow has no `map` (write `map:` with `input:` and `agent_template:`)"],
    );
    says(
        "setup: [a]\ncommands: [b]\n",
        &[
            "1:1 `setup` is for map workflows, and this file has no `map` (write `map:` with `input:` and `agent_template:`)",
        ],
    );
    says(
        &format!("{MAP}continue_on_error: true\n"),
        &[
            "2:1 `continue_on_error` has no effect in a map workflow, which runs once (what failed items mean is said by `error_policy`)",
        ],
    );
    says(
        &format!("{MAP}merge: [a]\n"),
        &[
            "2:1 `merge` is not supported yet by this version (remove it, or wait for a version that knows it)",
        ],
    );
}

#[test]
fn what_a_map_needs_and_cannot_do_is_said() {
    let says = |keys: &str, problem: &str| {
        says(&format!("map:\n  input: a\n  agent_template: [b]\n  {keys}\n"), &[problem]);
    };
    says("max_parallel: 0", "4:17 `max_parallel` must be at least 1, not 0");
    says("json_path: items[*]", "4:14 `json_path` cannot be read: at position 0, parser error");
    says(
        "sort_by: a DOWN",
        "4:14 `DOWN` does not fit here (a key is `expression [ASC|DESC] [NULLS FIRST|NULLS LAST]`)",
    );
    says(
        "executor: kubernetes",
        "4:13 `executor` can only be `local` (items run on this machine: write `local`, or remove it)",
    );
    says(
        "isolation: worktree",
        "4:3 `isolation` is not supported yet by this version (remove it, or wait for a version that knows it)",
    );
    says(
        "error_policy: {}",
        "4:3 unknown key `error_policy` in `map` (`error_policy` belongs at top level)",
    );
    says("limit: 5", "4:3 `limit` is no key of a map (write `max_items:`)");
    says(
        "timeout_config: {timeout_action: dlq}",
        "4:20 `timeout_action` is an option of older versions that never had an effect (a timeout is a failure like any other: see `on_item_failure`)",
    );
    says(
        "timeout_config: {timeout_policy: hybrid}",
        "4:36 only `timeout_policy: per_agent` is possible (limit single commands with `timeout:` in the steps of `agent_template`)",
    );
    says(
        "retry: {attempts: 2, on_failure: continue}",
        "4:3 `on_failure` of `retry` is only for steps and stages (what follows for an item is said by `on_item_failure`)",
    );
    super::says(
        "map: {}\n",
        &[
            "1:1 `map` has no `input` (a file with the items, or a command that prints them)",
            "1:1 `map` has no `agent_template` (the steps that run for each item)",
        ],
    );
    super::says(
        "map: {input: {list: [a]}, agent_template: [b]}\n",
        &[
            "1:14 `input` is a file or a command (write the items to a JSON file in `setup`, for example with `write_file`)",
        ],
    );
}

#[test]
fn what_a_policy_cannot_say_is_said() {
    let says = |policy: &str, problem: &str| says(&format!("{MAP}{policy}\n"), &[problem]);
    says(
        "failure_threshold: 20",
        "2:20 `failure_threshold` must be a share from 0 to 1, not `20` (did you mean `0.2`?)",
    );
    says(
        "failure_threshold: 20%",
        "2:20 `failure_threshold` must be a share from 0 to 1, not `20%` (did you mean `0.2`?)",
    );
    says(
        "on_item_failure: custom",
        "2:18 `on_item_failure` cannot be `custom` (one of: dlq, retry, skip, stop)",
    );
    says(
        "error_collection: batched",
        "2:19 `error_collection: batched` has no size (write `batched:5` for every 5 errors)",
    );
    says(
        "error_policy: {max_failures: 1}\nmax_failures: 2",
        "3:1 `max_failures` stands beside `error_policy` (put it under `error_policy:`)",
    );
    says(
        "circuit_breaker: {failure_threshold: 0}",
        "2:38 `failure_threshold` must be at least 1, not 0",
    );
    super::says(
        "map: {input: a, agent_template: [b], retry: 1}\nretry_config: {attempts: 2}\n",
        &["2:1 `retry_config` and `retry` under `map` say the same (keep one of them)"],
    );
}

#[test]
fn outputs_of_setup_are_named_once() {
    let says = |captures: &str, problem: &str| {
        let setup = "setup:\n  commands: [{shell: a, capture_output: b}]\n  capture_outputs: ";
        says(&format!("{MAP}{setup}{captures}\n"), &[problem]);
    };
    says("{n: 1}", "4:24 `setup` has no step 1: it has 1, the first is 0");
    says("{n: 0}", "4:21 the output of step 0 is already called `b` (use `${b}`)");
    says(
        "{b: {command_index: 0, pattern: x}}",
        "4:43 `pattern` under `capture_outputs` is an option of older versions (let the command print only what is wanted)",
    );
    says(
        "[b]",
        "4:20 `capture_outputs` must be a mapping from names to indexes of steps (the first is 0), not a list",
    );
}
