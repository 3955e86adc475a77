//! The file that the configuration is written to, and what is beside it while it changes.
//!
//! A program that reads a directory, as Telegraf reads `telegraf.d`, goes by how names end, hidden or not. So nothing is
//! beside the target under an ending like its own, and what nobody has validated is not beside it at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::replace::sync_directory;
use crate::state::StateDirectory;

/// The file.
pub(super) struct Target {
    path: PathBuf,
    proposal: PathBuf,
}

impl Target {
    /// The file at `path`. What is proposed for it is kept in the state directory.
    pub(super) fn new(path: PathBuf, state: &StateDirectory) -> Self {
        let mut name = OsString::from("proposed-");
        name.push(path.file_name().unwrap_or_default());
        Self { proposal: state.join(name), path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Where the new configuration is while it is validated. Ends like the target, for programs that go by that.
    pub(super) fn proposal(&self) -> &Path {
        &self.proposal
    }

    /// Where the new configuration is before it is in place.
    fn staged(&self) -> PathBuf {
        self.beside(".staged")
    }

    /// Where the old configuration is until the new one is verified.
    fn previous(&self) -> PathBuf {
        self.beside(".previous")
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(ending);
        self.path.with_file_name(name)
    }

    /// Writes the new configuration down for whoever says whether it is good.
    pub(super) fn propose(&self, contents: &[u8]) -> io::Result<()> {
        create(&self.proposal)?.write_all(contents)
    }

    /// Nobody needs the proposal any more.
    pub(super) fn withdraw(&self) {
        // It is overwritten by the next one if it stays, and nothing reads it.
        let _removed = remove(&self.proposal);
    }

    /// Writes the new configuration beside the old one, and makes sure of the old one. The new one may be read by
    /// whoever may read the old one, and at first by its owner alone.
    ///
    /// Only while nothing is to be rolled back: it is the last good one that this takes the place of.
    pub(super) fn stage(&self, contents: &[u8]) -> io::Result<()> {
        let mut file = create(&self.staged())?;
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
        file.sync_all()?;
        let previous = self.previous();
        remove(&previous)?;
        if self.exists() {
            fs::hard_link(&self.path, &previous)?;
        }
        sync_directory(&self.path)
    }

    /// Puts the new configuration in place.
    pub(super) fn swap(&self) -> io::Result<()> {
        fs::rename(self.staged(), &self.path)?;
        sync_directory(&self.path)
    }

    /// Puts the old configuration back. Where there was none, none is left. To be repeated until it succeeds; once it
    /// has, it does nothing.
    pub(super) fn roll_back(&self, there_was_one: bool) -> io::Result<()> {
        let previous = self.previous();
        match fs::rename(&previous, &self.path) {
            // Had nothing been swapped, both names are one file's, and the system leaves both.
            Ok(()) => remove(&previous)?,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) if !there_was_one => remove(&self.path)?,
            Err(_) => {}
        }
        sync_directory(&self.path)
    }

    /// The new configuration is the one, and nothing of what led there is left.
    pub(super) fn commit(&self) -> io::Result<()> {
        self.withdraw();
        remove(&self.staged())?;
        remove(&self.previous())
    }
}

/// A new file, for its owner alone, in place of one that a kill has left.
fn create(path: &Path) -> io::Result<File> {
    remove(path)?;
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
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

    struct Place {
        directory: tempfile::TempDir,
        _state: tempfile::TempDir,
        target: Target,
    }

    impl Place {
        fn new() -> Self {
            let (directory, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let state = StateDirectory::open(kept.path()).unwrap();
            let target = Target::new(directory.path().join("telegraf.conf"), &state);
            Self { directory, _state: kept, target }
        }

        fn put(&self, contents: &str) {
            self.target.stage(contents.as_bytes()).unwrap();
            self.target.swap().unwrap();
        }

        fn text(&self) -> String {
            fs::read_to_string(self.target.path()).unwrap()
        }

        /// What is there, in the order of the alphabet.
        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.directory.path()).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    #[test]
    fn the_old_one_can_be_put_back_until_the_new_one_is_the_one() {
        let place = Place::new();
        fs::write(place.target.path(), "old").unwrap();
        place.target.stage(b"new").unwrap();
        assert_eq!(place.text(), "old");
        place.target.swap().unwrap();
        assert_eq!(place.text(), "new");
        place.target.roll_back(true).unwrap();
        assert_eq!(place.text(), "old");
        place.put("newer");
        place.target.commit().unwrap();
        assert_eq!((place.text().as_str(), place.names()), ("newer", vec!["telegraf.conf".to_owned()]));
    }

    #[test]
    fn where_there_was_none_none_is_left() {
        let place = Place::new();
        place.put("new");
        place.target.roll_back(false).unwrap();
        assert_eq!(place.names(), [""; 0]);
    }

    #[test]
    fn rolled_back_before_anything_was_swapped_and_once_more_afterwards_the_old_one_stays() {
        let place = Place::new();
        fs::write(place.target.path(), "old").unwrap();
        place.target.stage(b"new").unwrap();
        for _ in 0..2 {
            place.target.roll_back(true).unwrap();
            assert_eq!((place.text().as_str(), place.names().len()), ("old", 2));
        }
        place.target.commit().unwrap();
        assert_eq!(place.names(), ["telegraf.conf"]);
    }

    #[test]
    fn what_an_earlier_change_left_is_never_put_back() {
        let place = Place::new();
        for contents in ["first", "second"] {
            place.put(contents);
        }
        place.target.stage(b"third").unwrap();
        place.target.roll_back(true).unwrap();
        assert_eq!(place.text(), "second");
    }

    #[test]
    fn nothing_beside_the_target_ends_like_it_and_what_is_proposed_does() {
        let place = Place::new();
        fs::write(place.target.path(), "old").unwrap();
        place.target.propose(b"new").unwrap();
        assert_eq!(place.names(), ["telegraf.conf"]);
        assert!(place.target.proposal().to_str().unwrap().ends_with("-telegraf.conf"));
        assert_eq!(fs::metadata(place.target.proposal()).unwrap().permissions().mode() & 0o777, 0o600);
        place.target.stage(b"new").unwrap();
        assert_eq!(place.names(), [".telegraf.conf.previous", ".telegraf.conf.staged", "telegraf.conf"]);
    }

    #[test]
    fn the_new_one_may_be_read_by_whoever_may_read_the_old_one() {
        let place = Place::new();
        let mode = || fs::metadata(place.target.staged()).unwrap().permissions().mode() & 0o777;
        place.target.stage(b"new").unwrap();
        assert_eq!(mode(), 0o600);
        fs::write(place.target.path(), "old").unwrap();
        fs::set_permissions(place.target.path(), fs::Permissions::from_mode(0o640)).unwrap();
        place.target.stage(b"new").unwrap();
        assert_eq!(mode(), 0o640);
    }
}
