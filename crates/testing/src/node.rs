//! The counterparts that run on Node: where they are, and that the packages which they use are installed.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};

use crate::process::{Background, until_within};

/// Where the programs and the list of their packages are.
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node");

/// What takes seconds when the registry is near.
const INSTALLATION: Duration = Duration::from_mins(5);

/// A command that runs one of the programs, whose packages are installed.
pub(crate) fn program(name: &str) -> anyhow::Result<Command> {
    let directory = Path::new(DIRECTORY);
    install(directory)?;
    let mut command = Command::new("node");
    command.arg(directory.join(name));
    Ok(command)
}

/// Installs the packages, once for all tests: the first takes the lock and the others wait for it.
fn install(directory: &Path) -> anyhow::Result<()> {
    let list = directory.join("package-lock.json");
    let lock = File::open(&list).with_context(|| format!("cannot read {}", list.display()))?;
    until_within(INSTALLATION, "another test that installs Node packages", || lock.try_lock().is_ok())?;
    if is_installed(directory) {
        return Ok(());
    }
    let output = tempfile::tempdir()?;
    let mut npm = Background::start(Command::new("npm").arg("ci").current_dir(directory), output.path(), "npm")?;
    until_within(INSTALLATION, "npm ci", || npm.has_ended()).with_context(|| npm.output())?;
    ensure!(npm.wait()?.success(), "npm ci failed: {}", npm.output());
    Ok(())
}

/// Whether the packages are no older than their list. npm writes its own copy of the list last.
fn is_installed(directory: &Path) -> bool {
    let written = |name: &str| fs::metadata(directory.join(name)).and_then(|file| file.modified()).ok();
    let (wanted, installed) = (written("package-lock.json"), written("node_modules/.package-lock.json"));
    installed.zip(wanted).is_some_and(|(installed, wanted): (SystemTime, SystemTime)| installed >= wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_installed_when_they_are_no_older_than_their_list() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, seconds: u64| {
            let file = File::create(directory.path().join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        write("package-lock.json", 2);
        assert!(!is_installed(directory.path()));
        fs::create_dir(directory.path().join("node_modules")).unwrap();
        for (seconds, installed) in [(1, false), (2, true), (3, true)] {
            write("node_modules/.package-lock.json", seconds);
            assert_eq!(is_installed(directory.path()), installed, "{seconds}");
        }
    }
}
