//! The steps in their order, and what has to be remembered between them.

use std::path::PathBuf;
use std::time::Duration;

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
use crate::heartbeat;
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
    failures: u32,
}

impl Puller {
    /// Goes on from where the last run ended, with [`Puller::recover`] first.
    pub fn new(steps: Steps, state: &StateDirectory, interval: Duration) -> Self {
        let memory = state.load::<Memory>(FILE).unwrap_or_default();
        let target = Target::new(steps.target.clone(), state);
        if memory.changing.is_none() {
            // What a kill has left. If it stays, the next change removes it.
            let _removed = target.commit();
        }
        Self { target, steps, memory, outage: Outage::default(), backoff: Backoff::new(interval), failures: 0 }
    }

    /// What became of the last configuration.
    pub const fn last(&self) -> Option<&LastConfiguration> {
        self.memory.last.as_ref()
    }

    /// What is wrong with the file or with the answers.
    pub fn trouble(&self) -> Option<&str> {
        self.outage.trouble()
    }

    /// Takes back a configuration that is in place without being verified, because the agent was killed or the one before
    /// it could not be put back at once. Nothing else is done before that has succeeded, since the one before it is the
    /// last that is known to work. Returns how long to wait before it is tried again, if it has to be.
    pub async fn recover(&mut self, state: &StateDirectory) -> Option<Duration> {
        self.memory.changing?;
        match self.take_back(state) {
            Ok(()) => {
                warn!("a configuration was in place that was not verified: the one before it is put back");
                self.apply_the_old_one().await;
                self.well();
                None
            }
            Err(error) => Some(self.unwell(&Trouble::Own(format!(
                "a configuration is in place that was not verified, since the one before it cannot be put back as {}: {error}",
                self.target.path().display()
            )))),
        }
    }

    /// Looks for a new configuration, deals with it, and reports. Returns how long to leave the server alone, if something
    /// was wrong.
    pub async fn pull(&mut self, client: &Client, identity: &Identity, state: &StateDirectory) -> Option<Duration> {
        let looked = self.look(client, identity, state).await;
        let done = match looked {
            Ok(()) => self.report(client, identity, state).await,
            failed => failed,
        };
        match done {
            Ok(()) => {
                self.well();
                None
            }
            Err(trouble) => Some(self.unwell(&trouble)),
        }
    }

    fn well(&mut self) {
        self.failures = 0;
        self.backoff.reset();
        self.outage.end("the configuration can be pulled");
    }

    fn unwell(&mut self, trouble: &Trouble) -> Duration {
        self.failures = self.failures.saturating_add(1);
        if !trouble.is_for_the_heartbeat(self.failures) {
            self.outage.begin_as(&trouble.which(), &trouble.to_string());
        }
        self.backoff.after_failure(trouble.retry_after())
    }

