//! The console, as it was built before the server and put into it.

use std::borrow::Cow;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
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

/// The file that names the others.
const PAGE: &str = "index.html";

/// Writes the embedded files into a folder, for a server of files to read: with what was compressed of them beside them.
/// What is there already is left as it is, so that its time, and with it its `ETag`, stays; files of other releases stay
/// too, for pages that are open.
///
/// # Errors
/// When the server was built without the console, or a file cannot be written.
pub(crate) fn write_into(root: &Path) -> anyhow::Result<()> {
    ensure!(Dist::get(PAGE).is_some(), "this server was built without the console");
    let (page, others): (Vec<_>, Vec<_>) = Dist::iter().partition(|path| path.starts_with(PAGE));
    // The page last: it names nothing then that is not there.
    for path in others.into_iter().chain(page) {
        let Some(file) = Dist::get(&path) else { continue };
        let target = root.join(&*path);
        write_readable(&target, &file.data).with_context(|| target.display().to_string())?;
    }
    Ok(())
}

/// Writes a file that every account may read, at once or not at all.
fn write_readable(target: &Path, content: &[u8]) -> anyhow::Result<()> {
    if fs::read(target).is_ok_and(|present| present == content) {
        return Ok(());
    }
    let directory = target.parent().context("a file lies in a folder")?;
    fs::create_dir_all(directory)?;
    // Whatever the mask of whoever runs this is: NGINX reads with an account of its own.
    fs::set_permissions(directory, Permissions::from_mode(0o755))?;
    let mut unfinished = target.as_os_str().to_owned();
    unfinished.push(".new");
    fs::write(&unfinished, content)?;
    fs::set_permissions(&unfinished, Permissions::from_mode(0o644))?;
    Ok(fs::rename(&unfinished, target)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_left_alone_and_another_is_replaced_whole() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("assets/main.js");
        write_readable(&target, b"one").unwrap();
        let written = fs::metadata(&target).unwrap();
        assert_eq!(written.permissions().mode() & 0o777, 0o644);
        write_readable(&target, b"one").unwrap();
        assert_eq!(fs::metadata(&target).unwrap().modified().unwrap(), written.modified().unwrap());
        write_readable(&target, b"two").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"two");
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1, "nothing unfinished is left");
    }
}
