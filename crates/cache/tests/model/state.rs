//! What the model knows at a moment: the database, the servers with what they have in memory, and the revocations.

use std::time::Duration;

use stratora_cache::{Lease, Replica, ReplicaId, Settlement};
use uuid::Uuid;

pub(crate) const TICK: Duration = Duration::from_millis(100);
/// Two ticks: a change surely waits for three.
pub(crate) const LEASE: Duration = Duration::from_millis(200);
pub(crate) const SERVERS: usize = 3;
pub(crate) const CREDENTIALS: usize = 2;
/// Whose memory is followed.
pub(crate) const WATCHED: u8 = 1;

pub(crate) fn lease() -> Lease {
    Lease::lasting(LEASE).unwrap()
}

pub(crate) fn moment(tick: u8) -> Duration {
    TICK * u32::from(tick)
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) now: u8,
    /// The changes, each the credential that it ended.
    pub(crate) changes: Vec<u8>,
    pub(crate) rows: Vec<Replica>,
    pub(crate) next_id: u8,
    pub(crate) servers: Vec<Server>,
    pub(crate) revocations: [Revocation; CREDENTIALS],
    pub(crate) kills: u8,
    pub(crate) seen: Seen,
}

/// What has happened at some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each happens by itself")]
pub(crate) struct Seen {
    pub(crate) broken: bool,
    pub(crate) accepted: bool,
    pub(crate) waited_out: bool,
    pub(crate) came_back: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) is_alive: bool,
    pub(crate) me: Option<u8>,
    pub(crate) heard: u8,
    pub(crate) trusts_until: Duration,
    pub(crate) asked_at: Option<u8>,
    pub(crate) renewal: Renewal,
    /// The changes that it has read after a wake-up, but not yet applied.
    pub(crate) read: Option<u8>,
    /// Up to which change it has said that it has heard.
    pub(crate) said: u8,
    pub(crate) remembers: bool,
    pub(crate) reading: Option<Reading>,
    pub(crate) request: Option<Request>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Renewal {
    None,
    Asked { at: u8 },
    Alive { at: u8 },
    Read { at: u8, up_to: u8 },
    Registered { at: u8, id: u8, up_to: u8 },
}

/// A read of the credential that is to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reading {
    pub(crate) is_good: Option<bool>,
    pub(crate) changed_since: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    /// It started after the answer to the revocation.
    pub(crate) is_late: bool,
    pub(crate) is_trusted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Revocation {
    None,
    Committed {
        by: usize,
        change: u8,
    },
    Waiting {
        by: usize,
        settlement: Settlement,
        is_listed: bool,
    },
    /// Somebody is silent, and may be taken off the list.
    AnsweredAfterWaiting(Settlement),
    Answered,
    Abandoned,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self {
            is_alive: true,
            me: None,
            heard: 0,
            trusts_until: Duration::ZERO,
            asked_at: None,
            renewal: Renewal::None,
            read: None,
            said: 0,
            remembers: false,
            reading: None,
            request: None,
        }
    }

    pub(crate) fn apply(&mut self, changes: &[u8]) {
        if changes.contains(&WATCHED) {
            self.remembers = false;
            if let Some(reading) = &mut self.reading {
                reading.changed_since = true;
            }
        }
    }

    pub(crate) fn hear(&mut self, up_to: u8, changes: &[u8]) {
        if up_to > self.heard {
            self.apply(&changes[usize::from(self.heard)..usize::from(up_to)]);
            self.heard = up_to;
        }
    }
}

pub(crate) fn replica_id(id: u8) -> ReplicaId {
    ReplicaId(Uuid::from_u128(id.into()))
}

impl State {
    /// All servers under a lease, with the credential in memory or without.
    pub(crate) fn start(remembers: bool) -> Self {
        let mut state = Self {
            now: 0,
            changes: Vec::new(),
            rows: Vec::new(),
            next_id: 0,
            servers: Vec::new(),
            revocations: [const { Revocation::None }; CREDENTIALS],
            kills: 0,
            seen: Seen::default(),
        };
        for _ in 0..SERVERS {
            let (id, trusts_until) = (state.insert_row(), lease().ends(Duration::ZERO));
            state.servers.push(Server { me: Some(id), trusts_until, remembers, ..Server::new() });
        }
        state
    }

    pub(crate) fn row(&mut self, id: Option<u8>) -> Option<&mut Replica> {
        let id = replica_id(id?);
        self.rows.iter_mut().find(|row| row.id == id)
    }

    pub(crate) fn latest(&self) -> u8 {
        u8::try_from(self.changes.len()).unwrap()
    }

    pub(crate) fn is_answered(&self, credential: u8) -> bool {
        let revocation = &self.revocations[usize::from(credential)];
        matches!(revocation, Revocation::AnsweredAfterWaiting(_) | Revocation::Answered)
    }

    pub(crate) fn insert_row(&mut self) -> u8 {
        let (id, acknowledged) = (self.next_id, self.latest().into());
        self.rows.push(Replica { id: replica_id(id), renewals: 0, acknowledged, lease: lease() });
        self.next_id += 1;
        id
    }
}
