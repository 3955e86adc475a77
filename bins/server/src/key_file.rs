//! The keys that are not in the database: whoever takes a copy of the one does not have the other.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use stratora_auth::DeviceKey;
use stratora_keys::ETagKey;
use stratora_sealing::{KeyVersion, SealingKey, SealingKeys};
use stratora_token::{Entropy, MacKey};
use zeroize::Zeroizing;

/// The installation's own keys.
pub struct Keys {
    /// Signs device cookies.
    pub device: DeviceKey,
    /// Makes entity tags.
    pub etag: ETagKey,
    /// Seal secrets that have to be stored in the database.
    pub sealing: SealingKeys,
}

/// As they stand in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u8,
    master: Masters,
    etag: Zeroizing<String>,
    device: Zeroizing<String>,
}

/// The keys that seal: one, or by version once they were rotated.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Masters {
    First(Zeroizing<String>),
    ByVersion(BTreeMap<String, Zeroizing<String>>),
}

/// The version of a key that has none in the file.
const FIRST: u32 = 1;

impl Masters {
    fn by_version(&self) -> anyhow::Result<BTreeMap<u32, Zeroizing<String>>> {
        match self {
            Self::First(key) => Ok(BTreeMap::from([(FIRST, key.clone())])),
            Self::ByVersion(keys) => {
                let number = |version: &str| version.parse().context("the version of a master key is not a number");
                keys.iter().map(|(version, key)| Ok((number(version)?, key.clone()))).collect()
            }
        }
    }

    fn keys(&self) -> anyhow::Result<SealingKeys> {
        let key = |(version, text): (u32, Zeroizing<String>)| {
            Ok((KeyVersion(version), SealingKey::from_bytes(*bytes_of("master", &text)?)))
        };
        Ok(SealingKeys::new(self.by_version()?.into_iter().map(key).collect::<anyhow::Result<_>>()?)?)
    }
}

fn generated(entropy: &dyn Entropy) -> anyhow::Result<Zeroizing<String>> {
    Ok(Zeroizing::new(STANDARD.encode(MacKey::generate(entropy)?.expose())))
}

impl Stored {
    fn generate(entropy: &dyn Entropy) -> anyhow::Result<Self> {
        let master = Masters::First(generated(entropy)?);
        Ok(Self { version: 1, master, etag: generated(entropy)?, device: generated(entropy)? })
    }

    fn keys(&self) -> anyhow::Result<Keys> {
        if self.version != 1 {
            bail!("version {} of the key file is not known to this program", self.version);
        }
        let key = |name, text| anyhow::Ok(MacKey::from_bytes(*bytes_of(name, text)?));
        Ok(Keys {
            device: DeviceKey::new(key("device", &self.device)?),
            etag: ETagKey::new(key("etag", &self.etag)?),
            sealing: self.master.keys()?,
        })
    }
}

fn bytes_of(name: &str, text: &str) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    match STANDARD.decode_slice(text, bytes.as_mut_slice()) {
        Ok(32) => Ok(bytes),
        _ => bail!("the key {name} is not 32 bytes in base64"),
    }
}

