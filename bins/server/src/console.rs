//! The console, as it was built before the server and put into it.

use std::borrow::Cow;

use rust_embed::Embed;
use stratora_api::{ConsoleFile, ConsoleFiles};

#[derive(Embed)]
#[folder = "../console/dist"]
#[allow_missing = true]
struct Dist;

/// The embedded files.
pub(crate) struct EmbeddedConsole;

impl ConsoleFiles for EmbeddedConsole {
    fn find(&self, path: &str) -> Option<ConsoleFile> {
        let file = Dist::get(path)?;
        let content = match file.data {
            Cow::Borrowed(bytes) => bytes.into(),
            Cow::Owned(bytes) => bytes.into(),
        };
        Some(ConsoleFile { content, digest: file.metadata.sha256_hash() })
    }
}
