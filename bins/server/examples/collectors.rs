//! A fleet of components behind NGINX, each with a connection and an address of its own: every ten seconds each says that it
//! is there, asks for its configuration and sends what it has measured. Arguments: the server's program, its settings, its
//! process, a file with a component's identifier and its key on each line, and for how many seconds to measure. Prints one
//! line of JSON.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use stratora_testing::Nginx;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

const EVERY: Duration = Duration::from_secs(10);
/// Over how long the fleet connects: ten thousand handshakes, on both sides. How long it may take until all have reported.
const ARRIVAL: Duration = Duration::from_secs(50);
const PATIENCE: Duration = Duration::from_mins(5);
/// What a component sends each time, in line protocol.
const MEASURED: &str = "cpu usage_user=12.5,usage_system=3.25,usage_idle=84.25\n\
    mem total=16777216000i,used=8388608000i,available=8388608000i\n\
    disk,path=/ total=107374182400i,used=53687091200i\n\
    net,interface=eth0 bytes_recv=123456789i,bytes_sent=987654321i\n\
    system load1=0.5,load5=0.4,load15=0.3\n";
/// Ticks a second in which Linux accounts CPU time.
const TICKS: f64 = 100.0;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [program, settings, server, keys, seconds] = arguments.as_slice() else {
        anyhow::bail!("collectors PROGRAM SETTINGS PROCESS KEYS SECONDS")
    };
    stratora_testing::decide_cryptography();
    let directory = tempfile::tempdir()?;
    let port = stratora_testing::free_port()?;
    let mut render = Command::new(program);
    render.args(["--config", settings, "nginx", "render", "--dir"]).arg(directory.path());
    let listen = |port: u16| format!("127.0.0.1:{port}");
    render.args([
        "--https-listen",
        &listen(port),
        "--http-listen",
        &listen(stratora_testing::free_port()?),
        "--log-dir",
    ]);
    render.arg(directory.path());
    let rendered = render.output().context("cannot render the site")?;
    ensure!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
    let _nginx = Nginx::start(&directory.path().join("stratora.conf"), directory.path())?;
    let proxies = children_of_nginx(directory.path())?;

    let measuring = Arc::new(AtomicBool::new(false));
    let reporting = Arc::new(AtomicUsize::new(0));
    let mut fleet = JoinSet::new();
    let lines = fs::read_to_string(keys)?;
    let number = lines.lines().count();
    for (index, line) in lines.lines().enumerate() {
        let (id, key) = line.split_once(' ').context("a line is an identifier and a key")?;
        let collector = Collector::new(index, id, key, port)?;
        let first = ARRIVAL * u32::try_from(index)? / u32::try_from(number)?;
        fleet.spawn(collector.work(first, Arc::clone(&reporting), Arc::clone(&measuring)));
    }
    let all_report = async {
        while reporting.load(Ordering::SeqCst) < number {
            sleep(EVERY / 10).await;
        }
    };
    timeout(PATIENCE, all_report).await.context("some collectors never reported")?;
    // What has piled up meanwhile is not what a fleet costs.
    sleep(EVERY * 2).await;
    let before = (cpu(&[server.parse()?])?, cpu(&proxies)?);
    measuring.store(true, Ordering::SeqCst);
    sleep(Duration::from_secs(seconds.parse()?)).await;
    measuring.store(false, Ordering::SeqCst);
    let after = (cpu(&[server.parse()?])?, cpu(&proxies)?);
    let mut met = Met::default();
    while let Some(collected) = fleet.join_next().await {
        met.add(collected?);
    }
    let span: f64 = seconds.parse()?;
    let cores = (after.0 - before.0) / span;
    println!("{}", met.report(cores, (after.1 - before.1) / span, span, resident(server.parse()?)?));
    Ok(())
}

struct Collector {
    client: reqwest::Client,
    heartbeat: String,
    config: String,
    ingest: String,
    key: String,
}