/// Adds a key that seals from now on. Those before it are kept: another server, or a backup, may hold what they sealed. Returns
/// the new version.
///
/// # Errors
/// When the file does not read or cannot be written.
pub fn add_sealing_key(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<u32> {
    let adding = || {
        // Of two that add a key at once, the second sees what the first has added. The folder stays what it is while the file is
        // replaced.
        let folder = fs::File::open(folder_of(path))?;
        folder.lock()?;
        let mut stored = stored(path, &Zeroizing::new(fs::read_to_string(path)?))?;
        let mut keys = stored.master.by_version()?;
        let newest = keys.last_key_value().context("the file holds no master key")?;
        let version = newest.0.checked_add(1).context("there are no more versions")?;
        keys.insert(version, generated(entropy)?);
        let named = keys.into_iter().map(|(version, key)| (version.to_string(), key));
        stored.master = Masters::ByVersion(named.collect());
        let beside = path.with_extension(format!("new-{}", std::process::id()));
        let written = write(&beside, &serde_json::to_vec_pretty(&stored)?).and_then(|()| {
            // The server reads it, whoever runs the command.
            let owner = fs::metadata(path)?;
            std::os::unix::fs::chown(&beside, Some(owner.uid()), Some(owner.gid()))?;
            fs::rename(&beside, path)
        });
        if written.is_err() {
            fs::remove_file(&beside).ok();
        }
        written.context("only the file's owner or root can replace it")?;
        folder.sync_all()?;
        anyhow::Ok(version)
    };
    adding().with_context(|| in_file(path))
}

fn in_file(path: &Path) -> String {
    format!("security.key_file: {}", path.display())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Reads the keys. A file that others may read is refused.
///
/// # Errors
/// When there is no file, it is readable by others, or does not hold keys.
pub fn load(path: &Path) -> anyhow::Result<Keys> {
    let text = fs::read_to_string(path).map_err(anyhow::Error::from);
    text.and_then(|text| read(path, &Zeroizing::new(text))).with_context(|| in_file(path))
}

/// Reads the keys; makes them at the first start.
///
/// # Errors
/// As [`load`], and when the file cannot be made.
pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<Keys> {
    if path.exists() {
        return load(path);
    }
    create(path, entropy).with_context(|| in_file(path))
}

fn read(path: &Path, text: &str) -> anyhow::Result<Keys> {
    stored(path, text)?.keys()
}

fn stored(path: &Path, text: &str) -> anyhow::Result<Stored> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!("others may read it (mode {mode:o}); run chmod 600 on it, and replace its keys if somebody did");
    }
    serde_json::from_str(text).context("does not hold the keys of this server")
}

/// Written beside and linked into place: it is there whole or not at all, and of two servers that start side by side both
/// end up with the same keys.
fn create(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<Keys> {
    let stored = Stored::generate(entropy)?;
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let written = write(&beside, &serde_json::to_vec_pretty(&stored)?).and_then(|()| fs::hard_link(&beside, path));
    fs::remove_file(&beside).ok();
    match written {
        Ok(()) => {
            fs::File::open(folder_of(path))?.sync_all()?;
            stored.keys()
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(path, &fs::read_to_string(path)?),
        Err(error) => Err(error.into()),
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use stratora_sealing::Place;
    use stratora_token::OsEntropy;

    use super::*;

    #[test]
    fn keys_are_made_once_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.json");
        load_or_create(&path, &OsEntropy).unwrap();
        let first = fs::read(&path).unwrap();
        load_or_create(&path, &OsEntropy).unwrap();
        assert_eq!(fs::read(&path).unwrap(), first);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_is_added_for_what_is_sealed_from_now_on_and_those_before_it_still_open() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.json");
        let place = Place { table: "t", column: "c", row: uuid::Uuid::nil() };
        let seal = |keys: &Keys| keys.sealing.seal(b"secret", &place, &OsEntropy).unwrap();
        let first = seal(&load_or_create(&path, &OsEntropy).unwrap());
        assert_eq!(add_sealing_key(&path, &OsEntropy).unwrap(), 2);
        let rotated = load(&path).unwrap();
        assert_eq!(seal(&rotated).version(), KeyVersion(2));
        assert!(rotated.sealing.open(&first, &place).is_ok());
        assert_eq!(add_sealing_key(&path, &OsEntropy).unwrap(), 3);
        assert!(load(&path).unwrap().sealing.open(&first, &place).is_ok(), "two rotations ago");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.json");
        load_or_create(&path, &OsEntropy).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = load_or_create(&path, &OsEntropy).err().unwrap();
        assert!(format!("{error:#}").contains("chmod 600"), "{error:#}");
    }

    #[test]
    fn a_file_that_holds_something_else_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.json");
        write(&path, b"{}").unwrap();
        assert!(load_or_create(&path, &OsEntropy).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"{}");
    }
}
