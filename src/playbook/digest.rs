//! What a step says, as a hash: formatting, comments, key order and place do not count (DECISIONS A5).

use super::model::Step;
use crate::session::Digest;

/// The content hash of a lowered step with everything below it.
#[must_use]
pub fn digest(step: &Step) -> Digest {
    // The model holds nothing that JSON cannot; its Debug form would still tell steps apart.
    let json = serde_json::to_vec(step).unwrap_or_else(|_| format!("{step:?}").into_bytes());
    Digest::of(&json)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::playbook::parse;
    use crate::session::Digest;

    fn digest(text: &str) -> Digest {
        let workflow = parse(Path::new("flow.yml"), text).unwrap().workflow;
        super::digest(workflow.top_steps().next().unwrap())
    }

    #[test]
    fn only_what_a_step_says_counts() {
        let plain = digest("- shell: make\n  timeout: 60\n");
        assert_eq!(digest("commands:\n\n  # a note\n  - {timeout: 1m, shell: 'make'}\n"), plain);
        assert_eq!(
            digest("- x-note: a\n  description: b\n  shell: make\n  timeout: \"60\"\n"),
            plain
        );
        assert_ne!(digest("- shell: make\n  timeout: 61\n"), plain);
        assert_ne!(digest("- claude: make\n  timeout: 60\n"), plain);
        assert_ne!(digest("- shell: make\n  timeout: 60\n  on_failure: make clean\n"), plain);
    }
}
