//! Whether what a workflow requires is there: told before its first step.

use std::collections::HashSet;

use crate::executor::{Constants, Surroundings};
use crate::exit::{ExitKind, Failure};
use crate::expr::Template;
use crate::playbook::model::{Step, Workflow};
use crate::process::Stop;
use crate::recovery::{Around, Lack, Look, RequiredKind, look_at_requirements};
use crate::resume::{Action, Row, places};
use crate::session::{Address, SessionState};

/// What a workflow is about to run in.
pub(super) struct Ground<'a> {
    pub(super) surroundings: &'a Surroundings,
    pub(super) constants: &'a Constants,
    pub(super) stop: &'a Stop,
}

/// Refuses a new session that lacks something; tools are asked for their versions.
pub(super) fn check_all(workflow: &Workflow, ground: &Ground<'_>) -> Result<(), Failure> {
    check(workflow, &|_| false, ground, Look::Versions)
}

/// Refuses to go on with a session that lacks something; what is finished needs nothing more.
pub(super) fn check_open(
    workflow: &Workflow,
    state: &SessionState,
    rows: &[Row],
    ground: &Ground<'_>,
) -> Result<(), Failure> {
    let places = places(workflow, state);
    let kept = |address: &Address| {
        rows.iter().any(|row| row.address == *address && row.action == Action::Keep)
    };
    // A step of several passes is over when it is in all of them.
    let open: HashSet<*const Step> = places
        .iter()
        .filter(|place| !kept(&place.address))
        .map(|place| std::ptr::from_ref(place.step))
        .collect();
    let top: HashSet<*const Step> = workflow.top_steps().map(std::ptr::from_ref).collect();
    let over = |step: &Step| {
        let step = std::ptr::from_ref(step);
        top.contains(&step) && !open.contains(&step)
    };
    check(workflow, &over, ground, Look::Presence)
}

fn check(
    workflow: &Workflow,
    over: &dyn Fn(&Step) -> bool,
    ground: &Ground<'_>,
    look: Look,
) -> Result<(), Failure> {
    let render = |text: &Template| {
        let text = ground.surroundings.render(text, ground.constants);
        text.map_err(|error| error.to_string())
    };
    let around = Around {
        directory: &ground.surroundings.directory,
        environment: ground.surroundings.base(),
        render: &render,
        stop: ground.stop,
    };
    let findings = look_at_requirements(workflow, over, &around, look);
    let lacks: Vec<Lack> = findings.into_iter().filter_map(|finding| finding.lack).collect();
    if lacks.is_empty() {
        return Ok(());
    }
    let messages: Vec<&str> = lacks.iter().map(|lack| lack.message.as_str()).collect();
    let helps: Vec<&str> = lacks.iter().map(|lack| lack.help.as_str()).collect();
    Err(Failure::new(ExitKind::Usage, messages.join("\n")).with_help(helps.join("\n")))
}

/// The programs that the workflow requires and that are not on the path here.
pub(super) fn missing_tools(workflow: &Workflow) -> Vec<String> {
    let Ok(directory) = std::env::current_dir() else { return Vec::new() };
    let around = Around {
        directory: &directory,
        environment: std::env::vars_os().collect(),
        render: &|text| Ok(text.source().to_owned()),
        stop: &Stop::never(),
    };
    let findings = look_at_requirements(workflow, &|_| false, &around, Look::Presence);
    let tools = findings.into_iter().filter(|finding| finding.kind == RequiredKind::Tool);
    tools.filter(|finding| finding.lack.is_some()).map(|finding| finding.what).collect()
}
