//! The steps in their order, and what has to be remembered between them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::header::ETAG;
use serde::{Deserialize, Serialize};
use stratora_wire::ConfigReport;
use tracing::{info, warn};

use super::command::Command;
use super::target::Target;
use crate::backoff::Backoff;
use crate::client::{Answer, Client, Failure, Request};
use crate::clock;
use crate::log::in_one_line;
use crate::outage::Outage;
use crate::settings::Identity;
use crate::state::StateDirectory;

const FILE: &str = "configuration.json";

/// What is remembered from one run to the next.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Memory {
    /// The tag of the configuration that was dealt with last, well or not.
    etag: Option<String>,
    /// A configuration was being put in place.
    changing: Option<Changing>,
    /// What the server has not been told yet.
    report: Option<ConfigReport>,
    /// What it was told last.
    last: Option<LastConfiguration>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Changing {
    there_was_one: bool,
}

/// What became of the last configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastConfiguration {
    /// `applied`, `validation_error` or `rolled_back`.
    pub status: String,
    /// When, in UTC.
    pub at: String,
}

/// Where a configuration goes, and who says whether it is good.
#[derive(Debug, Clone)]
pub struct Steps {
    /// The file that it is written to.
    pub target: PathBuf,
    /// Says whether a configuration is good, before and, if there is no other, after it is in place.
    pub validate: Option<Command>,
    /// Makes the program read it once it is in place.
    pub apply: Option<Command>,
}

/// Pulls the configuration.
pub struct Puller {
    target: Target,
    steps: Steps,
    memory: Memory,
    outage: Outage,
    backoff: Backoff,
    not_before: Option<Instant>,
}

impl Puller {
    /// Goes on from where the last run ended. A configuration that was in place without being verified is taken back.
    pub fn new(steps: Steps, state: &StateDirectory, interval: Duration) -> Self {
        let mut memory = state.load::<Memory>(FILE).unwrap_or_default();
        let target = Target::new(steps.target.clone());
        let mut outage = Outage::default();
        if let Some(changing) = memory.changing.take() {
            match target.roll_back(changing.there_was_one) {
                Ok(()) => warn!("a configuration was not verified when the agent ended: the one before it is put back"),
                Err(error) => outage.begin(&format!("{} cannot be put back: {error}", target.path().display())),
            }
        }
        Self { target, steps, memory, outage, backoff: Backoff::new(interval), not_before: None }
    }

    /// What became of the last configuration.
    pub const fn last(&self) -> Option<&LastConfiguration> {
        self.memory.last.as_ref()
    }

    /// What is wrong with the file or with the answers.
    pub fn trouble(&self) -> Option<&str> {
        self.outage.trouble()
    }

    /// Looks for a new configuration, deals with it, and reports.
    pub async fn pull(&mut self, client: &Client, identity: &Identity, state: &StateDirectory) {
        if self.not_before.is_some_and(|time| clock::instant() < time) {
            return;
        }
        let done = self.look(client, identity, state).await;
        let done = match done {
            Ok(()) => self.report(client, identity, state).await,
            failed => failed,
        };
        match done {
            Ok(()) => {
                self.not_before = None;
                self.backoff.reset();
                self.outage.end("the configuration can be pulled");
            }
            Err((what, retry_after)) => {
                self.outage.begin(&what);
                self.not_before = clock::instant().checked_add(self.backoff.after_failure(retry_after));
            }
        }
    }

    async fn look(&mut self, client: &Client, identity: &Identity, state: &StateDirectory) -> Done {
        let request = Request::get(format!("/api/v1/remote-collectors/{}/config", identity.component_id))
            .key(Some(identity.preferred()));
        // Without the file it is wanted again, whatever was done with it before.
        let known = self.memory.etag.as_deref().filter(|_| self.target.exists() || self.was_refused());
        let request = match known {
            Some(etag) => request.header("If-None-Match", etag),
            None => request,
        };
        let answer = match client.send(request).await {
            Ok(answer) if answer.status == StatusCode::NOT_MODIFIED => return Ok(()),
            Ok(answer) => answer,
            Err(failure) if failure.reason().is_some_and(|(status, why)| status == 404 && why == "no_config") => {
                return Ok(());
            }
            Err(failure) => return Err(because("the configuration cannot be pulled", &failure)),
        };
        let (etag, contents) = parts(&answer).ok_or_else(|| {
            ("the answer is not a configuration: its type, its tag or its text is not right".to_owned(), None)
        })?;
        if known == Some(etag.as_str()) {
            return Ok(());
        }
        let outcome = self.deal_with(&contents, state).await.map_err(|error| {
            (format!("the configuration cannot be written to {}: {error}", self.target.path().display()), None)
        })?;
        self.finish(etag, outcome, state)
    }

