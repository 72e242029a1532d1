//! Workflows with one thing wrong each, and exactly where it is.

mod fields;
mod files;
mod hints;
mod kit;
mod loops;
mod maps;
mod order;
mod own_names;
mod shell;

mod unknown;
mod variables;

/// A long workflow is checked in time that grows with its length, not with its square.
#[test]
fn ten_thousand_steps_are_checked_at_once() {
    use kit::{claude, shell, workflow};
    let steps = (0..5_000)
        .flat_map(|index| {
            let line = 2 * index + 2;
            [shell(line, "ls").captured("out"), claude(line + 1, "${out} ${last.output}")]
        })
        .collect();
    let flow = workflow(steps);
    let started = std::time::Instant::now();
    assert_eq!(kit::problems(&flow), Vec::<String>::new());
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
}
