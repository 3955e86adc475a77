//! bcrypt on a bounded pool of low-priority threads. A hash takes a quarter of a second of a core on purpose; here it can
//! take that from nobody but others who wait for a hash: work has a bounded queue, which is full before it hurts, and
//! threads of its own, which yield to those that answer requests.

mod hash;
mod pool;
mod preimage;

pub use hash::{BcryptHash, Cost, MalformedBcrypt, TooCheap};
pub use pool::{Busy, HashingError, HashingPool, Permit, PoolSettings};
pub use preimage::{Preimage, Unsuitable};
