//! One event, before it has its place in the chain.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use stratora_clock::Timestamp;
use stratora_token::{Entropy, EntropyError, random_uuid};
use uuid::Uuid;

use crate::Action;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// The stable name, as stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The value with that name.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

names! {
    /// What kind of party acted.
    ActorKind {
        /// Nobody who has proved who they are.
        Anonymous = "anonymous",
        /// A person with an account.
        User = "user",
        /// A program with a component key.
        Component = "component",
        /// Whoever may run commands on the server's machine.
        CommandLine = "command_line",
        /// The server itself.
        System = "system",
    }
}

names! {
    /// What kind of thing was acted on.
    ResourceKind {
        /// A user account.
        User = "user",
        /// A session.
        Session = "session",
        /// A component.
        Component = "component",
        /// A component key.
        Key = "key",
        /// An enrollment token.
        EnrollmentToken = "enrollment_token",
        /// An identity provider.
        Provider = "provider",
        /// An HTTP endpoint.
        Endpoint = "endpoint",
    }
}

names! {
    /// How it ended.
    Outcome {
        /// It was done.
        Success = "success",
        /// It was tried and did not succeed.
        Failure = "failure",
        /// It was not allowed.
        Denied = "denied",
    }
}

/// Who acted. The name is kept as it was, so that it survives the deletion of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What kind of party.
    pub kind: ActorKind,
    /// Its identifier, where it has one.
    pub id: Option<Uuid>,
    /// Its name at the time.
    pub name: String,
}

impl Actor {
    /// Nobody in particular.
    pub const fn anonymous() -> Self {
        Self { kind: ActorKind::Anonymous, id: None, name: String::new() }
    }

    /// The server itself.
    pub fn system() -> Self {
        Self { kind: ActorKind::System, id: None, name: "stratora-server".to_owned() }
    }

    /// A person on the server's command line.
    pub fn command_line() -> Self {
        Self { kind: ActorKind::CommandLine, id: None, name: "command line".to_owned() }
    }
}

/// What was acted on. The name is kept as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// What kind of thing.
    pub kind: ResourceKind,
    /// Its identifier, where it has one.
    pub id: Option<Uuid>,
    /// Its name at the time.
    pub name: String,
}

/// Ties an answer, its log lines and its audit entries together. Made by the server, never taken from a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(Uuid);

impl RequestId {
    /// A new one.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        random_uuid(entropy).map(Self)
    }

    /// One that was stored earlier, or made among many.
    pub const fn from_uuid(id: Uuid) -> Self {
        Self(id)
    }

    /// Its stored form.
    pub const fn as_uuid(&self) -> Uuid {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RequestId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// Where a request comes from: what every event that it causes has in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Who asks.
    pub actor: Actor,
    /// From which address.
    pub client: Option<IpAddr>,
    /// Under which request.
    pub request_id: Option<RequestId>,
}

impl Origin {
    /// The server itself, on nobody's behalf.
    pub fn system() -> Self {
        Self { actor: Actor::system(), client: None, request_id: None }
    }

    /// A person on the server's command line.
    pub fn command_line() -> Self {
        Self { actor: Actor::command_line(), client: None, request_id: None }
    }

    /// An event of this origin that succeeded.
    pub fn event(&self, at: Timestamp, action: Action) -> Event {
        Event {
            at,
            actor: self.actor.clone(),
            action,
            resource: None,
            outcome: Outcome::Success,
            client: self.client,
            request_id: self.request_id,
            details: BTreeMap::new(),
        }
    }
}

/// One thing that happened. Holds no secret: whoever adds a detail sees to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, in UTC.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// On what.
    pub resource: Option<Resource>,
    /// How it ended.
    pub outcome: Outcome,
    /// From which address.
    pub client: Option<IpAddr>,
    /// Under which request.
    pub request_id: Option<RequestId>,
    /// What else is worth knowing: short values under short names.
    pub details: BTreeMap<String, String>,
}

impl Event {
    /// The same event, on that resource.
    #[must_use]
    pub fn on(mut self, kind: ResourceKind, id: Option<Uuid>, name: impl Into<String>) -> Self {
        self.resource = Some(Resource { kind, id, name: name.into() });
        self
    }

    /// The same event with another outcome.
    #[must_use]
    pub fn ended(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// The same event with one more detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}
