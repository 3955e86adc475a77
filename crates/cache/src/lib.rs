//! Credentials in memory, and when they may be trusted. A credential that is remembered is good only as long as this
//! process can prove that nothing was revoked since it was read: alone on its database, because whoever writes tells
//! [`Coherence`] before answering; among several replicas, because a [`Lease`] is shorter than any revocation waits
//! ([`Settlement`]) for a replica that does not say that it has heard. What is seen of their holders is
//! written in batches ([`WriteBehind`]).

mod cache;
mod coherence;
mod issued;
mod lease;
mod settlement;
mod unknown;
mod write_behind;

pub use cache::CredentialCache;
pub use coherence::{AsOf, Coherence, Subject};
pub use issued::{CredentialTag, IssuedCredentials, IssuedReading};
pub use lease::{Lease, RefusedLease};
pub use settlement::{Replica, ReplicaId, Settlement};
pub use unknown::UnknownCredentials;
pub use write_behind::{Part, Parts, WriteBehind};
