//! An agent with a directory of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use stratora_testing::{Background, until};

use crate::namespace::Namespace;
use crate::server::Server;

pub(crate) struct Installation {
    directory: tempfile::TempDir,
    /// Where the agent runs, if its file systems are its own.
    namespace: Option<Namespace>,
    pub(crate) server: Server,
}

impl Installation {
    /// One that has a token.
    pub(crate) fn with_token(server: Server) -> Self {
        let token = server.token();
        let settings = serde_json::json!({"server_url": server.url(), "enrollment_token": token});
        Self::with(server, &settings)
    }

    /// One that is a component already.
    pub(crate) fn enrolled(server: Server) -> Self {
        let (id, key) = server.component();
        let settings = serde_json::json!({"server_url": server.url(), "component_id": id, "api_key": key});
        Self::with(server, &settings)
    }

    /// One with these settings.
    pub(crate) fn with(server: Server, settings: &Value) -> Self {
        let installation = Self { directory: tempfile::tempdir().unwrap(), namespace: None, server };
        fs::create_dir(installation.path("etc")).unwrap();
        installation.write_settings(settings);
        installation
    }

    /// Gives it file systems of its own.
    pub(crate) fn apart(mut self) -> Self {
        self.namespace = Some(Namespace::new());
        self
    }

    /// Its file systems, which are its own.
    pub(crate) fn namespace(&self) -> &Namespace {
        self.namespace.as_ref().unwrap()
    }

    /// Puts one of its directories, the settings' or the state's, on a small disk.
    pub(crate) fn on_small_disk(self, name: &str) -> Self {
        let settings = self.settings();
        fs::create_dir_all(self.path(name)).unwrap();
        self.namespace().mount_small_disk(&self.place(name));
        self.write_settings(&settings);
        self
    }

    /// Where the agent finds a file.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Where this process finds it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let place = self.place(name);
        self.namespace.as_ref().map_or_else(|| place.clone(), |namespace| namespace.path(&place))
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("etc/agent.json")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.path("state")
    }

    pub(crate) fn write_settings(&self, settings: &Value) {
        fs::write(self.config(), settings.to_string()).unwrap();
        fs::set_permissions(self.config(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn settings(&self) -> Value {
        serde_json::from_slice(&fs::read(self.config()).unwrap()).unwrap()
    }

    /// Changes one field, as an administrator would.
    pub(crate) fn set(&self, name: &str, value: impl Into<Value>) {
        let mut settings = self.settings();
        settings[name] = value.into();
        self.write_settings(&settings);
    }

    /// The command, with intervals for those who cannot wait.
    pub(crate) fn command(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_stratora-agent");
        let namespace = self.namespace.as_ref();
        let mut command = namespace.map_or_else(|| Command::new(program), |namespace| namespace.command(program));
        command.arg("--config").arg(self.place("etc/agent.json")).arg("--state-directory").arg(self.place("state"));
        command.args(["--interval", "0.05", "--request-timeout", "5"]).env_remove("JOURNAL_STREAM");
        for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn start(&self) -> Background {
        self.start_with(&[])
    }

    pub(crate) fn start_with(&self, arguments: &[&str]) -> Background {
        Background::start(self.command().args(arguments), self.directory(), "agent").unwrap()
    }

    /// Starts it under strace, whose options say which calls to look at and what to make of them. It is a child of this
    /// process all the same: strace is beside it, not above.
    pub(crate) fn start_traced(&self, options: &[&str], arguments: &[&str]) -> Background {
        let plain = self.command();
        let mut command = Command::new("strace");
        command
            .args(["-D", "-qq", "-f", "-y", "-s", "64", "-e", "signal=none", "-o"])
            .arg(self.path("trace"))
            .args(options);
        command.arg(plain.get_program()).args(plain.get_args()).args(arguments);
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Background::start(&mut command, self.directory(), "agent").unwrap()
    }

    /// What strace has seen.
    pub(crate) fn trace(&self) -> String {
        fs::read_to_string(self.path("trace")).unwrap()
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// The key that the settings hold, if it is one and no other.
    pub(crate) fn only_key(&self) -> Option<String> {
        let settings = self.settings();
        let only = settings.get("new_api_key").is_none() && settings.get("enrollment_token").is_none();
        settings["api_key"].as_str().filter(|_| only).map(str::to_owned)
    }

    /// Whether the settings hold one key, and the server takes it, and has seen it.
    pub(crate) fn is_well(&self) -> bool {
        let Some(key) = self.only_key() else { return false };
        let book = self.server.book();
        book.components.values().any(|component| component.key == key && component.used && component.next.is_none())
    }

    /// Whether it has another key than this one, and is well.
    pub(crate) fn has_rotated(&self, from: Option<&String>) -> bool {
        self.only_key().as_ref() != from && self.is_well()
    }

    /// Whether the agent is well, and nothing is asked of it.
    pub(crate) fn is_through(&self) -> bool {
        self.is_well() && !self.server.book().components.values().any(|component| component.rotate)
    }

    pub(crate) fn until_well(&self, agent: &Background) {
        until("an agent with one key that works", || self.is_well())
            .unwrap_or_else(|error| panic!("{error}: {} {}", agent.output(), self.settings()));
    }

    /// The answers of the server as JSON lines of `stratora-agent status`, and whether all is well.
    pub(crate) fn status(&self) -> (String, bool) {
        let output = self.run(&["status"]);
        (String::from_utf8(output.stdout).unwrap(), output.status.success())
    }
}

/// Waits for a line.
pub(crate) fn said(agent: &mut Background, part: &str) -> String {
    agent.wait_for_line(part, Duration::from_secs(30)).unwrap()
}

/// How many lines say this.
pub(crate) fn times(agent: &Background, part: &str) -> usize {
    agent.output().lines().filter(|line| line.contains(part)).count()
}
