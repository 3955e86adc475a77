//! A session on its way: its secrets are made, and nothing is stored yet.

use newtype_uuid::{GenericUuid as _, TypedUuid};
use stratora_audit::{Action, Actor, ActorKind, Event, Origin, ResourceKind};
use stratora_clock::Timestamp;
use stratora_token::{Entropy, EntropyError, Secret, random_uuid};

use crate::{
    Account, ClientContext, CookieToken, KnownDevice, NewSession, Session, SessionId, SessionTimeouts, SessionToken,
    SignedIn, UserId,
};

/// How much of a user agent is kept, in characters: enough to recognise a browser by.
const USER_AGENT: usize = 256;

/// A session before it is stored: its secrets are made, nothing is written.
#[derive(Debug)]
pub struct Opening {
    account: Account,
    session: Session,
    token: SessionToken,
    cookie: CookieToken,
    device: KnownDevice,
}

impl Opening {
    /// Makes a session of `account`, whose owner is proved. The client's device stays what it is if the account knows it.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn prepare(
        entropy: &dyn Entropy,
        now: Timestamp,
        timeouts: SessionTimeouts,
        account: Account,
        client: &ClientContext,
    ) -> Result<Self, EntropyError> {
        let device = match client.device.filter(|device| device.user == account.id) {
            Some(device) => device.device,
            None => TypedUuid::from_untyped_uuid(random_uuid(entropy)?),
        };
        let user: UserId = account.id;
        Ok(Self {
            session: Session {
                id: TypedUuid::from_untyped_uuid(random_uuid(entropy)?),
                user_id: user,
                created_at: now,
                last_seen_at: now,
                expires_at: now.plus(timeouts.absolute),
                client: client.origin.client,
                user_agent: recognisable(&client.user_agent),
            },
            token: SessionToken(Secret::generate(entropy)?),
            cookie: CookieToken(Secret::generate(entropy)?),
            device: KnownDevice { user, device, signed_in_at: now },
            account,
        })
    }

    /// Whose it is.
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// Its identifier.
    pub const fn session_id(&self) -> SessionId {
        self.session.id
    }

    /// Its stored form.
    pub fn new_session(&self) -> NewSession {
        let session = self.session.clone();
        NewSession {
            id: session.id,
            user_id: session.user_id,
            token: self.token.0.digest(),
            cookie: self.cookie.0.digest(),
            created_at: session.created_at,
            expires_at: session.expires_at,
            confirm_by: None,
            client: session.client,
            user_agent: session.user_agent,
        }
    }

    /// An event of the person who signs in, on the session that is opened.
    pub fn event(&self, client: &ClientContext, action: Action) -> Event {
        let actor = Actor {
            kind: ActorKind::User,
            id: Some(self.account.id.into_untyped_uuid()),
            name: self.account.username.to_string(),
        };
        let origin = Origin { actor, ..client.origin.clone() };
        let session = Some(self.session.id.into_untyped_uuid());
        origin.event(self.session.created_at, action).on(ResourceKind::Session, session, self.account.username.as_str())
    }

    /// The session, opened, with its secrets.
    pub fn signed_in(self) -> SignedIn {
        let Self { account, session, token, cookie, device } = self;
        SignedIn { account, session, token, cookie, device }
    }
}

fn recognisable(user_agent: &str) -> String {
    user_agent.chars().filter(|c| !c.is_control()).take(USER_AGENT).collect()
}
