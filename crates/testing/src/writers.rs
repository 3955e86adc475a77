//! Programs that send measurements and that nobody here wrote, run as their users run them.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;

use crate::process::{Background, until};
use crate::{free_port, python};

/// Where a writer writes, as whom, and what it says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Destination<'a> {
    /// The port of a server on this machine, over TLS.
    pub port: u16,
    /// The server's certificate, for the writers that look at it.
    pub certificate: &'a Path,
    /// The component's key.
    pub key: &'a str,
    /// What the writer puts on every point, true or not.
    pub labels: &'a [(&'a str, &'a str)],
}

impl Destination<'_> {
    fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The labels as a writer takes them, each with `between` before its value.
    fn labels(&self, between: char) -> impl Iterator<Item = String> {
        self.labels.iter().map(move |(name, value)| format!("{name}{between}{value}"))
    }
}

/// Writes the field `value` of a measurement with InfluxDB's own client for Python, packed or not. Returns what became of
/// it: `written`, or `refused` with the answer's status and body.
///
/// # Errors
/// When the client cannot be installed, or fails otherwise than by a refusal.
pub fn write_with_influxdb_client(
    destination: &Destination<'_>,
    measurement: &str,
    gzip: bool,
) -> anyhow::Result<String> {
    let tags: serde_json::Map<_, _> =
        destination.labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let settings = json!({
        "url": destination.url(),
        "token": destination.key,
        "authority": destination.certificate,
        "gzip": gzip,
        "measurement": measurement,
        "value": 7,
        "tags": tags,
    });
    let output = python::program("influxdb_writer.py")?.arg(settings.to_string()).output();
    let output = output.context("cannot start python3")?;
    ensure!(output.status.success(), "the client failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// A running Glances, which sends the load and the memory of this machine every second in line protocol, as
/// `glances.load_min1` and the like. Fields are dropped in this order: the program before its files.
pub struct Glances {
    program: Background,
    directory: TempDir,
}

impl Glances {
    /// Starts one. It takes any certificate.
    ///
    /// # Errors
    /// When it cannot be installed or does not start.
    pub fn start(destination: &Destination<'_>) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let configuration = directory.path().join("glances.conf");
        // It asks for a user and a password, and uses neither.
        let text = format!(
            "[influxdb2]\nprotocol=https\nhost=localhost\nport={}\nuser=unused\npassword=unused\n\
             org=an organisation\nbucket=a bucket\ntoken={}\nprefix=glances\ninterval=1\ntags={}\n",
            destination.port,
            destination.key,
            destination.labels(':').collect::<Vec<_>>().join(","),
        );
        fs::write(&configuration, text)?;
        let mut command = python::package("glances")?;
        command.arg("-C").arg(&configuration).args(["--quiet", "--time", "1", "--export", "influxdb2"]);
        command.args(["--disable-check-update", "--disable-plugin", "all", "--enable-plugin", "load,mem"]);
        // Where it keeps its log.
        command.env("HOME", directory.path()).env("XDG_CACHE_HOME", directory.path());
        let program = Background::start(&mut command, directory.path(), "glances")?;
        Ok(Self { program, directory })
    }

    /// What it has printed and logged.
    pub fn output(&self) -> String {
        let log = fs::read(self.directory.path().join("glances/glances.log")).unwrap_or_default();
        self.program.output() + &String::from_utf8_lossy(&log)
    }
}

/// A running `vmagent`, which scrapes itself every second and sends what it finds by Prometheus's remote write, with the
/// key in `X-API-Key`. Fields are dropped in this order: the program before its files.
pub struct VmAgent {
    program: Background,
    _directory: TempDir,
}

impl VmAgent {
    /// Under which job its series are.
    pub const JOB: &'static str = "itself";

    /// Starts one. It believes the server's certificate and no other.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn start(destination: &Destination<'_>) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let address = format!("127.0.0.1:{}", free_port()?);
        let scrape = directory.path().join("scrape.yaml");
        let text = format!(
            "scrape_configs:\n  - job_name: {}\n    scrape_interval: 1s\n    static_configs:\n      - targets: ['{address}']\n",
            Self::JOB,
        );
        fs::write(&scrape, text)?;
        let mut command = Command::new("vmagent");
        command
            .arg(format!("-httpListenAddr={address}"))
            .arg(format!("-promscrape.config={}", scrape.display()))
            .arg(format!("-remoteWrite.url={}/api/v1/ingest/prometheus", destination.url()))
            .arg(format!("-remoteWrite.headers=X-API-Key: {}", destination.key))
            .arg(format!("-remoteWrite.tlsCAFile={}", destination.certificate.display()))
            .arg(format!("-remoteWrite.tmpDataPath={}", directory.path().join("buffer").display()))
            .arg("-remoteWrite.flushInterval=100ms")
            .args(destination.labels('=').map(|label| format!("-remoteWrite.label={label}")));
        let mut program = Background::start(&mut command, directory.path(), "vmagent")?;
        let listens = || TcpStream::connect(&address).is_ok();
        until("vmagent", || listens() || program.has_ended()).with_context(|| program.output())?;
        ensure!(!program.has_ended(), "vmagent ended at once: {}", program.output());
        Ok(Self { program, _directory: directory })
    }

    /// What it has printed.
    pub fn output(&self) -> String {
        self.program.output()
    }
}

/// Two checks a second, and where they are sent.
const ICINGA: &str = include_str!("writers/icinga2.conf");

/// How long Icinga may take to start: it takes a second at most.
const ICINGA_STARTS: Duration = Duration::from_secs(30);

/// A running Icinga 2, which checks a host and itself every second, and sends what it finds to InfluxDB 2 in line protocol,
/// with seconds as the unit of time: `dummy_value` for its host, `icinga_value` for itself. It listens nowhere. Fields are
/// dropped in this order: the program before its files.
pub struct Icinga {
    program: Background,
    _directory: TempDir,
}

impl Icinga {
    /// What its check of the host finds, as the metric `load`.
    pub const LOAD: u32 = 42;

    /// Starts one. It believes the server's certificate and no other.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn start(destination: &Destination<'_>) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let path = directory.path();
        let tags: Vec<_> = destination.labels.iter().map(|(name, value)| format!("{name:?} = {value:?}")).collect();
        let text = ICINGA
            .replace("{port}", &destination.port.to_string())
            .replace("{key}", destination.key)
            .replace("{certificate}", &destination.certificate.display().to_string())
            .replace("{tags}", &tags.join(", "))
            .replace("{load}", &Self::LOAD.to_string());
        let configuration = path.join("icinga2.conf");
        fs::write(&configuration, text)?;
        let mut command = Command::new("icinga2");
        command.args(["daemon", "--config"]).arg(&configuration);
        for folder in ["CacheDir", "DataDir", "InitRunDir", "LogDir", "SpoolDir"] {
            command.arg(format!("-D{folder}={}", path.display()));
        }
        // By itself it would become its package's account, which cannot look into a temporary directory.
        command.arg(format!("-DRunAsUser={}", own_name("-un")?));
        command.arg(format!("-DRunAsGroup={}", own_name("-gn")?));
        let mut icinga = Self { program: Background::start(&mut command, path, "icinga2")?, _directory: directory };
        icinga.program.wait_for_line("Activated all objects", ICINGA_STARTS)?;
        Ok(icinga)
    }

    /// What it has logged.
    pub fn output(&self) -> String {
        self.program.output()
    }
}

impl Drop for Icinga {
    fn drop(&mut self) {
        // The first process ends those that do the work; killed, it would leave them.
        let _ended = self.program.stop(Signal::TERM);
    }
}

/// What the account of this process is called, `-un`, or its group, `-gn`; id(1).
fn own_name(which: &str) -> anyhow::Result<String> {
    let output = Command::new("id").arg(which).output().context("cannot start id")?;
    ensure!(output.status.success(), "id {which} failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}
