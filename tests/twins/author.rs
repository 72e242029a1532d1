//! Writes workflows at random. Whatever their steps do follows from their words alone, so that two
//! runs of one workflow come to the same end.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::support::killed::Random;

/// `say WORD HOW OUTPUT…` says a word and fails or not: `ok`; `dead` until all is `cured`; `hang`, at any
/// time; but for the second `attempt` or `round`; `until-FILE` is there; or until its handler has called
/// `mend`. `mend FILE` makes the file.
pub const SAY: &str = r#"#!/bin/sh
own() { echo "mended-$1" | tr / _; }
case $0 in
*mend) touch "${1:-$(own "${PRODIGY_STEP%.on_failure*}")}"; exit ;;
esac
word=$1 how=$2
shift 2
case $how in hang) sleep 9 ;; esac
echo "$word" >> words
case $how in
ok) ;;
dead) [ -e cured ] ;;
attempt) [ "$PRODIGY_ATTEMPT" -gt 1 ] ;;
round) case $PRODIGY_STEP in *goal\[1\]* | *validate\[1\]*) echo "$1" ;; *) echo "$2" ;; esac; exit ;;
mended) [ -e "$(own "$PRODIGY_STEP")" ] ;;
*) [ -e "${how#until-}" ] ;;
esac || { echo "no $word"; exit 3; }
echo "$word: $*"
"#;

/// The words of `finally` begin with it.
pub const FINALLY: &str = "over";

/// How deep steps lie in loops and handlers.
const DEEPEST: u32 = 3;

pub struct Author<'r> {
    pub random: &'r mut Random,
    words: u32,
    /// What may be captured by now, in each block around.
    captured: Vec<Vec<String>>,
    in_loop: bool,
    in_handler: bool,
}

pub struct Flow {
    pub workflow: Value,
    /// Lines of the items file.
    pub items: String,
    /// Arguments of `cook` besides the file.
    pub arguments: Vec<String>,
    /// The command that brings it back once what failed is cured.
    pub cure: Vec<String>,
}

impl<'r> Author<'r> {
    pub fn new(random: &'r mut Random) -> Self {
        Self { random, words: 0, captured: vec![Vec::new()], in_loop: false, in_handler: false }
    }

    pub fn flow(mut self) -> Flow {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect();
        let way = ["resume", "retry"][self.choice(2)];
        let cure = format!("recovery initiate -q -y --type {way}");
        let cure = if self.one_in(2) { words("resume -q") } else { words(&cure) };
        let mut flow =
            Flow { workflow: json!({}), items: String::new(), arguments: Vec::new(), cure };
        match self.random.below(3) {
            0 => flow.workflow["stages"] = self.stages(),
            1 => {
                flow.workflow = self.map();
                if flow.cure[0] == "resume" {
                    flow.cure = words("resume-job twins --force -q");
                }
                flow.items = (0..=self.random.below(8)).map(|item| format!("i{item}\n")).collect();
            }
            _ => {
                flow.workflow["commands"] = self.commands();
                if self.one_in(4) {
                    flow.arguments = ["--arg", "x", "--arg", "y"].map(str::to_owned).into();
                }
            }
        }
        flow.workflow["name"] = json!("twins");
        if self.one_in(3) {
            let how = if self.one_in(4) { "dead" } else { "ok" };
            let steps =
                [how, "ok"].map(|how| json!({ "shell": format!("./say {FINALLY}-{how} {how}") }));
            flow.workflow["finally"] = json!(steps);
        }
        if self.one_in(4) {
            let goes_on = self.one_in(2);
            let mut answer = self.say("ok", "${error.step}");
            if goes_on {
                answer["fail_workflow"] = json!(false);
            }
            flow.workflow["on_failure"] = answer;
        }
        flow
    }

    fn commands(&mut self) -> Value {
        let mut steps = self.steps(0, 2..=6);
        if self.one_in(3) {
            let mended = self.word();
            let again = json!({
                "strategy": "partial_resume", "from_step": 1, "max_attempts": 2,
                "commands": [{ "shell": format!("./mend {mended}") }],
            });
            let mut step = self.say(&format!("until-{mended}"), "");
            step["on_failure"] = again;
            steps.push(step);
        }
        steps.into()
    }

