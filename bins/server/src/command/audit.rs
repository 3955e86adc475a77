//! Checks the audit log from its first record to its last.

use std::process::ExitCode;

use clap::Subcommand;
use stratora_audit::{AuditLog as _, Broken, Head, Verifier};

use crate::compose::Core;

/// How many records are read at a time.
const BATCH: usize = 1000;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check that nothing was changed, removed or moved.
    Verify,
}

pub(super) async fn run(command: Command, core: &Core) -> anyhow::Result<ExitCode> {
    let Command::Verify = command;
    // Read first: what is written meanwhile comes behind it and is not looked at.
    let head = core.storage.head().await?;
    match verify(core, head).await? {
        Ok(records) => {
            eprintln!("The audit log is whole: {records} records, the last with hash {}.", head.hash);
            Ok(ExitCode::SUCCESS)
        }
        Err(broken) => {
            eprintln!("The audit log is not what was written: {broken}.");
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn verify(core: &Core, head: Head) -> anyhow::Result<Result<u64, Broken>> {
    let mut verifier = Verifier::from(Head::EMPTY);
    let mut after = 0;
    while after < head.seq {
        let records = core.storage.records_after(after, BATCH).await?;
        let Some(last) = records.last() else { break };
        after = last.seq;
        for record in records.iter().filter(|record| record.seq <= head.seq) {
            if let Err(broken) = verifier.next(record) {
                return Ok(Err(broken));
            }
        }
    }
    Ok(verifier.finish(head))
}
