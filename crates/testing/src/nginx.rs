//! The reverse proxy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;

use crate::process::{Background, until, until_within};

const WORKERS: usize = 2;
/// Within which time a worker that shuts down is gone: longer than NGINX waits for a silent client or backend.
const DRAINED: Duration = Duration::from_secs(90);

/// A running NGINX.
pub struct Nginx {
    server: Background,
    configuration: PathBuf,
}

impl Nginx {
    /// Starts NGINX with the site at `site`, in `directory`.
    ///
    /// # Errors
    /// When it is not installed, or refuses the site.
    pub fn start(site: &Path, directory: &Path) -> anyhow::Result<Self> {
        let configuration = directory.join("nginx.conf");
        let temporary = ["client_body", "proxy", "fastcgi", "scgi", "uwsgi"]
            .map(|kind| format!("    {kind}_temp_path {};\n", directory.join(kind).display()))
            .concat();
        let pid = directory.join("nginx.pid");
        let text = format!(
            "daemon off;\nworker_processes {WORKERS};\n{}pid {};\nerror_log stderr notice;\nevents {{ worker_connections 16384; }}\nhttp {{\n{temporary}    \
             access_log {};\n    include {};\n}}\n",
            // As root NGINX would hand its workers to an account that cannot look into a temporary directory.
            if rustix::process::geteuid().is_root() { "user root;\n" } else { "" },
            pid.display(),
            // For a site that names none, which would otherwise log to a file of the system.
            directory.join("nginx-access.log").display(),
            site.display(),
        );
        fs::write(&configuration, text)?;
        let mut nginx =
            Self { server: Background::start(&mut command(&configuration), directory, "nginx")?, configuration };
        until("NGINX", || pid.exists() || nginx.server.has_ended())?;
        ensure!(!nginx.server.has_ended(), "NGINX refused the site: {}", nginx.server.output());
        Ok(nginx)
    }

    /// Has it read its configuration again, and waits until the last request under the one before is answered.
    ///
    /// # Errors
    /// When the configuration is refused, with why.
    pub fn reload(&mut self) -> anyhow::Result<()> {
        // A worker that shuts down still passes on what it has accepted; its master says when it is gone.
        let gone = |log: &str| {
            log.lines().filter(|line| line.contains("worker process") && line.contains("exited with code")).count()
        };
        let before = gone(&self.server.output());
        let output = command(&self.configuration).args(["-s", "reload"]).output().context("cannot run nginx")?;
        ensure!(output.status.success(), "NGINX refused to reload: {}", String::from_utf8_lossy(&output.stderr));
        until_within(DRAINED, "the end of NGINX's old workers", || gone(&self.server.output()) >= before + WORKERS)
            .with_context(|| self.server.output())
    }

    /// Stops it; its ports are free afterwards.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        // The master ends its workers; killed, it would leave them.
        self.server.stop(Signal::TERM).map(drop)
    }
}

fn command(configuration: &Path) -> Command {
    let mut command = Command::new("nginx");
    // Before the configuration is read, NGINX would log to a file of the system.
    command.arg("-e").arg("stderr").arg("-c").arg(configuration);
    command
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ended = self.stop();
    }
}
