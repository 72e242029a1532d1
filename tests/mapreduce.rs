//! Map workflows from the outside: what is read and selected, what an item sees, and what of it
//! reaches reduce.

#![allow(
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod support;

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;
use serde_json::{Value, json};
use support::live::{Live, wait_until};
use support::{Ran, Sandbox};

/// A sandbox with these items and this workflow.
fn prepared(items: &str, yaml: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("items", items);
    sandbox.write("flow.yaml", yaml);
    sandbox
}

fn cooked(items: &str, yaml: &str) -> (Sandbox, Ran) {
    let sandbox = prepared(items, yaml);
    let ran = sandbox.run(&["cook", "flow.yaml"]);
    (sandbox, ran)
}

/// A map that prints each item and copies the results for the test.
fn echo(keys: &str) -> String {
    format!(
        "map:\n  input: items\n  agent_template: [\"printf %s ${{item.name:-${{item}}}}\"]\n{keys}\
         reduce: ['cp \"${{map.results_file}}\" results.json']\n"
    )
}

fn results(sandbox: &Sandbox) -> Vec<Value> {
    let results: Value = serde_json::from_str(&sandbox.read("results.json")).unwrap();
    results.as_array().unwrap().clone()
}

/// The outputs of all results, in their order.
fn outputs(sandbox: &Sandbox) -> Vec<String> {
    results(sandbox).iter().map(|it| it["output"].as_str().unwrap().to_owned()).collect()
}

/// The items in the order in which they started.
fn started(sandbox: &Sandbox) -> Vec<String> {
    let of_step = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        let address = event["address"].as_str()?.strip_prefix("map/")?.strip_suffix("/1")?;
        (event["type"] == "step_started").then(|| address.to_owned())
    };
    sandbox.events().lines().filter_map(of_step).collect()
}

