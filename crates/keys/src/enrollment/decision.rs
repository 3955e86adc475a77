//! What a call to register leads to. The store gathers what there is, within the transaction that will act on it; what
//! follows from that is decided here, without a database and without a clock.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use newtype_uuid::GenericUuid as _;
use stratora_audit::{Action, Event, Origin, Outcome, ResourceKind};
use stratora_clock::Timestamp;
use stratora_token::Digest;

use crate::{
    Component, ComponentId, ComponentKind, EnrollmentToken, EnrollmentTokenId, Hostname, IdempotencyKey, KeyId,
    KeyPrefix, KeyState, Name, Spent, Standing, Version,
};

/// What the administrators of this installation want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EnrollmentPolicy {
    /// Whether a new component waits until somebody lets it in.
    pub require_approval: bool,
    /// After which time without a sign of it a component's place may be taken without approval; `None`: never.
    pub offline_takeover_after: Option<Duration>,
}

/// Somebody asks to be registered.
#[derive(Debug, Clone)]
pub struct Call {
    /// The digest of the token that was sent.
    pub token: Digest,
    /// The host that the component says it runs on.
    pub hostname: Hostname,
    /// What it does.
    pub kind: ComponentKind,
    /// The version of its program.
    pub version: Version,
    /// What tells this call from others, if the caller wants to be able to repeat it.
    pub repeat: Option<IdempotencyKey>,
    /// The good key that it proved itself with, if it did.
    pub proof: Option<KeyId>,
    /// Where it comes from.
    pub origin: Origin,
    /// When.
    pub at: Timestamp,
}

/// A request to take over a component's place, which waits for an administrator.
#[derive(Debug, Clone)]
pub struct Reenrollment {
    /// The token that was sent.
    pub token: EnrollmentTokenId,
    /// The digest of the call's idempotency key, if it had one.
    pub repeat: Option<Digest>,
    /// From where this caller asks.
    pub client: Option<IpAddr>,
    /// The version of its program.
    pub version: Version,
    /// When this caller first asked.
    pub requested_at: Timestamp,
    /// When an administrator approved it.
    pub approved_at: Option<Timestamp>,
}

impl Reenrollment {
    /// For how long an approval is good: as long as a new token.
    pub const APPROVAL_LASTS: Duration = Duration::from_hours(24);

    /// The request that `call` makes.
    pub fn of(call: &Call, token: EnrollmentTokenId) -> Self {
        Self {
            token,
            repeat: call.repeat.map(|repeat| repeat.digest()),
            client: call.origin.client,
            version: call.version.clone(),
            requested_at: call.at,
            approved_at: None,
        }
    }

    /// Whether it is approved at `now`.
    pub fn is_approved(&self, now: Timestamp) -> bool {
        self.approved_at.is_some_and(|at| now < at.plus(Self::APPROVAL_LASTS))
    }

    /// Whether `call` comes from whoever made this request, as far as one can tell.
    fn is_by(&self, call: &Call, token: EnrollmentTokenId) -> bool {
        self.token == token
            && match (&self.repeat, &call.repeat) {
                (Some(repeat), Some(other)) => repeat.matches(&other.digest()) || self.client == call.origin.client,
                _ => self.client == call.origin.client,
            }
    }

    /// Whether an approval of this request lets `call` in: the same token for the same host. Where the request had an
    /// idempotency key, another holder of the token does not come in its place from another address.
    fn lets_in(&self, call: &Call, token: EnrollmentTokenId) -> bool {
        self.token == token && (self.repeat.is_none() || self.is_by(call, token))
    }

    /// Whether `call` is written down in place of this request. An approval stays until it is used or has run out, so that
    /// no other caller can void it.
    fn gives_way_to(&self, call: &Call, token: EnrollmentTokenId) -> bool {
        !self.is_approved(call.at) && (!self.is_by(call, token) || self.approved_at.is_some())
    }
}

/// The key that a component was last given through enrollment with an idempotency key.
#[derive(Debug, Clone)]
pub struct Issued {
    /// With which token.
    pub token: EnrollmentTokenId,
    /// The digest of the idempotency key.
    pub repeat: Digest,
    /// Whether the component was created with it.
    pub was_new: bool,
    /// Whether the key is still its component's live key, and was never used.
    pub is_untouched: bool,
}

/// A component of the caller's host name and kind.
#[derive(Debug, Clone)]
pub struct Host {
    /// The component.
    pub component: Component,
    /// Who asks to take its place, if anybody.
    pub request: Option<Reenrollment>,
    /// What was last issued to it here.
    pub issued: Option<Issued>,
}

/// The key that the caller proved itself with, as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvenKey {
    /// Whose it is.
    pub component: ComponentId,
    /// Where it is in its life.
    pub state: KeyState,
}

