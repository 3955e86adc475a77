//! The counterparts that run on Python: where they are, and that the packages which they use are installed.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::process::{Background, until_within};

/// Where the programs and the list of their packages are.
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python");

/// The list, with a checksum of every file that pip may take.
const LIST: &str = "requirements.txt";

/// Where pip puts the packages, away from those of the machine.
const PACKAGES: &str = "packages";

/// What takes seconds when the registry is near.
const INSTALLATION: Duration = Duration::from_mins(5);

/// A command that runs one of the programs, whose packages are installed.
pub(crate) fn program(name: &str) -> anyhow::Result<Command> {
    let mut command = python()?;
    command.arg(Path::new(DIRECTORY).join(name));
    Ok(command)
}

/// A command that runs a package that is a program itself.
pub(crate) fn package(name: &str) -> anyhow::Result<Command> {
    let mut command = python()?;
    command.args(["-m", name]);
    Ok(command)
}

fn python() -> anyhow::Result<Command> {
    let directory = Path::new(DIRECTORY);
    install(directory)?;
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", directory.join(PACKAGES));
    Ok(command)
}

/// Installs the packages, once for all tests: the first takes the lock and the others wait for it.
fn install(directory: &Path) -> anyhow::Result<()> {
    let (list, packages) = (directory.join(LIST), directory.join(PACKAGES));
    let lock = File::open(&list).with_context(|| format!("cannot read {}", list.display()))?;
    until_within(INSTALLATION, "another test that installs Python packages", || lock.try_lock().is_ok())?;
    if is_installed(directory) {
        return Ok(());
    }
    // pip leaves alone what is there, whatever its version.
    if packages.exists() {
        fs::remove_dir_all(&packages).with_context(|| format!("cannot remove {}", packages.display()))?;
    }
    let output = tempfile::tempdir()?;
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--root-user-action", "ignore"]);
    // Nothing is built here, and nothing is taken that is not on the list.
    command.args(["--only-binary", ":all:", "--require-hashes", "--no-deps"]);
    command.arg("--target").arg(&packages).arg("--requirement").arg(&list);
    let mut pip = Background::start(&mut command, output.path(), "pip")?;
    until_within(INSTALLATION, "pip install", || pip.has_ended()).with_context(|| pip.output())?;
    ensure!(pip.wait()?.success(), "pip install failed: {}", pip.output());
    // Last: what is there without it may be half of what is wanted.
    fs::copy(&list, packages.join(LIST)).context("cannot note which packages are installed")?;
    Ok(())
}

/// Whether the packages are those of the list as it is now.
fn is_installed(directory: &Path) -> bool {
    let (wanted, installed) = (fs::read(directory.join(LIST)), fs::read(directory.join(PACKAGES).join(LIST)));
    installed.ok().zip(wanted.ok()).is_some_and(|(installed, wanted)| installed == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_installed_when_they_are_those_of_the_list() {
        let directory = tempfile::tempdir().unwrap();
        let (list, packages) = (directory.path().join(LIST), directory.path().join(PACKAGES));
        assert!(!is_installed(directory.path()), "there is not even a list");
        fs::write(&list, "a==1").unwrap();
        assert!(!is_installed(directory.path()));
        fs::create_dir(&packages).unwrap();
        assert!(!is_installed(directory.path()), "pip was interrupted");
        fs::copy(&list, packages.join(LIST)).unwrap();
        assert!(is_installed(directory.path()));
        fs::write(&list, "a==2").unwrap();
        assert!(!is_installed(directory.path()), "they are of an older list");
    }
}
