//! A second cluster that follows the first and takes its place.

use anyhow::{Context as _, ensure};

use super::{Owner, Postgres, serve};
use crate::free_port;
use crate::postgres_database::run_on;

impl Postgres {
    /// Starts a synchronous standby: from now on a commit here is answered when it is there too, if its session has
    /// `synchronous_commit` on.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_standby(&self) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("stratora-standby-").tempdir()?;
        let owner = Owner::of_clusters()?;
        owner.take(directory.path())?;
        let mut copy = owner.command("pg_basebackup")?;
        copy.args([
            "--host=127.0.0.1",
            "--username=stratora",
            "--checkpoint=fast",
            "--no-sync",
            "--write-recovery-conf",
        ]);
        copy.arg(format!("--port={}", self.port)).arg("--pgdata").arg(directory.path().join("data"));
        let copied = copy.output().context("cannot start pg_basebackup")?;
        ensure!(copied.status.success(), "pg_basebackup failed: {}", String::from_utf8_lossy(&copied.stderr));
        let port = free_port()?;
        let server = serve(&owner, directory.path(), port)?;
        run_on(
            &self.server_url(),
            "postgres",
            "ALTER SYSTEM SET synchronous_standby_names = '*'; SELECT pg_reload_conf()",
        )?;
        Ok(Self { server, port, owner, directory })
    }

    /// Makes a standby a server of its own, which accepts writes.
    ///
    /// # Errors
    /// When it does not.
    pub fn promote(&self) -> anyhow::Result<()> {
        let mut promote = self.owner.command("pg_ctl")?;
        promote.args(["promote", "--wait", "--pgdata"]).arg(self.directory.path().join("data"));
        let promoted = promote.output().context("cannot start pg_ctl")?;
        ensure!(promoted.status.success(), "pg_ctl failed: {}", String::from_utf8_lossy(&promoted.stderr));
        Ok(())
    }

    /// Ends the server as when its machine fails: nobody is told more than that the connection is gone.
    ///
    /// # Errors
    /// When it does not end.
    pub fn fail(&mut self) -> anyhow::Result<()> {
        self.server.stop(rustix::process::Signal::QUIT).map(drop)
    }
}
