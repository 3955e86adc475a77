//! `stratora-server`: the command line. What each command does stands in [`stratora_server::command`].

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;
use stratora_server::command::{self, CommandLine};

/// A request takes some dozen small pieces of memory, which the C library's allocator is slow to find and to put together again.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    command::run(CommandLine::parse())
}