/// A component whose name is one that the caller might get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenName {
    /// The name.
    pub name: String,
    /// The host that its component runs on, as it is stored.
    pub hostname: Option<String>,
}

/// All that bears on a call.
#[derive(Debug, Clone, Default)]
pub struct Situation {
    /// The token, if there is one with that digest.
    pub token: Option<EnrollmentToken>,
    /// The components of that host name and kind.
    pub hosts: Vec<Host>,
    /// If there is none of them: the component of that kind whose key the caller proved itself with. Its host has another
    /// name by now.
    pub renamed: Option<Host>,
    /// Which of [`names_for`] the host are taken.
    pub taken: Vec<TakenName>,
    /// The key that the caller proved itself with.
    pub proof: Option<ProvenKey>,
}

impl Situation {
    /// That component, if the call may lead to it.
    pub fn component(&self, id: ComponentId) -> Option<&Component> {
        self.hosts.iter().chain(&self.renamed).map(|host| &host.component).find(|component| component.id == id)
    }
}

/// Why somebody may take a component's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// It holds the component's present key.
    Proof,
    /// An administrator approved it.
    Approval,
    /// The component has not been seen for long, and the settings allow it then.
    Offline,
}

impl Ground {
    /// As it is written down.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proof => "key",
            Self::Approval => "approval",
            Self::Offline => "offline",
        }
    }
}

/// The caller is given a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// As a new component.
    New {
        /// Its name.
        name: Name,
        /// Whether it is let in at once.
        standing: Standing,
    },
    /// As a component that was there.
    InPlace {
        /// Which.
        component: ComponentId,
        /// Why.
        ground: Ground,
    },
    /// As the component that the very same call led to before; nobody has used the key of that time.
    Again {
        /// Which.
        component: ComponentId,
        /// Whether it was new then.
        was_new: bool,
    },
}

impl Admission {
    /// Whether the caller is told that it was created.
    pub const fn is_new(&self) -> bool {
        matches!(self, Self::New { .. } | Self::Again { was_new: true, .. })
    }

    /// Whether the component is active from then on, wherever it stood: whoever was approved by an administrator is let in.
    pub const fn lets_in(&self) -> bool {
        matches!(self, Self::InPlace { ground: Ground::Approval, .. })
    }
}

/// The caller is given none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedRegistration {
    /// There is no such token.
    #[error("there is no such enrollment token")]
    UnknownToken,
    /// The token was good once.
    #[error("the enrollment token is spent")]
    Spent(Spent),
    /// There is such a component, and the caller has not shown that it may take its place.
    #[error("there is such a component already")]
    Exists {
        /// Which.
        component: ComponentId,
        /// Whether the request is another than the one that is known.
        is_news: bool,
    },
    /// A hundred components have the names that it might get.
    #[error("no name is free")]
    NoName,
}

/// How many names are tried for a host: its own, and with a number behind it.
const NAMES: u32 = 100;
/// The longest part of a host name that a component is named for, so that a number fits behind it.
const STEM: usize = 96;

/// The names that a component on that host might get, the best first.
pub fn names_for(hostname: &Hostname) -> impl Iterator<Item = Name> {
    let stem: String = hostname.as_str().chars().take(STEM).collect();
    let numbered = (2..=NAMES).filter_map(move |number| Name::parse(format!("{stem}-{number}")).ok());
    let whole: String = hostname.as_str().chars().take(100).collect();
    Name::parse(&whole).ok().into_iter().chain(numbered)
}

/// What `call` leads to in that situation.
///
/// # Errors
/// [`RefusedRegistration`] says why it leads to no key.
pub fn decide(call: &Call, situation: &Situation, policy: EnrollmentPolicy) -> Result<Admission, RefusedRegistration> {
    let token = situation.token.as_ref().ok_or(RefusedRegistration::UnknownToken)?;
    // First of all: the call that used the token up may be the one that is repeated.
    if let Some(admission) = repeated(call, token.id, &situation.hosts) {
        return Ok(admission);
    }
    token.check(call.at).map_err(RefusedRegistration::Spent)?;
    let preferred = situation.hosts.iter().min_by_key(|host| {
        let rank = match host.component.standing {
            Standing::Active => 0,
            Standing::Pending => 1,
            Standing::Revoked => 2,
        };
        (rank, host.component.created_at, host.component.id)
    });
    let in_place = |host: &Host, ground| Ok(Admission::InPlace { component: host.component.id, ground });
    let mut provable = situation.hosts.iter().chain(&situation.renamed);
    if let Some(host) = provable.find(|host| proves(situation.proof, host)) {
        return in_place(host, Ground::Proof);
    }
    let Some(preferred) = preferred else { return newcomer(call, &situation.taken, policy) };
    let approved = |host: &&Host| {
        host.request.as_ref().is_some_and(|request| request.is_approved(call.at) && request.lets_in(call, token.id))
    };
    if let Some(host) = situation.hosts.iter().find(approved) {
        return in_place(host, Ground::Approval);
    }
    // Whoever repeats a call whose key was used, or replaced, has no more right to the place than others: that key may have
    // been replaced to keep it out. A host that was set up anew makes another call.
    let is_gone = || policy.offline_takeover_after.is_some_and(|span| is_gone(&preferred.component, call.at, span));
    if !situation.hosts.iter().any(|host| issued_for(call, token.id, host).is_some()) && is_gone() {
        return in_place(preferred, Ground::Offline);
    }
    Err(RefusedRegistration::Exists {
        component: preferred.component.id,
        is_news: preferred.request.as_ref().is_none_or(|request| request.gives_way_to(call, token.id)),
    })
}

