//! Replacing a file so that a crash at any instant leaves either the old contents or the new ones, and never a part.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tracing::warn;

/// Replaces `path` with a file that holds `contents` and that only its owner may read, and returns that file, open
/// and locked. What was there before gives the new file its owner. When this returns, the new contents survive a loss
/// of power; if the disk refuses just that, it is said, and they are there all the same.
///
/// # Errors
/// When it cannot be written; what was there before still is.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<File> {
    let new = beside(path);
    let written = write(&new, contents, fs::metadata(path).ok().as_ref());
    let renamed = written.and_then(|(file, directory)| {
        file.try_lock()?;
        fs::rename(&new, path)?;
        Ok((file, directory))
    });
    let (file, directory) = renamed.inspect_err(|_| {
        // What is left of it would hold a secret.
        let _removed = fs::remove_file(&new);
    })?;
    // The old contents are gone. Whoever was told that they are still there would go on with them.
    if let Err(error) = directory.sync() {
        let path = path.display();
        warn!("{path} was replaced, but a loss of power may bring back what was there before: {error}");
    }
    Ok(file)
}

/// Finds out whether [`replace`] would work for so many bytes, by doing all of it but the renaming.
///
/// # Errors
/// When it would not.
pub fn prove_replaceable(path: &Path, length: usize) -> io::Result<()> {
    let new = beside(path);
    let written = write(&new, &vec![b' '; length], fs::metadata(path).ok().as_ref());
    let removed = fs::remove_file(&new);
    let (_, directory) = written?;
    removed?;
    directory.sync()
}

/// Makes what was renamed or removed beside `path` survive a loss of power.
///
/// # Errors
/// When the directory cannot be opened or written.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    Directory::of(path)?.sync()
}

/// The directory of a file. Opened before anything in it is changed, since afterwards is too late to find out that it
/// cannot be.
struct Directory {
    #[cfg(unix)]
    file: File,
}

impl Directory {
    #[cfg(unix)]
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path.parent().unwrap_or(Path::new("/")))? })
    }

    #[cfg(unix)]
    fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    #[cfg(not(unix))]
    fn of(_: &Path) -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Always the same name, so that kills leave one file at most.
fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

fn write(path: &Path, contents: &[u8], like: Option<&fs::Metadata>) -> io::Result<(File, Directory)> {
    let directory = Directory::of(path)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    #[cfg(unix)]
    if let Some(like) = like {
        use std::os::unix::fs::MetadataExt as _;
        let mine = file.metadata()?;
        if (mine.uid(), mine.gid()) != (like.uid(), like.gid()) {
            std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid()))?;
        }
    }
    #[cfg(not(unix))]
    let _ = like;
    file.write_all(contents)?;
    file.sync_all()?;
    Ok((file, directory))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_new_file_is_for_its_owner_alone_whatever_the_old_one_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "old").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(directory.path().join(".file.new"), "of a crash").unwrap();
        prove_replaceable(&path, 100).unwrap();
        replace(&path, b"new").unwrap();
        let names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["file"]);
    }

    #[test]
    fn what_was_there_stays_when_the_new_one_cannot_be_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "old").unwrap();
        // A directory in its place, since root may write anywhere.
        fs::create_dir_all(directory.path().join(".file.new/occupied")).unwrap();
        assert!(prove_replaceable(&path, 3).is_err() && replace(&path, b"new").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }
}
