//! Large texts beside the journal, each under the digest of its content.

use crate::session::{Digest, SessionId};

use super::error::NamePath;
use super::files::Keep;
use super::{Home, StoreError, files};

/// A text kept by a session, without holding it.
///
/// # Errors
/// It is missing, or not what its digest says.
pub fn kept(home: &Home, id: &SessionId, digest: &str) -> Result<Vec<u8>, StoreError> {
    match parse(digest) {
        Some(digest) => read(home, id, &digest),
        None => {
            let reason = "a record names a text by something that is no digest".to_owned();
            Err(StoreError::Unreadable { path: home.journal(id), reason })
        }
    }
}

/// Keeps a text; durable before this returns.
pub(super) fn keep(home: &Home, id: &SessionId, bytes: &[u8]) -> Result<Digest, StoreError> {
    let digest = Digest::of(bytes);
    if read(home, id, &digest).is_err() {
        files::make_directory(&home.blobs(id))?;
        files::write_private(&home.blob(id, &digest), bytes, Keep::Durable)?;
    }
    Ok(digest)
}

/// A digest from text: 64 lower-case hexadecimal digits, which no path can be made of.
pub(super) fn parse(text: &str) -> Option<Digest> {
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 64 || !text.bytes().all(hexadecimal) {
        return None;
    }
    serde_json::from_value(text.into()).ok()
}

fn read(home: &Home, id: &SessionId, digest: &Digest) -> Result<Vec<u8>, StoreError> {
    let path = home.blob(id, digest);
    let bytes = files::read_private(&path).named("read", &path)?;
    if Digest::of(&bytes) != *digest {
        let reason = "damaged: it is not what its name says".to_owned();
        return Err(StoreError::Unreadable { path, reason });
    }
    Ok(bytes)
}
