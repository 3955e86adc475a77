//! The program `stratora-agent`.

use std::process::ExitCode;

use clap::Parser as _;
use stratora_agent::command_line::CommandLine;

fn main() -> ExitCode {
    stratora_agent::run(&CommandLine::parse())
}