#[test]
fn items_are_documents_lines_of_json_or_plain_lines() {
    for (name, items, path) in [
        ("a.json", r#"{"all": [{"name": "a"}, {"name": "b b"}]}"#, "  json_path: $.all[*]\n"),
        ("a.json", r#"[{"name": "a"}, {"name": "b b"}]"#, ""),
        ("a.jsonl", "{\"name\": \"a\"}\n{\"name\": \"b b\"}\n", ""),
        ("a.txt", "a\nb b\n", ""),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write(name, items);
        sandbox.write("flow.yaml", &echo(path).replace("input: items", &format!("input: {name}")));
        sandbox.run(&["cook", "flow.yaml"]).exits(0);
        assert_eq!(outputs(&sandbox), ["a", "b b"], "{name}: {items}");
        let command = format!("input: cat {name}");
        sandbox.write("flow.yaml", &echo(path).replace("input: items", &command));
        sandbox.run(&["cook", "flow.yaml"]).exits(0);
        assert_eq!(outputs(&sandbox), ["a", "b b"], "cat {name}: {items}");
    }
}

#[test]
fn what_setup_captured_is_an_input() {
    for (printed, input, expected) in [
        (r#"{"files": ["a b", "$(touch run)"]}"#, "${found.files}", ["a b", "$(touch run)"]),
        (r#"{"files": ["a b", "c"]}"#, "${found}\n  json_path: $.files[*]", ["a b", "c"]),
        ("x y\n; touch run", "${found}", ["x y", "; touch run"]),
        ("1\n2", "printf %s ${found}", ["1", "2"]),
        ("items", "${found}", ["of", "file"]),
    ] {
        let map = echo("").replace("input: items", &format!("input: {input}"));
        let setup = "setup: [{shell: cat printed, capture_output: found}]\n";
        let sandbox = prepared("of\nfile\n", &format!("{setup}{map}"));
        sandbox.write("printed", printed);
        sandbox.run(&["cook", "flow.yaml"]).exits(0);
        assert_eq!(outputs(&sandbox), expected, "{input} of {printed}");
        assert!(!sandbox.directory().join("run").exists());
    }
}

#[test]
fn what_cannot_be_read_fails_before_any_item() {
    for (input, path, told) in [
        ("none.json", "", "there is no file"),
        ("exit 3", "", "the command failed (exit code 3)\n"),
        ("echo '[1'", "  json_path: '$[*]'\n", "JSON"),
        ("directory", "", "is a directory"),
    ] {
        let yaml = echo(path).replace("input: items", &format!("input: {input}"));
        let sandbox = prepared("", &yaml);
        std::fs::create_dir(sandbox.directory().join("directory")).unwrap();
        let ran = sandbox.run(&["cook", "flow.yaml"]);
        let ran = ran.exits(1);
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains(told), "{input}: {ran:#?}");
        assert_eq!(started(&sandbox), [""; 0]);
        // What was missing is there: the session goes on.
        if input == "none.json" {
            sandbox.write("none.json", "[\"x\"]");
            sandbox.run(&["resume"]).exits(0);
            assert_eq!(outputs(&sandbox), ["x"]);
        }
    }
}

#[test]
fn items_are_filtered_sorted_made_distinct_and_counted_off_in_this_order() {
    let items: String = [("a", 1, "x"), ("b", 5, "y"), ("c", 3, "y"), ("d", 4, "x"), ("e", 2, "z")]
        .iter()
        .map(|(name, score, kind)| {
            format!("{{\"name\":\"{name}\",\"score\":{score},\"kind\":\"{kind}\"}}\n")
        })
        .collect();
    let (sandbox, ran) = cooked(
        &items,
        &echo(
            "  max_items: 2\n  offset: 1\n  distinct: kind\n  sort_by: item.score DESC\n  \
             filter: score >= 2\n  max_parallel: 1\n",
        ),
    );
    ran.exits(0);
    // 5 b y, 4 d x, 3 c y, 2 e z → distinct: b d e → offset 1: d e; results in input order.
    assert_eq!(started(&sandbox), ["item_4", "item_5"]);
    assert_eq!(outputs(&sandbox), ["d", "e"]);
}

#[test]
fn without_items_there_is_nothing_to_do_and_that_is_no_failure() {
    for (items, keys, why) in [
        ("", "", "there are no items"),
        ("[]", "", "there are no items"),
        (
            "{\"a\": [1]}",
            "  json_path: $.b[*]\n",
            "nothing in the input is at json_path \"$.b[*]\"",
        ),
        (
            "a\nb\n",
            "  filter: item == 'c'\n",
            "of 2 items in the input none is left: 2 left out by `filter`",
        ),
        (
            "a\nb\n",
            "  filter: item == 'b'\n  offset: 1\n",
            "1 left out by `filter`, 1 left out by `offset`",
        ),
    ] {
        let (sandbox, ran) = cooked(items, &echo(keys));
        let ran = ran.exits(0);
        assert!(ran.stdout.contains(why), "{ran:#?}");
        assert!(ran.stdout.contains("  items    none\n"), "{ran:#?}");
        assert!(!sandbox.directory().join("results.json").exists(), "reduce ran");
        assert_eq!(sandbox.status(), "completed");
        assert!(sandbox.run(&["sessions", "list"]).exits(0).stdout.contains(" map 0/0 "));
        let again = sandbox.run(&["resume"]).exits(0);
        assert!(again.stderr.contains("nothing") || again.stdout.contains("nothing"), "{again:#?}");
    }
}

/// Values that no shell text may take apart.
fn hostile() -> Vec<String> {
    let mut values: Vec<String> = [
        "two words",
        " spaces around ",
        "'single' and \"double\"",
        "$(touch owned)",
        "`touch owned`",
        "${HOME} $HOME \\$HOME",
        "'; touch owned; '",
        "\"; touch owned; \"",
        "a\nb\n\nc",
        "line end\n",
        "tab\tand\rreturn",
        "grüße 漢字 🚀 \u{202e}right\u{200b}",
        "-n",
        "--help",
        "* ? [a-z] ~ {a,b}",
        "& | > owned < owned",
        "%s %d \\n \\0",
        "\\",
        "!history",
        "#comment",
        "${map.total} ${item}",
        "\u{1b}[31mred",
    ]
    .map(str::to_owned)
    .to_vec();
    values.push("large ".repeat(35_000));
    values
}

#[test]
fn hostile_values_arrive_whole_and_never_run() {
    let values = hostile();
    let items = json!(values.iter().map(|value| json!({ "v": value })).collect::<Vec<_>>());
    let yaml = r#"
map:
  input: items.json
  max_parallel: 3
  agent_template:
    - shell: |
        printf %s ${item.v} > bare-${item_index}
        printf %s "${item.v}" > double-${item_index}
        printf %s '${item.v}' > single-${item_index}
        printf %s "$(printf '%s.' ${item.v})" > inside-${item_index}
        cat > here-${item_index} <<END
        ${item.v}
        END
        # ${item.v}
    - write_file: {path: "written-${item_index}", content: "${item.v}"}
    - {shell: "printf %s. ${item.v}", capture_output: value}
    - printf %s. ${value}
reduce:
  - 'cp "${map.results_file}" results.json'
"#;
    let sandbox = prepared("", yaml);
    sandbox.write("items.json", &items.to_string());
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    for (index, value) in values.iter().enumerate() {
        for form in ["bare", "double", "single", "written"] {
            assert!(sandbox.read(&format!("{form}-{index}")) == *value, "{form}: {value:.80?}");
        }
        let read = |form: &str| sandbox.read(&format!("{form}-{index}"));
        assert!(read("inside") == format!("{value}."), "inside: {value:.80?}");
        assert!(read("here") == format!("{value}\n"), "here: {value:.80?}");
    }
    assert!(!sandbox.directory().join("owned").exists());
    let results = results(&sandbox);
    assert_eq!(results.len(), values.len());
    for (index, (result, value)) in results.iter().zip(&values).enumerate() {
        assert_eq!(result["item_id"], format!("item_{}", index + 1));
        assert!(result["output"] == format!("{value}.."), "{:.80}", result.to_string());
        assert!(result["variables"]["value"] == format!("{value}."), "{value:.80?}");
    }
}

#[test]
fn every_output_reaches_reduce_whole_and_in_the_order_of_the_input() {
    let count = if std::env::var_os("PRODIGY_LONG_TESTS").is_some() { 1000 } else { 300 };
    let items: String = (1..=count).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "{n}");
        text
    });
    let yaml = "map:\n  input: items\n  max_parallel: 8\n  agent_template:\n    \
                - head -c 20480 /dev/zero | tr '\\0' \"$((${item} % 10))\"\n\
                reduce:\n  - 'cp \"${map.results_file}\" results.json'\n  \
                - 'printf %s ${map.results | length} > length'\n";
    let (sandbox, ran) = cooked(&items, yaml);
    ran.exits(0);
    let results = results(&sandbox);
    assert_eq!(results.len(), count);
    for (index, result) in results.iter().enumerate() {
        let number = index + 1;
        assert_eq!(result["item_id"], format!("item_{number}"));
        assert_eq!(result["status"], "success");
        let output = result["output"].as_str().unwrap();
        assert_eq!(output.len(), 20_480);
        let digit = char::from_digit(u32::try_from(number % 10).unwrap(), 10).unwrap();
        assert!(output.chars().all(|each| each == digit), "{number}");
    }
    assert_eq!(sandbox.read("length"), count.to_string());
    let journal = sandbox.events().len();
    assert!(journal < 2000 * count, "outputs are not in the journal: {journal} bytes");
}

