//! A time-series store.

use std::net::TcpStream;
use std::process::Command;

use tempfile::TempDir;

use crate::process::{Background, until};
use crate::{Client, free_port};

/// A running `VictoriaMetrics`. Fields are dropped in this order: the server before its files.
pub struct VictoriaMetrics {
    _server: Background,
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
        let server = Background::start(&mut command, directory.path(), "victoria-metrics")?;
        until("VictoriaMetrics", || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Self { _server: server, _directory: directory, port })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The series that match `selector`, each as its labels, once what was written so far is visible.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn series(&self, selector: &str) -> anyhow::Result<Vec<serde_json::Value>> {
        let client = Client::new(self.url())?;
        client.get("/internal/force_flush").send().await?;
        let answer = client.get("/api/v1/series").query(&[("match[]", selector), ("start", "0")]).send().await?;
        Ok(answer.json().get("data").and_then(serde_json::Value::as_array).cloned().unwrap_or_default())
    }
}
