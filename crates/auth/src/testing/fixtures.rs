//! Accounts and sessions, told apart by numbers.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use newtype_uuid::GenericUuid;
use stratora_audit::{Action, Event, Origin};
use stratora_clock::Timestamp;
use stratora_token::Digest;
use uuid::Uuid;

use crate::{
    AuthSource, BrakeSubject, NewAccount, NewPassword, NewSession, PasswordHash, Proof, Role, SessionId, UserId,
    Username,
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

pub(super) fn username(name: &str) -> Username {
    Username::parse(name).unwrap()
}

/// A hash that no password has; different for different letters.
pub(super) fn hash(letter: char) -> PasswordHash {
    PasswordHash::parse(&format!("$2b$12$abcdefghijklmnopqrstuu{}a", letter.to_string().repeat(30))).unwrap()
}

pub(super) fn account(number: u128, name: &str) -> NewAccount {
    NewAccount {
        id: id(number),
        username: username(name),
        display_name: "Grace".to_owned(),
        email: Some("grace@example.com".to_owned()),
        role: Role::Operator,
        source: AuthSource::Local,
        password: Some(NewPassword { hash: hash('a'), must_change: true, expires_at: Some(at(86_400)) }),
        built_in: false,
        created_at: at(0),
    }
}

pub(super) fn token(number: u128) -> Digest {
    Digest::of(&[&number.to_be_bytes()[..], b"token"].concat())
}

pub(super) fn cookie(number: u128) -> Digest {
    Digest::of(&[&number.to_be_bytes()[..], b"cookie"].concat())
}

pub(super) fn session(number: u128, user: UserId) -> NewSession {
    let id: SessionId = id(number);
    NewSession {
        id,
        user_id: user,
        token: token(number),
        cookie: cookie(number),
        created_at: at(1),
        expires_at: at(86_401),
        confirm_by: None,
        client: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))),
        user_agent: "curl".to_owned(),
    }
}

pub(super) fn proof(letter: char) -> Proof {
    Proof::Password { verified: hash(letter), upgrade: None }
}

pub(super) fn stranger(name: &str) -> BrakeSubject {
    BrakeSubject { username: username(name), device: None }
}
