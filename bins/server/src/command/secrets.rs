//! The keys under which secrets are stored, and their rotation.

use clap::{Subcommand, ValueEnum};
use stratora_audit::Origin;
use stratora_token::OsEntropy;

use crate::compose::{Core, connect};
use crate::key_file;
use crate::settings::Settings;

/// `secrets`.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a new key and store every secret under it. Running servers on this machine find the new key by themselves. With
    /// servers on several machines: `--only add-key`, copy the key file to the others, then `--only reseal`.
    Rotate {
        /// One of the two steps.
        #[arg(long)]
        only: Option<Step>,
    },
}

/// A step of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Step {
    /// Add a key to the key file.
    AddKey,
    /// Store every secret under the newest key.
    Reseal,
}

pub(super) async fn run(command: Command, settings: &Settings) -> anyhow::Result<()> {
    let Command::Rotate { only } = command;
    let path = &settings.security.key_file;
    if only != Some(Step::Reseal) {
        let version = key_file::add_sealing_key(path, &OsEntropy)?;
        eprintln!("{} has key {version} now.", path.display());
    }
    if only != Some(Step::AddKey) {
        let storage = connect(settings).await?;
        storage.check_schema().await?;
        let core = Core::build(settings, storage, key_file::load(path)?)?;
        let resealed = core.services.providers.reseal(&Origin::command_line()).await?;
        eprintln!("{resealed} secrets were stored under the newest key; all others were already.");
    }
    Ok(())
}