fn repeated(call: &Call, token: EnrollmentTokenId, hosts: &[Host]) -> Option<Admission> {
    hosts.iter().find_map(|host| {
        let issued = issued_for(call, token, host).filter(|issued| issued.is_untouched)?;
        Some(Admission::Again { component: host.component.id, was_new: issued.was_new })
    })
}

/// What the very same call led to before, if it is what was last issued to that host.
fn issued_for<'a>(call: &Call, token: EnrollmentTokenId, host: &'a Host) -> Option<&'a Issued> {
    let repeat = call.repeat?.digest();
    host.issued.as_ref().filter(|issued| issued.token == token && issued.repeat.matches(&repeat))
}

/// Whether the caller holds the present key of that component: the live one, or the one that the component rotates itself
/// with. One that an administrator has replaced, and that lives until a deadline, gets no other: it would live on in it.
fn proves(proof: Option<ProvenKey>, host: &Host) -> bool {
    let is_present = |state| match state {
        KeyState::Live | KeyState::Grace { until: None } => true,
        KeyState::Grace { until: Some(_) } | KeyState::Rotated | KeyState::Revoked | KeyState::Corrupt => false,
    };
    host.component.standing == Standing::Active
        && proof.is_some_and(|key| key.component == host.component.id && is_present(key.state))
}

/// Whether an active component has given no sign for that long. One that was never seen counts from its key on.
fn is_gone(component: &Component, now: Timestamp, span: Duration) -> bool {
    let last_sign = component.last_seen_at.map_or(component.key_created_at, |at| at.max(component.key_created_at));
    component.standing == Standing::Active && now.since(last_sign) > span
}

fn newcomer(call: &Call, taken: &[TakenName], policy: EnrollmentPolicy) -> Result<Admission, RefusedRegistration> {
    let names: BTreeSet<&str> = taken.iter().map(|taken| taken.name.as_str()).collect();
    let mut wanted = names_for(&call.hostname).peekable();
    // Another kind of component on the same host is no stranger to the name.
    let is_strangers = wanted.peek().is_some_and(|name| {
        let is_other = |taken: &&TakenName| taken.hostname.as_deref() != Some(call.hostname.as_str());
        taken.iter().filter(|taken| taken.name == name.as_str()).any(|taken| is_other(&taken))
    });
    let name = wanted.find(|name| !names.contains(name.as_str())).ok_or(RefusedRegistration::NoName)?;
    let standing = if policy.require_approval || is_strangers { Standing::Pending } else { Standing::Active };
    Ok(Admission::New { name, standing })
}

impl Call {
    /// What is written down when the caller is given that key.
    pub fn admitted(&self, admission: &Admission, component: &Component, key: &KeyPrefix) -> Event {
        let (action, how) = match admission {
            Admission::New { .. } => (Action::ComponentRegister, "new"),
            Admission::Again { was_new: true, .. } => (Action::ComponentRegister, "repeated"),
            Admission::Again { was_new: false, .. } => (Action::ComponentReenroll, "repeated"),
            Admission::InPlace { ground, .. } => (Action::ComponentReenroll, ground.as_str()),
        };
        self.about(action, component).with("how", how).with("key_prefix", key.as_str())
    }

    /// What is written down when the caller asks for the place of a component.
    pub fn refused(&self, component: &Component) -> Event {
        self.about(Action::ComponentReenroll, component).ended(Outcome::Denied).with("reason", "component_exists")
    }

    fn about(&self, action: Action, component: &Component) -> Event {
        self.origin
            .event(self.at, action)
            .on(ResourceKind::Component, Some(component.id.into_untyped_uuid()), component.name.as_str())
            .with("hostname", self.hostname.as_str())
            .with("kind", self.kind.as_str())
            .with("status", component.standing.as_str())
            .with("version", self.version.as_str())
    }
}

#[cfg(test)]
mod tests;
