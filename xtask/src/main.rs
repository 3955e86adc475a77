//! `cargo xtask`: the tasks of development, written in Rust so that whoever can build the product can run them.

mod bench;
mod console;
mod dist;
mod postgres;
mod process;
mod programs;
mod run;
mod tally;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

/// Tasks of development.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Build the server and run it on this machine, on embedded SQLite.
    Run(run::Options),
    /// Run everything that continuous integration runs, installing what it needs where it may.
    Test(test::Options),
    /// Measure what the product costs, as ratios to a floor of the same run.
    Bench(bench::Options),
    /// Build the console, which the next build of the server then holds.
    Console,
    /// Make Debian packages of the server and the agent.
    Dist(dist::Options),
    /// Check what no compiler checks: who depends on whom, licences, and how files are laid out.
    Tidy,
}

fn main() -> ExitCode {
    let ended = match Task::parse() {
        Task::Run(options) => run::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Console => console::run(),
        Task::Dist(options) => dist::run(&options),
        Task::Tidy => tidy::run(),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
