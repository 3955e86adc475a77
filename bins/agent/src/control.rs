//! The round that comes every ten seconds: be somebody, give a sign of life, look after the key.

use std::time::{Duration, Instant};

use stratora_wire::HeartbeatAnswer;
use tracing::{info, warn};

use crate::agent::Agent;
use crate::backoff::Backoff;
use crate::client::{Client, Failure};
use crate::clock;
use crate::enrollment::{self, NotEnrolled};
use crate::heartbeat::Verdict;
use crate::outage::Outage;
use crate::random;
use crate::rotation::{self, NotRotated, Taken};
use crate::settings::{Credentials, Identity, Settings};
use crate::skew::{self, News, Skew};
use crate::standing::{Connection, Standing};
use crate::store::Version;

/// What to do about another component.
const EXISTS: &str =
    "a component of this host's name exists already: an administrator has to approve this agent in the console";

/// What may be the reason if one late request was not.
const ENDED_AGAIN: &str = "a first key has ended again before it was used: if this host is a copy of another one, enroll \
                           one of the two with a token of its own";

/// Works with one server, under one set of settings.
pub struct Control<'a> {
    agent: &'a Agent,
    client: &'a Client,
    connection: &'a Connection,
    settings: &'a Settings,
    skew: Skew,
    server: Outage,
    keys: Outage,
    away: Backoff,
    refused: Backoff,
    enrollment: Enrollment,
    rotating: Backoff,
    rotate_not_before: Option<Instant>,
    /// What the settings were like when they were last read or written here.
    version: Option<Version>,
}

/// How registering goes. Apart from all else, since who has a key goes on with it meanwhile, and is well but for this.
struct Enrollment {
    due: Due,
    /// No key was taken yet, so the last attempt may have to be repeated.
    is_unproven: bool,
    /// The last attempt is not repeated before.
    repeat_from: Option<Instant>,
    trouble: Outage,
    away: Backoff,
    refused: Backoff,
}

/// When to try to register.
enum Due {
    /// Now, or once this time has come.
    From(Option<Instant>),
    /// Not with this token.
    Never,
}

/// When the next round is.
enum Next {
    /// One interval after the last.
    Regular,
    /// After this time.
    After(Duration),
    /// When somebody has changed the settings.
    Never,
}

impl<'a> Control<'a> {
    /// Has not done anything yet.
    pub fn new(agent: &'a Agent, client: &'a Client, connection: &'a Connection, settings: &'a Settings) -> Self {
        let interval = agent.options.interval;
        Self {
            agent,
            client,
            connection,
            settings,
            skew: Skew::default(),
            server: Outage::default(),
            keys: Outage::default(),
            away: Backoff::new(interval),
            refused: Backoff::new(interval.saturating_mul(6)),
            enrollment: Enrollment {
                due: Due::From(None),
                is_unproven: true,
                repeat_from: None,
                trouble: Outage::default(),
                away: Backoff::new(interval),
                refused: Backoff::new(interval.saturating_mul(6)),
            },
            rotating: Backoff::new(interval.saturating_mul(6)),
            rotate_not_before: None,
            version: agent.store.version(),
        }
    }

    /// Goes on until the settings, which the agent cannot go on with, were changed.
    pub async fn run(&mut self) {
        let interval = self.agent.options.interval;
        // Agents that start together, after a power cut, do not go on together.
        let mut due = clock::instant() + random::up_to(interval);
        loop {
            let next = self.round().await;
            self.agent.write_status(self.connection, &self.keys, &self.enrollment.trouble);
            match next {
                Next::Regular => {
                    tokio::time::sleep(due.saturating_duration_since(clock::instant())).await;
                    due = clock::instant() + interval;
                }
                Next::After(wait) => {
                    if self.settings_change_within(Some(wait)).await {
                        return;
                    }
                }
                Next::Never => {
                    if self.settings_change_within(None).await {
                        return;
                    }
                }
            }
        }
    }

    async fn settings_change_within(&self, wait: Option<Duration>) -> bool {
        let began = clock::instant();
        loop {
            let left = wait.map(|wait| wait.saturating_sub(clock::instant().duration_since(began)));
            if left.is_some_and(|left| left.is_zero()) {
                return false;
            }
            let step = self.agent.options.interval;
            tokio::time::sleep(left.map_or(step, |left| left.min(step))).await;
            let version = self.agent.store.version();
            if version.is_some() && version != self.version {
                return true;
            }
        }
    }

