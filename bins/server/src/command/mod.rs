//! The command line. Secrets that a command makes are the only thing on its standard output; everything else goes to
//! standard error, so that scripts can use it. Exit status 0: done, 1: refused or failed, 2: wrong usage.

mod accounts;
mod audit;
mod keys;
mod nginx;
mod secrets;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::compose::{Core, connect};
use crate::settings::Settings;
use crate::{key_file, serve, telemetry};

/// Stratora's security core.
#[derive(Debug, Parser)]
#[command(name = "stratora-server", version)]
pub struct CommandLine {
    /// The settings; else /etc/stratora/config.yaml, else ./config.yaml, else the defaults.
    #[arg(long, global = true, env = "STRATORA_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until told to stop.
    Serve,
    /// Bring the database's schema up to date.
    Migrate,
    /// Let an administrator back in.
    #[command(subcommand)]
    Admin(accounts::Admin),
    /// Create, rotate, revoke and list component keys.
    #[command(subcommand)]
    Keys(keys::Command),
    /// End sessions.
    #[command(subcommand)]
    Sessions(accounts::Sessions),
    /// Check the audit log.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Take over users of another installation: a JSON object a line with `username`, `role`, `password_hash` and, if you like,
    /// `display_name` and `email`.
    ImportUsers {
        /// The file.
        file: PathBuf,
    },
    /// The keys under which secrets are stored in the database.
    #[command(subcommand)]
    Secrets(secrets::Command),
    /// The NGINX site.
    #[command(subcommand)]
    Nginx(Box<nginx::Command>),
}

/// How long the end waits for a query on SQLite that nobody waits for any more. What it has not written, it rolls back.
const LEFT_RUNNING: Duration = Duration::from_secs(2);

/// Carries out a command.
pub fn run(line: CommandLine) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let code = runtime.block_on(execute(line)).unwrap_or_else(|error| failed(&error));
    runtime.shutdown_timeout(LEFT_RUNNING);
    code
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("stratora-server: {error:#}");
    ExitCode::FAILURE
}

async fn execute(line: CommandLine) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(line.config.as_deref())?;
    telemetry::start(&settings.log)?;
    match line.command {
        Command::Serve => serve::serve(&settings).await?,
        Command::Migrate => {
            let applied = connect(&settings).await?.migrate().await?;
            eprintln!("The schema is up to date; {} migrations were run.", applied.len());
        }
        Command::Admin(command) => accounts::admin(command, &core(&settings).await?).await?,
        Command::Keys(command) => keys::run(command, &core(&settings).await?).await?,
        Command::Sessions(command) => accounts::sessions(command, &core(&settings).await?).await?,
        Command::Audit(command) => return audit::run(command, &core(&settings).await?).await,
        Command::ImportUsers { file } => accounts::import(&file, &core(&settings).await?).await?,
        Command::Secrets(command) => secrets::run(command, &settings).await?,
        Command::Nginx(command) => nginx::run(*command, &settings)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The parts, for a command that works on the database beside a server that may be running.
async fn core(settings: &Settings) -> anyhow::Result<Core> {
    let storage = connect(settings).await?;
    storage.check_schema().await?;
    storage.visit().await?;
    // Only the server makes keys: a command that is run elsewhere by mistake leaves none behind.
    let keys = key_file::load(&settings.security.key_file)?;
    Core::build(&Settings { cache: settings.cache.of_command(), ..settings.clone() }, storage, keys)
}