#[test]
fn reduce_sees_counts_errors_aggregates_and_what_setup_captured() {
    let yaml = r#"
variables: {factor: 2}
setup:
  commands: ["printf 'a 1\\nb 2\\nc x\\nd 4\\n' > list", "echo from setup"]
  capture_outputs: {greeting: 1}
map:
  input: list
  max_parallel: ${factor}
  agent_template:
    - {shell: "echo ${item} | cut -d' ' -f1", capture_output: name}
    - id: number
      shell: "n=$(echo ${item} | cut -d' ' -f2); test $n != x && printf '{\"n\": %s, \"odd\": %s}' $((n * ${factor})) $((n % 2))"
  variables:
    sum: {sum: n}
    names: {concat: name, separator: "+"}
    groups: {group_by: odd, of: n}
    worst: {max: n}
    many: count
reduce:
  - shell: |
      echo ${map.total} ${map.successful} ${map.failed} ${map.skipped} > counts
      echo ${greeting} ${sum} ${names} ${worst} ${many} > values
      echo ${groups | json} > groups
      echo ${map.errors | json} > errors
      echo ${job.id} ${stage.name} > job
error_policy: {max_failures: 1}
"#;
    let (sandbox, ran) = cooked("", yaml);
    ran.exits(0);
    assert_eq!(sandbox.read("counts"), "4 3 1 0\n");
    assert_eq!(sandbox.read("values"), "from setup 14 a+b+d 8 3\n");
    assert_eq!(sandbox.read("groups"), "{\"1\":[2],\"0\":[4,8]}\n");
    let errors: Value = serde_json::from_str(&sandbox.read("errors")).unwrap();
    assert_eq!(errors.as_array().unwrap().len(), 1);
    assert_eq!(errors[0]["item_id"], "item_3");
    assert_eq!(errors[0]["status"], "failed");
    assert_eq!(errors[0]["variables"]["name"], "c");
    let job = sandbox.read("job");
    assert!(job.starts_with("mapreduce-") && job.ends_with(" reduce\n"), "{job}");
    assert_eq!(sandbox.status(), "completed_with_failures");
}

