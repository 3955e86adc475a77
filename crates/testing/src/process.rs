//! Processes that a test starts, so that none outlives it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// How often to look whether something is ready.
const LOOK: Duration = Duration::from_millis(25);

/// How long to look, for what takes a second at most on a machine that has nothing else to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// Looks until `ready` says yes.
///
/// # Errors
/// When it has not after half a minute.
pub fn until(what: &str, ready: impl FnMut() -> bool) -> anyhow::Result<()> {
    until_within(PATIENCE, what, ready)
}

pub(crate) fn until_within(timeout: Duration, what: &str, mut ready: impl FnMut() -> bool) -> anyhow::Result<()> {
    for _ in 0..=timeout.as_millis() / LOOK.as_millis() {
        if ready() {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
    bail!("{what}: not within {timeout:?}")
}

/// A process whose output goes to files, and that is killed when this is dropped.
pub struct Background {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    /// How long each file was before, when a process of the same name has run there.
    before: [u64; 2],
}

impl Background {
    /// Starts a command; its output is added to `<name>.out` and `<name>.err` in `directory`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(command: &mut Command, directory: &Path, name: &str) -> anyhow::Result<Self> {
        let (stdout, stderr) = (directory.join(format!("{name}.out")), directory.join(format!("{name}.err")));
        let append = |path: &Path| File::options().create(true).append(true).open(path);
        let (out, err) = (append(&stdout)?, append(&stderr)?);
        let before = [out.metadata()?.len(), err.metadata()?.len()];
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        let child = child.with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self { child, stdout, stderr, before })
    }

    /// What is in the file of its standard output.
    pub fn stdout(&self) -> String {
        read(&self.stdout, 0)
    }

    /// What is in the file of its standard error.
    pub fn stderr(&self) -> String {
        read(&self.stderr, 0)
    }

    /// What this process itself has printed so far: its standard output, then its standard error.
    pub fn output(&self) -> String {
        let [stdout, stderr] = self.before;
        read(&self.stdout, stdout) + &read(&self.stderr, stderr)
    }

    /// Waits until this process has printed a line that contains `part`, on either output. Returns the line.
    ///
    /// # Errors
    /// With all that it has printed, when it ends before or `timeout` has passed.
    pub fn wait_for_line(&mut self, part: &str, timeout: Duration) -> anyhow::Result<String> {
        let mut found = None;
        let waited = until_within(timeout, part, || {
            // In this order: what it prints last is there once it has ended.
            let ended = self.has_ended();
            let output = self.output();
            found = output
                .split_inclusive('\n')
                .find(|line| line.ends_with('\n') && line.contains(part))
                .map(str::to_owned);
            found.is_some() || ended
        });
        let context = || format!("{part:?} is not in its output: {}", self.output());
        waited.with_context(context)?;
        found.map(|line| line.trim_end().to_owned()).with_context(context)
    }

    /// The identifier of the process.
    pub fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends it a signal. After one that freezes it, nothing in it runs any more.
    pub fn signal(&self, signal: Signal) {
        // The only failure is that it has ended already.
        let sent = kill_process(self.id(), signal);
        if sent.is_ok() && signal == Signal::STOP {
            // Its threads stop one after the other.
            let _stands =
                waitid(WaitId::Pid(self.id()), WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it has not ended after half a minute.
    pub fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        until("the end of a process", || self.has_ended())?;
        self.child.try_wait()?.context("it has not ended")
    }

    /// Asks it with `signal` to end, unless it has, and waits for that.
    ///
    /// # Errors
    /// When it has not ended after half a minute.
    pub fn stop(&mut self, signal: Signal) -> anyhow::Result<ExitStatus> {
        // The identifier of a process that was waited for may be another's by now.
        if !self.has_ended() {
            self.signal(signal);
        }
        self.wait()
    }
}

fn read(path: &Path, from: u64) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let bytes = usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

impl Drop for Background {
    fn drop(&mut self) {
        // Killed already, or going to be: either way it is waited for.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}
