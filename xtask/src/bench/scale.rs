//! What the number of credentials does to the cost of a request: with a thousand, a hundred thousand and a million of them.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::figures::{CONNECTIONS, Figure, Mark, Report, median};
use super::load::{Load, write_turns};
use super::subject::{SERVER_CORE, Subject, release};
use crate::postgres::Postgres;

/// How many keys there are, and as many sessions; costs are compared to those of the first.
const NUMBERS: [usize; 3] = [1_000, 100_000, 1_000_000];
/// How many of them ask, spread evenly: the same number each time, so that only what lies between them differs.
const ASKING: usize = 1_000;
/// How often each load is put on, after a first time that is not counted.
const ROUNDS: usize = 3;
/// How much dearer a request may be than with the fewest.
const MARK: f64 = 1.3;
/// How many bytes a credential in memory may take.
const BYTES: f64 = 400.0;
/// Settings of a cache that forgets a credential as soon as it meets the next.
const FORGETFUL: &str = "{keys: 1, sessions: 1}";
/// How many are brought into memory first, and how many more to see what they take.
const FIRST: usize = 100_000;
const MORE: usize = 200_000;
/// Settings of a cache that has room for all of these.
const ROOMY: &str = "{keys: 400000, sessions: 400000}";
/// Within which time it is written down who was seen.
const WRITTEN: Duration = Duration::from_secs(8);

/// With what a request is made.
#[derive(Clone, Copy)]
enum Credential {
    Key,
    Session,
}

impl Credential {
    const BOTH: [Self; 2] = [Self::Key, Self::Session];

    /// The file in which they are.
    const fn file(self) -> &'static str {
        match self {
            Self::Key => "keys",
            Self::Session => "tokens",
        }
    }

    fn write_turns(self, script: &Path, of: &Path) -> Result<()> {
        match self {
            Self::Key => write_turns(script, of, ["/api/v1/remote-collectors/", "/config"], ["X-API-Key", ""]),
            Self::Session => write_turns(script, of, ["/api/v1/auth/me", ""], ["Authorization", "Bearer "]),
        }
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "a key",
            Self::Session => "a session",
        })
    }
}

/// An installation with so many credentials.
pub(super) struct Installation {
    number: usize,
    pub(super) server: Subject,
    pub(super) files: PathBuf,
    _postgres: Option<Postgres>,
}

impl Installation {
    pub(super) fn start(directory: &Path, on_postgres: bool, number: usize) -> Result<Self> {
        let files = directory.join(format!("{number}-on-{}", if on_postgres { "postgres" } else { "sqlite" }));
        fs::create_dir(&files)?;
        let postgres = if on_postgres { Some(Postgres::start()?) } else { None };
        let database = match &postgres {
            Some(postgres) => format!("{}/postgres", postgres.url()),
            None => format!("sqlite:{}", files.join("stratora.db").display()),
        };
        let server = Subject::start(&files, "server", &database)?;
        let mut fill = Command::new(release("examples/fill"));
        let filled = fill.args([&database, &number.to_string()]).arg(&files).output().context("cannot start fill")?;
        ensure!(filled.status.success(), "fill: {}", String::from_utf8_lossy(&filled.stderr));
        for credential in Credential::BOTH {
            let lines = fs::read_to_string(files.join(credential.file()))?;
            let some: Vec<_> = lines.lines().step_by(number / ASKING).collect();
            fs::write(files.join(format!("some-{}", credential.file())), some.join("\n") + "\n")?;
        }
        Ok(Self { number, server, files, _postgres: postgres })
    }

    /// Starts the server again, pinned, with these settings of `cache`.
    fn restart(&mut self, cache: &str) -> Result<()> {
        self.server.restart(cache)?;
        self.server.pin(Some(SERVER_CORE))
    }

    /// Asks at least once with each of these, and waits until it was written down that they were seen.
    #[expect(clippy::cast_precision_loss, reason = "these are small numbers")]
    fn ask_with_all(&self, credential: Credential, lines: &[&str]) -> Result<()> {
        fs::write(self.files.join("these"), lines.join("\n") + "\n")?;
        let mut seconds = 15;
        while self.rate(credential, "these", seconds)? * f64::from(seconds) < lines.len() as f64 {
            seconds *= 2;
        }
        std::thread::sleep(WRITTEN);
        Ok(())
    }

