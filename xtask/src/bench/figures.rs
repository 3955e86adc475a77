//! The figures: each a cost in the product over the cost of a floor, both measured in turns in the same run.

use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::json;

use super::load::{Load, Met, write_flood, write_post};
use super::subject::{Listener, SERVER_CORE, Subject, bare_bcrypt};

/// How often each load is put on, in turns with its floor; the median counts.
pub(super) const ROUNDS: usize = 5;
/// Into how many short rounds the time of requests is cut, since a neighbour's work on the same machine lasts for seconds: each
/// load comes right after its own floor.
const SHORT_ROUNDS: usize = 15;
/// How many seconds each of them lasts.
const SHORT: u32 = 1;
/// How many connections the load has: enough that the server is never idle.
pub(super) const CONNECTIONS: u32 = 32;
/// How many clients hammer the sign-in.
const FLOODERS: u32 = 8;
/// How many sign-ins are timed: the kernel accounts hundredths of a second, a hash takes a quarter of one.
const SIGN_INS: u32 = 16;

/// One figure.
pub(super) struct Figure {
    pub(super) what: String,
    pub(super) floor: &'static str,
    pub(super) measured: String,
    pub(super) ratio: f64,
    pub(super) mark: Option<Mark>,
}

/// What a ratio has to keep to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark {
    AtMost(f64),
    AtLeast(f64),
}

impl Mark {
    fn holds(self, ratio: f64) -> bool {
        match self {
            Self::AtMost(mark) => ratio <= mark,
            Self::AtLeast(mark) => ratio >= mark,
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(mark) => write!(f, "at most {mark}"),
            Self::AtLeast(mark) => write!(f, "at least {mark}"),
        }
    }
}

impl Figure {
    /// Whether the figure keeps to its mark, if it has one.
    fn holds(&self) -> Option<bool> {
        self.mark.map(|mark| mark.holds(self.ratio))
    }
}

/// What a request takes: how many are answered a second, and the seconds of CPU of each.
#[derive(Clone, Copy)]
struct Cost {
    rate: f64,
    cpu: f64,
}

impl Cost {
    /// Puts the load on the process whose CPU time `cpu` reads.
    fn of(load: &Load<'_>, cpu: impl Fn() -> Result<f64>) -> Result<Self> {
        let before = cpu()?;
        let met = load.run()?;
        Ok(Self { rate: met.rate, cpu: (cpu()? - before) / met.requests })
    }
}

/// What the rounds of one subject came to, each with what its floor took in that round.
struct Rounds(Vec<(Cost, Cost)>);

impl Rounds {
    fn median(&self, of: impl Fn(&Cost, &Cost) -> f64) -> f64 {
        median(self.0.iter().map(|(cost, floor)| of(cost, floor)).collect())
    }
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What requests are measured against: the bare handler, asked in the same way.
struct Floor<'a> {
    load: Load<'a>,
    rate: &'static str,
    cpu: &'static str,
}

/// A short round on the core that the server does not have.
const fn short(url: String, headers: Vec<String>, script: Option<&Path>) -> Load<'_> {
    let core = Some(1 - SERVER_CORE);
    Load { url, headers, script, connections: CONNECTIONS, seconds: SHORT, core }
}

/// Requests with a key and with a session, and a 304, against the bare handler; both on one core.
pub(super) fn of_requests(database: &str, bare: &Listener, server: &Subject) -> Result<Vec<Figure>> {
    server.pin(Some(SERVER_CORE))?;
    let heartbeat = server.script("heartbeat.lua");
    let body = r#"{"hostname":"db-1.example.com","version":"1.2.3","os":"Debian 12"}"#;
    write_post(&heartbeat, "application/json", body)?;
    let root = || format!("{}/", bare.base);
    let reading = Floor {
        load: short(root(), Vec::new(), Some(&heartbeat)),
        rate: "requests a second of a bare handler that reads the same",
        cpu: "CPU of a bare handler's that reads the same",
    };
    let floor = Floor {
        load: short(root(), Vec::new(), None),
        rate: "requests a second of a bare handler",
        cpu: "CPU of a bare handler's",
    };
    let config = |headers: Vec<String>| short(server.url(&server.config()), headers, None);
    let subjects = [
        (
            "a heartbeat",
            short(server.url(&server.heartbeat()), vec![server.api_key()], Some(&heartbeat)),
            &reading,
            Some(Mark::AtLeast(0.65)),
        ),
        ("a configuration that is sent", config(vec![server.api_key()]), &floor, None),
        (
            "a session's request",
            short(server.url("/api/v1/auth/me"), vec![server.bearer()], None),
            &floor,
            Some(Mark::AtLeast(0.65)),
        ),
        (
            "a 304",
            config(vec![server.api_key(), format!("If-None-Match: {}", server.etag)]),
            &floor,
            Some(Mark::AtLeast(0.6)),
        ),
    ];
    let mut rounds = [const { Rounds(Vec::new()) }; 4];
    for _ in 0..SHORT_ROUNDS {
        for ((_, load, floor, _), rounds) in subjects.iter().zip(&mut rounds) {
            let floor = Cost::of(&floor.load, || bare.cpu())?;
            rounds.0.push((Cost::of(load, || server.cpu())?, floor));
        }
    }
    server.pin(None)?;
    let figures = subjects.iter().zip(rounds).flat_map(|((what, _, floor, mark), rounds)| {
        let rate = Figure {
            what: format!("{what}, {database}"),
            floor: floor.rate,
            measured: format!("{:.0}/s", rounds.median(|cost, _| cost.rate)),
            ratio: rounds.median(|cost, floor| cost.rate / floor.rate),
            mark: *mark,
        };
        let cpu = Figure {
            what: format!("CPU of {what}, {database}"),
            floor: floor.cpu,
            measured: format!("{:.1} µs", rounds.median(|cost, _| cost.cpu * 1e6)),
            ratio: rounds.median(|cost, floor| cost.cpu / floor.cpu),
            mark: None,
        };
        [rate, cpu]
    });
    Ok(figures.collect())
}