    async fn look(&mut self, client: &Client, identity: &Identity, state: &StateDirectory) -> Result<(), Trouble> {
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
            Err(failure) => return Err(Trouble::Server("the configuration cannot be pulled", failure)),
        };
        let (etag, contents) = parts(&answer).ok_or_else(|| {
            Trouble::Own("the answer is not a configuration: its type, its tag or its text is not right".to_owned())
        })?;
        if known == Some(etag.as_str()) {
            return Ok(());
        }
        let outcome = self.deal_with(contents.as_bytes(), state).await;
        self.target.withdraw();
        let outcome = outcome.map_err(|error| {
            let path = self.target.path().display();
            Trouble::Own(format!("the configuration cannot be written to {path}: {error}"))
        })?;
        self.finish(etag, outcome, state)
    }

    fn was_refused(&self) -> bool {
        self.memory.last.as_ref().is_some_and(|last| last.status != "applied")
    }

    async fn deal_with(&mut self, contents: &[u8], state: &StateDirectory) -> std::io::Result<Outcome> {
        if let Some(validate) = &self.steps.validate {
            self.target.propose(contents)?;
            if let Err(said) = validate.run(Some(self.target.proposal())).await {
                return Ok(Outcome { status: "validation_error", message: said });
            }
        }
        self.target.stage(contents)?;
        self.memory.changing = Some(Changing { there_was_one: self.target.exists() });
        if let Err(error) = state.save(FILE, &self.memory) {
            self.memory.changing = None;
            return Err(error);
        }
        if let Err(error) = self.target.swap() {
            // It may have happened all the same.
            self.take_back(state)?;
            return Err(error);
        }
        let Err(said) = self.verify().await else {
            return Ok(Outcome { status: "applied", message: String::new() });
        };
        self.take_back(state).inspect_err(|_| {
            warn!("a new configuration is in place and does not work: {}", in_one_line(&said));
        })?;
        self.apply_the_old_one().await;
        Ok(Outcome { status: "rolled_back", message: said })
    }

    async fn verify(&self) -> Result<(), String> {
        match (&self.steps.apply, &self.steps.validate) {
            (Some(apply), _) => apply.run(None).await,
            (None, Some(validate)) => validate.run(Some(self.target.path())).await,
            (None, None) => Ok(()),
        }
    }

    /// Puts the one before back. Until that has succeeded, and is written down, it is not forgotten.
    fn take_back(&mut self, state: &StateDirectory) -> std::io::Result<()> {
        let Some(changing) = self.memory.changing else { return Ok(()) };
        self.target.roll_back(changing.there_was_one)?;
        self.memory.changing = None;
        let saved = state.save(FILE, &self.memory);
        saved.inspect_err(|_| self.memory.changing = Some(changing))
    }

    async fn apply_the_old_one(&self) {
        if let Some(apply) = &self.steps.apply
            && let Err(said) = apply.run(None).await
        {
            warn!("the old configuration is back, but could not be applied: {}", in_one_line(&said));
        }
    }

    fn finish(&mut self, etag: String, outcome: Outcome, state: &StateDirectory) -> Result<(), Trouble> {
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
        saved.map_err(|error| Trouble::Own(format!("what became of the configuration cannot be written down: {error}")))
    }

    async fn report(&mut self, client: &Client, identity: &Identity, state: &StateDirectory) -> Result<(), Trouble> {
        let Some(report) = &self.memory.report else { return Ok(()) };
        let path = format!("/api/v1/remote-collectors/{}/report", identity.component_id);
        match client.send(Request::post(path).key(Some(identity.preferred())).json(report)).await {
            Ok(_) => {}
            Err(failure) if matches!(failure.reason(), Some((400 | 413 | 422, _))) => {
                warn!("{failure}: the server does not take the report on the configuration, which is not sent again");
            }
            Err(failure) => {
                return Err(Trouble::Server("it cannot be reported what became of the configuration", failure));
            }
        }
        self.memory.report = None;
        let saved = state.save(FILE, &self.memory);
        saved.map_err(|error| Trouble::Own(format!("the state of the configuration cannot be written down: {error}")))
    }
}

/// Why it did not get as far as it should.
enum Trouble {
    /// What could not be done, and what the server said or did not say.
    Server(&'static str, Failure),
    /// What is wrong here, or with an answer.
    Own(String),
}

impl Trouble {
    fn is_for_the_heartbeat(&self, failures: u32) -> bool {
        matches!(self, Self::Server(_, failure) if heartbeat::says(failure, failures))
    }

    /// Whether it is the same as another, however it is told.
    fn which(&self) -> String {
        match self {
            Self::Server(what, failure) => format!("{what}: {}", failure.trouble()),
            Self::Own(what) => what.clone(),
        }
    }

    const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Server(_, failure) => failure.retry_after(),
            Self::Own(_) => None,
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server(what, failure) => write!(f, "{what}: {failure}"),
            Self::Own(what) => f.write_str(what),
        }
    }
}

struct Outcome {
    status: &'static str,
    message: String,
}

/// The tag and the text. A page of somebody else's that says 200 has neither type nor tag.
fn parts(answer: &Answer) -> Option<(String, String)> {
    let etag = answer.headers.get(ETAG)?.to_str().ok().filter(|etag| (1..=128).contains(&etag.len()))?;
    let is_whole = answer.status == StatusCode::OK && answer.is("application/toml");
    let text = String::from_utf8(answer.body.to_vec()).ok().filter(|_| is_whole)?;
    Some((etag.to_owned(), text))
}
