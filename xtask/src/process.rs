//! Processes that a task starts, so that none outlives it.
//!
//! A task that has something in the background calls [`outlive_signals`] first: a signal then ends the process in the
//! foreground, and the task goes on to stop what is behind it.

use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

static FOREGROUND: Mutex<Option<Pid>> = Mutex::new(None);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From here on a signal that asks this process to stop is passed to the one in the foreground.
pub(crate) fn outlive_signals() -> Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("cannot listen for signals")?;
    std::thread::spawn(move || {
        for signal in &mut signals {
            INTERRUPTED.store(true, Ordering::Relaxed);
            // A terminal has sent Ctrl-C to every process already; a second one makes some stop without care.
            let sent_by_terminal = signal == SIGINT && std::io::stdin().is_terminal();
            if !sent_by_terminal && let Some(process) = *foreground() {
                terminate(process, Signal::TERM);
            }
        }
    });
    Ok(())
}

/// Whether this process was asked to stop.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Runs a command in the foreground, to its end.
pub(crate) fn run(command: &mut Command) -> Result<ExitStatus> {
    wait(spawn(command)?, command)
}

/// Runs a command in the foreground, to its end, and keeps a copy of what it prints on its standard output.
pub(crate) fn run_and_keep(command: &mut Command) -> Result<(ExitStatus, String)> {
    let mut child = spawn(command.stdout(Stdio::piped()))?;
    let mut kept = String::new();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.context("cannot read what a command prints")?;
            writeln!(std::io::stdout(), "{line}")?;
            kept.push_str(&line);
            kept.push('\n');
        }
    }
    Ok((wait(child, command)?, kept))
}

fn spawn(command: &mut Command) -> Result<Child> {
    let child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    *foreground() = Some(Pid::from_child(&child));
    Ok(child)
}

fn wait(mut child: Child, command: &Command) -> Result<ExitStatus> {
    let status = child.wait();
    *foreground() = None;
    status.with_context(|| format!("cannot wait for {}", command.get_program().display()))
}

fn foreground() -> std::sync::MutexGuard<'static, Option<Pid>> {
    FOREGROUND.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process that is stopped when this is dropped.
pub(crate) struct Background(Child);

impl Background {
    /// Starts a command behind the foreground.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).spawn();
        child.map(Self).with_context(|| format!("cannot start {}", command.get_program().display()))
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }

    /// Stops it, and waits until it has ended.
    pub(crate) fn stop(&mut self) {
        // An interrupt is what both PostgreSQL and VictoriaMetrics take as "finish now, but orderly".
        if !self.has_ended() {
            terminate(Pid::from_child(&self.0), Signal::INT);
            let _ended = self.0.wait();
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop();
    }
}

fn terminate(process: Pid, signal: Signal) {
    // The only failure is that it has ended already.
    let _sent = kill_process(process, signal);
}
