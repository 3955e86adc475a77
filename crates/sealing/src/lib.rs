//! Secrets that have to be kept in the database and read again, such as a client secret: sealed with AES-256-GCM under a key
//! that is not there. Each is tied to its place, so that what is copied to another row opens nothing, and names the version
//! of its key, so that keys can be changed.

mod key;
mod keyring;
mod sealed;

pub use key::{KeyVersion, RefusedKeys, SealingKey, SealingKeys};
pub use keyring::Keyring;
pub use sealed::{CannotOpen, MalformedSealed, Place, Sealed};
