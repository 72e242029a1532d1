//! pending
use std::path::Path;
pub struct Repository; pub struct Changes { pub files_added: Vec<String>, pub files_modified: Vec<String>, pub files_deleted: Vec<String>, pub commits: Vec<String>, pub insertions: u64, pub deletions: u64 }
impl Repository { pub fn find(_: &Path) -> Option<Self> { None } pub fn head(&self) -> Option<String> { None } pub fn is_dirty(&self) -> Result<bool, String> { Ok(false) } pub fn commit_all(&self, _: &str) -> Result<Option<String>, String> { Ok(None) } pub fn changes(&self, _: Option<&str>) -> Result<Changes, String> { Err(String::new()) } }
