//! The test of a provider: everything that a sign-in needs, read anew and looked at in order, with what to fix. What is found
//! good is kept, so that the next sign-in goes by it.

use stratora_clock::Timestamp;
use stratora_federation::{ClientAuth, ClientSecret, Endpoints, FlowError, Probe, ProbeStep, Provider};
use stratora_token::Secret;

use crate::exchange::Exchange;
use crate::metadata::{self, Document, Metadata};
use crate::moment::SKEW;
use crate::openid_connect::OpenIdConnect;
use crate::outgoing::{OutgoingError, date_of};

/// What was looked at so far.
#[derive(Default)]
struct Looked(Vec<ProbeStep>);

impl Looked {
    /// Notes a step, and says whether it is well.
    fn at(&mut self, check: &'static str, found: Result<(), impl Into<String>>) -> bool {
        let is_well = found.is_ok();
        self.0.push(match found {
            Ok(()) => ProbeStep::passed(check),
            Err(advice) => ProbeStep::failed(check, advice),
        });
        is_well
    }
}

/// Where a request that has no answer has failed.
const fn step_of(error: OutgoingError) -> &'static str {
    match error {
        OutgoingError::Forbidden | OutgoingError::UnknownHost => "address",
        OutgoingError::Unreachable
        | OutgoingError::Untrusted
        | OutgoingError::CertificateNotNow
        | OutgoingError::CertificateOtherName
        | OutgoingError::Handshake => "connection",
        OutgoingError::TooSlow
        | OutgoingError::TooLarge
        | OutgoingError::Redirected
        | OutgoingError::Compressed
        | OutgoingError::ProviderFailed
        | OutgoingError::BrokenOff => "metadata",
    }
}

impl OpenIdConnect {
    /// Looks at everything that can be looked at without a person.
    pub(crate) async fn look(&self, provider: &Provider, secret: Option<&ClientSecret>) -> Probe {
        let mut looked = Looked::default();
        let endpoints = self.look_into(provider, secret, &mut looked).await;
        Probe { steps: looked.0, endpoints }
    }

    async fn look_into(
        &self,
        provider: &Provider,
        secret: Option<&ClientSecret>,
        looked: &mut Looked,
    ) -> Option<Endpoints> {
        let settings = &provider.settings;
        let (document, date) = self.look_at_metadata(provider, looked).await?;
        if !looked.at("issuer", document.check_issuer(&settings.issuer)) {
            return None;
        }
        let endpoints = match document.endpoints(&settings.issuer, self.outgoing.allows_loopback()) {
            Ok(endpoints) => endpoints,
            Err(advice) => {
                looked.at("endpoints", Err(advice));
                return None;
            }
        };
        looked.at("endpoints", Ok::<_, String>(()));
        looked.at("pkce", document.check_flow());
        looked.at("client_auth", document.check_client_auth(settings.client_auth));
        looked.at("algorithms", document.check_algorithms(&settings.algorithms));
        self.look_at_keys(provider, &endpoints, looked).await;
        if let Some(date) = date {
            looked.at("clock", check_clock(self.clock.now(), date));
        }
        looked.at("client_secret", self.check_secret(provider, secret, &endpoints).await.map_err(|error| error.advice));
        if let Ok(metadata) = Metadata::read(&document, settings, self.outgoing.allows_loopback()) {
            self.places.of(provider.id).metadata.keep(settings.issuer.as_str(), self.clock.now(), metadata);
        }
        Some(endpoints)
    }

    /// The metadata, and when the other side says that it is.
    async fn look_at_metadata(
        &self,
        provider: &Provider,
        looked: &mut Looked,
    ) -> Option<(Document, Option<Timestamp>)> {
        let answer = self.outgoing.read(&metadata::address(&provider.settings.issuer)).await;
        let reached = answer.as_ref().err().map_or("metadata", |error| step_of(*error));
        for earlier in ["address", "connection"].into_iter().take_while(|check| *check != reached) {
            looked.at(earlier, Ok::<_, String>(()));
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                looked.at(reached, Err(error.to_string()));
                return None;
            }
        };
        let document = Document::parse(answer.status().as_u16(), answer.body());
        looked.at("metadata", document.as_ref().map(|_| ()).map_err(|advice| *advice));
        Some((document.ok()?, date_of(&answer)))
    }

    async fn look_at_keys(&self, provider: &Provider, endpoints: &Endpoints, looked: &mut Looked) {
        let keys = match self.read_keys(&endpoints.jwks).await {
            Ok(keys) => keys,
            Err(error) => {
                looked.at("keys", Err(error.advice));
                return;
            }
        };
        let none = "none of the provider's keys can verify a token: they must be for signatures and for one of the allowed \
                    algorithms, and RSA keys have 2048 to 4096 bits";
        let found = if keys.serves(&provider.settings.algorithms) { Ok(()) } else { Err(none) };
        if looked.at("keys", found) {
            self.places.of(provider.id).keys.keep(&endpoints.jwks, self.clock.now(), keys);
        }
    }

    /// Whether the provider knows this client. The secret goes to the pinned endpoint only: when another one was found just now,
    /// it is tried by another probe, once that one is pinned.
    async fn check_secret(
        &self,
        provider: &Provider,
        secret: Option<&ClientSecret>,
        found: &Endpoints,
    ) -> Result<(), FlowError> {
        let settings = &provider.settings;
        let flaw = |advice: &str| crate::flaw::unavailable("client_secret", advice.to_owned());
        if secret.is_none() && settings.client_auth != ClientAuth::None {
            return Err(flaw(
                "the client secret is missing: enter it, or set token_endpoint_auth_method to none for a public client",
            ));
        }
        let Some(endpoint) =
            settings.endpoints.as_ref().map(|pinned| &pinned.token).filter(|token| **token == found.token)
        else {
            return Ok(());
        };
        let random = || Secret::generate(self.entropy.as_ref()).map(|secret| secret.expose());
        let (Ok(code), Ok(pkce_verifier)) = (random(), random()) else {
            return Err(flaw("this server has no randomness at the moment: look into its log"));
        };
        let exchange = Exchange {
            settings,
            endpoint,
            secret,
            redirect_uri: &self.redirect_uri,
            code: &code,
            pkce_verifier: &pkce_verifier,
        };
        exchange.client_is_known(&self.outgoing).await
    }
}

fn check_clock(ours: Timestamp, theirs: Timestamp) -> Result<(), String> {
    let apart = ours.since(theirs).max(theirs.since(ours));
    if apart <= SKEW {
        return Ok(());
    }
    let seconds = apart.as_secs();
    Err(format!(
        "the clock of this server and the provider's differ by about {seconds} s, and tokens would be refused: set both by NTP"
    ))
}
