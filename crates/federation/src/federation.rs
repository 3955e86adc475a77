//! Signing in through a provider: out to it, and back.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use newtype_uuid::GenericUuid as _;
use stratora_audit::{Action, Actor, Origin, Outcome, ResourceKind};
use stratora_auth::{ClientContext, SessionId, SessionTimeouts, SignedIn};
use stratora_clock::Clock;
use stratora_port::StoreError;
use stratora_sealing::{Keyring, Place};
use stratora_token::{Digest, Entropy, Secret};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::callback::{cookie_of, response_of};
use crate::client_secret::open_secret;
use crate::course::{Course, Halt};
use crate::pin::pin;
use crate::transaction::LASTS;
use crate::{
    Attempt, AttemptStore, BackChannelError, CallbackParameters, ClientSecret, IdentityStore, Provider, ProviderId,
    ProviderStore, Reference, Refused, RefusedCode, RelyingParty, StoredTransaction, TransactionSecrets,
    TransactionStore,
};

/// How long records are kept.
const RECORDS_KEPT: Duration = Duration::from_hours(30 * 24);

/// A sign-in that was started.
#[derive(Debug)]
pub struct Started {
    /// Where the browser is sent.
    pub location: String,
    /// What tells this sign-in's cookie from those of others.
    pub cookie: String,
    /// What goes into the cookie.
    pub binding: Secret,
    /// How long it lasts.
    pub lasts: Duration,
}

/// What signing in through providers needs.
#[derive(Clone)]
pub struct FederationParts {
    /// Where providers are kept.
    pub providers: Arc<dyn ProviderStore>,
    /// Where sign-ins on their way are kept.
    pub transactions: Arc<dyn TransactionStore>,
    /// Where identities are kept.
    pub identities: Arc<dyn IdentityStore>,
    /// Where records are kept.
    pub attempts: Arc<dyn AttemptStore>,
    /// Speaks to providers.
    pub relying_party: Arc<dyn RelyingParty>,
    /// Seal what is kept and must be read again.
    pub sealing: Arc<Keyring>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes secrets.
    pub entropy: Arc<dyn Entropy>,
    /// How long sessions last.
    pub timeouts: SessionTimeouts,
    /// Whether browsers keep cookies for the address of this installation: it has HTTPS, or is this very machine.
    pub keeps_cookies: bool,
}

/// What to do where browsers keep no cookies.
pub(crate) const NEEDS_HTTPS: &str =
    "signing in through a provider needs HTTPS: set server.external_url to the https:// address";

/// Signs people in through providers.
pub struct Federation {
    pub(crate) parts: FederationParts,
}

impl Federation {
    /// Signs people in with `parts`.
    pub const fn new(parts: FederationParts) -> Self {
        Self { parts }
    }

