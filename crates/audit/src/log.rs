//! The port to the stored log.

use async_trait::async_trait;
use stratora_clock::Timestamp;
use stratora_port::{Page, PageRequest, StoreError};
use uuid::Uuid;

use crate::{Action, Event, Head, Outcome, Record, ResourceKind};

/// Which records are wanted; every condition that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// At this instant or later.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// By the actor with this name, exactly.
    pub actor: Option<String>,
    /// This action.
    pub action: Option<Action>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// On a resource of this kind.
    pub resource_kind: Option<ResourceKind>,
    /// On this resource.
    pub resource_id: Option<Uuid>,
    /// With this text, in any case, in the actor's name, the resource's name or the details.
    pub text: Option<String>,
}

/// How many records of one action ended in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatsBucket {
    /// Which action.
    pub action: Action,
    /// Which outcome.
    pub outcome: Outcome,
    /// How many.
    pub count: u64,
}

/// Counts over the records that a filter matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// All of them.
    pub total: u64,
    /// By action and outcome, the most frequent first.
    pub buckets: Vec<StatsBucket>,
    /// By UTC day, in order: the day's first instant and its count. Days without records are left out.
    pub days: Vec<(Timestamp, u64)>,
}

/// The stored log. Events of an action that changes something go through that action's own port, in its transaction;
/// [`AuditLog::append`] is for events that stand alone, such as a refusal.
#[async_trait]
pub trait AuditLog: Send + Sync + 'static {
    /// Writes one event at the end of the chain.
    async fn append(&self, event: Event) -> Result<(), StoreError>;

    /// The records that match, the newest first.
    async fn page(&self, filter: &Filter, page: &PageRequest) -> Result<Page<Record>, StoreError>;

    /// Counts over the records that match.
    async fn stats(&self, filter: &Filter) -> Result<Stats, StoreError>;

    /// At most `limit` records behind position `after`, the oldest first.
    async fn records_after(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError>;

    /// Where the chain ends.
    async fn head(&self) -> Result<Head, StoreError>;
}
