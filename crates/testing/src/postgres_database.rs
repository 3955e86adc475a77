//! A database that a test has for itself.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, ensure};

use crate::{Postgres, free_port, programs};

/// A database of its own. Gone with the cluster.
pub struct PostgresDatabase {
    server: String,
    name: String,
    /// Runs while somebody holds it.
    _own: Option<Arc<Postgres>>,
}

impl PostgresDatabase {
    /// Makes one on [`Postgres::shared`].
    ///
    /// # Errors
    /// When there is no server, or with what it says.
    pub fn create() -> anyhow::Result<Self> {
        Postgres::shared()?.create_database()
    }

    pub(crate) fn create_on(server: String, own: Option<Arc<Postgres>>) -> anyhow::Result<Self> {
        // The port is only a number that no other test has.
        let name = format!("test_{}_{}", std::process::id(), free_port()?);
        let database = Self { server, name, _own: own };
        database.run_in("postgres", &format!("CREATE DATABASE {}", database.name))?;
        Ok(database)
    }

    /// What it is called on its server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its connection URL.
    pub fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    /// Runs SQL in it, past the product.
    ///
    /// # Errors
    /// With what PostgreSQL says.
    pub fn run(&self, sql: &str) -> anyhow::Result<String> {
        self.run_in(&self.name, sql)
    }

    /// Cuts all connections and lets nobody in until [`Self::let_in`].
    ///
    /// # Errors
    /// With what PostgreSQL says.
    pub fn shut_out(&self) -> anyhow::Result<()> {
        let name = &self.name;
        self.run_in("postgres", &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"))?;
        let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        self.run_in("postgres", &cut).map(drop)
    }

    /// Undoes [`Self::shut_out`].
    ///
    /// # Errors
    /// With what PostgreSQL says.
    pub fn let_in(&self) -> anyhow::Result<()> {
        self.run_in("postgres", &format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name)).map(drop)
    }

    /// From now on it is found on `server`, a standby that was promoted.
    pub fn move_to(&mut self, server: &Postgres) {
        self.server = server.server_url();
    }

    fn run_in(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        run_on(&self.server, database, sql)
    }
}

/// Runs SQL in a database of `server`, one statement after the other.
pub(crate) fn run_on(server: &str, database: &str, sql: &str) -> anyhow::Result<String> {
    let mut psql = Command::new(programs::find_postgres("psql")?);
    psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", &format!("{server}/{database}"), "-f", "-"]);
    psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = psql.spawn().context("cannot run psql")?;
    // Not as an argument, which may be too long.
    running.stdin.take().context("no way into psql")?.write_all(sql.as_bytes())?;
    let output = running.wait_with_output().context("cannot run psql")?;
    ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