    async fn round(&mut self) -> Next {
        if let Some(next) = self.enroll().await {
            return next;
        }
        let Some(identity) = self.connection.identity() else { return Next::Never };
        let sent = clock::now();
        match rotation::prove(self.client, &self.agent.host, &identity).await {
            Ok((answer, taken)) => {
                self.well(&answer, sent);
                let identity = self.settle(identity, taken);
                if answer.rotate && identity.new_api_key.is_none() && self.rotate(&identity).await {
                    // At once, so that the old key lives no longer than it has to.
                    return Next::After(Duration::ZERO);
                }
                Next::Regular
            }
            Err(failure) => match self.repeat_enrollment(&failure).await {
                Some(next) => next,
                None => self.unwell(&failure),
            },
        }
    }

    /// If the key was never taken, and another one was given in its place to a request of before that came late, asks for
    /// one more. Returns when to go on, if that is what happened.
    async fn repeat_enrollment(&mut self, failure: &Failure) -> Option<Next> {
        if !self.enrollment.is_unproven || failure.reason() != Some((401, "key_rotated")) {
            return None;
        }
        let credentials = self.connection.credentials().clone();
        if credentials.enrollment_token.is_some() {
            return None;
        }
        let wait = self.enrollment.repeat_from.map(|time| time.saturating_duration_since(clock::instant()));
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            self.enrollment.trouble.begin(ENDED_AGAIN);
            self.connection.stands(Standing::Refused(ENDED_AGAIN.to_owned()));
            return Some(Next::After(wait));
        }
        let settings = Settings { credentials, ..self.settings.clone() };
        let Agent { store, state, .. } = self.agent;
        match enrollment::repeat(self.client, store.as_ref(), state, &settings).await? {
            Ok(credentials) => {
                info!("a key that was never used had ended; this agent has another one");
                self.took_over(credentials);
                // The key is used at once, but if it has ended too, copies of this host may be taking turns.
                self.enrollment.repeat_from = clock::instant().checked_add(self.enrollment.away.after_failure(None));
                Some(Next::After(Duration::ZERO))
            }
            Err(NotEnrolled::Failed(failure)) => {
                self.enrollment.trouble.begin_as(&failure.trouble(), &format!("not enrolled yet: {failure}"));
                self.connection.stands(Standing::Away(failure.to_string()));
                Some(Next::After(self.enrollment.away.after_failure(failure.retry_after())))
            }
            Err(NotEnrolled::CannotKeep(why)) => {
                self.enrollment.trouble.begin(&format!("not enrolled yet, since a key could not be kept: {why}"));
                self.connection.stands(Standing::NotEnrolled(why));
                Some(Next::After(self.enrollment.refused.after_failure(None)))
            }
            // The server does not answer it again: a key of it was used, or ended by somebody, or the token is gone. So
            // nothing is wrong but the key.
            Err(NotEnrolled::Final(_) | NotEnrolled::AwaitingApproval) => {
                self.enrollment.is_unproven = false;
                self.enrollment.trouble = Outage::default();
                enrollment::forget(state);
                None
            }
        }
    }

    /// Registers if there is something to register with. Returns when to go on, if not now.
    async fn enroll(&mut self) -> Option<Next> {
        let credentials = self.connection.credentials().clone();
        let Due::From(time) = self.enrollment.due else { return None };
        if credentials.enrollment_token.is_none() || time.is_some_and(|time| clock::instant() < time) {
            return None;
        }
        let settings = Settings { credentials, ..self.settings.clone() };
        let Agent { store, state, host, .. } = self.agent;
        let has_identity = settings.credentials.identity.is_some();
        let (standing, wait) = match enrollment::enroll(self.client, store.as_ref(), state, &settings, &host.name).await
        {
            Ok(credentials) => {
                let id = credentials.identity.as_ref().map_or("unknown", |identity| identity.component_id.as_str());
                info!("enrolled as component {id}; the enrollment token is removed from {}", store.place());
                self.took_over(credentials);
                self.enrollment.is_unproven = true;
                self.enrollment.repeat_from = None;
                self.enrollment.trouble.end("enrollment works");
                return None;
            }
            Err(NotEnrolled::Final(why)) => {
                let what = format!("not enrolled: {why}. Put a new enrollment_token into {}", store.place());
                self.enrollment.trouble.begin_for_good(&what);
                self.enrollment.due = Due::Never;
                if has_identity {
                    return None;
                }
                self.connection.stands(Standing::NotEnrolled(why));
                return Some(Next::Never);
            }
            Err(NotEnrolled::AwaitingApproval) => {
                self.enrollment.trouble.begin(EXISTS);
                (Standing::AwaitingApproval, self.seldom())
            }
            Err(NotEnrolled::Failed(failure)) => {
                self.enrollment.trouble.begin_as(&failure.trouble(), &format!("not enrolled yet: {failure}"));
                let wait = self.enrollment.away.after_failure(failure.retry_after());
                (Standing::Away(failure.to_string()), wait)
            }
            Err(NotEnrolled::CannotKeep(why)) => {
                self.enrollment.trouble.begin(&format!("not enrolled yet, since a key could not be kept: {why}"));
                (Standing::NotEnrolled(why), self.enrollment.refused.after_failure(None))
            }
        };
        if has_identity {
            self.enrollment.due = Due::From(clock::instant().checked_add(wait));
            return None;
        }
        self.connection.stands(standing);
        Some(Next::After(wait))
    }

    fn well(&mut self, answer: &HeartbeatAnswer, sent: jiff::Timestamp) {
        if std::mem::take(&mut self.enrollment.is_unproven) && self.connection.credentials().enrollment_token.is_none()
        {
            enrollment::forget(&self.agent.state);
            self.enrollment.trouble.end("enrollment works");
        }
        self.server.end("the server takes this agent's key");
        self.away.reset();
        self.refused.reset();
        let now = clock::now();
        let mut status = self.agent.status.borrow_mut();
        status.heartbeat_at = Some(now);
        if let Ok(time) = answer.server_time.parse() {
            let ahead = skew::ahead(time, sent, now);
            status.clock_ahead_seconds = ahead;
            match self.skew.note(ahead) {
                Some(News::Off) => {
                    warn!("this host's clock is {ahead} s ahead of the server's: the times of its metrics are wrong");
                }
                Some(News::Right) => info!("this host's clock is right again"),
                None => {}
            }
        }
        self.connection.stands(Standing::Good);
    }

    fn unwell(&mut self, failure: &Failure) -> Next {
        match Verdict::of(failure) {
            Verdict::Dead(why) => {
                let place = self.agent.store.place();
                self.server.begin(&format!("{why}. To enroll again put a new enrollment_token into {place}"));
                self.connection.stands(Standing::Refused(why.to_owned()));
                Next::After(self.refused.after_failure(None))
            }
            Verdict::NotApproved => {
                self.server.begin("an administrator has to approve this agent in the console (not_approved)");
                self.connection.stands(Standing::AwaitingApproval);
                Next::After(self.seldom())
            }
            Verdict::Unknown => {
                self.server.begin_as(&failure.trouble(), &failure.to_string());
                self.connection.stands(Standing::Away(failure.to_string()));
                Next::After(self.away.after_failure(failure.retry_after()))
            }
        }
    }

    /// The key that was not taken goes from the settings. Until it can, both stay, which is safe.
    fn settle(&mut self, identity: Identity, taken: Taken) -> Identity {
        if taken == Taken::Only {
            return identity;
        }
        let known = self.connection.credentials().clone();
        let settled = identity.clone().settled(taken);
        let new = Credentials { enrollment_token: known.enrollment_token.clone(), identity: Some(settled.clone()) };
        let store = &self.agent.store;
        if let Err(error) = store.replace_credentials(&known, &new) {
            let why = crate::log::causes(&error);
            self.keys.begin(&format!("the key that is not needed any more stays in {}, which {why}", store.place()));
            return identity;
        }
        if taken == Taken::Old {
            warn!("the new key never came to be; this agent goes on with the one it has");
        } else {
            info!("this agent has a new key, and the old one has ended");
        }
        self.keys.end("keys can be kept");
        self.took_over(new);
        settled
    }

    /// Asks for a new key. Returns whether there is one.
    async fn rotate(&mut self, identity: &Identity) -> bool {
        if self.rotate_not_before.is_some_and(|time| clock::instant() < time) {
            return false;
        }
        let credentials = self.connection.credentials().clone();
        let (which, why, retry_after) =
            match rotation::begin(self.client, self.agent.store.as_ref(), &credentials, identity).await {
                Ok(both) => {
                    self.took_over(both);
                    self.rotating.reset();
                    self.rotate_not_before = None;
                    return true;
                }
                Err(NotRotated::Failed(failure)) => (failure.trouble(), failure.to_string(), failure.retry_after()),
                Err(NotRotated::CannotKeep(why)) => (why.clone(), why, None),
            };
        let what = format!("the key is not rotated, and this agent goes on with the one it has: {why}");
        self.keys.begin_as(&which, &what);
        self.rotate_not_before = clock::instant().checked_add(self.rotating.after_failure(retry_after));
        false
    }

    fn took_over(&mut self, credentials: Credentials) {
        self.connection.use_credentials(credentials);
        self.version = self.agent.store.version();
    }

    /// A minute or so, for what a person has to do first.
    fn seldom(&self) -> Duration {
        let interval = self.agent.options.interval;
        interval.saturating_mul(3).saturating_add(random::up_to(interval.saturating_mul(6)))
    }
}
