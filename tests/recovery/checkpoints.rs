//! Names for restore points, given from outside.

use super::sandbox;

#[test]
fn a_name_is_a_checkpoint_to_go_back_to() {
    let sandbox = sandbox(
        "commands: [{shell: ./say one}, {shell: ./say two}, {shell: test -e go && ./say three}]",
    );
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let words =
        ["recovery", "create-checkpoint", "flow", "--checkpoint-name", "before it", "--json"];
    let more = ["--checkpoint-type", "job", "--metadata", "ticket=812"];
    let named = sandbox.run(&[&words[..], &more[..]].concat()).exits(0).json();
    assert_eq!(named["version"], 3);
    assert_eq!(named["checkpoint_type"], "job");
    assert_eq!(named["metadata"]["ticket"], "812");
    assert!(named["checkpoint_id"].as_str().unwrap().ends_with("@v3"));
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    sandbox.run(&["resume", "flow", "--from-checkpoint", "before it"]).exits(0);
    assert_eq!(sandbox.heard(), "one two three three", "it stands at the failure of step 3");
    sandbox.run(&["checkpoints", "show", "flow", "--version", "before it"]).exits(0);
}

#[test]
fn names_that_mean_something_else_are_refused() {
    let sandbox =
        sandbox("stages: [{name: build, commands: [{shell: ./say one, checkpoint: mine}]}]");
    sandbox.run(&["recovery", "create-checkpoint"]).exits(3);
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    for name in ["v3", "7", "build", "mine", "../x", "", " x"] {
        sandbox.run(&["recovery", "create-checkpoint", "flow", "--name", name]).exits(2);
    }
    let ran = sandbox.run(&["recovery", "create-checkpoint", "flow"]).exits(0);
    assert!(ran.stdout.contains("is now called checkpoint-"), "{ran:#?}");
}