/// Measurements through the server, against writing them to the time-series store directly.
pub(super) fn of_ingest(server: &Subject, seconds: u32) -> Result<Figure> {
    let script = server.script("ingest.lua");
    write_post(&script, "text/plain", &"cpu,host=a usage=42\n".repeat(20))?;
    let load = |url: String, headers: Vec<String>| Load {
        url,
        headers,
        script: Some(script.as_path()),
        connections: CONNECTIONS,
        seconds,
        core: None,
    };
    let direct = load(server.time_series_url("/write"), Vec::new());
    let through = load(server.url("/api/v1/ingest/influx"), vec![server.api_key()]);
    let (mut ratios, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let direct = direct.run()?.rate;
        let rate = through.run()?.rate;
        ratios.push(rate / direct);
        rates.push(rate);
    }
    Ok(Figure {
        what: "ingest of 20 lines, SQLite".to_owned(),
        floor: "requests a second to VictoriaMetrics directly",
        measured: format!("{:.0}/s", median(rates)),
        ratio: median(ratios),
        mark: None,
    })
}

/// The CPU time of a sign-in, against that of one verification.
pub(super) fn of_sign_in(server: &Subject) -> Result<Figure> {
    let (mut ratios, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let bare = bare_bcrypt(SIGN_INS)?;
        let cost = server.cpu_of_sign_ins(SIGN_INS)?;
        ratios.push(cost / bare);
        costs.push(cost * 1000.0);
    }
    Ok(Figure {
        what: "CPU of a sign-in, SQLite".to_owned(),
        floor: "CPU of one bare bcrypt of cost 12",
        measured: format!("{:.0} ms", median(costs)),
        ratio: median(ratios),
        mark: Some(Mark::AtMost(1.05)),
    })
}

/// How long a session's request takes while sign-ins flood, against when all is quiet.
pub(super) fn of_a_flood(server: &Subject, seconds: u32) -> Result<Figure> {
    let script = server.script("flood.lua");
    write_flood(&script)?;
    let session = Load {
        url: server.url("/api/v1/auth/me"),
        headers: vec![server.bearer()],
        script: None,
        connections: FLOODERS,
        seconds,
        core: None,
    };
    let flood = Load {
        url: server.url("/"),
        headers: Vec::new(),
        script: Some(script.as_path()),
        connections: FLOODERS,
        // Around the load that is measured.
        seconds: seconds + 2,
        core: None,
    };
    let (mut ratios, mut times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let Met { p99: quiet, .. } = session.run()?;
        let mut flooding = flood.command().stdout(Stdio::null()).spawn().context("cannot start wrk")?;
        std::thread::sleep(std::time::Duration::from_secs(1));
        let flooded = session.run();
        flooding.wait().context("cannot wait for wrk")?;
        let Met { p99: flooded, .. } = flooded?;
        ratios.push(flooded / quiet);
        times.push(flooded);
    }
    Ok(Figure {
        what: "p99 of a session's request while 8 clients hammer the sign-in".to_owned(),
        floor: "its p99 when all is quiet",
        measured: format!("{:.2} ms", median(times)),
        ratio: median(ratios),
        mark: Some(Mark::AtMost(5.0)),
    })
}

/// All figures, and the machine that they are of.
pub(super) struct Report {
    machine: String,
    figures: Vec<Figure>,
}

impl Report {
    pub(super) fn new(figures: Vec<Figure>) -> Self {
        Self { machine: machine(), figures }
    }

    pub(super) fn marks_hold(&self) -> bool {
        self.figures.iter().all(|figure| figure.holds() != Some(false))
    }

    /// As a table in Markdown.
    pub(super) fn table(&self) -> String {
        let mut table = format!("{}\n\n| what | measured | ratio | to | mark |\n|---|---|---|---|---|\n", self.machine);
        for figure in &self.figures {
            let Figure { what, floor, measured, ratio, mark } = figure;
            let mark = match (mark, figure.holds()) {
                (Some(mark), Some(true)) => format!("{mark}: holds"),
                (Some(mark), _) => format!("{mark}: MISSED"),
                (None, _) => String::new(),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(table, "| {what} | {measured} | {ratio:.2} | {floor} | {mark} |");
        }
        table
    }

    pub(super) fn json(&self) -> Result<String> {
        let figures: Vec<_> = self
            .figures
            .iter()
            .map(|figure| {
                let Figure { what, floor, measured, ratio, mark } = figure;
                json!({"what": what, "measured": measured, "ratio": ratio, "to": floor, "mark": mark.map(|mark| mark.to_string()), "holds": figure.holds()})
            })
            .collect();
        Ok(serde_json::to_string_pretty(&json!({"machine": self.machine, "figures": figures}))?)
    }
}

/// The machine in one line.
fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1)).unwrap_or(" unknown CPU");
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let rustc = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    format!("{cores} ×{model}, Linux {}, {}", kernel.trim(), String::from_utf8_lossy(&rustc).trim())
}
