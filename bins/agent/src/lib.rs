//! The agent of a host: enrolls once, reports, pulls a configuration, and never loses its key.
//!
//! [`control`] is the round that comes every ten seconds, [`shipping`] brings metrics to the server, and [`pulling`] a
//! configuration from it; they run side by side on one thread and share [`agent::Agent`] and [`standing::Connection`]. What must not be lost is in
//! the settings ([`store::SettingsStore`]), which are replaced as a whole.

use std::process::ExitCode;

use command_line::{Action, CommandLine};

pub mod agent;
pub mod backoff;
pub mod buffer;
pub mod client;
pub mod clock;
pub mod command_line;
pub mod configuration;
pub mod control;
pub mod enrollment;
pub mod heartbeat;
pub mod host;
pub mod log;
pub mod metrics;
pub mod outage;
pub mod pulling;
pub mod random;
pub mod registry;
pub mod replace;
pub mod rotation;
pub mod secret;
pub mod settings;
#[cfg(unix)]
pub mod settings_file;
pub mod shipping;
pub mod signals;
pub mod skew;
pub mod standing;
pub mod state;
pub mod status;
pub mod store;

/// Does what the command line says.
pub fn run(line: &CommandLine) -> ExitCode {
    #[cfg(unix)]
    let store = settings_file::SettingsFile::new(&line.config);
    #[cfg(windows)]
    let store = registry::Registry;
    match line.action.unwrap_or(Action::Run) {
        Action::Status => status::show(line, &store),
        Action::Run => {
            log::start();
            match work(line, Box::new(store)) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    tracing::error!("{}", crate::log::causes(&error));
                    ExitCode::FAILURE
                }
            }
        }
    }
}

fn work(line: &CommandLine, store: Box<dyn store::SettingsStore>) -> Result<(), agent::StartError> {
    // Fails only if there is one already, which is as good.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    // One thread is enough for a request every few seconds, and takes the least memory.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anything else: a signal that nobody listens for would end the program.
    let signals = runtime.block_on(async { signals::Signals::new() })?;
    let (agent, settings) = agent::Agent::open(line, store)?;
    let ended = runtime.block_on(agent.run(settings, signals));
    // A name that is being looked up must not hold up the end.
    runtime.shutdown_background();
    ended
}
