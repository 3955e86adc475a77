//! What a fleet costs the server, and what its agent costs each host.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::figures::{Figure, Mark, Report};
use super::scale::Installation;
use super::subject::{SERVER_CORE, Subject, cpu, memory, release};
use crate::process::Background;

/// How many components report through NGINX every ten seconds, and for how many seconds it is measured.
const COMPONENTS: usize = 10_000;
const REPORTED_FOR: u32 = 30;
/// An hour of the agent's work, in rounds of ten seconds, and how long a round is while it is measured.
const ROUNDS: u32 = 360;
const ROUND: Duration = Duration::from_millis(250);
/// What the agent may take: bytes of memory, and a share of a core.
const MEMORY: f64 = 12e6;
const SHARE: f64 = 0.002;

/// Measures it all, on PostgreSQL.
pub(super) fn measure(directory: &TempDir) -> Result<Report> {
    let mut installation = Installation::start(directory.path(), true, COMPONENTS)?;
    let mut figures = of_agent(&installation.server, directory)?;
    figures.push(of_components(&mut installation)?);
    Ok(Report::new(figures))
}

/// What the agent takes of its host in an hour of work.
fn of_agent(server: &Subject, directory: &TempDir) -> Result<Vec<Figure>> {
    let (settings, state) = (directory.path().join("agent.json"), directory.path().join("agent"));
    fs::create_dir(&state)?;
    let identity = json!({"server_url": server.url(""), "component_id": server.component, "api_key": server.key});
    let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(&settings)?;
    file.write_all(identity.to_string().as_bytes())?;
    let mut command = Command::new(release("stratora-agent"));
    command.arg("--config").arg(&settings).arg("--state-directory").arg(&state);
    command.arg("--config-target").arg(state.join("telegraf.conf"));
    command.arg("--interval").arg(ROUND.as_secs_f64().to_string()).stderr(Stdio::null());
    let mut agent = Background::start(&mut command)?;
    std::thread::sleep(ROUND * ROUNDS);
    ensure!(!agent.has_ended(), "the agent ended");
    let (bytes, seconds) = (memory(agent.id())?, cpu(agent.id())?);
    agent.stop();
    let share = seconds / 3600.0;
    Ok(vec![
        Figure {
            what: "memory of the agent after an hour's rounds".to_owned(),
            floor: "12 MB",
            measured: format!("{:.1} MB", bytes / 1e6),
            ratio: bytes / MEMORY,
            mark: Some(Mark::AtMost(1.0)),
        },
        Figure {
            what: "CPU of the agent for an hour's rounds".to_owned(),
            floor: "0.2 % of a core",
            measured: format!("{seconds:.1} s, {:.3} %", share * 100.0),
            ratio: share / SHARE,
            mark: Some(Mark::AtMost(1.0)),
        },
    ])
}

/// What a fleet costs behind NGINX: a heartbeat, a look for another configuration and measurements, every ten seconds each.
fn of_components(installation: &mut Installation) -> Result<Figure> {
    installation.server.restart("{}")?;
    installation.server.pin(Some(SERVER_CORE))?;
    let keys = installation.files.join("polling-keys");
    let lines = fs::read_to_string(installation.files.join("keys"))?;
    let polling: Vec<_> = lines.lines().take(COMPONENTS).collect();
    fs::write(&keys, polling.join("\n") + "\n")?;
    let mut collectors = Command::new(release("examples/collectors"));
    collectors.arg(release("stratora-server")).arg(installation.server.settings());
    collectors.arg(installation.server.process().to_string()).arg(&keys).arg(REPORTED_FOR.to_string());
    let output = collectors.output().context("cannot start collectors")?;
    ensure!(output.status.success(), "collectors: {}", String::from_utf8_lossy(&output.stderr));
    let met: Value = serde_json::from_slice(&output.stdout).context("collectors say something else")?;
    let of = |name: &str| met.get(name).and_then(Value::as_f64).with_context(|| format!("no {name} in {met}"));
    ensure!(of("failures")? == 0.0, "requests of collectors failed: {met}");
    let (server, nginx) = (of("server_cores")?, of("nginx_cores")?);
    Ok(Figure {
        what: format!("CPU of {COMPONENTS} components through NGINX, PostgreSQL"),
        floor: "the CPU that NGINX takes for them",
        measured: format!(
            "{:.0}/s, {:.0} % of a core, NGINX {:.0} %, p50 {:.1} ms, p99 {:.1} ms, {:.0} MiB",
            of("rate")?,
            server * 100.0,
            nginx * 100.0,
            of("p50_ms")?,
            of("p99_ms")?,
            of("server_mib")?
        ),
        ratio: server / nginx,
        mark: None,
    })
}
