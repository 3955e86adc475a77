//! Processes that a test starts, so that none outlives it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How often, and how many times, to look whether something is ready: half a minute in all.
const LOOK: Duration = Duration::from_millis(25);
const LOOKS: u32 = 1200;

/// Looks until `ready` says yes.
///
/// # Errors
/// When it has not after half a minute.
pub fn until(what: &str, mut ready: impl FnMut() -> bool) -> anyhow::Result<()> {
    for _ in 0..LOOKS {
        if ready() {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
    bail!("{what}: not within half a minute")
}

/// A process whose output goes to files, and that is killed when this is dropped.
pub struct Background {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Background {
    /// Starts a command; its output goes to `<name>.out` and `<name>.err` in `directory`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(command: &mut Command, directory: &Path, name: &str) -> anyhow::Result<Self> {
        let (stdout, stderr) = (directory.join(format!("{name}.out")), directory.join(format!("{name}.err")));
        let append = |path: &Path| File::options().create(true).append(true).open(path);
        let child = command.stdin(Stdio::null()).stdout(append(&stdout)?).stderr(append(&stderr)?).spawn();
        let child = child.with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self { child, stdout, stderr })
    }

    /// What it has printed on its standard output.
    pub fn stdout(&self) -> String {
        fs::read_to_string(&self.stdout).unwrap_or_default()
    }

    /// What it has printed on its standard error.
    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        // The only failure is that it has ended already.
        let _sent = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it has not ended after half a minute.
    pub fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        until("the end of a process", || self.has_ended())?;
        self.child.try_wait()?.context("it has not ended")
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // Killed already, or going to be: either way it is waited for.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}
