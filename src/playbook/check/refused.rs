//! Names that no capture, variable or parameter may have, since their values are exported to
//! every command and these names change how programs start (SPEC 4.2, DECISIONS A38).

const REFUSED: &[&str] = &[
    "PATH",
    "HOME",
    "IFS",
    "ENV",
    "BASH_ENV",
    "BASHOPTS",
    "SHELL",
    "SHELLOPTS",
    "PROMPT_COMMAND",
    "PS4",
    "PWD",
    "OLDPWD",
    "CDPATH",
    "GLOBIGNORE",
    "TMPDIR",
    "GIT_DIR",
    "GIT_SSH_COMMAND",
    "GIT_WORK_TREE",
    "JAVA_TOOL_OPTIONS",
    "NODE_OPTIONS",
    "PERL5LIB",
    "PERL5OPT",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "RUBYLIB",
    "RUBYOPT",
];

const REFUSED_BEGINNINGS: &[&str] = &["LD_", "DYLD_", "BASH_FUNC_", "PRODIGY_"];

/// True when a value of this name would change how programs start.
pub(super) fn is_refused(name: &str) -> bool {
    REFUSED.contains(&name) || REFUSED_BEGINNINGS.iter().any(|begin| name.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_change_how_programs_start_are_refused() {
        for name in ["PATH", "HOME", "IFS", "LD_PRELOAD", "BASH_ENV", "PS4", "SHELLOPTS", "ENV"] {
            assert!(is_refused(name), "{name}");
        }
        for name in ["path", "HOMEPAGE", "BUILD", "env", "_LD_"] {
            assert!(!is_refused(name), "{name}");
        }
    }
}
