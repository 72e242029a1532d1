//! The commit HEAD means, read from files: it is asked for at every step.

use std::fs;

use super::Repository;

/// HEAD may name a reference that names another; git itself follows five.
const MOST_LINKS: usize = 5;

/// Where a name leads, as far as files tell.
enum Found {
    Commit(String),
    /// A branch without commits yet.
    Unborn,
    /// References are kept in a way only git can read.
    AskGit,
}

impl Repository {
    /// The id of the commit HEAD is at; `None` before the first commit.
    #[must_use]
    pub fn head(&self) -> Option<String> {
        match self.follow("HEAD") {
            Found::Commit(id) => Some(id),
            Found::Unborn => None,
            Found::AskGit => {
                let output =
                    self.git(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).ok()?;
                Some(String::from_utf8(output).ok()?.trim().to_owned()).filter(|id| is_id(id))
            }
        }
    }

    fn follow(&self, name: &str) -> Found {
        if self.common_dir.join("reftable").exists() {
            return Found::AskGit;
        }
        let mut name = name.to_owned();
        for _ in 0..MOST_LINKS {
            match self.read(&name) {
                Some(text) => match text.strip_prefix("ref:") {
                    Some(next) => next.trim().clone_into(&mut name),
                    None if is_id(&text) => return Found::Commit(text),
                    None => return Found::AskGit,
                },
                None => return Found::Unborn,
            }
        }
        Found::AskGit
    }

    fn read(&self, name: &str) -> Option<String> {
        let loose = |directory: &std::path::Path| fs::read_to_string(directory.join(name)).ok();
        let own = loose(&self.git_dir).or_else(|| loose(&self.common_dir));
        own.map(|text| text.trim().to_owned()).or_else(|| self.read_packed(name))
    }

    /// `<id> <name>` a line; comments start with `#`, what a tag points to with `^`.
    fn read_packed(&self, name: &str) -> Option<String> {
        let packed = fs::read_to_string(self.common_dir.join("packed-refs")).ok()?;
        let mut pairs = packed.lines().filter_map(|line| line.split_once(' '));
        pairs.find(|(_, found)| *found == name).map(|(id, _)| id.to_owned())
    }
}

pub(super) fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
