//! The files that are kept of a session's working tree: where they are, and what differs in them.

use std::path::Path;

use crate::git::{FileStore, GitError, Repository};
use crate::session::{SessionId, Version};
use crate::store::Home;

/// The files that are kept of sessions of `repository` (its name under `state/`) which run in
/// `directory`; none outside of a git repository.
pub(super) fn file_store(home: &Home, repository: &str, directory: &Path) -> Option<FileStore> {
    let tree = Repository::find(directory)?;
    Some(FileStore::new(tree, home.kept_files(repository)))
}

/// Lets the session `new` keep, too, what is kept of `versions` of `old`; tells whether that were
/// all of them.
pub(super) fn share<'v>(
    store: &FileStore,
    old: &SessionId,
    new: &SessionId,
    versions: impl Iterator<Item = &'v Version>,
) -> Result<bool, GitError> {
    let kept = versions.filter_map(|version| version.files.as_deref());
    let mut ids: Vec<&str> =
        kept.flat_map(|files| [Some(&*files.tree), files.rules.as_deref()]).flatten().collect();
    ids.sort_unstable();
    ids.dedup();
    store.share(old.as_str(), new.as_str(), &ids)
}
