//! An OpenID provider that is not ours: the certified one of npm's `oidc-provider`.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::Background;
use crate::{Client, node};

/// It makes an RSA key first.
const START: Duration = Duration::from_mins(1);

/// A running provider. Fields are dropped in this order: the server before its files.
pub struct OidcProvider {
    server: Background,
    _directory: TempDir,
    issuer: String,
    control: Client,
}

/// What a client was told of a session that the provider ended.
#[derive(Debug, Clone, Deserialize)]
pub struct BackchannelLogout {
    /// The client.
    pub client_id: String,
    /// The session, as ID tokens call it.
    pub sid: Option<String>,
    /// What was sent.
    pub logout_token: Option<String>,
    /// Why the client did not accept it; none when it did.
    pub error: Option<String>,
}

impl OidcProvider {
    /// Starts one. What `settings` may hold is at the top of `node/oidc-provider.mjs`:
    ///
    /// ```json
    /// {"mode": "form",
    ///  "accounts": [{"username": "ada", "password": "a", "claims": {"sub": "1", "groups": ["ops", "ops"]}}],
    ///  "clients": [{"client_id": "stratora", "client_secret": "s", "redirect_uris": ["https://localhost/callback"]}]}
    /// ```
    ///
    /// # Errors
    /// When Node is not installed, or the settings are refused, with why.
    pub fn start(settings: &Value) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut command = node::program("oidc-provider.mjs")?;
        let mut server = Background::start(command.arg(settings.to_string()), directory.path(), "oidc-provider")?;
        let mut told = |name: &str| {
            let line = server.wait_for_line(name, START)?;
            line.strip_prefix(name).map(str::to_owned).with_context(|| server.output())
        };
        let (control, issuer) = (told("control ")?, told("listening ")?);
        Ok(Self { server, _directory: directory, issuer, control: Client::new(control)? })
    }

    /// Its issuer identifier.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Replaces every signing key. The keys before are published no longer.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn rotate_keys(&self) -> anyhow::Result<()> {
        self.ask("/rotate", &json!({})).await.map(drop)
    }

    /// Ends every session of a user from the provider's side, and tells the clients that asked to be told.
    ///
    /// # Errors
    /// When it does not know the user, or does not answer.
    pub async fn end_session(&self, username: &str) -> anyhow::Result<Vec<BackchannelLogout>> {
        let answer = self.ask("/end-session", &json!({"username": username})).await?;
        Ok(serde_json::from_value(answer.get("told").cloned().unwrap_or_default())?)
    }

    /// Changes `mode`, `account` or `accounts` of the settings for the sign-ins that begin from now on.
    ///
    /// # Errors
    /// When something else is to be changed, or it does not answer.
    pub async fn set(&self, changes: &Value) -> anyhow::Result<()> {
        self.ask("/set", changes).await.map(drop)
    }

    /// How often it was asked for something, such as `GET /jwks`.
    pub fn requests(&self, request: &str) -> usize {
        let line = format!("request {request}");
        self.server.output().lines().filter(|other| **other == line).count()
    }

    /// What it has printed: requests, and why it refused some of them.
    pub fn output(&self) -> String {
        self.server.output()
    }

    /// Stops it. Nobody listens at its address afterwards.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.server.stop(Signal::TERM).map(drop)
    }

    async fn ask(&self, command: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self.control.post(command).json(body).send().await?;
        ensure!(answer.status == 200, "the provider refuses {command}: {}", answer.text());
        Ok(answer.json())
    }
}
