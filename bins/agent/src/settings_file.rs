//! The settings as a file, `agent.json`.

use std::cell::RefCell;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::replace::{prove_replaceable, replace};
use crate::settings::{Credentials, InvalidSettings, Settings};
use crate::store::{LoadError, SaveError, SettingsStore, Version};

/// Ten times what can sensibly stand in it.
const LARGEST: u64 = 64 * 1024;

/// A file that only its owner may read.
pub struct SettingsFile {
    /// Where it really is: replacing a symbolic link would leave its target behind.
    path: PathBuf,
    /// The file, locked, once the agent works with it.
    lock: RefCell<Option<File>>,
}

impl SettingsFile {
    /// The file at `path`, for looking only.
    pub fn new(path: &Path) -> Self {
        let path = fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
        Self { path, lock: RefCell::new(None) }
    }
}

impl SettingsStore for SettingsFile {
    fn load(&self) -> Result<Settings, LoadError> {
        let file = File::open(&self.path).map_err(LoadError::Read)?;
        let metadata = file.metadata().map_err(LoadError::Read)?;
        if !metadata.is_file() {
            return Err(LoadError::Read(io::Error::other("it is not a file")));
        }
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(LoadError::Exposed { mode, path: self.path.clone() });
        }
        let mut json = Zeroizing::new(Vec::with_capacity(4096));
        file.take(LARGEST + 1).read_to_end(&mut json).map_err(LoadError::Read)?;
        if json.len() as u64 > LARGEST {
            return Err(InvalidSettings::Syntax("it is larger than 64 KiB".to_owned()).into());
        }
        Ok(Settings::from_json(&json)?)
    }

    /// The lock is on the file itself, so that it needs no place of its own.
    fn claim(&self) -> Result<(), LoadError> {
        let file = File::open(&self.path).map_err(LoadError::Read)?;
        let mut held = self.lock.borrow_mut();
        if held.as_ref().is_some_and(|held| same_file(held, &file)) {
            return Ok(());
        }
        match file.try_lock() {
            Ok(()) => *held = Some(file),
            Err(TryLockError::WouldBlock) => return Err(LoadError::InUse),
            Err(TryLockError::Error(error)) => return Err(LoadError::Read(error)),
        }
        Ok(())
    }

    fn prove_writable(&self) -> Result<(), SaveError> {
        prove_replaceable(&self.path, 4096).map_err(SaveError::Write)
    }

    fn replace_credentials(&self, known: &Credentials, new: &Credentials) -> Result<(), SaveError> {
        let mut settings = self.load().map_err(|_| SaveError::Changed)?;
        if !settings.credentials.are(known) {
            return Err(SaveError::Changed);
        }
        settings.credentials = new.clone();
        let file = replace(&self.path, &settings.to_json()).map_err(SaveError::Write)?;
        *self.lock.borrow_mut() = Some(file);
        Ok(())
    }

    fn version(&self) -> Option<Version> {
        let metadata = fs::metadata(&self.path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}

fn same_file(one: &File, other: &File) -> bool {
    let identity = |file: &File| file.metadata().map(|metadata| (metadata.dev(), metadata.ino()));
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::settings::Identity;

    const TOKEN: &str = "enroll_ttttttttttttttttttttttttttttttttttttttttttt";

    fn file(directory: &Path) -> PathBuf {
        let path = directory.join("agent.json");
        let json = format!(r#"{{"server_url": "http://127.0.0.1:1", "enrollment_token": "{TOKEN}"}}"#);
        fs::write(&path, json).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn enrolled() -> Credentials {
        let api_key = Secret::api_key(&format!("sk_stra_{}", "k".repeat(43))).unwrap();
        let identity = Identity { component_id: "c".to_owned(), api_key, new_api_key: None };
        Credentials { enrollment_token: None, identity: Some(identity) }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let path = file(directory.path());
        for mode in [0o640, 0o604, 0o644, 0o620, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = SettingsFile::new(&path).load().unwrap_err();
            assert!(error.to_string().contains("chmod 600"), "{mode:o} {error}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(SettingsFile::new(&path).load().is_ok());
    }

    #[test]
    fn new_credentials_take_the_place_of_the_known_ones_and_nothing_else_changes() {
        let directory = tempfile::tempdir().unwrap();
        let path = file(directory.path());
        let store = SettingsFile::new(&path);
        let known = store.load().unwrap().credentials;
        let edited = fs::read_to_string(&path).unwrap().replace("127.0.0.1:1", "127.0.0.1:2");
        fs::write(&path, edited).unwrap();
        store.replace_credentials(&known, &enrolled()).unwrap();
        let settings = store.load().unwrap();
        assert_eq!(settings.server_url.port(), Some(2));
        assert!(settings.credentials.are(&enrolled()));
    }

    #[test]
    fn what_somebody_wrote_meanwhile_is_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = file(directory.path());
        let store = SettingsFile::new(&path);
        let known = store.load().unwrap().credentials;
        let edited = fs::read_to_string(&path).unwrap().replace("ttt", "uuu");
        fs::write(&path, &edited).unwrap();
        assert!(matches!(store.replace_credentials(&known, &enrolled()), Err(SaveError::Changed)));
        assert_eq!(fs::read_to_string(&path).unwrap(), edited);
    }

    #[test]
    fn the_lock_outlives_the_replacement_of_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = file(directory.path());
        let (one, other) = (SettingsFile::new(&path), SettingsFile::new(&path));
        one.claim().unwrap();
        assert!(matches!(other.claim(), Err(LoadError::InUse)));
        one.replace_credentials(&one.load().unwrap().credentials, &enrolled()).unwrap();
        one.claim().unwrap();
        assert!(matches!(other.claim(), Err(LoadError::InUse)));
        drop(one);
        other.claim().unwrap();
    }

    #[test]
    fn a_symbolic_link_stays_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = file(directory.path());
        let link = directory.path().join("link.json");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let store = SettingsFile::new(&link);
        store.replace_credentials(&store.load().unwrap().credentials, &enrolled()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(SettingsFile::new(&path).load().unwrap().credentials.identity.is_some());
    }

    #[test]
    fn a_huge_file_is_not_read_to_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = file(directory.path());
        File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(SettingsFile::new(&path).load().unwrap_err().to_string().contains("64 KiB"));
    }
}
