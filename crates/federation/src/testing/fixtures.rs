//! Providers, identities and sign-ins, told apart by numbers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use newtype_uuid::GenericUuid;
use stratora_audit::{Action, Event, Origin};
use stratora_auth::{AuthSource, NewAccount, NewSession, Role, UserId, Username};
use stratora_clock::Timestamp;
use stratora_sealing::{KeyVersion, Place, Sealed, SealingKey, SealingKeys};
use stratora_token::{Digest, OsEntropy};
use uuid::Uuid;

use crate::{
    Attempt, ClientId, Entry, FederatedSignIn, Identity, Issuer, Policy, Provider, ProviderName, ProviderSettings,
    Reference, SessionOrigin, Step,
};

pub(super) fn id<T: GenericUuid>(number: u128) -> T {
    T::from_untyped_uuid(Uuid::from_u128(number))
}

/// A moment of 2026, so many seconds on.
pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_780_000_000_000_000).unwrap().plus(Duration::from_secs(seconds))
}

pub(super) fn event(action: Action) -> Event {
    Origin::system().event(at(0), action)
}

pub(super) fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

pub(super) fn sealed(secret: &str) -> Sealed {
    let keys = BTreeMap::from([(KeyVersion(1), SealingKey::from_bytes([7; 32]))]);
    let place = Place { table: "t", column: "c", row: Uuid::nil() };
    SealingKeys::new(keys).unwrap().seal(secret.as_bytes(), &place, &OsEntropy).unwrap()
}

/// A provider with a secret, whose issuer is named for `number`.
///
/// # Panics
/// When the name is none.
pub fn provider(number: u128, name: &str) -> Provider {
    Provider {
        id: id(number),
        name: ProviderName::parse(name).unwrap(),
        enabled: true,
        settings: ProviderSettings::new(
            Issuer::parse(&format!("https://{number}.example.com")).unwrap(),
            ClientId::parse("stratora").unwrap(),
        ),
        policy: Policy::default(),
        secret: Some(sealed("secret")),
        created_at: at(0),
    }
}

pub(super) fn identity(provider: u128, subject: &str) -> Identity {
    Identity { provider: id(provider), issuer: format!("https://{provider}.example.com"), subject: subject.to_owned() }
}

pub(super) fn account(number: u128, name: &str) -> NewAccount {
    NewAccount {
        id: id(number),
        username: Username::parse(name).unwrap(),
        display_name: String::new(),
        email: None,
        role: Role::Viewer,
        source: AuthSource::Oidc,
        password: None,
        built_in: false,
        created_at: at(0),
    }
}

pub(super) fn token(number: u128) -> Digest {
    digest(&format!("token {number}"))
}

pub(super) fn session(number: u128, user: UserId) -> NewSession {
    NewSession {
        id: id(number),
        user_id: user,
        token: token(number),
        cookie: digest(&format!("cookie {number}")),
        created_at: at(1),
        expires_at: at(86_401),
        confirm_by: Some(at(61)),
        client: None,
        user_agent: "curl".to_owned(),
    }
}

pub(super) fn reference(number: u128) -> Reference {
    Reference::parse(&format!("{number:08}")).unwrap()
}

pub(super) fn attempt(number: u128, seconds: u64) -> Attempt {
    Attempt {
        reference: reference(number),
        provider: Some((id(1), ProviderName::parse("One").unwrap())),
        at: at(seconds),
        client: Some("192.0.2.7".parse().unwrap()),
        code: Cow::Borrowed("state_invalid"),
        username: None,
        steps: vec![Step::passed("provider"), Step::failed("state", "it was used before")],
    }
}

/// The first sign-in of somebody through `provider`, under that name; all its identifiers have `number`.
///
/// # Panics
/// When the name is none.
pub fn example_sign_in(number: u128, name: &str, provider: &Provider) -> FederatedSignIn {
    let identity =
        Identity { provider: provider.id, issuer: provider.settings.issuer.to_string(), subject: "1".to_owned() };
    let sign_in = sign_in(number, Entry::Provision(account(number, name)), identity);
    FederatedSignIn { provider: provider.clone(), ..sign_in }
}

/// A sign-in of a viewer; the session, the attempt and the token have `number`.
pub(super) fn sign_in(number: u128, entry: Entry, identity: Identity) -> FederatedSignIn {
    FederatedSignIn {
        provider: provider(identity.provider.as_untyped_uuid().as_u128(), "Any"),
        session: session(number, entry.user()),
        entry,
        role: Role::Viewer,
        display_name: "Grace Hopper".to_owned(),
        email: Some("grace@example.com".to_owned()),
        verified_email: None,
        origin: SessionOrigin { identity, sid: Some(format!("sid {number}")) },
        attempt: Attempt { code: Cow::Borrowed("signed_in"), ..attempt(number, 1) },
        made: None,
        event: event(Action::SignIn),
    }
}
