//! The known name that an unknown one was probably meant to be.

/// The nearest of `names` to `wrong`, if any is near enough to be a slip.
#[must_use]
pub fn nearest<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let names: Vec<&str> = names.into_iter().collect();
    let known: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let near = crate::expr::nearest(wrong, &known).into_iter().next()?;
    names.into_iter().find(|name| *name == near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["commands", "timeout", "when", "env", "capture_output", "shell"];
        assert_eq!(nearest("comands", known), Some("commands"));
        assert_eq!(nearest("captureOutput", known), Some("capture_output"));
        assert_eq!(nearest("tiemout", known), Some("timeout"));
        assert_eq!(nearest("shel", known), Some("shell"));
        assert_eq!(nearest("banana", known), None);
    }
}