    fn stages(&mut self) -> Value {
        let names = ["one", "two", "three"];
        let stages = names.iter().map(|name| {
            let mut stage = json!({ "name": name });
            let mut steps = self.steps(0, 1..=3);
            let mended = self.word();
            let mend = json!([{ "shell": format!("./mend {mended}") }]);
            let mut fails = self.say(&format!("until-{mended}"), "");
            match self.random.below(4) {
                0 => {
                    stage["retry"] = json!({ "attempts": 2, "initial_delay": 0 });
                    fails["on_failure"] = json!({ "commands": mend, "fail_workflow": true });
                    steps.push(fails);
                }
                1 => {
                    stage["on_failure"] = json!({
                        "strategy": "retry", "delay": 0, "max_attempts": 2, "commands": mend,
                    });
                    steps.push(fails);
                }
                2 => stage["on_failure"] = self.say("ok", "${error.exit_code}"),
                _ => {}
            }
            stage["commands"] = steps.into();
            stage
        });
        stages.collect::<Vec<_>>().into()
    }

    fn map(&mut self) -> Value {
        self.in_loop = true;
        let template = self.steps(1, 1..=3);
        self.in_loop = false;
        self.captured = vec![Vec::new()];
        let policy = ["dlq", "skip", "retry", "stop"][self.choice(4)];
        let mut map = json!({
            "input": "items.txt", "max_parallel": 1 + self.choice(4), "agent_template": template,
        });
        let (key, value) = [
            ("filter", json!("item != 'i1'")),
            ("max_items", json!(3)),
            ("offset", json!(1)),
            ("sort_by", json!("item DESC")),
        ][self.choice(4)]
        .clone();
        if self.one_in(2) {
            map[key] = value;
        }
        let mut setup = self.say("ok", "");
        setup["capture_output"] = json!("prepared");
        let how = if self.one_in(4) { "dead" } else { "ok" };
        json!({
            "mode": "mapreduce",
            "setup": [setup],
            "map": map,
            "reduce": [
                self.say("ok", "${map.total} ${map.successful} ${map.failed} ${prepared}"),
                { "shell": "grep -o '\"output\":\"[^\"]*\"' ${map.results_file} || true" },
                self.say(how, ""),
            ],
            "error_policy": { "on_item_failure": policy },
        })
    }

    fn steps(&mut self, depth: u32, count: RangeInclusive<u64>) -> Vec<Value> {
        let more = self.random.below(count.end() - count.start() + 1);
        self.captured.push(Vec::new());
        let steps = (0..count.start() + more).map(|_| match self.random.below(15) {
            0..=2 if depth < DEEPEST => self.looped(depth),
            3 => self.goal(),
            4 => self.complete(),
            5 => self.file(),
            _ => self.step(depth),
        });
        let steps = steps.collect();
        self.captured.pop();
        steps
    }

    fn looped(&mut self, depth: u32) -> Value {
        let most = if depth == 0 { 4 } else { 2 };
        let items: Vec<_> = (0..=self.random.below(most)).map(|item| format!("i{item}")).collect();
        let around = std::mem::replace(&mut self.in_loop, true);
        let rounds = self.steps(depth + 1, 1..=2);
        self.in_loop = around;
        let parallel = [1, 1, 3][self.choice(3)];
        let goes_on = self.one_in(2);
        json!({
            "id": self.word(),
            "foreach": { "items": items, "do": rounds, "parallel": parallel, "continue_on_error": goes_on },
        })
    }

    fn goal(&mut self) -> Value {
        let threshold = [70, 100][self.choice(2)];
        let (improves, measures) = (self.word(), self.word());
        json!({
            "id": self.word(),
            "goal_seek": {
                "goal": "better",
                "shell": format!("./say {improves} ok"),
                "validate": format!("./say {measures} round 'score: 40' 'score: 80'"),
                "threshold": threshold, "max_attempts": 2,
            },
        })
    }

    fn complete(&mut self) -> Value {
        let mut step = self.say("ok", "");
        let (measures, completes) = (self.word(), self.word());
        let half = r#"'{"completion_percentage": 50}'"#;
        let whole = r#"'{"completion_percentage": 100}'"#;
        step["validate"] = json!({
            "shell": format!("./say {measures} round {half} {whole}"),
            "on_incomplete": { "shell": format!("./say {completes} ok ${{validation.completion_percentage}}") },
        });
        step
    }

