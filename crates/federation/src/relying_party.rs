//! The port to the protocol: how providers are spoken to.

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::{Claims, ClientSecret, Endpoints, Provider, ProviderId, Step, TransactionSecrets};

/// Where a browser is sent, and what has to be remembered until it returns.
#[derive(Debug)]
pub struct Authorization {
    /// Where to.
    pub url: String,
    /// What to remember.
    pub secrets: TransactionSecrets,
}

/// What a browser brings back from a provider.
#[derive(Debug)]
pub struct CallbackResponse {
    /// What is exchanged for the ID token.
    pub code: Zeroizing<String>,
    /// Who says so (RFC 9207).
    pub iss: Option<String>,
}

/// What is proved after the exchange. The tokens themselves go no further.
#[derive(Debug)]
pub struct Verified {
    /// What the provider says about the person.
    pub claims: Claims,
    /// What the provider calls its own session.
    pub sid: Option<String>,
}

/// The provider cannot be used, or what it says is not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{advice}")]
pub struct FlowError {
    /// At which step.
    pub check: &'static str,
    /// Whether the provider is not there or not usable, rather than its answer wrong.
    pub is_unavailable: bool,
    /// One sentence that says what to fix. Nothing that the provider wrote.
    pub advice: String,
}

/// A provider's word that somebody has signed out (OpenID Connect Back-Channel Logout 1.0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutToken {
    /// Whom it is about.
    pub subject: Option<String>,
    /// Which of their sessions at the provider; all when absent.
    pub sid: Option<String>,
}

/// One thing that an administrator has tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeStep {
    /// What was looked at.
    pub check: &'static str,
    /// What to fix; nothing when absent.
    pub advice: Option<String>,
}

impl ProbeStep {
    /// It is well.
    pub const fn passed(check: &'static str) -> Self {
        Self { check, advice: None }
    }

    /// It is not well, and what to do about it.
    pub fn failed(check: &'static str, advice: impl Into<String>) -> Self {
        Self { check, advice: Some(advice.into()) }
    }
}

/// What a test of a provider found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Probe {
    /// What was looked at, in order.
    pub steps: Vec<ProbeStep>,
    /// Where the provider is spoken to, as it says itself, if that could be read.
    pub endpoints: Option<Endpoints>,
}

impl Probe {
    /// Whether people can sign in through it, as far as that can be seen from here.
    pub fn is_good(&self) -> bool {
        self.steps.iter().all(|step| step.advice.is_none())
    }
}

/// Speaks to providers. Every call is bounded in time, and none waits for another provider. A provider whose endpoints are
/// pinned is spoken to there and nowhere else; when its metadata names others, that is an error.
#[async_trait]
pub trait RelyingParty: Send + Sync + 'static {
    /// Where a provider is spoken to, as its metadata says.
    async fn discover(&self, provider: &Provider) -> Result<Endpoints, FlowError>;

    /// Begins a sign-in that comes back with `state`.
    async fn start(&self, provider: &Provider, state: &str) -> Result<Authorization, FlowError>;

    /// Exchanges the code and proves what comes back. What was looked at is added to `steps`.
    async fn finish(
        &self,
        provider: &Provider,
        secret: Option<&ClientSecret>,
        transaction: &TransactionSecrets,
        response: CallbackResponse,
        steps: &mut Vec<Step>,
    ) -> Result<Verified, FlowError>;

    /// Where to send the browser so that the session at the provider ends too, if the provider has that.
    fn end_session_url(&self, provider: &Provider) -> Option<String>;

    /// Proves a provider's word that somebody has signed out.
    async fn verify_logout(&self, provider: &Provider, token: &str) -> Result<LogoutToken, FlowError>;

    /// Looks whether the provider can be used. Reads everything anew.
    async fn probe(&self, provider: &Provider, secret: Option<&ClientSecret>) -> Probe;

    /// Reads again what is kept of these providers, and forgets all others.
    async fn refresh(&self, providers: &[Provider]);

    /// Forgets what is kept of a provider: it was changed.
    fn forget(&self, provider: ProviderId);
}
