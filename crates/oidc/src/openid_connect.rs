//! The port fulfilled: what is read, kept, exchanged and proved, in order.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use openidconnect::{PostLogoutRedirectUrl, RedirectUrl};
use stratora_clock::{Clock, Timestamp};
use stratora_federation::{
    Authorization, CallbackResponse, ClientSecret, Endpoints, FlowError, LogoutToken, Probe, Provider, ProviderId,
    RelyingParty, Step, TransactionSecrets, Verified,
};
use stratora_token::Entropy;

use crate::address::OutgoingPolicy;
use crate::authorization::{authorization, end_session, secrets};
use crate::exchange::Exchange;
use crate::flaw::{refused, unavailable};
use crate::id_token::{self, Expected};
use crate::jwks::KeySet;
use crate::jws::{Signed, Unverified};
use crate::kept::{Kept, Place, Places};
use crate::logout_token;
use crate::metadata::{self, Document, Metadata};
use crate::outgoing::Outgoing;

/// How old metadata must be before it is read again because it does not agree with what is pinned: another server of this
/// installation may have pinned something newer.
const SETTLED: Duration = Duration::from_secs(30);

/// What speaking to providers needs.
pub struct OpenIdConnectParts {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes secrets.
    pub entropy: Arc<dyn Entropy>,
    /// Where browsers come back to after signing in, as it is registered at the providers.
    pub redirect_uri: String,
    /// Where browsers come back to after signing out.
    pub post_logout_redirect_uri: String,
    /// Where requests may go.
    pub policy: OutgoingPolicy,
}

/// Why nobody could be spoken to.
#[derive(Debug, thiserror::Error)]
pub enum RefusedSetup {
    /// The URLs of this installation are none.
    #[error("the address of this installation is no URL")]
    RedirectUri,
    /// The certification authorities that were given are none.
    #[error("the extra certification authorities are not certificates in PEM")]
    ExtraCa,
    /// The client cannot be made.
    #[error("no client for outgoing requests")]
    Client(#[source] reqwest::Error),
}

/// Speaks to providers with OpenID Connect.
pub struct OpenIdConnect {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) redirect_uri: RedirectUrl,
    post_logout_redirect_uri: PostLogoutRedirectUrl,
    pub(crate) outgoing: Outgoing,
    pub(crate) places: Places,
}

impl OpenIdConnect {
    /// Speaks to nobody yet.
    ///
    /// # Errors
    /// [`RefusedSetup`] says which part cannot be used.
    pub fn new(parts: OpenIdConnectParts) -> Result<Self, RefusedSetup> {
        let OpenIdConnectParts { clock, entropy, redirect_uri, post_logout_redirect_uri, policy } = parts;
        Ok(Self {
            clock,
            entropy,
            redirect_uri: RedirectUrl::new(redirect_uri).map_err(|_| RefusedSetup::RedirectUri)?,
            post_logout_redirect_uri: PostLogoutRedirectUrl::new(post_logout_redirect_uri)
                .map_err(|_| RefusedSetup::RedirectUri)?,
            outgoing: Outgoing::new(policy)?,
            places: Places::default(),
        })
    }

    async fn read_metadata(&self, provider: &Provider) -> Result<Metadata, FlowError> {
        let settings = &provider.settings;
        let answer = self.outgoing.read(&metadata::address(&settings.issuer)).await;
        let answer = answer.map_err(|error| unavailable("metadata", error.to_string()))?;
        let document = Document::parse(answer.status().as_u16(), answer.body());
        let document = document.map_err(|advice| unavailable("metadata", advice))?;
        Metadata::read(&document, settings, self.outgoing.allows_loopback())
    }

    pub(crate) async fn read_keys(&self, url: &str) -> Result<KeySet, FlowError> {
        let answer = self.outgoing.read(url).await.map_err(|error| unavailable("keys", error.to_string()))?;
        let keys = (answer.status() == 200).then(|| KeySet::read(answer.body())).flatten();
        keys.ok_or_else(|| {
            unavailable("keys", "at the provider's jwks_uri is no set of keys: look into the provider's log")
        })
    }