/// Prints the item when there is a file `go`, and waits for that.
const WAITING: &str =
    "    - echo ${item} >> began; until [ -e go ]; do sleep 0.005; done; echo ${item}\n";

#[test]
fn items_that_change_while_the_job_runs_do_not_disturb_it() {
    let yaml = format!(
        "map:\n  input: items\n  max_parallel: 2\n  agent_template:\n{WAITING}\
         reduce: ['cp \"${{map.results_file}}\" results.json']\n"
    );
    let sandbox = prepared("a\nb\nc\nd\n", &yaml);
    let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("two items", || sandbox.words("began").split(' ').count() == 2);
    sandbox.write("items", "x\n");
    live.kill();
    sandbox.write("go", "");
    std::fs::remove_file(sandbox.directory().join("items")).unwrap();
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(outputs(&sandbox), ["a", "b", "c", "d"]);
}

#[test]
fn a_map_without_reduce_stands_at_its_items() {
    let yaml = "map:\n  input: seq 1 2\n  agent_template: ['[ ${item} = 1 ] || [ -e go ]']\n";
    let (sandbox, ran) = cooked("", yaml);
    ran.exits(1);
    assert!(sandbox.run(&["sessions", "list"]).exits(0).stdout.contains(" map 2/2 "));
    sandbox.write("go", "");
    let ran = sandbox.run(&["dlq", "retry", "flow"]).exits(0);
    assert!(ran.stdout.contains("flow at map 2/2: 1 of 2 done"), "{ran:#?}");
    assert!(sandbox.run(&["sessions", "list"]).exits(0).stdout.contains(" map 2/2 "));
}

#[test]
fn an_interrupt_while_items_are_read_is_no_failure() {
    let map = "map:\n  input: \"[ -e go ] || sleep 2003; seq 1 3\"\n  agent_template: \
               ['echo ${item} >> words']\non_failure: echo failed >> words\n";
    let each = "commands:\n  - foreach: {command: \"[ -e go ] || sleep 2003; seq 1 3\"}\n    do: \
                ['echo ${item} >> words']\n    on_failure: echo failed >> words\n";
    for (yaml, position) in [(map, "map"), (each, "step 1/1")] {
        let sandbox = prepared("", yaml);
        let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
        wait_until("the command", || sandbox.living().contains(&"sleep 2003".to_owned()));
        live.signal(Signal::INT);
        let ran = live.end().exits(130);
        assert!(ran.stdout.contains(&format!("interrupted at {position}\n")), "{ran:#?}");
        assert_eq!(sandbox.living(), [""; 0]);
        sandbox.write("go", "");
        sandbox.run(&["resume"]).exits(0);
        let mut done: Vec<String> = sandbox.read("words").lines().map(str::to_owned).collect();
        done.sort();
        assert_eq!(done, ["1", "2", "3"]);
    }
}

