//! What a checkpoint may be called, so that `--from-checkpoint` can tell it from a version or an address (DECISIONS B28).

/// Checks a name.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_checkpoint_name(name: &str) -> Result<(), &'static str> {
    let is_version = name
        .strip_prefix('v')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    if name.parse::<f64>().is_ok() {
        Err("a number would be taken for a step")
    } else if is_version {
        Err("it would be taken for a version")
    } else if name.is_empty()
        || name.trim() != name
        || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-'))
    {
        Err("use letters, digits, spaces, `.`, `_` and `-`")
    } else {
        Ok(())
    }
}