    /// The providers that people can sign in through.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn enabled(&self) -> Result<Vec<Provider>, StoreError> {
        let mut providers = self.parts.providers.all().await?;
        providers.retain(|provider| provider.enabled);
        Ok(providers)
    }

    /// Begins a sign-in.
    ///
    /// # Errors
    /// [`Refused`] says why not.
    pub async fn start(&self, provider: Option<ProviderId>, client: &ClientContext) -> Result<Started, Refused> {
        let mut course = Course::of(client);
        let started = self.try_start(provider, &mut course).await;
        self.close(started, course).await
    }

    async fn try_start(&self, id: Option<ProviderId>, course: &mut Course<'_>) -> Result<Started, Halt> {
        let provider = self.usable(id, course).await?;
        if !self.parts.keeps_cookies {
            return Err(course.end("external_url", NEEDS_HTTPS, RefusedCode::ProviderUnavailable));
        }
        let provider = self.pinned(provider, course).await?;
        let (state, binding) =
            (Secret::generate(self.parts.entropy.as_ref())?, Secret::generate(self.parts.entropy.as_ref())?);
        let begun = self.parts.relying_party.start(&provider, &state.expose()).await;
        let authorization = begun.map_err(|error| course.end_with(error))?;
        let state = state.digest();
        let secrets = serde_json::to_vec(&authorization.secrets).map(Zeroizing::new);
        let secrets = secrets.unwrap_or_else(|_| unreachable!("two texts"));
        let transaction = StoredTransaction {
            secrets: self.parts.sealing.seal(&secrets, &place_of(&state), self.parts.entropy.as_ref())?,
            provider: provider.id,
            binding: binding.digest(),
            created_at: self.parts.clock.now(),
            state,
        };
        let cookie = cookie_of(&transaction.state);
        self.parts.transactions.begin(transaction).await?;
        Ok(Started { location: authorization.url, cookie, binding, lasts: LASTS })
    }

    /// Ends a sign-in: with a session, or with a record of why there is none. Whatever comes back, a sign-in that was started
    /// is over. `binding` is what stands in the cookie of [`CallbackParameters::cookie`].
    ///
    /// # Errors
    /// [`Refused`] says why there is no session.
    pub async fn finish(
        &self,
        parameters: CallbackParameters,
        binding: Option<Secret>,
        client: &ClientContext,
    ) -> Result<SignedIn, Refused> {
        let mut course = Course::of(client);
        let finished = self.try_finish(parameters, binding, &mut course).await;
        self.close(finished, course).await
    }

    async fn try_finish(
        &self,
        parameters: CallbackParameters,
        binding: Option<Secret>,
        course: &mut Course<'_>,
    ) -> Result<SignedIn, Halt> {
        let Some(state) = parameters.state() else {
            return Err(course.end("state", "there is no state of ours in the answer", RefusedCode::StateInvalid));
        };
        let Some(transaction) = self.parts.transactions.consume(&state.digest()).await? else {
            let note = "no such sign-in is on its way: it was used before, took too long, or was not started here";
            return Err(course.end("state", note, RefusedCode::StateInvalid));
        };
        course.passed("state");
        if transaction.has_expired(self.parts.clock.now()) {
            let note = "it was started more than ten minutes ago";
            return Err(course.end("time", note, RefusedCode::StateInvalid));
        }
        course.passed("time");
        match binding {
            Some(binding) if binding.digest().matches(&transaction.binding) => course.passed("cookie"),
            Some(_) => return Err(course.end("cookie", "another sign-in's", RefusedCode::BrowserMismatch)),
            None => {
                let note = "missing: another browser, or one that does not keep cookies";
                return Err(course.end("cookie", note, RefusedCode::BrowserMismatch));
            }
        }
        let provider = self.usable(Some(transaction.provider), course).await?;
        let response = response_of(parameters, course)?;
        let Some(secrets) = self.open_secrets(&transaction) else {
            let note = "what was kept of the sign-in cannot be opened: was the key file replaced?";
            return Err(course.end("transaction", note, RefusedCode::StateInvalid));
        };
        let secret = self.client_secret(&provider, course)?;
        let relying_party = &self.parts.relying_party;
        let verified = relying_party.finish(&provider, secret.as_ref(), &secrets, response, &mut course.steps).await;
        let verified = verified.map_err(|error| course.end_with(error))?;
        self.let_in(&provider, verified, course).await
    }

    pub(crate) async fn usable(&self, id: Option<ProviderId>, course: &mut Course<'_>) -> Result<Provider, Halt> {
        let found = match id {
            Some(id) => self.parts.providers.find(id).await?,
            None => None,
        };
        let Some(provider) = found else {
            return Err(course.end("provider", "there is no such provider", RefusedCode::ProviderUnknown));
        };
        let provider = course.provider.insert(provider).clone();
        if !provider.enabled {
            return Err(course.end("provider", "it is turned off", RefusedCode::ProviderUnknown));
        }
        course.passed("provider");
        Ok(provider)
    }

    fn open_secrets(&self, transaction: &StoredTransaction) -> Option<TransactionSecrets> {
        let opened = self.parts.sealing.open(&transaction.secrets, &place_of(&transaction.state)).ok()?;
        serde_json::from_slice(&opened).ok()
    }

    fn client_secret(&self, provider: &Provider, course: &mut Course<'_>) -> Result<Option<ClientSecret>, Halt> {
        open_secret(&self.parts.sealing, provider)
            .map_err(|advice| course.end("client_secret", advice, RefusedCode::ProviderUnavailable))
    }

    /// The provider, with where it is spoken to. What its metadata says at the first sign-in counts from then on.
    async fn pinned(&self, provider: Provider, course: &mut Course<'_>) -> Result<Provider, Halt> {
        if provider.settings.endpoints.is_some() {
            return Ok(provider);
        }
        let found = self.parts.relying_party.discover(&provider).await;
        let endpoints = found.map_err(|error| course.end_with(error))?;
        let origin = Origin { actor: Actor::system(), ..course.client.origin.clone() };
        match pin(&self.parts, &provider, endpoints, &origin).await? {
            Ok(pinned) => Ok(pinned),
            Err(advice) => Err(course.end("endpoints", advice, RefusedCode::ProviderUnavailable)),
        }
    }

    /// Records a sign-in that ended without a session.
    async fn close<T>(&self, ended: Result<T, Halt>, course: Course<'_>) -> Result<T, Refused> {
        let code = match ended {
            Ok(value) => return Ok(value),
            Err(Halt::Refused(code)) => code,
            Err(Halt::Store(error)) => return Err(error.into()),
            Err(Halt::Entropy(error)) => return Err(error.into()),
        };
        let reference = Reference::generate(self.parts.entropy.as_ref())?;
        let now = self.parts.clock.now();
        let Course { client, provider, steps } = course;
        let event = client.origin.event(now, Action::SignIn).ended(Outcome::Failure);
        let event = event.with("method", "oidc").with("reason", code.as_str()).with("reference", reference.as_str());
        let event = match &provider {
            Some(provider) => event.with("provider", provider.name.to_string()),
            None => event,
        };
        let attempt = Attempt {
            reference: reference.clone(),
            provider: provider.map(|provider| (provider.id, provider.name)),
            at: now,
            client: client.origin.client,
            code: Cow::Borrowed(code.as_str()),
            username: None,
            steps,
        };
        self.parts.attempts.record(attempt, event).await?;
        Err(Refused::Recorded { code, reference })
    }

    /// Where to send the browser after the session was ended, so that the one at the provider ends too.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn end_session_url(&self, session: SessionId) -> Result<Option<String>, StoreError> {
        let Some(id) = self.parts.identities.provider_of(session).await? else { return Ok(None) };
        let provider = self.parts.providers.find(id).await?;
        Ok(provider.and_then(|provider| self.parts.relying_party.end_session_url(&provider)))
    }

    /// Ends the sessions that a provider says are over. Returns how many.
    ///
    /// # Errors
    /// [`BackChannelError`] says why not.
    pub async fn back_channel(
        &self,
        provider: ProviderId,
        token: &str,
        client: &ClientContext,
    ) -> Result<u64, BackChannelError> {
        let found = self.parts.providers.find(provider).await?;
        // Of one that is turned off as well: the sessions that came from it go on, and it may end them.
        let provider = found.ok_or(BackChannelError::Missing)?;
        let said = self.parts.relying_party.verify_logout(&provider, token).await.map_err(|error| {
            tracing::info!(provider = %provider.name, check = error.check, advice = %error, "a logout token was refused");
            BackChannelError::Refused(error)
        })?;
        let event = client.origin.event(self.parts.clock.now(), Action::SessionEndAll);
        let event = event.on(ResourceKind::Provider, Some(provider.id.into_untyped_uuid()), provider.name.as_str());
        let event = event.with("method", "back_channel");
        let (subject, session) = (said.subject.as_deref(), said.sid.as_deref());
        Ok(self.parts.identities.end_sessions(provider.id, subject, session, event).await?)
    }

    /// Reads again what is kept of providers. Called in the background.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        // So that a key that was added is soon used by every server.
        self.parts.sealing.refresh();
        let providers = self.enabled().await?;
        self.parts.relying_party.refresh(&providers).await;
        Ok(())
    }

    /// Forgets what is over. Called every hour.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn purge(&self) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        self.parts.transactions.purge(now.minus(LASTS)).await?;
        self.parts.attempts.purge_attempts(now.minus(RECORDS_KEPT)).await?;
        Ok(())
    }
}

fn place_of(state: &Digest) -> Place<'static> {
    let row = state.as_bytes().first_chunk().map_or_else(Uuid::nil, |bytes| Uuid::from_bytes(*bytes));
    Place { table: "oidc_transactions", column: "secrets", row }
}