    fn was_refused(&self) -> bool {
        self.memory.last.as_ref().is_some_and(|last| last.status != "applied")
    }

    async fn deal_with(&mut self, contents: &str, state: &StateDirectory) -> std::io::Result<Outcome> {
        self.target.stage(contents.as_bytes())?;
        if let Some(validate) = &self.steps.validate
            && let Err(said) = validate.run(Some(&self.target.staged())).await
        {
            self.target.unstage();
            return Ok(Outcome { status: "validation_error", message: said });
        }
        let there_was_one = self.target.exists();
        self.memory.changing = Some(Changing { there_was_one });
        state.save(FILE, &self.memory)?;
        if let Err(error) = self.target.swap() {
            // It may have happened all the same.
            return Err(self.target.roll_back(there_was_one).err().unwrap_or(error));
        }
        let Err(said) = self.verify().await else {
            return Ok(Outcome { status: "applied", message: String::new() });
        };
        self.target.roll_back(there_was_one)?;
        if let Some(apply) = &self.steps.apply
            && let Err(said) = apply.run(None).await
        {
            warn!("the old configuration is back, but could not be applied: {}", in_one_line(&said));
        }
        Ok(Outcome { status: "rolled_back", message: said })
    }

    async fn verify(&self) -> Result<(), String> {
        match (&self.steps.apply, &self.steps.validate) {
            (Some(apply), _) => apply.run(None).await,
            (None, Some(validate)) => validate.run(Some(self.target.path())).await,
            (None, None) => Ok(()),
        }
    }

    fn finish(&mut self, etag: String, outcome: Outcome, state: &StateDirectory) -> Done {
        let Outcome { status, message } = outcome;
        match status {
            "applied" => info!("a new configuration is in place"),
            "validation_error" => {
                warn!("a new configuration is not used, since it is not valid: {}", in_one_line(&message));
            }
            _ => warn!("a new configuration was taken back, since it did not work: {}", in_one_line(&message)),
        }
        self.memory.changing = None;
        self.memory.last = Some(LastConfiguration { status: status.to_owned(), at: clock::now().to_string() });
        self.memory.report = Some(ConfigReport { config_hash: etag.clone(), status: status.to_owned(), message });
        self.memory.etag = Some(etag);
        // In this order: while the old one is there, a crash puts it back, and all is done again.
        let saved = state.save(FILE, &self.memory).and_then(|()| self.target.commit());
        saved.map_err(|error| (format!("what became of the configuration cannot be written down: {error}"), None))
    }

    async fn report(&mut self, client: &Client, identity: &Identity, state: &StateDirectory) -> Done {
        let Some(report) = &self.memory.report else { return Ok(()) };
        let path = format!("/api/v1/remote-collectors/{}/report", identity.component_id);
        match client.send(Request::post(path).key(Some(identity.preferred())).json(report)).await {
            Ok(_) => {}
            Err(failure) if matches!(failure.reason(), Some((400 | 413 | 422, _))) => {
                warn!("{failure}: the server does not take the report on the configuration, which is not sent again");
            }
            Err(failure) => return Err(because("it cannot be reported what became of the configuration", &failure)),
        }
        self.memory.report = None;
        let saved = state.save(FILE, &self.memory);
        saved.map_err(|error| (format!("the state of the configuration cannot be written down: {error}"), None))
    }
}

/// Nothing, or what is wrong and for how long to stay away.
type Done = Result<(), (String, Option<Duration>)>;

struct Outcome {
    status: &'static str,
    message: String,
}

fn because(what: &str, failure: &Failure) -> (String, Option<Duration>) {
    (format!("{what}: {failure}"), failure.retry_after())
}

/// The tag and the text. A page of somebody else's that says 200 has neither type nor tag.
fn parts(answer: &Answer) -> Option<(String, String)> {
    let etag = answer.headers.get(ETAG)?.to_str().ok().filter(|etag| (1..=128).contains(&etag.len()))?;
    let is_whole = answer.status == StatusCode::OK && answer.is("application/toml");
    let text = String::from_utf8(answer.body.to_vec()).ok().filter(|_| is_whole)?;
    Some((etag.to_owned(), text))
}
