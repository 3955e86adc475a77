//! OpenID Connect: how providers are spoken to, and what has to be proved before they are believed. Sign-in itself is decided
//! in `stratora-federation`, whose port this fulfils.
//!
//! A token goes through three types: `Unverified`, whose claims nobody can read; `Signed`, whose signature is by a key of the
//! pinned issuer; and only then the claims, which are held against what is expected. Whatever a provider writes stays in here:
//! what is reported says in our own words what to fix.

mod address;
mod authorization;
mod endpoint;
mod exchange;
mod flaw;
mod id_token;
mod json;
mod jwks;
mod jws;
mod kept;
mod logout_token;
mod metadata;
mod moment;
mod openid_connect;
mod outgoing;
mod probe;
mod tls;

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
#[cfg(test)]
mod testing;

pub use address::OutgoingPolicy;
pub use openid_connect::{OpenIdConnect, OpenIdConnectParts, RefusedSetup};
