//! Opaque credentials. A [`Secret`] is 256 bits from the operating system; it is shown once, compared in constant time
//! and stored only as its [`Digest`]. What is derived from a long-lived key is made by [`MacKey`].

mod digest;
mod entropy;
mod mac;
mod secret;

pub use digest::Digest;
pub use entropy::{BulkUuids, Entropy, EntropyError, OsEntropy, random_uuid};
pub use mac::MacKey;
pub use secret::{MalformedSecret, SECRET_TEXT_LENGTH, Secret};

#[cfg(feature = "testing")]
pub use entropy::testing;
