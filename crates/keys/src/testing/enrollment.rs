//! Calls to register on a store under test, each checked to write what it says it has done and nothing else.
#![expect(clippy::unwrap_used, reason = "a store that fails its contract ends the test")]

use std::sync::Arc;
use std::time::Duration;

use newtype_uuid::GenericUuid as _;
use stratora_audit::{Action, AuditLog, Event, Origin, Outcome, Resource};
use stratora_clock::Timestamp;
use stratora_port::PageRequest;
use stratora_token::OsEntropy;

use super::fleet::{Fleet, at, event, key_made_at, new_id};
use crate::{
    Admission, Allowance, Answer, ApproveRequestError, Call, Component, ComponentId, ComponentKind, Description,
    EnrollmentPolicy, EnrollmentSecret, EnrollmentStore, EnrollmentToken, EnrollmentTokenId, Hostname, IdempotencyKey,
    KeyStore, NewEnrollmentToken, NewKey, Offer, RefusedRegistration, RegisterError, Version, WaitingRequest,
};

/// What a store of enrollment is asked for here besides what it is.
pub(super) trait Store: EnrollmentStore + KeyStore + AuditLog {}

impl<S: EnrollmentStore + KeyStore + AuditLog> Store for S {}

pub(super) const POLICY: EnrollmentPolicy = EnrollmentPolicy { require_approval: false, offline_takeover_after: None };

/// A token and its value.
pub(super) struct Token {
    pub(super) id: EnrollmentTokenId,
    pub(super) secret: EnrollmentSecret,
}

/// Somebody who was admitted.
pub(super) struct Admitted {
    pub(super) component: Component,
    pub(super) admission: Admission,
    pub(super) key: NewKey,
}

pub(super) fn new_token(allowance: Allowance, created_at: Timestamp) -> (NewEnrollmentToken, EnrollmentSecret) {
    let secret = EnrollmentSecret::generate(&OsEntropy).unwrap();
    let token = EnrollmentToken {
        id: new_id(),
        description: Description::parse("for the test").unwrap(),
        allowance,
        uses: 0,
        created_at,
        expires_at: Some(created_at.plus(Duration::from_hours(24))),
        last_used_at: None,
    };
    (NewEnrollmentToken { digest: secret.digest(), token }, secret)
}

pub(super) fn offer(now: Timestamp) -> Offer {
    Offer { component: new_id(), key: key_made_at(now) }
}

pub(super) fn repeatable(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(format!("{text:_<43}").replace(' ', "-").as_bytes()).unwrap()
}

pub(super) fn from(call: Call, address: &str) -> Call {
    Call { origin: Origin { client: Some(address.parse().unwrap()), ..call.origin }, ..call }
}

impl Token {
    /// A call of an agent on that host, so many seconds into the test.
    pub(super) fn call(&self, hostname: &str, seconds: u64) -> Call {
        Call {
            token: self.secret.digest(),
            hostname: Hostname::parse(hostname).unwrap(),
            kind: ComponentKind::Agent,
            version: Version::parse("1.2.3").unwrap(),
            repeat: None,
            proof: None,
            origin: Origin { client: Some("192.0.2.7".parse().unwrap()), ..Origin::system() },
            at: at(seconds),
        }
    }
}

fn is_about(event: &Event, action: Action, outcome: Outcome, component: &Component) -> bool {
    let is_resource = |resource: &Resource| resource.id == Some(component.id.into_untyped_uuid());
    event.action == action && event.outcome == outcome && event.resource.as_ref().is_some_and(is_resource)
}

impl<S: Store> Fleet<S> {
    pub(super) async fn token(&self, allowance: Allowance) -> Token {
        let (new, secret) = new_token(allowance, at(0));
        let id = new.token.id;
        let event = event(Action::EnrollmentTokenCreate);
        self.all_or_nothing(event.clone(), self.store.create_token(new, event)).await.unwrap();
        Token { id, secret }
    }

    pub(super) async fn uses(&self, token: &Token) -> u32 {
        self.store.find_token(token.id).await.unwrap().unwrap().uses
    }

    /// What a call leads to. Who is admitted has the offered key, and exactly that is written down.
    pub(super) async fn try_with(&self, policy: EnrollmentPolicy, call: &Call) -> Result<Admitted, RegisterError> {
        let offer = offer(call.at);
        let (answered, written) = self.watch(self.store.register(call, policy, Some(&offer))).await;
        match answered {
            Ok(Answer::Admitted { admission, component }) => {
                assert_eq!(written, [call.admitted(&admission, &component, &offer.key.prefix)]);
                assert_eq!(component.key_prefix, offer.key.prefix);
                assert_eq!(component.version.as_ref(), Some(&call.version));
                assert_eq!(self.component(component.id).await, *component);
                Ok(Admitted { component: *component, admission, key: offer.key })
            }
            Ok(Answer::Exists { component }) => {
                let refused = self.component(component).await;
                assert!(written.len() <= 1, "{written:?}");
                let is_refusal = |event: &Event| is_about(event, Action::ComponentReenroll, Outcome::Denied, &refused);
                assert!(written.iter().all(is_refusal), "{written:?}");
                Err(RefusedRegistration::Exists { component, is_news: !written.is_empty() }.into())
            }
            Err(error) => {
                assert_eq!(written, [], "{error}");
                Err(error)
            }
        }
    }

    pub(super) async fn admitted(&self, call: &Call) -> Admitted {
        self.try_with(POLICY, call).await.unwrap()
    }

    pub(super) async fn refused(&self, call: &Call) -> RefusedRegistration {
        match self.try_with(POLICY, call).await.map(|admitted| admitted.admission).unwrap_err() {
            RegisterError::Refused(refused) => refused,
            error => unreachable!("{error}"),
        }
    }

    pub(super) async fn request_for(&self, component: ComponentId) -> Option<WaitingRequest> {
        let requests = self.store.requests(&PageRequest::default()).await.unwrap();
        requests.items.into_iter().find(|waiting| waiting.component.id == component)
    }

    pub(super) async fn approve_request(
        &self,
        component: ComponentId,
        requested_at: Option<Timestamp>,
        seconds: u64,
    ) -> Result<Component, ApproveRequestError> {
        let event = Origin::system().event(at(seconds), Action::ComponentApprove);
        let store = Arc::clone(&self.store);
        self.all_or_nothing(event.clone(), store.approve_request(component, requested_at, event)).await
    }
}