    /// Rounds that write one file at a time write the same.
    fn file(&mut self) -> Value {
        let name = self.word();
        let (path, content) = if self.in_loop {
            (format!("{name}-${{item}}.said"), "${item}".to_owned())
        } else {
            (format!("{name}.said"), self.output())
        };
        json!({ "write_file": { "path": path, "content": format!("{name} {content}\n") } })
    }

    fn step(&mut self, depth: u32) -> Value {
        let handlers = if depth < DEEPEST { 18 } else { 1 };
        let chosen = self.choice(handlers);
        let output = self.output();
        let (how, key, answer) = match chosen {
            6 => ("dead".to_owned(), "continue_on_error", json!(true)),
            7 => ("dead".to_owned(), "on_failure", self.handler(depth + 1, 1..=2).into()),
            8 => {
                let fails = self.one_in(3);
                let commands = self.handler(depth + 1, 1..=1);
                (
                    "dead".to_owned(),
                    "on_failure",
                    json!({ "commands": commands, "fail_workflow": fails }),
                )
            }
            9 => {
                let commands = self.handler(depth + 1, 1..=1);
                ("dead".to_owned(), "on_exit_code", json!({ "3": commands }))
            }
            10 => {
                let mut commands = self.handler(depth + 1, 0..=1);
                commands.push(json!({ "shell": "./mend" }));
                let again = json!({ "commands": commands, "max_attempts": 2 });
                ("mended".to_owned(), "on_failure", again)
            }
            11 if self.one_in(3) => ("dead".to_owned(), "description", json!("nothing answers it")),
            12 => {
                let again = json!({ "attempts": 3, "initial_delay": 0, "backoff": "fixed" });
                ("attempt".to_owned(), "retry", again)
            }
            13 => {
                let again = json!({ "strategy": "retry", "delay": 0, "max_attempts": 2 });
                ("attempt".to_owned(), "on_failure", again)
            }
            14 => {
                let mut other = self.say("ok", "instead");
                other["strategy"] = json!("fallback");
                ("dead".to_owned(), "on_failure", other)
            }
            15 if self.one_in(2) => {
                let cleanup = json!([self.say("ok", "cleaned")]);
                (
                    "dead".to_owned(),
                    "on_failure",
                    json!({ "strategy": "abort", "cleanup": cleanup }),
                )
            }
            16 => {
                let mut step = self.say("hang", "");
                step["timeout"] = json!("40ms");
                step["on_failure"] = self.handler(depth + 1, 1..=1).into();
                return step;
            }
            17 => (
                "ok".to_owned(),
                "when",
                json!(["1 == 2", "2 in [1, 2]", "not exists(nothing)"][self.choice(3)]),
            ),
            _ => {
                let mut step = self.say("ok", &output);
                if self.one_in(2) && !self.in_handler {
                    let name = self.word();
                    step["capture_output"] = json!(name);
                    self.captured.last_mut().unwrap().push(name);
                }
                return step;
            }
        };
        let mut step = self.say(&how, &output);
        step[key] = answer;
        if self.one_in(5) {
            step["on_success"] = json!([self.say("ok", "")]);
        }
        step
    }

    /// Steps of a handler. They capture nothing: a run that is cut after the failure and resumed
    /// answers it a second time, and need not do what its first time has mended.
    fn handler(&mut self, depth: u32, count: RangeInclusive<u64>) -> Vec<Value> {
        let around = std::mem::replace(&mut self.in_handler, true);
        let steps = self.steps(depth, count);
        self.in_handler = around;
        steps
    }

    /// A step that says a new word.
    fn say(&mut self, how: &str, output: &str) -> Value {
        let word = self.word();
        let pause = ["", "", "sleep 0.01; "][self.choice(3)];
        json!({ "shell": format!("{pause}./say {word} {how} {output}") })
    }

    /// Something that the step may know.
    fn output(&mut self) -> String {
        let names: Vec<_> = self.captured.concat();
        let mut output = String::new();
        if !names.is_empty() && self.one_in(2) {
            output = format!("${{{}}}", names[self.choice(names.len())]);
        }
        if self.in_loop { output + " ${item}" } else { output }
    }

    fn word(&mut self) -> String {
        self.words += 1;
        format!("w{}", self.words)
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.random.below(many) == 0
    }

    fn choice(&mut self, of: usize) -> usize {
        usize::try_from(self.random.below(of as u64)).unwrap()
    }
}
