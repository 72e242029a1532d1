//! What agents may do: the flag over the step over the workflow (SPEC 5). Nothing is skipped unasked.

use crate::playbook::model::ClaudeDefaults;

/// `--permission-mode` and `--skip-permissions`: a person's choice for this run, over the workflow's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// As the CLI spells it; absent: as the workflow says.
    pub mode: Option<String>,
    /// Everything may be done.
    pub skip: bool,
}

impl Permissions {
    /// What holds for a step with the options `own` in a workflow with `common`.
    #[must_use]
    pub fn over(&self, own: &ClaudeDefaults, common: &ClaudeDefaults) -> Permissions {
        if *self != Self::default() {
            return self.clone();
        }
        // A step that says one of the two means it instead of the workflow's other.
        let mode = own.permission_mode.clone();
        match (own.skip_permissions, mode) {
            (None, None) => Permissions {
                mode: common.permission_mode.clone(),
                skip: common.skip_permissions.unwrap_or(false),
            },
            (None, mode) => Permissions { mode, skip: false },
            (Some(true), mode) => Permissions { mode, skip: true },
            (Some(false), mode) => {
                Permissions { mode: mode.or(common.permission_mode.clone()), skip: false }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(mode: Option<&str>, skip: Option<bool>) -> ClaudeDefaults {
        ClaudeDefaults {
            permission_mode: mode.map(str::to_owned),
            skip_permissions: skip,
            ..ClaudeDefaults::default()
        }
    }

    fn permissions(mode: Option<&str>, skip: bool) -> Permissions {
        Permissions { mode: mode.map(str::to_owned), skip }
    }

    #[test]
    fn the_nearest_word_holds() {
        let nothing = options(None, None);
        let (plan, skipping) = (options(Some("plan"), None), options(None, Some(true)));
        let none = Permissions::default();
        assert_eq!(none.over(&nothing, &nothing), none);
        assert_eq!(none.over(&nothing, &plan), permissions(Some("plan"), false));
        assert_eq!(none.over(&plan, &skipping), permissions(Some("plan"), false));
        assert_eq!(none.over(&skipping, &plan), permissions(None, true));
        assert_eq!(none.over(&options(None, Some(false)), &skipping), none);
        let flag = permissions(Some("acceptEdits"), false);
        assert_eq!(flag.over(&plan, &skipping), flag);
        assert_eq!(permissions(None, true).over(&plan, &plan), permissions(None, true));
    }
}
