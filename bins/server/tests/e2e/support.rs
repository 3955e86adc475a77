//! A running installation, and what every test does first.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use stratora_testing::{Background, Client, Nginx, PostgresDatabase, Signal, VictoriaMetrics, free_port, until};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "a rather long passphrase";

/// Runs each test on both databases, with more settings where they are given.
macro_rules! on_both_databases {
    ($settings:literal; $($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::Installation::with_settings($settings)).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::Installation::on_postgres_with_settings($settings)).await;
            })+
        }
    };
    ($($name:ident),+ $(,)?) => { crate::support::on_both_databases!(""; $($name),+); };
}
pub(crate) use on_both_databases;

/// An installation: settings, a database and a server that may be stopped and started again. Fields are dropped in this
/// order: servers before their files.
pub(crate) struct Installation {
    server: Option<Background>,
    nginx: Option<Nginx>,
    pub(crate) postgres: Option<PostgresDatabase>,
    pub(crate) port: u16,
    pub(crate) http_port: u16,
    pub(crate) https_port: u16,
    /// Where NGINX finds the console, if it serves it itself. Taken note of when NGINX is started.
    pub(crate) console_root: Option<PathBuf>,
    directory: TempDir,
}

impl Installation {
    pub(crate) fn on_sqlite() -> Self {
        Self::with_settings("")
    }

    pub(crate) fn on_postgres() -> Self {
        Self::on_postgres_with_settings("")
    }

    /// On SQLite, with more settings.
    pub(crate) fn with_settings(settings: &str) -> Self {
        Self::start(None, settings)
    }

    pub(crate) fn on_postgres_with_settings(settings: &str) -> Self {
        Self::start(Some(PostgresDatabase::create().unwrap()), settings)
    }

    fn start(postgres: Option<PostgresDatabase>, settings: &str) -> Self {
        let mut installation = Self::prepare(postgres, settings);
        installation.start_server();
        installation
    }

    /// Everything but the server.
    pub(crate) fn prepare(postgres: Option<PostgresDatabase>, settings: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (port, https_port) = (free_port().unwrap(), free_port().unwrap());
        let database = postgres.as_ref().map_or_else(
            || format!("sqlite:{}", directory.path().join("stratora.db").display()),
            PostgresDatabase::url,
        );
        let keys = directory.path().join("keys.json");
        let yaml = format!(
            "server:\n  host: 127.0.0.1\n  port: {port}\n  external_url: https://localhost:{https_port}\n\
             database:\n  url: \"{database}\"\nsecurity:\n  key_file: {}\n{settings}",
            keys.display(),
        );
        let installation = Self {
            server: None,
            nginx: None,
            postgres,
            port,
            http_port: free_port().unwrap(),
            https_port,
            console_root: None,
            directory,
        };
        fs::write(installation.settings(), yaml).unwrap();
        installation
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.path("config.yaml")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The server's command line on this installation.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stratora-server"));
        command.arg("--config").arg(self.settings()).args(arguments).env_remove("INVOCATION_ID");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn start_server(&mut self) {
        let mut command = self.command(&["serve"]);
        self.start_command(&mut command);
    }

    pub(crate) fn start_command(&mut self, command: &mut Command) {
        self.server = Some(self.listening(command, "server", self.port));
    }

    /// One more server on the same database, with the same keys. It ends when it is dropped.
    pub(crate) fn start_beside(&self, port: u16) -> Background {
        let mut command = self.command(&["serve"]);
        command.env("STRATORA__SERVER__PORT", port.to_string());
        self.listening(&mut command, &format!("server{port}"), port)
    }

    fn listening(&self, command: &mut Command, name: &str, port: u16) -> Background {
        let mut server = Background::start(command, self.directory.path(), name).unwrap();
        until("the server", || TcpStream::connect(("127.0.0.1", port)).is_ok() || server.has_ended()).unwrap();
        assert!(!server.has_ended(), "the server ended: {}", server.stderr());
        server
    }

    pub(crate) fn server(&mut self) -> &mut Background {
        self.server.as_mut().unwrap()
    }

    /// Puts NGINX in front, with the site that the server renders.
    pub(crate) fn start_nginx(&mut self) {
        self.start_nginx_before(&[]);
    }

    /// The same before other servers than that of the installation.
    pub(crate) fn start_nginx_before(&mut self, backends: &[u16]) {
        self.render_site(backends, None);
        let site = self.path("nginx").join("stratora.conf");
        self.nginx = Some(Nginx::start(&site, self.directory.path()).unwrap());
    }

    /// Has NGINX pass requests to `backends` but `drained`.
    pub(crate) fn pass_to(&mut self, backends: &[u16], drained: Option<u16>) {
        self.render_site(backends, drained);
        self.nginx.as_mut().unwrap().reload().unwrap();
    }

    fn render_site(&self, backends: &[u16], drained: Option<u16>) {
        let dir = self.path("nginx");
        let listen = |port: u16| format!("127.0.0.1:{port}");
        fs::create_dir_all(self.path("acme")).unwrap();
        let mut command = self.command(&[
            "nginx",
            "render",
            "--dir",
            &dir.display().to_string(),
            "--http-listen",
            &listen(self.http_port),
            "--https-listen",
            &listen(self.https_port),
            "--acme-webroot",
            &self.path("acme").display().to_string(),
            "--log-dir",
            &self.directory.path().display().to_string(),
        ]);
        command.args(backends.iter().flat_map(|port| ["--backend".to_owned(), listen(*port)]));
        command.args(self.console_root.iter().flat_map(|root| [Path::new("--console-root"), root]));
        command.args(drained.iter().flat_map(|port| ["--drain".to_owned(), listen(*port)]));
        let rendered = command.output().unwrap();
        assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
    }

    /// Straight to the backend, whose peer is then a trusted proxy.
    pub(crate) fn backend(&self) -> Client {
        Client::new(format!("http://127.0.0.1:{}", self.port)).unwrap()
    }

    /// Through NGINX over TLS.
    pub(crate) fn proxy(&self) -> Client {
        Client::new(format!("https://localhost:{}", self.https_port)).unwrap()
    }

    /// The one-time password that the first start printed.
    pub(crate) fn one_time_password(&mut self) -> String {
        self.server().stdout().trim().to_owned()
    }

    /// The administrator's token, after the forced change. From an address of its own, to leave the others their limits.
    pub(crate) async fn admin(&mut self) -> String {
        let one_time = self.one_time_password();
        let backend = self.backend();
        let token = sign_in(&backend, "admin", &one_time, "198.51.100.250").await;
        let body = json!({"current_password": one_time, "new_password": PASSWORD});
        let path = "/api/v1/auth/change-password";
        let changed = backend.post(path).bearer(&token).from("198.51.100.250").json(&body).send().await.unwrap();
        assert_eq!(changed.status, 200, "{}", changed.text());
        text(&changed.json(), "token")
    }

    /// Everything that is in the database, as far as it is text.
    pub(crate) fn database_as_text(&self) -> String {
        match &self.postgres {
            Some(postgres) => {
                let dump = Command::new("pg_dump").arg(postgres.url()).output().unwrap();
                assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
                String::from_utf8_lossy(&dump.stdout).into_owned()
            }
            None => ["stratora.db", "stratora.db-wal"]
                .map(|name| String::from_utf8_lossy(&fs::read(self.path(name)).unwrap()).into_owned())
                .concat(),
        }
    }

    /// Everything that was ever logged or printed.
    pub(crate) fn all_output(&self) -> String {
        let mut output = String::new();
        collect(self.directory.path(), &mut output);
        output
    }
}

fn collect(directory: &Path, output: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let is_log = path.extension().is_some_and(|extension| extension == "err" || extension == "log");
        if path.is_dir() {
            collect(&path, output);
        } else if is_log {
            output.push_str(&String::from_utf8_lossy(&fs::read(&path).unwrap()));
        }
    }
}

