//! What a durable step costs, side by side with what a user would take instead; ratios of
//! medians in one run. `cargo bench --bench steps`, or with a number of steps behind `--`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod measure;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use measure::{installed, median, millis, size, timed};

/// Rounds in which every contender runs once, so that a machine that slows down slows all.
const ROUNDS: usize = 5;

struct Bench {
    root: tempfile::TempDir,
    output: std::io::Stdout,
}

type Contender<'a> = (&'a str, Box<dyn Fn() -> Duration + 'a>);

fn main() {
    let steps = std::env::args().filter_map(|it| it.parse().ok()).next().unwrap_or(1000);
    let mut bench = Bench { root: tempfile::tempdir().unwrap(), output: std::io::stdout() };
    bench.sequence(steps);
    bench.growth();
    bench.captures();
    bench.start();
    bench.handlers(steps);
    bench.resume(steps);
    bench.validation();
}

impl Bench {
    fn say(&mut self, line: &str) {
        writeln!(self.output, "{line}").unwrap();
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The binary in a home of its own that is empty each time.
    fn prodigy(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prodigy"));
        command
            .args(arguments)
            .current_dir(self.root.path())
            .env("PRODIGY_HOME", self.root.path().join("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn fresh(&self) {
        let _ = std::fs::remove_dir_all(self.root.path().join("state"));
    }

    fn cook(&self, arguments: &[&str]) -> Duration {
        self.fresh();
        let mut command = self.prodigy(arguments);
        timed(|| assert!(command.status().unwrap().success(), "{arguments:?}"))
    }

    /// Runs all contenders in turn and prints each median, and its ratio to the first.
    fn compare(&mut self, title: &str, contenders: &[Contender<'_>]) -> Vec<Duration> {
        let mut times = vec![Vec::new(); contenders.len()];
        for _ in 0..ROUNDS {
            for (index, (_, run)) in contenders.iter().enumerate() {
                times[index].push(run());
            }
        }
        let medians: Vec<Duration> = times.into_iter().map(median).collect();
        let mut lines = format!("{title}\n");
        for ((name, _), time) in contenders.iter().zip(&medians) {
            let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
            writeln!(lines, "  {:>9.1} ms  {ratio:>5.2}  {name}", millis(*time)).unwrap();
        }
        self.say(&lines);
        medians
    }

    fn sequence(&mut self, steps: usize) {
        // `:` needs a shell; the others are started without one.
        for command in [":", "true", "/bin/true"] {
            let file = self.write("steps.yaml", &list(steps, command));
            let file = file.to_str().unwrap().to_owned();
            let commands = self.write("commands", &format!("{command}\n").repeat(steps));
            let this = &*self;
            let mut contenders: Vec<Contender<'_>> = vec![
                ("bare loop of sh -c, no record", Box::new(move || spawn_loop(steps, command))),
                ("prodigy", Box::new(|| this.cook(&["cook", &file]))),
                (
                    "prodigy --durability relaxed",
                    Box::new(|| this.cook(&["cook", &file, "--durability", "relaxed"])),
                ),
            ];
            if installed("parallel") {
                contenders.push((
                    "GNU parallel -j1 --joblog",
                    Box::new(|| {
                        let log = this.root.path().join("joblog");
                        let _ = std::fs::remove_file(&log);
                        let mut parallel = Command::new("parallel");
                        parallel.args(["-j1", "--joblog"]).arg(log);
                        parallel.stdin(std::fs::File::open(&commands).unwrap());
                        timed(|| assert!(parallel.status().unwrap().success()))
                    }),
                ));
            }
            let title = format!("{steps} sequential steps of `{command}`");
            // The contenders borrow this bench: compare without it.
            let mut other = Bench { root: tempfile::tempdir().unwrap(), output: std::io::stdout() };
            other.compare(&title, &contenders);
        }
        if !installed("parallel") {
            self.say("  (GNU parallel is not installed: not compared)\n");
        }
    }

    /// The last of many steps costs what the first ones cost.
    fn growth(&mut self) {
        let per_step = |count: usize| {
            let file = self.write("growth.yaml", &list(count, "/bin/true"));
            let file = file.to_str().unwrap().to_owned();
            let mut times: Vec<Duration> =
                (0..3).map(|_| self.cook(&["cook", &file, "--durability", "relaxed"])).collect();
            times.sort();
            times[1].as_secs_f64() * 1e6 / count as f64
        };
        let (few, many) = (per_step(1000), per_step(10_000));
        self.say(&format!(
            "cost of a step\n  {few:>9.1} µs  1.00  of 1,000\n  {many:>9.1} µs  {:>5.2}  of 10,000\n",
            many / few
        ));
    }

    /// 10 KB captured by each step stays linear in time and disk.
    fn captures(&mut self) {
        let run = |count: usize| {
            let mut text = String::from("commands:\n");
            for index in 0..count {
                writeln!(
                    text,
                    "  - shell: head -c 10240 /dev/zero | tr '\\0' x\n    capture_output: c{index}"
                )
                .unwrap();
            }
            let file = self.write("captures.yaml", &text);
            let time = self.cook(&["cook", file.to_str().unwrap(), "--durability", "relaxed"]);
            (time.as_secs_f64(), size(&self.root.path().join("state")))
        };
        let (few, many) = (run(100), run(1000));
        self.say(&format!(
            "10 KB captured by each step, 1,000 steps to 100\n  time {:>5.2} x, disk {:>5.2} x ({} MB)\n",
            many.0 / few.0,
            many.1 as f64 / few.1 as f64,
            many.1 / 1_000_000
        ));
    }

    fn start(&mut self) {
        let one = self.write("one.yaml", "- shell: /bin/true\n");
        let one = one.to_str().unwrap().to_owned();
        let version = self.median(|| {
            let mut command = self.prodigy(&["--version"]);
            timed(|| assert!(command.status().unwrap().success()))
        });
        let bare = self.median(|| spawn_loop(1, "/bin/true"));
        let cook = self.median(|| self.cook(&["cook", &one]));
        self.say(&format!(
            "start\n  {:>9.1} ms        prodigy --version\n  {:>9.1} ms        one step beyond its command\n",
            millis(version),
            millis(cook.saturating_sub(bare))
        ));
    }

    /// Handlers that nobody needs cost nothing.
    fn handlers(&mut self, steps: usize) {
        let plain = self.write("plain.yaml", &list(steps, "/bin/true"));
        let mut text = String::from("commands:\n");
        for _ in 0..steps {
            text.push_str("  - shell: /bin/true\n    retry: 2\n    on_failure:\n      - shell: echo failed\n      - shell: echo cleaned up\n");
        }
        let with = self.write("with.yaml", &text);
        let (plain, with) = (plain.to_str().unwrap().to_owned(), with.to_str().unwrap().to_owned());
        let other = Bench { root: tempfile::tempdir().unwrap(), output: std::io::stdout() };
        let contenders: Vec<Contender<'_>> = vec![
            ("no handlers", Box::new(|| other.cook(&["cook", &plain, "--durability", "relaxed"]))),
            (
                "handlers declared",
                Box::new(|| other.cook(&["cook", &with, "--durability", "relaxed"])),
            ),
        ];
        self.compare(&format!("{steps} steps that do not fail"), &contenders);
    }

    /// From `resume` to the first new process.
    fn resume(&mut self, steps: usize) {
        let mark = self.root.path().join("started");
        let text = format!(
            "{}- shell: test -e go || exit 1; date +%s%N > {}\n",
            list(steps, "/bin/true"),
            mark.display()
        );
        let file = self.write("resume.yaml", &text);
        let mut times: Vec<Duration> = (0..ROUNDS)
            .map(|_| {
                let _ = std::fs::remove_file(self.root.path().join("go"));
                self.fresh();
                let mut cook =
                    self.prodigy(&["cook", file.to_str().unwrap(), "--durability", "relaxed"]);
                assert!(!cook.status().unwrap().success());
                self.write("go", "");
                let before =
                    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
                assert!(self.prodigy(&["resume"]).status().unwrap().success());
                let at: u128 = std::fs::read_to_string(&mark).unwrap().trim().parse().unwrap();
                Duration::from_nanos(u64::try_from(at - before.as_nanos()).unwrap())
            })
            .collect();
        times.sort();
        self.say(&format!(
            "resume of {steps} finished steps\n  {:>9.1} ms        until the first new process has run `date`\n",
            millis(times[ROUNDS / 2])
        ));
    }

    fn validation(&mut self) {
        let mut text = String::from("commands:\n");
        for index in 0..1000 {
            writeln!(
                text,
                "  - id: s{index}\n    shell: echo ${{s{}.output:-first}}\n    when: \"true\"",
                index - i32::from(index > 0)
            )
            .unwrap();
        }
        let file = self.write("validate.yaml", &text);
        let time = self.median(|| {
            let mut command = self.prodigy(&["validate", file.to_str().unwrap()]);
            timed(|| assert!(command.status().unwrap().success()))
        });
        self.say(&format!("validation\n  {:>9.1} ms        of a 1,000-step file\n", millis(time)));
    }

    fn median(&self, run: impl Fn() -> Duration) -> Duration {
        median((0..11).map(|_| run()).collect())
    }
}

fn list(steps: usize, command: &str) -> String {
    format!("- shell: '{command}'\n").repeat(steps)
}

/// The limit: the same commands in one loop that keeps no record.
fn spawn_loop(steps: usize, command: &str) -> Duration {
    timed(|| {
        for _ in 0..steps {
            let mut shell = Command::new("sh");
            shell.args(["-c", command]).stdin(Stdio::null());
            assert!(shell.status().unwrap().success());
        }
    })
}
