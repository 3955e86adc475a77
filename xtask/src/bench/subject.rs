//! What is measured: the release server as a user starts it, with a session, a component and a configuration; and the bare
//! handler beside it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::process::Background;
use crate::workspace;

/// The core that servers are pinned to while throughput is measured; the load has the other.
pub(super) const SERVER_CORE: u32 = 0;
const PASSWORD: &str = "a rather long passphrase";
/// The file of the server's own keys.
const KEYS: &str = "keys.json";
/// Ticks a second in which Linux accounts CPU time.
const TICKS: f64 = 100.0;

/// A process that listens.
pub(super) struct Listener {
    process: Background,
    pub(super) base: String,
}

impl Listener {
    /// The CPU time that it has taken so far, in seconds.
    pub(super) fn cpu(&self) -> Result<f64> {
        cpu(self.process.id())
    }
}

fn start(command: &mut Command, port: u16) -> Result<Listener> {
    let mut process = Background::start(command.stderr(Stdio::null()))?;
    for _ in 0..400 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(Listener { process, base: format!("http://127.0.0.1:{port}") });
        }
        ensure!(!process.has_ended(), "{} ended at once", command.get_program().display());
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("{} does not listen", command.get_program().display())
}

/// The server, with its files in `directory`.
fn serve(directory: &Path, port: u16, database: &str, time_series: &Listener, cache: &str) -> Result<Listener> {
    let (config, keys) = (directory.join("config.yaml"), directory.join(KEYS));
    // One worker, as the bare handler has; and no flood guard to speak of, since one client is the whole fleet.
    let settings = format!(
        "server: {{host: 127.0.0.1, port: {port}, workers: 1}}\ndatabase: {{url: \"{database}\"}}\n\
         victoriametrics: {{url: \"{}\"}}\nsecurity: {{key_file: \"{}\"}}\ncache: {cache}\n\
         flood: {{requests_per_second: 1000000, burst: 1000000}}\nlog: {{filter: warn}}\n",
        time_series.base,
        keys.display(),
    );
    fs::write(&config, settings)?;
    let printed = fs::File::options().create(true).append(true).open(directory.join("stdout"))?;
    let mut command = Command::new(release("stratora-server"));
    command.arg("--config").arg(&config).arg("serve").stdout(printed);
    start(&mut command, port)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

pub(super) fn release(name: &str) -> PathBuf {
    workspace::root().join("target/release").join(name)
}

/// The bare handler.
pub(super) fn bare(directory: &Path) -> Result<Listener> {
    let port = free_port()?;
    let mut command = Command::new("taskset");
    command.args(["-c", &SERVER_CORE.to_string()]).arg(release("examples/bare")).arg(port.to_string());
    start(command.current_dir(directory).stdout(Stdio::null()), port)
}

/// The CPU time of one bare verification, in seconds.
pub(super) fn bare_bcrypt(times: u32) -> Result<f64> {
    let before = children_cpu()?;
    let run = Command::new(release("examples/bare_bcrypt")).arg(times.to_string()).stdout(Stdio::null()).status();
    ensure!(run.context("cannot start bare_bcrypt")?.success(), "bare_bcrypt failed");
    Ok((children_cpu()? - before) / f64::from(times))
}

/// The server, prepared.
pub(super) struct Subject {
    server: Listener,
    time_series: Listener,
    directory: PathBuf,
    port: u16,
    database: String,
    /// A session's token.
    pub(super) token: String,
    /// A component, and its key.
    pub(super) component: String,
    pub(super) key: String,
    /// The tag of its configuration, in quotes.
    pub(super) etag: String,
}

impl Subject {
    pub(super) fn start(directory: &Path, name: &str, database: &str) -> Result<Self> {
        let directory = directory.join(name);
        fs::create_dir(&directory)?;
        let time_series = {
            let port = free_port()?;
            let mut command = Command::new("victoria-metrics");
            command.arg(format!("-storageDataPath={}", directory.join("series").display()));
            command.arg(format!("-httpListenAddr=127.0.0.1:{port}")).stdout(Stdio::null());
            start(&mut command, port)?
        };
        let port = free_port()?;
        let database = database.to_owned();
        let server = serve(&directory, port, &database, &time_series, "{}")?;
        let printed = directory.join("stdout");
        let one_time = fs::read_to_string(&printed)?.trim().to_owned();
        let none = String::new();
        let mut subject = Self {
            server,
            time_series,
            directory,
            port,
            database,
            token: none.clone(),
            component: none.clone(),
            key: none.clone(),
            etag: none,
        };
        subject.prepare(&one_time)?;
        Ok(subject)
    }

    /// Ends the server and starts it again with other settings of `cache`, in YAML.
    pub(super) fn restart(&mut self, cache: &str) -> Result<()> {
        self.server.process.stop();
        self.server = serve(&self.directory, self.port, &self.database, &self.time_series, cache)?;
        Ok(())
    }

    /// Starts another server on the same database, with its files in the directory `name`.
    pub(super) fn start_beside(&self, name: &str) -> Result<Listener> {
        let directory = self.directory.join(name);
        fs::create_dir(&directory)?;
        fs::copy(self.directory.join(KEYS), directory.join(KEYS))?;
        serve(&directory, free_port()?, &self.database, &self.time_series, "{}")
    }

    fn prepare(&mut self, one_time: &str) -> Result<()> {
        self.token = self.sign_in(one_time, "192.0.2.1")?;
        let change = json!({"current_password": one_time, "new_password": PASSWORD});
        let changed = self.ask("POST", "/api/v1/auth/change-password", &self.bearer(), Some(&change))?;
        self.token = text(&changed, "/token")?;
        let new = json!({"name": "bench", "kind": "collector"});
        let created = self.ask("POST", "/api/v1/remote-components", &self.bearer(), Some(&new))?;
        self.component = text(&created, "/component/id")?;
        self.key = text(&created, "/api_key")?;
        let put = self.curl(
            &["-X", "PUT", "-H", &self.bearer(), "-H", "Content-Type: application/toml"],
            "[agent]\n",
            &self.config(),
        )?;
        ensure!(put.is_empty(), "the configuration was not taken: {put}");
        let pulled = self.curl(&["-D", "-", "-H", &self.api_key()], "", &self.config())?;
        let etag = pulled.lines().find_map(|line| line.strip_prefix("etag: "));
        etag.context("the configuration has no tag")?.trim().clone_into(&mut self.etag);
        Ok(())
    }

    /// Signs in and returns the token.
    pub(super) fn sign_in(&self, password: &str, address: &str) -> Result<String> {
        let body = json!({"username": "admin", "password": password});
        let from = format!("X-Forwarded-For: {address}");
        text(&self.ask("POST", "/api/v1/auth/login", &from, Some(&body))?, "/token")
    }

    /// Signs in so many times. Returns the CPU time of each, in seconds.
    pub(super) fn cpu_of_sign_ins(&self, times: u32) -> Result<f64> {
        let before = self.cpu()?;
        for number in 0..times {
            self.sign_in(PASSWORD, &format!("192.0.2.{}", number + 10))?;
        }
        Ok((self.cpu()? - before) / f64::from(times))
    }

    /// Moves the server's threads to one core, or to any.
    pub(super) fn pin(&self, core: Option<u32>) -> Result<()> {
        let cores = core.map_or_else(|| "0-1023".to_owned(), |core| core.to_string());
        let id = self.server.process.id().to_string();
        let moved = Command::new("taskset").args(["-a", "-c", "-p", &cores, &id]).stdout(Stdio::null()).status();
        ensure!(moved.context("cannot start taskset")?.success(), "the server stays on its cores");
        Ok(())
    }

    fn ask(&self, method: &str, path: &str, header: &str, body: Option<&Value>) -> Result<Value> {
        let body = body.map(ToString::to_string).unwrap_or_default();
        let answer = self.curl(&["-X", method, "-H", header, "-H", "Content-Type: application/json"], &body, path)?;
        serde_json::from_str(&answer).with_context(|| format!("{method} {path} answers {answer}"))
    }

    fn curl(&self, options: &[&str], body: &str, path: &str) -> Result<String> {
        let mut command = Command::new("curl");
        command.arg("-sS").args(options).arg(self.url(path));
        if !body.is_empty() {
            command.args(["--data-binary", body]);
        }
        let output = command.output().context("cannot start curl")?;
        ensure!(output.status.success(), "curl: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.base)
    }

    pub(super) fn time_series_url(&self, path: &str) -> String {
        format!("{}{path}", self.time_series.base)
    }

    pub(super) fn config(&self) -> String {
        format!("/api/v1/remote-collectors/{}/config", self.component)
    }

    pub(super) fn heartbeat(&self) -> String {
        format!("/api/v1/agents/heartbeat/{}", self.component)
    }

    pub(super) fn bearer(&self) -> String {
        format!("Authorization: Bearer {}", self.token)
    }

    pub(super) fn api_key(&self) -> String {
        format!("X-API-Key: {}", self.key)
    }

    /// Where scripts for the load go.
    pub(super) fn script(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Its process.
    pub(super) fn process(&self) -> u32 {
        self.server.process.id()
    }

    /// Where its settings are.
    pub(super) fn settings(&self) -> PathBuf {
        self.directory.join("config.yaml")
    }

    /// How much memory it holds, in bytes, without the database that it may map.
    pub(super) fn own_memory(&self) -> Result<f64> {
        resident(self.process(), "RssAnon:")
    }

    /// The CPU time that the server has taken so far, in seconds.
    pub(super) fn cpu(&self) -> Result<f64> {
        self.server.cpu()
    }
}

/// How much memory a process holds, in bytes, with the files that it maps.
pub(super) fn memory(process: u32) -> Result<f64> {
    resident(process, "VmRSS:")
}

/// What the kernel states under that label.
fn resident(process: u32, label: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix(label)?.trim().strip_suffix(" kB")?.parse().ok());
    kibibytes.map(|kibibytes: f64| kibibytes * 1024.0).context("the kernel says something else")
}

/// The CPU time that a process has taken so far, in seconds.
pub(super) fn cpu(process: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    ticks(&stat, [11, 12]).context("the kernel says something else")
}

/// The CPU time of this process's children that have ended, in seconds.
fn children_cpu() -> Result<f64> {
    ticks(&fs::read_to_string("/proc/self/stat")?, [13, 14]).context("the kernel says something else")
}

/// Two fields of `/proc/<pid>/stat`, counted from behind the name, which may hold anything.
fn ticks(stat: &str, fields: [usize; 2]) -> Option<f64> {
    let fields = fields.map(|field| stat.rsplit_once(')')?.1.split_whitespace().nth(field)?.parse::<f64>().ok());
    Some((fields[0]? + fields[1]?) / TICKS)
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.map(str::to_owned).with_context(|| format!("no {pointer} in {value}"))
}