/// The same installation with a time-series store.
pub(crate) fn with_time_series(mut installation: Installation) -> (Installation, VictoriaMetrics) {
    let store = VictoriaMetrics::start().unwrap();
    let settings = fs::read_to_string(installation.settings()).unwrap();
    let settings = format!("{settings}victoriametrics:\n  url: {}\n", store.url());
    fs::write(installation.settings(), settings).unwrap();
    installation.server().signal(Signal::TERM);
    installation.server().wait().unwrap();
    installation.start_server();
    (installation, store)
}

pub(crate) fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}")).to_owned()
}

pub(crate) async fn sign_in(client: &Client, username: &str, password: &str, address: &str) -> String {
    let body = json!({"username": username, "password": password});
    let answer = client.post("/api/v1/auth/login").from(address).json(&body).send().await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    text(&answer.json(), "token")
}

/// Creates a component. Returns its identifier and its key.
pub(crate) async fn create_component(client: &Client, admin: &str, name: &str) -> (String, String) {
    let body = json!({"name": name, "kind": "collector"});
    let answer = client.post("/api/v1/remote-components").bearer(admin).json(&body).send().await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    (text(&answer.json()["component"], "id"), text(&answer.json(), "api_key"))
}

/// Creates a user who has changed the first password to [`PASSWORD`]. Returns the identifier and a token.
pub(crate) async fn create_user(
    client: &Client,
    admin: &str,
    name: &str,
    role: &str,
    address: &str,
) -> (String, String) {
    let body = json!({"username": name, "role": role});
    let answer = client.post("/api/v1/users").bearer(admin).json(&body).send().await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    let one_time = text(&answer.json(), "one_time_password");
    let token = sign_in(client, name, &one_time, address).await;
    let change = json!({"current_password": one_time, "new_password": PASSWORD});
    let path = "/api/v1/auth/change-password";
    let changed = client.post(path).bearer(&token).from(address).json(&change).send().await.unwrap();
    assert_eq!(changed.status, 200, "{}", changed.text());
    (text(&answer.json()["user"], "id"), text(&changed.json(), "token"))
}
