//! `stratora-server`: the command line. What each command does stands in [`stratora_server::command`].

use std::process::ExitCode;

use clap::Parser as _;
use stratora_server::command::{self, CommandLine};

fn main() -> ExitCode {
    command::run(CommandLine::parse())
}
