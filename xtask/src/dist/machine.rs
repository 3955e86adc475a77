//! A Debian that packages are installed on: its own files, processes and loopback network, with systemd as its first process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::process::{self, Background};
use crate::programs;

/// What the system needs besides its essential packages.
const PACKAGES: &str = "--include=systemd,systemd-sysv,dbus,ca-certificates,curl,procps";

/// How often, and how many times, to look whether it has started: a minute in all.
const LOOK: Duration = Duration::from_millis(200);
const LOOKS: u32 = 300;

/// A running system. Fields are dropped in this order: its processes before its files.
pub(super) struct Machine {
    _container: Background,
    /// Its first process, as this machine counts.
    init: String,
    folder: TempDir,
}

impl Machine {
    /// Starts a fresh system of the release that this machine has: the binaries were linked here.
    pub(super) fn boot(target: &Path) -> Result<Self> {
        let base = base(target)?;
        let folder = tempfile::Builder::new().prefix("stratora-machine-").tempdir()?;
        let root = folder.path().join("root");
        let mut copy = Command::new("cp");
        ensure!(process::run(copy.args(["-a", "--reflink=auto"]).arg(&base).arg(&root))?.success(), "cannot copy it");
        // Two systems are not one.
        fs::write(root.join("etc/machine-id"), "")?;

        let log = folder.path().join("log");
        let mut nspawn = Command::new(programs::find("systemd-nspawn").context("cannot find systemd-nspawn")?);
        nspawn.args(["--quiet", "--boot", "--register=no", "--keep-unit", "--private-network", "--console=pipe"]);
        nspawn.arg("--directory").arg(&root).stdout(File::create(&log)?).stderr(Stdio::null());
        let mut container = Background::start(&mut nspawn)?;
        let init = first_process(&mut container)
            .with_context(|| format!("systemd-nspawn: {}", fs::read_to_string(&log).unwrap_or_default()))?;
        let machine = Self { _container: container, init, folder };
        machine.wait_until_started()?;
        Ok(machine)
    }

    /// Copies a file into the folder `/root` of the system.
    pub(super) fn receive(&self, file: &Path) -> Result<()> {
        let name = file.file_name().context("a file has no name")?;
        fs::copy(file, self.folder.path().join("root/root").join(name)).context("cannot copy a package")?;
        Ok(())
    }

    /// Runs a line of shell as root. Fails, with what it printed, if the line does.
    pub(super) fn run(&self, line: &str) -> Result<String> {
        let ended = self.shell(line)?;
        let text = [ended.stdout, ended.stderr].concat();
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        ensure!(ended.status.success(), "`{line}` failed: {text}");
        Ok(text)
    }

    /// Runs a line that has to fail. Returns what it printed.
    pub(super) fn refused(&self, line: &str) -> Result<String> {
        let ended = self.shell(line)?;
        ensure!(!ended.status.success(), "`{line}` succeeded, and must not");
        Ok(String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).trim().to_owned())
    }

    /// Fails unless a line prints exactly this.
    pub(super) fn prints(&self, line: &str, expected: &str) -> Result<()> {
        let text = self.run(line)?;
        ensure!(text == expected, "`{line}` printed `{text}` instead of `{expected}`");
        Ok(())
    }

    fn shell(&self, line: &str) -> Result<Output> {
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["--target", &self.init, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]);
        nsenter.args(["--root", "--wd", "--", "/bin/sh", "-ec", line]).stdin(Stdio::null());
        nsenter.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("DEBIAN_FRONTEND", "noninteractive");
        nsenter.env("LC_ALL", "C.UTF-8").output().context("cannot start nsenter")
    }

    fn wait_until_started(&self) -> Result<()> {
        for _ in 0..LOOKS {
            let state = self.shell("systemctl is-system-running")?.stdout;
            let state = String::from_utf8_lossy(&state).trim().to_owned();
            if ["running", "degraded"].contains(&state.as_str()) {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
        bail!("its systemd does not start")
    }
}

/// The child of systemd-nspawn, once there is one.
fn first_process(container: &mut Background) -> Result<String> {
    let id = container.id();
    let children = PathBuf::from(format!("/proc/{id}/task/{id}/children"));
    for _ in 0..LOOKS {
        let text = fs::read_to_string(&children).unwrap_or_default();
        if let Some(child) = text.split_whitespace().next() {
            return Ok(child.to_owned());
        }
        ensure!(!container.has_ended(), "it ended at once");
        std::thread::sleep(LOOK);
    }
    bail!("it starts nothing")
}

/// A system that nothing was installed on yet. It is made once and kept.
fn base(target: &Path) -> Result<PathBuf> {
    let text = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let release = codename(&text).context("/etc/os-release names no VERSION_CODENAME")?;
    let base = target.join("machines").join(release);
    if !base.is_dir() {
        // Under another name until it is whole.
        let unfinished = target.join("machines").join(format!("{release}-unfinished"));
        super::anew(&unfinished)?;
        let mut debootstrap = Command::new(programs::find("debootstrap").context("cannot find debootstrap")?);
        debootstrap.args(["--variant=minbase", PACKAGES, release]).arg(&unfinished);
        debootstrap.env("PATH", programs::path_variable()?);
        ensure!(process::run(&mut debootstrap)?.success(), "debootstrap failed");
        fs::rename(&unfinished, &base)?;
    }
    Ok(base)
}

fn codename(os_release: &str) -> Option<&str> {
    let value = os_release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="))?.trim_matches('"');
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_read_with_and_without_quotes() {
        assert_eq!(codename("ID=debian\nVERSION_CODENAME=bookworm\n"), Some("bookworm"));
        assert_eq!(codename("VERSION_CODENAME=\"noble\"\n"), Some("noble"));
        assert_eq!(codename("ID=debian\nVERSION_CODENAME=\n"), None);
    }
}