    /// Requests a second, each with the next of the credentials in `file`.
    fn rate(&self, credential: Credential, file: &str, seconds: u32) -> Result<f64> {
        let script = self.files.join("turns.lua");
        credential.write_turns(&script, &self.files.join(file))?;
        let load = Load {
            url: self.server.url("/"),
            headers: Vec::new(),
            script: Some(script.as_path()),
            connections: CONNECTIONS,
            seconds,
            core: Some(1 - SERVER_CORE),
        };
        Ok(load.run()?.rate)
    }
}

/// Measures it all.
pub(super) fn measure(directory: &TempDir, seconds: u32) -> Result<Report> {
    let mut figures = Vec::new();
    for on_postgres in [false, true] {
        let started = NUMBERS.map(|number| Installation::start(directory.path(), on_postgres, number));
        let mut installations = started.into_iter().collect::<Result<Vec<_>>>()?;
        figures.extend(of_size(&mut installations, on_postgres, seconds)?);
        if let [.., many] = installations.as_mut_slice() {
            figures.extend(of_memory(many, on_postgres)?);
        }
    }
    Ok(Report::new(figures))
}

/// What a request costs, with its credential in memory or not, as the number of credentials grows.
fn of_size(installations: &mut [Installation], on_postgres: bool, seconds: u32) -> Result<Vec<Figure>> {
    let database = if on_postgres { "PostgreSQL" } else { "SQLite" };
    let mut figures = Vec::new();
    for (memory, cache) in [("cold", FORGETFUL), ("warm", "{}")] {
        for installation in installations.iter_mut() {
            installation.restart(cache)?;
        }
        for credential in Credential::BOTH {
            let mut rates = vec![Vec::new(); installations.len()];
            let file = format!("some-{}", credential.file());
            for round in 0..=ROUNDS {
                for (installation, rates) in installations.iter().zip(&mut rates) {
                    let rate = installation.rate(credential, &file, seconds)?;
                    // The first round brings into memory what the others find there.
                    if round > 0 {
                        rates.push(rate);
                    }
                }
            }
            let Some((few, more)) = rates.split_first() else { continue };
            for (installation, rates) in installations.iter().skip(1).zip(more) {
                let ratios = few.iter().zip(rates).map(|(few, many)| few / many).collect();
                figures.push(Figure {
                    what: format!("{credential} among {}, {memory}, {database}", installation.number),
                    floor: "its cost among 1000",
                    measured: format!("{:.0}/s", median(rates.clone())),
                    ratio: median(ratios),
                    mark: Some(Mark::AtMost(MARK)),
                });
            }
        }
    }
    Ok(figures)
}

/// What a credential takes in memory: by how much the server grows for each more, once it has met so many that all else is
/// there which it needs to meet them.
fn of_memory(installation: &mut Installation, on_postgres: bool) -> Result<Vec<Figure>> {
    let database = if on_postgres { "PostgreSQL" } else { "SQLite" };
    let mut figures = Vec::new();
    for credential in Credential::BOTH {
        let lines = fs::read_to_string(installation.files.join(credential.file()))?;
        let lines: Vec<_> = lines.lines().collect();
        let (first, rest) = lines.split_at_checked(FIRST).context("there are too few")?;
        let more = rest.get(..MORE).context("there are too few")?;
        installation.restart(ROOMY)?;
        installation.ask_with_all(credential, first)?;
        let before = installation.server.own_memory()?;
        installation.ask_with_all(credential, more)?;
        #[expect(clippy::cast_precision_loss, reason = "it is a small number")]
        let bytes = (installation.server.own_memory()? - before) / MORE as f64;
        figures.push(Figure {
            what: format!("memory of {credential}, {database}"),
            floor: "400 bytes",
            measured: format!("{bytes:.0} bytes"),
            ratio: bytes / BYTES,
            mark: Some(Mark::AtMost(1.0)),
        });
    }
    Ok(figures)
}
