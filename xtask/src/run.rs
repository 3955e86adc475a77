//! `cargo xtask run`: the server on this machine, from a fresh checkout to its sign-in page in one command.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::console;
use crate::process::{self, Background};
use crate::programs::{self, VICTORIA_METRICS};
use crate::workspace;

/// Where the time-series store listens.
const VICTORIA_METRICS_ADDRESS: &str = "127.0.0.1:8428";

/// How to run it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Start VictoriaMetrics too, so that components can send time series.
    #[arg(long)]
    with_victoriametrics: bool,
    /// The port of 127.0.0.1 to listen on.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where the database and the keys live; `.stratora` in the workspace unless given.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Runs the server until it ends or is interrupted.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let data = options.data.clone().unwrap_or_else(|| workspace::root().join(".stratora"));
    prepare(&data, options)?;
    process::outlive_signals()?;
    console::build_if_stale()?;
    let _time_series = options.with_victoriametrics.then(|| start_victoria_metrics(&data)).transpose()?;

    println!("http://localhost:{} keeps its data in {}", options.port, data.display());
    // The optimised build takes twice as long to make, and hashing is optimised in both.
    let mut server = workspace::cargo();
    server.args(["run", "--package", "stratora-server", "--manifest-path"]).arg(workspace::root().join("Cargo.toml"));
    // Paths in the configuration are relative to where the server stands.
    server.args(["--", "--config", "config.yaml", "serve"]).current_dir(&data);
    let status = process::run(&mut server)?;
    Ok(if status.success() || process::interrupted() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn prepare(data: &Path, options: &Options) -> Result<()> {
    // It holds keys.
    let made = DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.with_context(|| format!("cannot make {}", data.display()))?;
    let file = data.join("config.yaml");
    fs::write(&file, configuration(options)).with_context(|| format!("cannot write {}", file.display()))
}

fn configuration(options: &Options) -> String {
    let port = options.port;
    let time_series = if options.with_victoriametrics {
        format!("victoriametrics:\n  url: \"http://{VICTORIA_METRICS_ADDRESS}\"\n")
    } else {
        String::new()
    };
    format!(
        r#"# Written by `cargo xtask run` each time. Change its options, or set variables such as STRATORA__SERVER__PORT.
server:
  host: "127.0.0.1"
  port: {port}
database:
  url: "sqlite:stratora.db"
security:
  key_file: "keys"
{time_series}"#
    )
}

fn start_victoria_metrics(data: &Path) -> Result<Background> {
    programs::require(&[VICTORIA_METRICS])?;
    let program = programs::find(VICTORIA_METRICS.name).context("cannot find VictoriaMetrics")?;
    let mut command = Command::new(program);
    command.arg(format!("-storageDataPath={}", data.join("victoriametrics").display()));
    command.args([&format!("-httpListenAddr={VICTORIA_METRICS_ADDRESS}"), "-loggerLevel=WARN"]);
    Background::start(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(with_victoriametrics: bool) -> Options {
        Options { with_victoriametrics, port: 9090, data: None }
    }

    #[test]
    fn the_server_listens_on_loopback_only_at_the_port_asked_for() {
        let text = configuration(&options(false));
        assert!(text.contains("host: \"127.0.0.1\"\n  port: 9090\n"), "{text}");
    }

    #[test]
    fn time_series_are_configured_only_when_their_store_is_started() {
        assert!(!configuration(&options(false)).contains("victoriametrics"));
        assert!(configuration(&options(true)).ends_with("victoriametrics:\n  url: \"http://127.0.0.1:8428\"\n"));
    }

    #[test]
    fn nobody_else_may_look_into_the_data() {
        use std::os::unix::fs::PermissionsExt;
        let base = tempfile::tempdir().unwrap();
        let data = base.path().join("new");
        prepare(&data, &options(false)).unwrap();
        assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
