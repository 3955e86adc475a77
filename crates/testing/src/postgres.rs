//! Databases on the PostgreSQL that `cargo xtask test` starts for a run.

use std::process::Command;

use anyhow::{Context as _, ensure};

/// A database of its own. Gone with the cluster, at the end of the run.
pub struct PostgresDatabase {
    server: String,
    name: String,
}

impl PostgresDatabase {
    /// Makes one.
    ///
    /// # Errors
    /// When the tests were not started by `cargo xtask test`, or the server does not answer.
    pub fn create() -> anyhow::Result<Self> {
        let server = std::env::var("STRATORA_TEST_POSTGRES_URL")
            .context("STRATORA_TEST_POSTGRES_URL is not set: start the tests with `cargo xtask test`")?;
        let name = format!("e2e_{}_{}", std::process::id(), crate::free_port()?);
        let database = Self { server, name };
        database.run_in("postgres", &format!("CREATE DATABASE {}", database.name))?;
        Ok(database)
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

    fn run_in(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let url = format!("{}/{database}", self.server);
        let output = Command::new("psql").args(["-qAt", "-v", "ON_ERROR_STOP=1", "-d", &url, "-c", sql]).output();
        let output = output.context("cannot run psql")?;
        ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
