//! The file that the configuration is written to, and the two beside it while it changes.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::replace::sync_directory;

/// The file.
pub(super) struct Target {
    path: PathBuf,
}

impl Target {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Where the new configuration is until it is validated. Ends like the target, for programs that go by that.
    pub(super) fn staged(&self) -> PathBuf {
        self.beside(".staged-", "")
    }

    /// Where the old configuration is until the new one is verified. Ends otherwise, so that no program reads both.
    fn previous(&self) -> PathBuf {
        self.beside(".", ".previous")
    }

    fn beside(&self, before: &str, after: &str) -> PathBuf {
        let mut name = OsString::from(before);
        name.push(self.path.file_name().unwrap_or_default());
        name.push(after);
        self.path.with_file_name(name)
    }

    /// Writes the new configuration beside the old one. It may be read by whoever may read the old one, and at first
    /// by its owner alone.
    pub(super) fn stage(&self, contents: &[u8]) -> io::Result<()> {
        let staged = self.staged();
        remove(&staged)?;
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&staged)?;
        #[cfg(unix)]
        if let Ok(old) = fs::metadata(&self.path) {
            use std::os::unix::fs::MetadataExt as _;
            let mine = file.metadata()?;
            if (mine.uid(), mine.gid()) != (old.uid(), old.gid()) {
                // Only root may give a file away. Then at least the group should be right.
                let given = std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()));
                given.or_else(|_| std::os::unix::fs::fchown(&file, None, Some(old.gid())))?;
            }
            file.set_permissions(old.permissions())?;
        }
        file.write_all(contents)?;
        file.sync_all()
    }

    /// Forgets the new configuration.
    pub(super) fn unstage(&self) {
        // It is overwritten by the next one if it stays.
        let _removed = remove(&self.staged());
    }

    /// Puts the new configuration in place; the old one stays at hand.
    pub(super) fn swap(&self) -> io::Result<()> {
        let previous = self.previous();
        remove(&previous)?;
        if self.exists() {
            fs::hard_link(&self.path, &previous)?;
        }
        fs::rename(self.staged(), &self.path)?;
        sync_directory(&self.path)
    }

    /// Puts the old configuration back. Where there was none, none is left.
    pub(super) fn roll_back(&self, there_was_one: bool) -> io::Result<()> {
        let previous = self.previous();
        if previous.exists() {
            fs::rename(previous, &self.path)?;
        } else if !there_was_one {
            remove(&self.path)?;
        }
        sync_directory(&self.path)
    }

    /// The new configuration is the one.
    pub(super) fn commit(&self) -> io::Result<()> {
        remove(&self.previous())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn target(directory: &tempfile::TempDir) -> Target {
        Target::new(directory.path().join("telegraf.conf"))
    }

    fn names(directory: &tempfile::TempDir) -> Vec<String> {
        let entries = fs::read_dir(directory.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn the_old_one_can_be_put_back_until_the_new_one_is_the_one() {
        let directory = tempfile::tempdir().unwrap();
        let target = target(&directory);
        fs::write(target.path(), "old").unwrap();
        target.stage(b"new").unwrap();
        assert_eq!(fs::read_to_string(target.path()).unwrap(), "old");
        target.swap().unwrap();
        assert_eq!(fs::read_to_string(target.path()).unwrap(), "new");
        target.roll_back(true).unwrap();
        assert_eq!(fs::read_to_string(target.path()).unwrap(), "old");
        target.stage(b"newer").unwrap();
        target.swap().unwrap();
        target.commit().unwrap();
        assert_eq!(names(&directory), ["telegraf.conf"]);
    }

    #[test]
    fn where_there_was_none_none_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let target = target(&directory);
        target.stage(b"new").unwrap();
        target.swap().unwrap();
        target.roll_back(false).unwrap();
        assert_eq!(names(&directory), [""; 0]);
    }

    #[test]
    fn the_new_one_may_be_read_by_whoever_may_read_the_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let target = target(&directory);
        let mode = || fs::metadata(target.staged()).unwrap().permissions().mode() & 0o777;
        target.stage(b"new").unwrap();
        assert_eq!(mode(), 0o600);
        fs::write(target.path(), "old").unwrap();
        fs::set_permissions(target.path(), fs::Permissions::from_mode(0o640)).unwrap();
        target.stage(b"new").unwrap();
        assert_eq!(mode(), 0o640);
    }
}
