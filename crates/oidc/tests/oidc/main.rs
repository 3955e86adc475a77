//! The relying party against a provider that misbehaves on demand, over real connections.
#![expect(clippy::unwrap_used, reason = "a test that fails says so by a panic")]

mod certified;
mod habits;
mod house;
mod kept;
mod logout;
mod misbehaviour;
mod outgoing;
mod probe;
