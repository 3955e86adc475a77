//! The keys that are not in the database: whoever takes a copy of the one does not have the other.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use stratora_auth::DeviceKey;
use stratora_keys::ETagKey;
use stratora_token::{Entropy, MacKey};
use zeroize::Zeroizing;

/// The installation's own keys.
pub struct Keys {
    /// Signs device cookies.
    pub device: DeviceKey,
    /// Makes entity tags.
    pub etag: ETagKey,
}

/// As they stand in the file. The master key seals secrets that have to be stored in the database.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u8,
    master: Zeroizing<String>,
    etag: Zeroizing<String>,
    device: Zeroizing<String>,
}

impl Stored {
    fn generate(entropy: &dyn Entropy) -> anyhow::Result<Self> {
        let key = || -> anyhow::Result<Zeroizing<String>> {
            Ok(Zeroizing::new(STANDARD.encode(MacKey::generate(entropy)?.expose())))
        };
        Ok(Self { version: 1, master: key()?, etag: key()?, device: key()? })
    }

    fn keys(&self) -> anyhow::Result<Keys> {
        if self.version != 1 {
            bail!("version {} of the key file is not known to this program", self.version);
        }
        parse("master", &self.master)?;
        Ok(Keys {
            device: DeviceKey::new(parse("device", &self.device)?),
            etag: ETagKey::new(parse("etag", &self.etag)?),
        })
    }
}

fn parse(name: &str, text: &str) -> anyhow::Result<MacKey> {
    let mut bytes = Zeroizing::new([0; 32]);
    match STANDARD.decode_slice(text, bytes.as_mut_slice()) {
        Ok(32) => Ok(MacKey::from_bytes(*bytes)),
        _ => bail!("the key {name} is not 32 bytes in base64"),
    }
}

/// Reads the keys. A file that others may read is refused.
///
/// # Errors
/// When there is no file, it is readable by others, or does not hold keys.
pub fn load(path: &Path) -> anyhow::Result<Keys> {
    let text = fs::read_to_string(path).map_err(anyhow::Error::from);
    text.and_then(|text| read(path, &Zeroizing::new(text)))
        .with_context(|| format!("security.key_file: {}", path.display()))
}

/// Reads the keys; makes them at the first start.
///
/// # Errors
/// As [`load`], and when the file cannot be made.
pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<Keys> {
    if path.exists() {
        return load(path);
    }
    create(path, entropy).with_context(|| format!("security.key_file: {}", path.display()))
}

fn read(path: &Path, text: &str) -> anyhow::Result<Keys> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!("others may read it (mode {mode:o}); run chmod 600 on it, and replace its keys if somebody did");
    }
    serde_json::from_str::<Stored>(text).context("does not hold the keys of this server")?.keys()
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
            if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
                fs::File::open(directory)?.sync_all()?;
            }
            stored.keys()
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(path, &fs::read_to_string(path)?),
        Err(error) => Err(error.into()),
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
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
