//! The directory where the agent keeps what it has to remember. One agent at a time works with it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::replace;

/// The directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Not there, or not to be written.
    #[error("the state directory {} cannot be used", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another agent works with it.
    #[error("another agent is running with the state directory {}", .0.display())]
    InUse(PathBuf),
}

/// The directory.
pub struct StateDirectory {
    path: PathBuf,
    /// Held for as long as this lives.
    _lock: Option<File>,
}

impl StateDirectory {
    /// The directory of an agent that may be running, for looking only.
    pub fn look(path: &Path) -> Self {
        Self { path: path.to_owned(), _lock: None }
    }

    /// Makes the directory if there is none, for its owner alone, and makes this the only agent that works with it.
    ///
    /// # Errors
    /// [`StateError`] says in a line why not.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let unusable = |source| StateError::Unusable { path: path.to_owned(), source };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(unusable)?;
        let lock =
            File::options().create(true).truncate(false).write(true).open(path.join("lock")).map_err(unusable)?;
        match lock_patiently(&lock) {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => Err(StateError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// Whether an agent works with the directory right now.
    pub fn is_in_use(&self) -> bool {
        let lock = File::open(self.path.join("lock"));
        lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// A path in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// What was last [saved](Self::save) under this name; nothing if that cannot be read.
    pub fn load<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let json = Zeroizing::new(fs::read(self.join(name)).ok()?);
        serde_json::from_slice(&json).ok()
    }

    /// Saves something so that it survives a loss of power.
    ///
    /// # Errors
    /// When it cannot be written; what was there before still is.
    pub fn save(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let json = Zeroizing::new(serde_json::to_vec_pretty(value)?);
        replace::replace(&self.join(name), &json).map(drop)
    }

    /// Saves something that is written often and may be lost with the power.
    ///
    /// # Errors
    /// When it cannot be written; what was there before still is.
    pub fn save_loosely(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let new = self.join(format!(".{name}.new"));
        fs::write(&new, serde_json::to_vec_pretty(value)?)?;
        fs::rename(new, self.join(name))
    }

    /// Forgets what was saved under this name.
    ///
    /// # Errors
    /// When it is there and stays there.
    pub fn forget(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => replace::sync_directory(&self.join(name)),
        }
    }
}

/// `stratora-agent status` holds the lock for an instant, to see whether it is free.
fn lock_patiently(lock: &File) -> Result<(), TryLockError> {
    for _ in 0..10 {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            result => return result,
        }
    }
    lock.try_lock()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_agents_do_not_share_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/state");
        let first = StateDirectory::open(&path).unwrap();
        assert!(matches!(StateDirectory::open(&path), Err(StateError::InUse(_))));
        assert!(StateDirectory::look(&path).is_in_use());
        drop(first);
        assert!(!StateDirectory::look(&path).is_in_use());
        StateDirectory::open(&path).unwrap();
    }

    #[test]
    fn what_is_saved_is_loaded_and_what_is_broken_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(directory.path()).unwrap();
        state.save("a.json", &[1, 2]).unwrap();
        state.save_loosely("b.json", &[3]).unwrap();
        assert_eq!(state.load::<Vec<u8>>("a.json"), Some(vec![1, 2]));
        assert_eq!(state.load::<Vec<u8>>("b.json"), Some(vec![3]));
        fs::write(state.join("a.json"), "[1,").unwrap();
        assert_eq!(state.load::<Vec<u8>>("a.json"), None);
        state.forget("a.json").unwrap();
        state.forget("a.json").unwrap();
    }
}