    /// A provider's metadata, which agrees with what is pinned.
    async fn metadata(&self, provider: &Provider) -> Result<Arc<Kept<Metadata>>, FlowError> {
        let (issuer, now, slot) = (provider.settings.issuer.as_str(), self.clock.now(), self.places.of(provider.id));
        let slot = &slot.metadata;
        let mut kept = slot.load(issuer, now, self.read_metadata(provider)).await?;
        if !agrees(&kept, provider) && now.since(kept.at) >= SETTLED {
            kept = slot.renew(issuer, now, self.read_metadata(provider)).await?;
        }
        if agrees(&kept, provider) {
            return Ok(kept);
        }
        let advice = "the provider's metadata names other endpoints than before: if that is right, run the provider's test to accept \
                      the new ones";
        Err(unavailable("endpoints", advice))
    }

    /// Proves that the provider has signed a token.
    async fn signed(&self, provider: &Provider, jwks: &str, token: &Unverified<'_>) -> Result<Signed, FlowError> {
        let (now, place) = (self.clock.now(), self.places.of(provider.id));
        let algorithms = &provider.settings.algorithms;
        let keys = place.keys.load(jwks, now, self.read_keys(jwks)).await?;
        let flaw = match token.verify(&keys.value, algorithms) {
            Err(flaw) if flaw.may_be_of_new_key() => flaw,
            decided => return decided.map_err(|flaw| refused("signature", flaw.to_string())),
        };
        let newer = self.newer_keys(&place, jwks, now, &keys).await?;
        let verified = newer.map_or(Err(flaw), |newer| token.verify(&newer.value, algorithms));
        verified.map_err(|flaw| refused("signature", flaw.to_string()))
    }

    /// Keys that are newer than these, if there are any and they may be read.
    async fn newer_keys(
        &self,
        place: &Place,
        jwks: &str,
        now: Timestamp,
        than: &Arc<Kept<KeySet>>,
    ) -> Result<Option<Arc<Kept<KeySet>>>, FlowError> {
        if place.may_renew_keys(now) {
            return place.keys.renew(jwks, now, self.read_keys(jwks)).await.map(Some);
        }
        // Somebody else may be reading them for the same reason.
        Ok(place.keys.settled(jwks, now).await.filter(|settled| !Arc::ptr_eq(settled, than)))
    }

    async fn refresh_one(&self, provider: &Provider) {
        let (now, place) = (self.clock.now(), self.places.of(provider.id));
        let (issuer, settings) = (provider.settings.issuer.as_str(), &provider.settings);
        // What cannot be read now is kept, and tried again the next time.
        let found = place.metadata.renew(issuer, now, self.read_metadata(provider)).await.ok();
        let pinned = settings.endpoints.as_ref().map(|endpoints| endpoints.jwks.clone());
        if let Some(jwks) = pinned.or_else(|| found.map(|found| found.value.endpoints.jwks.clone())) {
            place.keys.renew(&jwks, now, self.read_keys(&jwks)).await.ok();
        }
    }
}

/// Whether the metadata names what is pinned, if anything is. Where browsers sign out is no matter of secrets: the pinned one is
/// used whatever the metadata says.
fn agrees(kept: &Kept<Metadata>, provider: &Provider) -> bool {
    let found = &kept.value.endpoints;
    let same = |pinned: &Endpoints| {
        pinned.authorization == found.authorization && pinned.token == found.token && pinned.jwks == found.jwks
    };
    provider.settings.endpoints.as_ref().is_none_or(same)
}

/// Where the provider is spoken to. What was never pinned is not trusted with a code or a secret.
fn pinned(provider: &Provider) -> Result<&Endpoints, FlowError> {
    let advice = "nothing is known yet of where this provider is spoken to: run its test";
    provider.settings.endpoints.as_ref().ok_or_else(|| unavailable("endpoints", advice))
}

