//! A relying party that speaks to nobody: it finds what it is told to find.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{
    Authorization, CallbackResponse, Claims, ClientSecret, Endpoints, FlowError, LogoutToken, Probe, ProbeStep,
    Provider, ProviderId, RelyingParty, Step, TransactionSecrets, Verified,
};

/// Finds what it is told to find.
#[derive(Debug, Default)]
pub struct ScriptedRelyingParty {
    script: Mutex<Script>,
    exchanges: AtomicUsize,
}

#[derive(Debug, Default)]
struct Script {
    host: Option<String>,
    claims: Claims,
    sid: Option<String>,
    fails: Option<FlowError>,
    secrets: Vec<Option<String>>,
}

impl ScriptedRelyingParty {
    /// From now on whoever signs in is this.
    pub fn says(&self, claims: Claims, sid: Option<&str>) {
        let mut script = self.script();
        script.claims = claims;
        script.sid = sid.map(str::to_owned);
    }

    /// From now on every provider says that it is spoken to at this host; at that of its issuer when `None`.
    pub fn is_at(&self, host: Option<&str>) {
        self.script().host = host.map(str::to_owned);
    }

    /// From now on nothing goes well, or everything again.
    pub fn fails(&self, error: Option<FlowError>) {
        self.script().fails = error;
    }

    /// How many codes were exchanged.
    pub fn exchanges(&self) -> usize {
        self.exchanges.load(Ordering::SeqCst)
    }

    /// The client secrets that it was given, in order.
    pub fn secrets(&self) -> Vec<Option<String>> {
        self.script().secrets.clone()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn works(&self) -> Result<(), FlowError> {
        self.script().fails.clone().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl RelyingParty for ScriptedRelyingParty {
    async fn discover(&self, provider: &Provider) -> Result<Endpoints, FlowError> {
        self.works()?;
        let host = self.script().host.clone().unwrap_or_else(|| provider.settings.issuer.to_string());
        Ok(Endpoints {
            authorization: format!("{host}/authorize"),
            token: format!("{host}/token"),
            jwks: format!("{host}/jwks"),
            end_session: Some(format!("{host}/logout")),
        })
    }

    async fn start(&self, provider: &Provider, state: &str) -> Result<Authorization, FlowError> {
        self.works()?;
        let secrets = TransactionSecrets { nonce: "nonce".to_owned(), pkce_verifier: "verifier".to_owned() };
        Ok(Authorization { url: format!("{}/authorize?state={state}", provider.settings.issuer), secrets })
    }

    async fn finish(
        &self,
        _: &Provider,
        secret: Option<&ClientSecret>,
        _: &TransactionSecrets,
        _: CallbackResponse,
        steps: &mut Vec<Step>,
    ) -> Result<Verified, FlowError> {
        self.exchanges.fetch_add(1, Ordering::SeqCst);
        self.works()?;
        steps.push(Step::passed("signature"));
        let mut script = self.script();
        script.secrets.push(secret.map(|secret| secret.expose().to_owned()));
        Ok(Verified { claims: script.claims.clone(), sid: script.sid.clone() })
    }

    fn end_session_url(&self, provider: &Provider) -> Option<String> {
        provider.settings.endpoints.as_ref()?.end_session.clone()
    }

    async fn verify_logout(&self, _: &Provider, _: &str) -> Result<LogoutToken, FlowError> {
        self.works()?;
        let script = self.script();
        Ok(LogoutToken { subject: Some(script.claims.subject.clone()), sid: script.sid.clone() })
    }

    async fn probe(&self, provider: &Provider, _: Option<&ClientSecret>) -> Probe {
        match self.discover(provider).await {
            Ok(endpoints) => Probe { steps: vec![ProbeStep::passed("metadata")], endpoints: Some(endpoints) },
            Err(error) => Probe { steps: vec![ProbeStep::failed(error.check, error.advice)], endpoints: None },
        }
    }

    async fn refresh(&self, _: &[Provider]) {}

    fn forget(&self, _: ProviderId) {}
}
