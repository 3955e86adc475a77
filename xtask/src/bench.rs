//! `cargo xtask bench`: what the product costs, as ratios to a floor that is measured in the same run. The machine is
//! whatever it is, and shared; a ratio survives that better than a number of requests a second.

mod figures;
mod fleet;
mod load;
mod page;
mod revocation;
mod scale;
mod subject;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::postgres::Postgres;
use crate::programs::{self, NODE, NPM, Program, VICTORIA_METRICS};
use crate::{console, process, workspace};

use figures::Report;
use subject::Subject;

/// What only measuring needs.
const FOR_BENCH: [Program; 6] = [
    Program { name: "wrk", package: "wrk", purpose: "the load" },
    Program { name: "taskset", package: "util-linux", purpose: "a core for the server and one for the load" },
    Program { name: "curl", package: "curl", purpose: "to prepare what is measured" },
    Program { name: "initdb", package: "postgresql", purpose: "PostgreSQL, the database in production" },
    Program { name: "nginx", package: "nginx", purpose: "NGINX, in front of the server" },
    VICTORIA_METRICS,
];

/// What only the console's budgets need.
const FOR_CONSOLE: [Program; 3] =
    [NODE, NPM, Program { name: "chromium", package: "chromium", purpose: "the browser that opens the console" }];

/// How to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many seconds each load lasts, but for those that are cut into short rounds.
    #[arg(long, default_value_t = 4)]
    seconds: u32,
    /// Measure with up to a million keys and sessions instead.
    #[arg(long)]
    scale: bool,
    /// Measure what the agent takes of its host instead, and ten thousand components behind NGINX.
    #[arg(long, conflicts_with = "scale")]
    fleet: bool,
    /// Hold the console to its budgets instead: what it weighs, and how soon it can be used over a slow network.
    #[arg(long, conflicts_with_all = ["scale", "fleet"])]
    console: bool,
    /// Write the figures to a file, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Measures everything. Fails when one of the marks is missed.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    programs::require_or_install(&FOR_BENCH)?;
    if options.console {
        programs::require_or_install(&FOR_CONSOLE)?;
        console::build_if_stale()?;
    }
    build()?;
    process::outlive_signals()?;
    let directory = tempfile::Builder::new().prefix("stratora-bench-").tempdir()?;
    let report = if options.console {
        page::measure(&directory)?
    } else if options.fleet {
        fleet::measure(&directory)?
    } else if options.scale {
        scale::measure(&directory, options.seconds)?
    } else {
        measure(&directory, options.seconds)?
    };
    println!("{}", report.table());
    if let Some(file) = &options.json {
        fs::write(file, report.json()?).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(if report.marks_hold() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn build() -> Result<()> {
    let mut build = workspace::cargo();
    build.args(["build", "--release"]);
    let packages = ["stratora-server", "stratora-agent", "stratora-hashing", "stratora-storage"];
    build.args(packages.iter().flat_map(|name| ["--package", name]));
    build.args(["--bins", "--examples"]).current_dir(workspace::root());
    anyhow::ensure!(process::run(&mut build)?.success(), "the release build failed");
    Ok(())
}

fn measure(directory: &TempDir, seconds: u32) -> Result<Report> {
    let bare = subject::bare(directory.path())?;
    let mut figures = Vec::new();
    {
        let server =
            Subject::start(directory.path(), "sqlite", &format!("sqlite:{}/stratora.db", directory.path().display()))?;
        figures.extend(figures::of_requests("SQLite", &bare, &server)?);
        figures.push(figures::of_ingest(&server, seconds)?);
        figures.push(figures::of_sign_in(&server)?);
        figures.push(figures::of_a_flood(&server, seconds)?);
    }
    let postgres = Postgres::start()?;
    let server = Subject::start(directory.path(), "postgres", &format!("{}/postgres", postgres.url()))?;
    figures.extend(figures::of_requests("PostgreSQL", &bare, &server)?);
    drop(server);
    figures.push(revocation::measure(directory)?);
    Ok(Report::new(figures))
}
