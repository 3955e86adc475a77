//! The audit log: who did what, on what, when, from where and how it ended. Events are written in the transaction of the
//! action they tell of, so that neither exists without the other, and chained by hash, so that a changed, removed or
//! reordered entry shows.

mod action;
mod chain;
mod event;
mod log;

pub use action::{Action, UnknownAction};
pub use chain::{Broken, ChainHash, Head, Record, Verifier};
pub use event::{Actor, ActorKind, Event, Origin, Outcome, RequestId, Resource, ResourceKind};
pub use log::{AuditLog, Filter, Stats, StatsBucket};

#[cfg(feature = "testing")]
pub mod testing;
