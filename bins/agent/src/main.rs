//! The program `stratora-agent`.

use clap::Parser as _;
use stratora_agent::command_line::CommandLine;

fn main() {
    let _line = CommandLine::parse();
}
