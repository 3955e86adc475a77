//! Accounts, sessions, components and keys, told apart by numbers.

use std::time::Duration;

use newtype_uuid::{GenericUuid, TypedUuid};
use stratora_audit::{Action, Event, Origin};
use stratora_auth::{
    AuthSource, BrakeSubject, NewAccount, NewPassword, NewSession, PasswordHash, Proof, Role, UserId, Username,
};
use stratora_cache::CredentialTag;
use stratora_clock::Timestamp;
use stratora_hashing::BcryptHash;
use stratora_keys::{
    Allowance, ApiKey, Call, ComponentId, ComponentKind, Description, EnrollmentToken, Hostname, Name, NewComponent,
    NewKey, Standing, Version,
};
use stratora_token::{Digest, OsEntropy};
use uuid::Uuid;

pub(crate) fn id<T: GenericUuid>(number: u128) -> T {
    T::from_untyped_uuid(Uuid::from_u128(number))
}

/// A moment of 2026, so many seconds on.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_780_000_000_000_000).unwrap().plus(Duration::from_secs(seconds))
}

pub(crate) fn event(action: Action) -> Event {
    Origin::system().event(at(0), action)
}

pub(crate) fn username(name: &str) -> Username {
    Username::parse(name).unwrap()
}

/// A hash that no password has; different for different letters.
pub(crate) fn bcrypt(letter: char) -> BcryptHash {
    BcryptHash::parse(&format!("$2b$12$abcdefghijklmnopqrstuu{}a", letter.to_string().repeat(30))).unwrap()
}

pub(crate) fn password(letter: char) -> PasswordHash {
    PasswordHash::from_bcrypt(bcrypt(letter))
}

pub(crate) fn new_password(letter: char) -> NewPassword {
    NewPassword { hash: password(letter), must_change: true, expires_at: Some(at(86_400)) }
}

/// An account whose password hash is `password('a')`.
pub(crate) fn account(number: u128, name: &str) -> NewAccount {
    NewAccount {
        id: id(number),
        username: username(name),
        display_name: String::new(),
        email: None,
        role: Role::Operator,
        source: AuthSource::Local,
        password: Some(new_password('a')),
        built_in: false,
        created_at: at(0),
    }
}

pub(crate) fn session(number: u128, user: UserId) -> NewSession {
    NewSession {
        id: TypedUuid::from_untyped_uuid(Uuid::from_u128(number)),
        user_id: user,
        token: Digest::of(&[&number.to_be_bytes()[..], b"token"].concat()),
        cookie: Digest::of(&[&number.to_be_bytes()[..], b"cookie"].concat()),
        created_at: at(1),
        expires_at: at(86_400),
        confirm_by: None,
        client: Some("192.0.2.7".parse().unwrap()),
        user_agent: "curl".to_owned(),
    }
}

pub(crate) fn proof(letter: char) -> Proof {
    Proof::Password { verified: password(letter), upgrade: None }
}

pub(crate) fn stranger(name: &str) -> BrakeSubject {
    BrakeSubject { username: username(name), device: None }
}

pub(crate) fn key(number: u128) -> NewKey {
    NewKey::of(id(number), &ApiKey::generate(&OsEntropy).unwrap(), bcrypt('k'), at(0))
}

pub(crate) fn component(number: u128, name: &str) -> NewComponent {
    NewComponent {
        id: id::<ComponentId>(number),
        name: Name::parse(name).unwrap(),
        hostname: None,
        kind: ComponentKind::Agent,
        standing: Standing::Active,
        key: key(number),
    }
}

/// What servers hear of its key.
pub(crate) fn tag_of(component: &NewComponent) -> CredentialTag {
    CredentialTag::of(component.key.digest.as_bytes())
}

/// A token that lasts a day.
pub(crate) fn enrollment_token(number: u128, allowance: Allowance) -> EnrollmentToken {
    EnrollmentToken {
        id: id(number),
        description: Description::default(),
        allowance,
        uses: 0,
        created_at: at(0),
        expires_at: Some(at(86_400)),
        last_used_at: None,
    }
}

/// An agent on that host asks to be registered.
pub(crate) fn call(token: Digest, hostname: &str) -> Call {
    Call {
        token,
        hostname: Hostname::parse(hostname).unwrap(),
        kind: ComponentKind::Agent,
        version: Version::parse("1").unwrap(),
        repeat: None,
        proof: None,
        origin: Origin { client: Some("192.0.2.7".parse().unwrap()), ..Origin::system() },
        at: at(1),
    }
}
