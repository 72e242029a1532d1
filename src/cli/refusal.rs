//! Why a session cannot go on as asked, as an exit code and the next command.

use crate::exit::{ExitKind, Failure};
use crate::recovery::Marked;
use crate::resume::Refusal;
use crate::session::WorkflowId;

/// The failure for the session called `id`.
pub(super) fn refused(refusal: Refusal, id: &str) -> Failure {
    let message = refusal.to_string();
    match refusal {
        Refusal::Completed => Failure::new(ExitKind::Success, message),
        Refusal::Superseded(by) => {
            Failure::new(ExitKind::Usage, message).with_help(format!("prodigy resume {by}"))
        }
        Refusal::HalfRolledBack(_) => Failure::new(ExitKind::NeedsPerson, message)
            .with_help(format!("prodigy recovery rollback {id}   (finishes it)")),
        Refusal::NoCheckpoint(_) => Failure::new(ExitKind::NotFound, message)
            .with_help(format!("prodigy checkpoints list --workflow-id {id}")),
        Refusal::NoStep(_) => Failure::new(ExitKind::NotFound, message)
            .with_help(format!("prodigy checkpoints show {id}")),
        Refusal::NotAlone { instead, .. } => {
            let failure = Failure::new(ExitKind::Usage, message);
            match instead {
                Some(flags) => failure.with_help(format!("prodigy resume {id} {flags}")),
                None => failure.with_help(format!("prodigy checkpoints show {id}")),
            }
        }
        Refusal::DeadItems { .. } => {
            Failure::new(ExitKind::Failed, message).with_help(format!(
                "prodigy dlq retry {id}   (run them again), or prodigy dlq list {id}   (see why)"
            ))
        }
        Refusal::NotDead(_) => Failure::new(ExitKind::NotFound, message)
            .with_help(format!("prodigy dlq list {id}")),
        Refusal::PendingItems(_) => Failure::new(ExitKind::Failed, message).with_help(format!(
            "prodigy resume {id}   (run them), or prodigy resume {id} --from-checkpoint reduce --force   (pass over them)"
        )),
        Refusal::NoItems => {
            Failure::new(ExitKind::Failed, message).with_help(format!("prodigy resume {id}"))
        }
        Refusal::Marked(address, _) => {
            let step = crate::view::typed(address.as_str());
            Failure::new(ExitKind::NeedsPerson, message).with_help(format!(
                "prodigy resume {id} … --rerun {step}   (run it again), or --done {step}   (it is done)"
            ))
        }
    }
}

/// Why nothing automatic goes on over a marked step.
pub(super) fn refused_marked(marked: Marked, id: &WorkflowId) -> Failure {
    let step = crate::view::typed(marked.address.as_str());
    let help = format!(
        "prodigy resume {id} --rerun {step}   (run it again), or prodigy resume {id} --done {step}   (it is done)"
    );
    Failure::new(ExitKind::NeedsPerson, Refusal::Marked(marked.address, marked.mark).to_string())
        .with_help(help)
}
