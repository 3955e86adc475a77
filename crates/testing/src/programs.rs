//! Where the counterparts' programs are.

use std::cmp::Reverse;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

/// Debian puts what runs a PostgreSQL server here, by version, and not on the search path.
const POSTGRES: &str = "/usr/lib/postgresql";

/// Finds a program of PostgreSQL: on the search path, among Debian's, or where `pg_config` says.
pub(crate) fn find_postgres(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(versions(Path::new(POSTGRES)));
    let found = |directory: PathBuf| Some(directory.join(name)).filter(|file| file.is_file());
    directories
        .into_iter()
        .find_map(found)
        .or_else(|| configured().and_then(found))
        .with_context(|| format!("cannot find {name}: is PostgreSQL's server installed?"))
}

/// The folders of programs below `base`, the newest version first.
fn versions(base: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(base).into_iter().flatten().flatten();
    let mut versions: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by_key(|version| Reverse(*version));
    versions.iter().map(|version| base.join(version.to_string()).join("bin")).collect()
}

fn configured() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(OsString::from_vec(output.stdout.trim_ascii().to_vec()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first_by_number_and_not_by_letter() {
        let base = tempfile::tempdir().unwrap();
        for name in ["9", "15", "17", "common"] {
            fs::create_dir(base.path().join(name)).unwrap();
        }
        assert_eq!(versions(base.path()), ["17/bin", "15/bin", "9/bin"].map(|bin| base.path().join(bin)));
        assert!(versions(&base.path().join("nothing")).is_empty());
    }
}