#[test]
fn an_interrupt_ends_the_items_that_run_and_leaves_them_to_be_done() {
    let yaml = "map:\n  input: seq 1 6\n  max_parallel: 3\n  agent_template:\n    \
                - '[ ${item} -lt 3 ] || [ -e go ] || { sleep 2001 & echo ${item} >> began; sleep 2002; }; echo ${item} >> done'\n\
                reduce: ['cp \"${map.results_file}\" results.json']\n";
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let sandbox = prepared("", yaml);
        let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
        wait_until("three items", || {
            sandbox.words("began").split(' ').count() == 3
                && sandbox.living().iter().filter(|it| *it == "sleep 2001").count() == 3
        });
        live.signal(signal);
        let ran = live.end().exits(code);
        assert!(ran.stdout.contains("2 of 6 done"), "{ran:#?}");
        assert!(ran.stdout.contains("prodigy resume"), "{ran:#?}");
        assert_eq!(sandbox.living(), [""; 0]);
        assert_eq!(sandbox.status(), "interrupted");
        let dead = sandbox.run(&["dlq", "list", "--json"]).exits(0).json();
        assert!(dead.as_array().is_none_or(Vec::is_empty), "an interrupt is no failure: {dead}");
        sandbox.write("go", "");
        sandbox.run(&["resume"]).exits(0);
        let mut done: Vec<String> = sandbox.read("done").lines().map(str::to_owned).collect();
        done.sort();
        assert_eq!(done, ["1", "2", "3", "4", "5", "6"]);
        assert_eq!(results(&sandbox).len(), 6);
    }
}

#[test]
fn an_item_has_a_time_limit_of_its_own() {
    let yaml = "map:\n  input: seq 1 3\n  agent_timeout_secs: 300ms\n  agent_template:\n    \
                - echo ${item}\n    - '[ ${item} != 2 ] || sleep 2003'\n";
    let (sandbox, ran) = cooked("", yaml);
    let ran = ran.exits(1);
    assert!(ran.stdout.contains("map/item_2"), "{ran:#?}");
    assert_eq!(sandbox.living(), [""; 0]);
    let dead = sandbox.run(&["dlq", "show", "flow", "item_2"]).exits(0).stdout;
    assert!(dead.contains("timeout") || dead.contains("300ms"), "{dead}");
}

#[test]
fn a_map_workflow_runs_once() {
    let sandbox = prepared("a\n", &echo(""));
    for options in [&["--arg", "x"][..], &["--map", "*"], &["-n", "2"]] {
        let arguments = [&["cook", "flow.yaml"], options].concat();
        let ran = sandbox.run(&arguments).exits(2);
        assert!(ran.stderr.contains(&format!("{} has no effect", options[0])), "{ran:#?}");
        assert!(ran.stderr.contains("runs once"), "{ran:#?}");
    }
    assert!(!sandbox.state().join("sessions").exists(), "nothing was begun");
}

#[test]
fn what_a_map_would_run_is_shown_and_nothing_runs() {
    let yaml = "setup: [touch began]\nmap:\n  input: seq 1 8\n  filter: item > 2\n  max_items: 4\n  \
                agent_template: [\"touch ${item}\", {shell: b, retry: 2}]\nreduce: [echo end]\n";
    let sandbox = prepared("", yaml);
    let shown = sandbox.run(&["cook", "flow.yaml", "--dry-run"]).exits(0).stdout;
    let expected = "flow would run setup, map, reduce\n  \
        setup/1 shell: touch began\n  \
        map  the items of seq 1 8, where item > 2, at most 4, 10 at a time\n  \
        map/item_N/1 shell: touch ${item}\n  \
        map/item_N/2 shell: b   (up to 3 attempts)\n  \
        reduce/1 shell: echo end\n";
    assert_eq!(shown, expected);
    assert!(!sandbox.directory().join("began").exists());
}

#[test]
fn names_of_one_item_are_not_seen_by_others() {
    let yaml = "variables: {name: none}\nmap:\n  input: seq 1 8\n  max_parallel: 4\n  agent_template:\n    \
                - {shell: 'echo ${item}', capture_output: mine, when: '${item} != 4'}\n    \
                - {shell: 'echo ${mine:-nothing} ${shell.output:-nothing}', id: shown}\n\
                reduce: ['cp \"${map.results_file}\" results.json']\n";
    let (sandbox, ran) = cooked("", yaml);
    ran.exits(0);
    let expected: Vec<String> = (1..=8)
        .map(|n| if n == 4 { "nothing nothing".to_owned() } else { format!("{n} {n}") })
        .collect();
    assert_eq!(outputs(&sandbox), expected);
    let executable = std::fs::metadata(sandbox.directory().join("results.json")).unwrap();
    assert_eq!(executable.permissions().mode() & 0o077, 0, "results are private");
}
