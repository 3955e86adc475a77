//! A relying party and a hostile provider that it is set up for, and a browser that goes between them.

use std::sync::Arc;

use newtype_uuid::{GenericUuid as _, TypedUuid};
use stratora_clock::{Clock, ManualClock, SystemClock, Timestamp};
use stratora_federation::{
    CallbackResponse, ClientAuth, ClientId, ClientSecret, Endpoints, FlowError, Issuer, Policy, Provider, ProviderName,
    ProviderSettings, RelyingParty as _, Step, TransactionSecrets, Verified,
};
use stratora_oidc::{OpenIdConnect, OpenIdConnectParts, OutgoingPolicy};
use stratora_testing::{Client, HostileProvider};
use stratora_token::OsEntropy;
use url::Url;
use uuid::Uuid;
use zeroize::Zeroizing;

pub(crate) const CLIENT: &str = "stratora";
pub(crate) const REDIRECT_URI: &str = "https://stratora.example.com/api/v1/auth/oidc/callback";

/// A relying party that may speak to this machine.
pub(crate) fn party(clock: &Arc<ManualClock>, policy: OutgoingPolicy) -> OpenIdConnect {
    OpenIdConnect::new(OpenIdConnectParts {
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        entropy: Arc::new(OsEntropy),
        redirect_uri: REDIRECT_URI.to_owned(),
        post_logout_redirect_uri: "https://stratora.example.com/login".to_owned(),
        policy,
    })
    .unwrap()
}

pub(crate) fn on_loopback() -> OutgoingPolicy {
    OutgoingPolicy { allow_loopback: true, ..OutgoingPolicy::default() }
}

/// The clock of both sides stands at this moment.
pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(SystemClock::start().now()))
}

/// A provider set up by its issuer, with nothing pinned.
pub(crate) fn unpinned(issuer: &str) -> Provider {
    let settings = ProviderSettings::new(Issuer::parse(issuer).unwrap(), ClientId::parse(CLIENT).unwrap());
    Provider {
        id: TypedUuid::from_untyped_uuid(Uuid::from_u128(1)),
        name: ProviderName::parse("Hostile").unwrap(),
        enabled: true,
        settings,
        policy: Policy::default(),
        secret: None,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

/// The same with the endpoints of a hostile provider pinned.
pub(crate) fn pinned(issuer: &str) -> Provider {
    let mut provider = unpinned(issuer);
    provider.settings.endpoints = Some(Endpoints {
        authorization: format!("{issuer}/authorize"),
        token: format!("{issuer}/token"),
        jwks: format!("{issuer}/jwks"),
        end_session: Some(format!("{issuer}/logout")),
    });
    provider
}

/// What a sign-in ends with, and what was looked at.
pub(crate) struct Ended {
    pub(crate) verified: Result<Verified, FlowError>,
    pub(crate) steps: Vec<Step>,
}

impl Ended {
    pub(crate) fn checks(&self) -> Vec<&str> {
        self.steps.iter().map(|step| step.check.as_ref()).collect()
    }

    #[track_caller]
    pub(crate) fn flaw(&self) -> &FlowError {
        self.verified.as_ref().unwrap_err()
    }
}

pub(crate) struct House {
    pub(crate) hostile: HostileProvider,
    pub(crate) party: OpenIdConnect,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) provider: Provider,
}

impl House {
    pub(crate) fn new() -> Self {
        let hostile = HostileProvider::start().unwrap();
        let clock = clock();
        let party = party(&clock, on_loopback());
        let provider = pinned(hostile.issuer());
        Self { hostile, party, clock, provider }
    }

    pub(crate) fn secret(&self) -> Option<ClientSecret> {
        self.hostile.client_secret().map(|secret| ClientSecret::parse(&secret).unwrap())
    }

    /// Goes to the provider as a browser and comes back with what it says.
    pub(crate) async fn go(&self) -> Result<(CallbackResponse, TransactionSecrets), FlowError> {
        let authorization = self.party.start(&self.provider, "the state").await?;
        let answer = Client::new("").unwrap().get(&authorization.url).send().await.unwrap();
        assert_eq!(answer.status, 302, "{}", answer.text());
        let back = Url::parse(answer.header("location").unwrap()).unwrap();
        assert!(back.as_str().starts_with(REDIRECT_URI));
        let parameter =
            |name: &str| back.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned());
        assert_eq!(parameter("state").as_deref(), Some("the state"));
        let response =
            CallbackResponse { code: Zeroizing::new(parameter("code").unwrap_or_default()), iss: parameter("iss") };
        Ok((response, authorization.secrets))
    }

    pub(crate) async fn finish(&self, response: CallbackResponse, secrets: &TransactionSecrets) -> Ended {
        let mut steps = Vec::new();
        let secret = self.secret().filter(|_| self.provider.settings.client_auth != ClientAuth::None);
        let verified = self.party.finish(&self.provider, secret.as_ref(), secrets, response, &mut steps).await;
        Ended { verified, steps }
    }

    /// A whole sign-in.
    pub(crate) async fn sign_in(&self) -> Ended {
        match self.go().await {
            Ok((response, secrets)) => self.finish(response, &secrets).await,
            Err(error) => Ended { verified: Err(error), steps: Vec::new() },
        }
    }
}
