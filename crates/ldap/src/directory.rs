//! The port to the directory: every call is bounded in time, few are made at once, and none while the directory is away.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use stratora_auth::{Directory, DirectoryPerson, DirectoryUnavailable, Password, Username};
use stratora_clock::Clock;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::circuit::Circuit;
use crate::connection::speak;
use crate::conversation::{Conversation, Person, Progress, Stage};
use crate::failure::{Failure, Refusal, Trouble};
use crate::settings::Binding;
use crate::{DirectorySettings, Probe};

/// How many conversations there are at once. At 10 ms each, more sign-ins a second than people make; and if the directory
/// hangs, no more than this many connections hang with it.
const PLACES: usize = 32;

/// A directory that speaks LDAP.
pub struct LdapDirectory {
    settings: DirectorySettings,
    clock: Arc<dyn Clock>,
    places: Semaphore,
    circuit: Circuit,
}

/// Who is asked about.
type Somebody<'a> = Option<(&'a Username, &'a Password)>;

impl LdapDirectory {
    /// Asks nothing yet.
    pub fn new(settings: DirectorySettings, clock: Arc<dyn Clock>) -> Self {
        Self { settings, clock, places: Semaphore::new(PLACES), circuit: Circuit::default() }
    }

    /// Looks whether the directory can be used, and with a name and a password also who that is and what they may do here.
    /// Asks even while sign-ins do not, so that what was fixed is seen at once.
    pub async fn probe(&self, somebody: Option<(&Username, &Password)>) -> Probe {
        let mut progress = Progress::new();
        let outcome = match somebody.and_then(|(username, password)| self.refuses_unasked(username, password)) {
            Some(refusal) => {
                progress.stage = Stage::Bind;
                Err(refusal.into())
            }
            None => self.ask(somebody, &mut progress).await,
        };
        Probe::new(outcome, &progress, self.settings.is_encrypted(), &self.settings.roles)
    }

    /// What needs no directory to be refused.
    fn refuses_unasked(&self, username: &Username, password: &Password) -> Option<Refusal> {
        match &self.settings.binding {
            _ if password.expose().trim().is_empty() => Some(Refusal::BlankPassword),
            Binding::Own(template) if template.of(username).is_none() => Some(Refusal::OtherDomain),
            Binding::Own(_) | Binding::Service { .. } => None,
        }
    }

    async fn ask(&self, somebody: Somebody<'_>, progress: &mut Progress) -> Result<Option<Person>, Failure> {
        // The parser of LDAP panics at some answers that are not LDAP.
        let conversation = AssertUnwindSafe(self.converse(somebody, progress)).catch_unwind();
        let outcome = match timeout(self.settings.timeout, conversation).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_panic)) => Err(Trouble::Broken.into()),
            Err(_) if progress.stage == Stage::Waiting => Err(Trouble::Busy.into()),
            Err(_) => Err(Trouble::Slow(progress.stage).into()),
        };
        match &outcome {
            Err(Failure::Trouble(trouble)) if trouble.is_outage() => self.circuit.did_not_answer(self.clock.now()),
            _ if progress.stage == Stage::Waiting => {}
            _ => self.circuit.answered(),
        }
        outcome
    }

    async fn converse(&self, somebody: Somebody<'_>, progress: &mut Progress) -> Result<Option<Person>, Failure> {
        let _place = self.places.acquire().await.map_err(|_| Trouble::Busy)?;
        let (ldap, connection) = speak(self.settings.endpoint.connect(progress).await?).await?;
        let mut conversation = Conversation { ldap, settings: &self.settings, progress };
        let talk = async {
            match somebody {
                Some((username, password)) => conversation.identify(username, password.expose()).await.map(Some),
                None => conversation.look().await.map(|()| None),
            }
        };
        // Once the connection has ended, what it still brought is read, and what waits for more fails.
        let connection = connection.then(|()| std::future::pending());
        tokio::select! {
            biased;
            outcome = talk => outcome,
            never = connection => never,
        }
    }
}

#[async_trait]
impl Directory for LdapDirectory {
    async fn verify(
        &self,
        username: &Username,
        password: &Password,
    ) -> Result<Option<DirectoryPerson>, DirectoryUnavailable> {
        let unavailable = |failure: &Failure| DirectoryUnavailable { advice: failure.advice().into_owned() };
        if self.refuses_unasked(username, password).is_some() {
            return Ok(None);
        }
        if !self.circuit.admits(self.clock.now()) {
            return Err(unavailable(&Trouble::Paused.into()));
        }
        let mut progress = Progress::new();
        match self.ask(Some((username, password)), &mut progress).await {
            Ok(person) => Ok(person.map(|person| DirectoryPerson {
                role: self.settings.roles.of(&person.groups),
                display_name: person.display_name,
                email: person.email,
            })),
            Err(Failure::Refusal(refusal)) => {
                if matches!(refusal, Refusal::Unseen | Refusal::SomebodyElse) {
                    tracing::warn!(advice = %Failure::from(refusal).advice(), "the directory knows a password, but not whose");
                }
                Ok(None)
            }
            Err(failure) => Err(unavailable(&failure)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stratora_clock::ManualClock;

    use super::*;

    #[tokio::test]
    async fn no_more_than_a_few_ask_at_once_and_a_full_house_is_no_outage() {
        // Nobody is asked, so that nobody has to be there.
        let written = json!({
            "url": "ldap://127.0.0.1", "insecure": true, "base_dn": "dc=example,dc=com", "timeout": "10ms",
            "bind": "uid={username},dc=example,dc=com",
        });
        let settings = DirectorySettings::check(serde_json::from_value(written).unwrap()).unwrap();
        let directory = LdapDirectory::new(settings, Arc::new(ManualClock::default()));
        let all = directory.places.try_acquire_many(32).unwrap();
        let (grace, password) = (Username::parse("grace").unwrap(), Password::parse("a password").unwrap());
        for _ in 0..5 {
            let unavailable = directory.verify(&grace, &password).await.unwrap_err();
            assert!(unavailable.advice.contains("all connections"), "{unavailable}");
        }
        drop(all);
    }
}
