//! What an item of a map costs, side by side with what a user would take instead; ratios of
//! medians in one run. `cargo bench --bench map`, or with a number of items behind `--`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a measurement ends where something is not as it must be"
)]

mod measure;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use measure::{installed, median, millis, size, timed};

/// Writes the time at which the first item began, whole or not at all, then ends prodigy.
const BEGAN: &str = "date +%s%N > at.$$; ln at.$$ began 2> /dev/null; rm at.$$; kill -INT $PPID";

/// Rounds in which every contender runs once, so that a machine that slows down slows all.
const ROUNDS: usize = 3;

struct Bench {
    root: tempfile::TempDir,
}

fn main() {
    let items = std::env::args().filter_map(|it| it.parse().ok()).next().unwrap_or(10_000);
    let bench = Bench { root: tempfile::tempdir().unwrap() };
    // With `alone`, only what needs no other tool beside it.
    if !std::env::args().any(|it| it == "alone") {
        for parallel in [2, 8] {
            bench.compare(items, parallel);
        }
    }
    bench.first_item(items);
    bench.waiting();
    bench.growth(items);
    bench.resume(items * 10);
}

fn say(line: &str) {
    let mut output = std::io::stdout();
    writeln!(output, "{line}").unwrap();
}

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A workflow with one step for each of `items` items.
    fn write(&self, items: usize, step: &str) -> PathBuf {
        let list: String = (1..=items).fold(String::new(), |mut list, number| {
            writeln!(list, "{number}").unwrap();
            list
        });
        std::fs::write(self.path("items.txt"), list).unwrap();
        let flow = format!(
            "name: many\nmode: mapreduce\nmap:\n  input: items.txt\n  agent_template:\n    - shell: '{step}'\n"
        );
        std::fs::write(self.path("flow.yaml"), flow).unwrap();
        self.path("flow.yaml")
    }

    fn prodigy(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prodigy"));
        command
            .args(arguments)
            .current_dir(self.root.path())
            .env("PRODIGY_HOME", self.path("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn cook(&self, parallel: usize) -> Duration {
        let _ = std::fs::remove_dir_all(self.path("state"));
        let mut command =
            self.prodigy(&["cook", "flow.yaml", "--max-parallel", &parallel.to_string()]);
        timed(|| assert!(command.status().unwrap().success()))
    }

    fn compare(&self, items: usize, parallel: usize) {
        self.write(items, "true");
        let commands = self.path("commands");
        std::fs::write(&commands, "true\n".repeat(items)).unwrap();
        let many = parallel.to_string();
        let fed = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments).current_dir(self.root.path()).stdout(Stdio::null());
            command.stdin(std::fs::File::open(&commands).unwrap());
            timed(|| assert!(command.status().unwrap().success()))
        };
        let mut contenders: Vec<(&str, Box<dyn Fn() -> Duration>)> = vec![
            (
                "xargs -P, no record",
                Box::new(|| fed("xargs", &["-P", &many, "-I{}", "sh", "-c", "{}"])),
            ),
            // What a step of `true` is, too: a program without a shell.
            (
                "xargs -P, without a shell",
                Box::new(|| fed("xargs", &["-P", &many, "-I{}", "true"])),
            ),
            // What no program that starts a process for each item can be quicker than.
            (
                "bare threads that spawn and wait, no record",
                Box::new(|| spawn_loop(items, parallel)),
            ),
            ("prodigy, durable for each item", Box::new(|| self.cook(parallel))),
        ];
        if installed("parallel") {
            contenders.push((
                "GNU parallel --joblog",
                Box::new(|| {
                    let _ = std::fs::remove_file(self.path("joblog"));
                    fed("parallel", &["-j", &many, "--joblog", "joblog"])
                }),
            ));
        }
        let mut times = vec![Vec::new(); contenders.len()];
        for _ in 0..ROUNDS {
            for (index, (_, run)) in contenders.iter().enumerate() {
                times[index].push(run());
            }
        }
        let medians: Vec<Duration> = times.into_iter().map(median).collect();
        say(&format!("{items} items of `true`, {parallel} at a time"));
        for ((name, _), time) in contenders.iter().zip(&medians) {
            let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
            say(&format!("  {:>9.1} ms  {ratio:>5.2}  {name}", millis(*time)));
        }
        let bytes = size(&self.path("state")) / items as u64;
        say(&format!("  {bytes:>9} bytes        of state for each item"));
    }

    /// From the start of the program to the first item.
    fn first_item(&self, items: usize) {
        self.write(items, BEGAN);
        let times = (0..ROUNDS).map(|_| {
            let _ = std::fs::remove_dir_all(self.path("state"));
            let _ = std::fs::remove_file(self.path("began"));
            let before = SystemTime::now();
            let _ = self.prodigy(&["cook", "flow.yaml"]).status().unwrap();
            since(before, &self.path("began"))
        });
        let time = millis(median(times.collect()));
        say(&format!("\nstart\n  {time:>9.1} ms        to the first of {items} items"));
    }

    /// Items that only wait: 20 of 0.1 s, 8 at a time, to the 0.3 s that they need.
    fn waiting(&self) {
        self.write(20, "sleep 0.1");
        let time = median((0..ROUNDS).map(|_| self.cook(8)).collect());
        let ratio = time.as_secs_f64() / 0.3;
        say(&format!(
            "\n20 items of `sleep 0.1`, 8 at a time\n  {:>9.1} ms  {ratio:>5.2}  of 300 ms",
            millis(time)
        ));
    }

    /// The last of many items costs what the first ones cost.
    fn growth(&self, items: usize) {
        let each = |count: usize| {
            self.write(count, "true");
            self.cook(8).as_secs_f64() * 1e6 / count as f64
        };
        let (few, many) = (each(items), each(items * 10));
        say(&format!(
            "\ncost of an item\n  {few:>9.1} µs  1.00  of {items}\n  {many:>9.1} µs  {:>5.2}  of {}",
            many / few,
            items * 10
        ));
        let mut running =
            self.prodigy(&["cook", "flow.yaml", "--max-parallel", "8"]).spawn().unwrap();
        let mut peak = 0;
        while running.try_wait().unwrap().is_none() {
            peak = peak_memory(running.id()).unwrap_or(peak);
            std::thread::park_timeout(Duration::from_millis(50));
        }
        say(&format!("  {peak:>9} MB        peak memory of {} items", items * 10));
    }

    /// A killed job with one item in a hundred left: from `resume` to its first item.
    fn resume(&self, items: usize) {
        let last = items / 100 * 99;
        let step = format!(
            "[ ${{item}} -le {last} ] || {{ [ -e resumed ] || {{ kill -9 $PPID; sleep 9; }}; {BEGAN}; }}"
        );
        self.write(items, &step);
        let _ = std::fs::remove_dir_all(self.path("state"));
        for file in ["resumed", "began"] {
            let _ = std::fs::remove_file(self.path(file));
        }
        let _ = self.prodigy(&["cook", "flow.yaml", "--max-parallel", "2"]).status().unwrap();
        // Only an item that the resumed run starts tells its time: this run's last ones sleep,
        // until the resumed run ends them before it starts any.
        std::fs::write(self.path("resumed"), "").unwrap();
        let before = SystemTime::now();
        let _ = self.prodigy(&["resume"]).status().unwrap();
        let time = millis(since(before, &self.path("began")));
        say(&format!(
            "\nresume of {items} items, {last} of them done\n  {time:>9.1} ms        to the first new item"
        ));
    }
}

/// The limit: as many threads, each of which starts `true` and waits for it.
fn spawn_loop(items: usize, parallel: usize) -> Duration {
    let next = AtomicUsize::new(0);
    timed(|| {
        std::thread::scope(|scope| {
            for _ in 0..parallel {
                scope.spawn(|| {
                    while next.fetch_add(1, Ordering::Relaxed) < items {
                        let mut item = Command::new("true");
                        item.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                        assert!(item.status().unwrap().success());
                    }
                });
            }
        });
    })
}

/// The time from `before` to what `date` wrote.
fn since(before: SystemTime, file: &Path) -> Duration {
    let at: u64 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
    Duration::from_nanos(at).saturating_sub(before.duration_since(UNIX_EPOCH).unwrap())
}

/// The most megabytes that a process has held so far.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024)
}
