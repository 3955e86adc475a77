//! `cargo xtask test`: everything that stands between a change and the main line, in the order of how soon it tells.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::console;
use crate::postgres::{self, Postgres};
use crate::process;
use crate::programs;
use crate::tally::Tally;
use crate::tidy;
use crate::workspace;

/// Where nextest's profile `ci` writes its report, below the target directory.
const REPORT: &str = "nextest/ci/junit.xml";

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Arguments for the test runner, such as `-p stratora-auth`: then only the tests that they choose are run.
    #[arg(last = true)]
    runner_arguments: Vec<OsString>,
}

/// Runs it all, however much fails, and ends with the number of tests.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    process::outlive_signals()?;
    programs::require_or_install(&programs::FOR_TESTS)?;
    // The server that is tested holds it.
    console::build_if_stale()?;
    let mut run = Run::begin()?;
    if options.runner_arguments.is_empty() {
        run.checks()?;
        run.tests(&[])?;
        run.doc_tests()?;
        run.supply_chain()?;
    } else {
        run.tests(&options.runner_arguments)?;
    }
    Ok(run.end())
}

/// What has been run so far.
struct Run {
    path: OsString,
    failed: Vec<&'static str>,
    tests: Tally,
}

impl Run {
    fn begin() -> Result<Self> {
        Ok(Self { path: programs::path_variable()?, failed: Vec::new(), tests: Tally::default() })
    }

    fn checks(&mut self) -> Result<()> {
        self.step("tidy", tidy::passes)?;
        self.step("console", console::check)?;
        self.cargo("format", ["fmt", "--all", "--check"])?;
        self.cargo("clippy", ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
        let mut doc = self.command(["doc", "--workspace", "--no-deps"]);
        doc.env("RUSTDOCFLAGS", "-D warnings");
        self.step("documentation", || Ok(process::run(&mut doc)?.success()))
    }

    /// The tests of every crate, on one PostgreSQL that they share.
    fn tests(&mut self, arguments: &[OsString]) -> Result<()> {
        let given = std::env::var_os(postgres::VARIABLE);
        let own = if given.is_none() { Some(Postgres::start()?) } else { None };
        let url = given.or_else(|| own.as_ref().map(|postgres| postgres.url().into())).unwrap_or_default();

        if programs::find("cargo-nextest").is_none() {
            let mut command = self.command(["test", "--all-targets", "--no-fail-fast"]);
            command.args(arguments).env(postgres::VARIABLE, url);
            return self.libtest("tests", &mut command);
        }
        let report = workspace::target_directory()?.join(REPORT);
        if report.exists() {
            fs::remove_file(&report).with_context(|| format!("cannot remove {}", report.display()))?;
        }
        let mut command = self.command(["nextest", "run", "--profile", "ci"]);
        command.args(arguments).env(postgres::VARIABLE, url);
        self.step("tests", || Ok(process::run(&mut command)?.success()))?;
        self.tests += fs::read_to_string(report).ok().and_then(|report| Tally::of_junit(&report)).unwrap_or_default();
        Ok(())
    }

    /// nextest does not run them.
    fn doc_tests(&mut self) -> Result<()> {
        let mut command = self.command(["test", "--doc", "--workspace", "--quiet"]);
        self.libtest("doc tests", &mut command)
    }

    fn supply_chain(&mut self) -> Result<()> {
        if programs::find("cargo-deny").is_none() {
            println!(
                "\ncargo-deny is not installed: tidy has read the licences and sources of .cargo/deny.toml instead"
            );
            return Ok(());
        }
        self.cargo("cargo-deny", ["deny", "--workspace", "check", "licenses", "bans", "sources"])
    }

    fn cargo<const N: usize>(&mut self, name: &'static str, arguments: [&str; N]) -> Result<()> {
        let mut command = self.command(arguments);
        self.step(name, || Ok(process::run(&mut command)?.success()))
    }

    fn libtest(&mut self, name: &'static str, command: &mut Command) -> Result<()> {
        let mut tally = Tally::default();
        self.step(name, || {
            let (status, output) = process::run_and_keep(command)?;
            tally = Tally::of_libtest(&output);
            Ok(status.success())
        })?;
        self.tests += tally;
        Ok(())
    }

    fn command<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut cargo = workspace::cargo();
        cargo.args(arguments.map(OsStr::new)).env("PATH", &self.path);
        cargo
    }

    fn step(&mut self, name: &'static str, action: impl FnOnce() -> Result<bool>) -> Result<()> {
        println!("\n== {name} ==");
        let passed = action()?;
        anyhow::ensure!(!process::interrupted(), "interrupted");
        if !passed {
            self.failed.push(name);
        }
        Ok(())
    }

    fn end(self) -> ExitCode {
        println!();
        if !self.failed.is_empty() {
            println!("failed: {}", self.failed.join(", "));
        }
        // Continuous integration reads the last line.
        println!("{}", self.tests);
        if self.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
