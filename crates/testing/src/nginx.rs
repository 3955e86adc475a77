//! The reverse proxy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::process::{Background, until};

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
            "daemon off;\nworker_processes 2;\n{}pid {};\nerror_log stderr warn;\nevents {{}}\nhttp {{\n{temporary}    \
             include {};\n}}\n",
            // As root NGINX would hand its workers to an account that cannot look into a temporary directory.
            if rustix::process::geteuid().is_root() { "user root;\n" } else { "" },
            pid.display(),
            site.display(),
        );
        fs::write(&configuration, text)?;
        let mut nginx =
            Self { server: Background::start(&mut command(&configuration), directory, "nginx")?, configuration };
        until("NGINX", || pid.exists() || nginx.server.has_ended())?;
        ensure!(!nginx.server.has_ended(), "NGINX refused the site: {}", nginx.server.stderr());
        Ok(nginx)
    }

    /// Has it read its configuration again.
    ///
    /// # Errors
    /// When the configuration is refused.
    pub fn reload(&self) -> anyhow::Result<()> {
        let status = command(&self.configuration).args(["-s", "reload"]).status().context("cannot run nginx")?;
        ensure!(status.success(), "NGINX refused to reload");
        Ok(())
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
        // The master ends its workers; killed, it would leave them.
        self.server.signal(rustix::process::Signal::TERM);
        let _ended = self.server.wait();
    }
}
