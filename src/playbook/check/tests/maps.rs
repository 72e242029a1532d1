//! Names in map workflows: where items, results, aggregates and captures are known.

use std::path::Path;

use crate::playbook::{LoadError, parse};

/// The problems of a map workflow as `line:column message [help]`.
fn problems(setup: &str, template: &str, reduce: &str, more: &str) -> Vec<String> {
    let text = format!(
        "setup: [{setup}]\nmap: {{input: a.json, agent_template: [{template}], {more}}}\n\
         reduce: [{reduce}]\n"
    );
    let problems = match parse(Path::new("flow.yml"), &text) {
        Ok(loaded) => loaded.problems,
        Err(LoadError::Problems(problems, _)) => problems,
        Err(error) => panic!("{error}"),
    };
    problems
        .into_iter()
        .map(|it| {
            let help = it.help.map(|help| format!(" [{help}]")).unwrap_or_default();
            format!("{}:{} {}{help}", it.at.line, it.at.column, it.message)
        })
        .collect()
}

const SETUP: &str = "{shell: a, capture_output: found, id: search}";
const TEMPLATE: &str = "{shell: 'b ${item.name} ${item_id} ${item_index} ${item_total} ${found}', id: look, capture_output: seen}, {claude: 'c ${look.output} ${seen} ${job.id}'}";
const REDUCE: &str = "{claude: 'd ${map.total} ${map.successful} ${map.failed} ${map.skipped} ${map.results} ${map.results_file} ${map.errors} ${found} ${search.output} ${all} ${job.id} ${stage.name}'}";
const MORE: &str = "max_parallel: '${found}', filter: 'score > 5 && nothing.known', sort_by: a.b, distinct: error, variables: {all: {collect: seen}}";

#[test]
fn every_name_is_known_in_its_place() {
    assert_eq!(problems(SETUP, TEMPLATE, REDUCE, MORE), Vec::<String>::new());
}

#[test]
fn names_of_items_are_not_seen_outside() {
    let of_items = problems(SETUP, TEMPLATE, "{claude: '${seen} ${look.output} ${item}'}", "");
    let help = "[after the map use `${map.results}`, in which each item has its `variables`]";
    assert_eq!(
        of_items,
        [
            format!("3:22 `seen` is only known inside the item that sets it (line 2) {help}"),
            format!("3:30 `look` is only known inside the item that sets it (line 2) {help}"),
            "3:45 `item` is only known in `agent_template` and in the `do` of a `foreach` \
             [in `reduce` use `${map.results}` or `${map.results_file}`]"
                .to_owned(),
        ]
    );
    let setup = problems("{claude: '${item} ${seen}'}", TEMPLATE, "d", "x-a: 1");
    assert!(setup[0].starts_with("1:21 `item` is only known in"), "{setup:?}");
    assert!(setup[1].starts_with("1:29 `seen` is used before it exists"), "{setup:?}");
}

#[test]
fn results_are_known_when_all_items_have_ended() {
    let help = "[use it in `reduce`, in failure handlers of the workflow or in `finally`]";
    let before = format!("`map` is only known when all items have ended {help}");
    assert_eq!(problems("a", "{claude: '${map.total}'}", "d", ""), [format!("2:51 {before}")]);
    assert_eq!(problems("{claude: '${map.total}'}", "b", "d", ""), [format!("1:21 {before}")]);
    let unknown = problems("a", "b", "{claude: '${map.totl}'}", "");
    assert_eq!(unknown, ["3:22 `map` has no field `totl` [did you mean `map.total`?]"]);
    let aggregate = problems("a", "{claude: '${all}'}", "d", "variables: {all: count}");
    assert_eq!(
        aggregate,
        ["2:51 `all` is used before it exists: it is made of the results of the map \
          [use it in `reduce` or later]"]
    );
    let job = problems("{claude: '${job.id}'}", "b", "d", "");
    assert!(
        job[0].starts_with("1:21 `job` is only known when the items have been read"),
        "{job:?}"
    );
}

#[test]
fn aggregates_have_names_of_their_own() {
    let found = problems(SETUP, "b", "d", "variables: {found: count}");
    assert_eq!(
        found,
        [
            "2:1 `found` of the map is already a name of a step (line 1) [give one of them another name]"
        ]
    );
    let found = problems("a", "b", "d", "variables: {map: count}");
    assert!(
        found[0].contains("the variable of the map `map` is the name of a built-in"),
        "{found:?}"
    );
}

#[test]
fn what_runs_in_items_is_not_the_latest_afterwards() {
    let found = problems("{claude: x}", "{shell: b}", "{claude: '${shell.output}'}", "");
    assert_eq!(
        found,
        [
            "3:22 no shell step runs before this place [write `${shell.output:-}` if it may be empty]"
        ]
    );
}
