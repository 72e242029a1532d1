//! Kept files on their way to another machine: one pack that needs no other repository.

use crate::git::GitError;
use crate::git::head::is_id;

use super::store::{FileStore, HOLDERS};

impl FileStore {
    /// Everything that is kept for `holder`, as a pack of git; none where nothing is.
    ///
    /// # Errors
    /// Git fails, or objects are missing.
    pub fn pack(&self, holder: &str) -> Result<Option<Vec<u8>>, GitError> {
        if !self.exists() {
            return Ok(None);
        }
        let locked = self.lock()?;
        let prefix = format!("{HOLDERS}/{holder}/");
        let ids = locked.git(&["for-each-ref", "--format=%(objectname)", &prefix], None)?;
        if ids.is_empty() {
            return Ok(None);
        }
        let walk = ["rev-list", "--objects", "--no-object-names", "--stdin"];
        let objects = locked.git(&walk, Some(ids))?;
        locked.git(&["pack-objects", "--quiet", "--stdout"], Some(objects)).map(Some)
    }

    /// Takes in a pack, and keeps those of `ids` that it holds for `holder`. The pack may come
    /// from anywhere: what git would not take from a stranger is refused.
    ///
    /// # Errors
    /// Git fails, or the pack is damaged.
    pub fn take_in(&self, holder: &str, pack: Vec<u8>, ids: &[String]) -> Result<(), GitError> {
        let locked = self.lock()?;
        locked.unpack(pack, &["unpack-objects", "-q", "--strict"])?;
        for id in ids.iter().filter(|id| is_id(id) && locked.has_loose(id)) {
            locked.refer(holder, id)?;
        }
        Ok(())
    }
}