/// Whether the answer is of the provider that was asked (RFC 9207 §2.4): one provider must not hand in another's code.
fn check_iss(response: &CallbackResponse, provider: &Provider, metadata: &Metadata) -> Result<(), FlowError> {
    let advice = match response.iss.as_deref() {
        Some(iss) if iss == provider.settings.issuer.as_str() => return Ok(()),
        None if !metadata.announces_issuer => return Ok(()),
        Some(_) => "the answer is of another issuer than the one that was asked",
        None => "the answer does not name its issuer (iss), although the provider announces that it does",
    };
    Err(refused("iss_parameter", advice))
}

#[async_trait]
impl RelyingParty for OpenIdConnect {
    async fn discover(&self, provider: &Provider) -> Result<Endpoints, FlowError> {
        let (issuer, now, place) = (provider.settings.issuer.as_str(), self.clock.now(), self.places.of(provider.id));
        let found = place.metadata.load(issuer, now, self.read_metadata(provider)).await?;
        Ok(found.value.endpoints.clone())
    }

    async fn start(&self, provider: &Provider, state: &str) -> Result<Authorization, FlowError> {
        let metadata = self.metadata(provider).await?;
        let no_randomness =
            |_| unavailable("entropy", "this server has no randomness at the moment: look into its log");
        let secrets = secrets(self.entropy.as_ref()).map_err(no_randomness)?;
        let endpoint = &metadata.value.endpoints.authorization;
        authorization(endpoint, &provider.settings, &self.redirect_uri, state, secrets)
    }

    async fn finish(
        &self,
        provider: &Provider,
        secret: Option<&ClientSecret>,
        transaction: &TransactionSecrets,
        response: CallbackResponse,
        steps: &mut Vec<Step>,
    ) -> Result<Verified, FlowError> {
        let endpoints = pinned(provider)?;
        let metadata = self.metadata(provider).await?;
        check_iss(&response, provider, &metadata.value)?;
        steps.push(Step::passed("iss_parameter"));
        let exchange = Exchange {
            settings: &provider.settings,
            endpoint: &endpoints.token,
            secret,
            redirect_uri: &self.redirect_uri,
            code: &response.code,
            pkce_verifier: &transaction.pkce_verifier,
        };
        let token = exchange.id_token(&self.outgoing).await?;
        steps.push(Step::passed("token_endpoint"));
        let unverified = Unverified::parse(&token, &id_token::KINDS);
        let unverified = unverified.map_err(|flaw| refused("id_token", flaw.to_string()))?;
        steps.push(Step::passed("id_token"));
        let signed = self.signed(provider, &endpoints.jwks, &unverified).await?;
        steps.push(Step::passed("signature"));
        let expected = Expected { settings: &provider.settings, nonce: &transaction.nonce, now: self.clock.now() };
        expected.check(&signed, steps)
    }

    fn end_session_url(&self, provider: &Provider) -> Option<String> {
        let endpoint = provider.settings.endpoints.as_ref()?.end_session.as_deref()?;
        end_session(endpoint, &provider.settings, &self.post_logout_redirect_uri)
    }

    async fn verify_logout(&self, provider: &Provider, token: &str) -> Result<LogoutToken, FlowError> {
        let endpoints = pinned(provider)?;
        let unverified = Unverified::parse(token, &logout_token::KINDS);
        let unverified = unverified.map_err(|flaw| refused("logout_token", flaw.to_string()))?;
        let signed = self.signed(provider, &endpoints.jwks, &unverified).await?;
        logout_token::check(&signed, &provider.settings, self.clock.now())
    }

    async fn probe(&self, provider: &Provider, secret: Option<&ClientSecret>) -> Probe {
        self.look(provider, secret).await
    }

    async fn refresh(&self, providers: &[Provider]) {
        self.places.retain(|id| providers.iter().any(|provider| provider.id == id));
        join_all(providers.iter().map(|provider| self.refresh_one(provider))).await;
    }

    fn forget(&self, provider: ProviderId) {
        self.places.forget(provider);
    }
}