impl Collector {
    fn new(index: usize, id: &str, key: &str, port: u16) -> anyhow::Result<Self> {
        let [.., high, low] = u32::try_from(index)?.to_be_bytes();
        let client = reqwest::Client::builder()
            // A self-signed certificate, on this machine.
            .tls_danger_accept_invalid_certs(true)
            // NGINX answers to its names alone, whatever address a connection comes to.
            .resolve("localhost", (Ipv4Addr::LOCALHOST, port).into())
            .local_address(Some(Ipv4Addr::new(127, 1, high, low).into()))
            .http1_only()
            .no_proxy()
            .build()?;
        let base = format!("https://localhost:{port}/api/v1");
        Ok(Self {
            client,
            heartbeat: format!("{base}/agents/heartbeat/{id}"),
            config: format!("{base}/remote-collectors/{id}/config"),
            ingest: format!("{base}/ingest/influx"),
            key: key.to_owned(),
        })
    }

    async fn work(self, first: Duration, reporting: Arc<AtomicUsize>, measuring: Arc<AtomicBool>) -> Met {
        let mut met = Met::default();
        sleep(first).await;
        let mut turns = interval(EVERY);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut has_reported, mut was_measuring) = (false, false);
        loop {
            turns.tick().await;
            let is_measuring = measuring.load(Ordering::SeqCst);
            if was_measuring && !is_measuring {
                return met;
            }
            was_measuring = is_measuring;
            let body = r#"{"hostname":"a.example.com","version":"1.0.0","os":"linux"}"#;
            let heartbeat = self.client.post(&self.heartbeat).header("Content-Type", "application/json").body(body);
            let measured = self.client.post(&self.ingest).body(MEASURED);
            let configuration = self.client.get(&self.config).header("If-None-Match", "*");
            for request in [heartbeat, configuration, measured] {
                let started = now();
                let answer = request.header("X-API-Key", &self.key).send().await;
                let failure = match answer {
                    // 304: what it has is the present configuration.
                    Ok(answer) if answer.status().is_success() || answer.status() == 304 => None,
                    Ok(answer) => Some(answer.status().to_string()),
                    Err(error) => Some(format!("{error:?}")),
                };
                if is_measuring {
                    met.times.push(started.elapsed());
                    met.failures.extend(failure);
                }
            }
            if !has_reported {
                has_reported = true;
                reporting.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "it is real time that is measured")]
fn now() -> Instant {
    Instant::now()
}

#[derive(Default)]
struct Met {
    times: Vec<Duration>,
    failures: Vec<String>,
}

impl Met {
    fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        self.failures.extend(other.failures);
    }

    fn report(mut self, server: f64, proxy: f64, seconds: f64, memory: f64) -> serde_json::Value {
        self.times.sort_unstable();
        let at = |part: usize| {
            self.times.get(self.times.len().saturating_sub(1) * part / 100).map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let rate = self.times.len() as f64 / seconds;
        serde_json::json!({
            "rate": rate, "failures": self.failures.len(), "failure": self.failures.first(), "p50_ms": at(50), "p99_ms": at(99),
            "server_cores": server, "nginx_cores": proxy, "server_mib": memory,
        })
    }
}

/// The processes of the NGINX whose files are in `directory`.
fn children_of_nginx(directory: &Path) -> anyhow::Result<Vec<i32>> {
    let master: i32 = fs::read_to_string(directory.join("nginx.pid"))?.trim().parse()?;
    let children = fs::read_to_string(format!("/proc/{master}/task/{master}/children"))?;
    Ok(children.split_whitespace().filter_map(|id| id.parse().ok()).collect())
}

/// The CPU time that processes have taken so far, in seconds.
fn cpu(processes: &[i32]) -> anyhow::Result<f64> {
    let mut ticks = 0.0;
    for process in processes {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        let fields = stat.rsplit_once(')').context("proc(5)")?.1.split_whitespace().skip(11).take(2);
        ticks += fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>();
    }
    Ok(ticks / TICKS)
}

/// The memory that a process has, in MiB.
fn resident(process: i32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kib.context("proc(5)")? / 1024.0)
}
