//! A time-series store.

use std::net::TcpStream;
use std::process::Command;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Background, until};
use crate::{Client, free_port};

/// A running `VictoriaMetrics`. Fields are dropped in this order: the server before its files.
pub struct VictoriaMetrics {
    server: Background,
    _directory: TempDir,
    port: u16,
}

impl VictoriaMetrics {
    /// Starts one without data.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let port = free_port()?;
        let mut command = Command::new("victoria-metrics");
        command
            .arg(format!("-storageDataPath={}", directory.path().join("data").display()))
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            // What was written is seen at once.
            .arg("-search.latencyOffset=0s");
        let mut server = Background::start(&mut command, directory.path(), "victoria-metrics")?;
        let listens = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        until("VictoriaMetrics", || listens() || server.has_ended()).with_context(|| server.output())?;
        ensure!(!server.has_ended(), "VictoriaMetrics ended at once: {}", server.output());
        Ok(Self { server, _directory: directory, port })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The series that match `selector`, each as its labels, once what was written so far is visible.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn series(&self, selector: &str) -> anyhow::Result<Vec<Value>> {
        let found = self.ask("/api/v1/series", &[("match[]", selector), ("start", "0")]).await?;
        Ok(found.as_array().cloned().unwrap_or_default())
    }

    /// What an expression of `MetricsQL` is at the end of this second, once what was written so far is visible: for each
    /// series its labels as `metric`, and as `value` the time and, as text, the value.
    ///
    /// # Errors
    /// When it does not answer, or refuses the expression.
    pub async fn query(&self, expression: &str) -> anyhow::Result<Vec<Value>> {
        // By itself it takes the last full second for now, before what was just written.
        let now = self.ask("/api/v1/query", &[("query", "time()")]).await?;
        let second = now.pointer("/result/0/value/0").and_then(Value::as_i64).context("it tells no time")?;
        let end = (second + 1).to_string();
        // The cache would round the time down again.
        let parameters = [("query", expression), ("time", &end), ("nocache", "1")];
        let found = self.ask("/api/v1/query", &parameters).await?;
        Ok(found.get("result").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// Stops it. Nobody listens at its address afterwards.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.server.stop(Signal::INT).map(drop)
    }

    async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> anyhow::Result<Value> {
        let client = Client::new(self.url())?;
        client.get("/internal/force_flush").send().await?;
        let answer = client.get(path).query(parameters).send().await?;
        ensure!(answer.status == 200, "VictoriaMetrics: {}", answer.text());
        Ok(answer.json().get("data").cloned().unwrap_or_default())
    }
}
