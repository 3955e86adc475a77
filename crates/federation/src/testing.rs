//! For tests of whoever signs people in through providers, and of whoever stores what that takes: a store in memory, the
//! contracts that every store fulfils, and a provider that says what it is told to. A contract runs on an empty store and
//! panics at the first thing that is not so.
#![expect(clippy::unwrap_used, reason = "a contract that is broken says so by a panic")]

mod attempt_contract;
mod fixtures;
mod identity_contract;
mod memory;
mod provider_contract;
mod relying_party;
mod transaction_contract;

pub use attempt_contract::attempt_store_contract;
pub use fixtures::{example_sign_in, provider as example_provider};
pub use identity_contract::identity_store_contract;
pub use memory::MemoryFederation;
pub use provider_contract::provider_store_contract;
pub use relying_party::ScriptedRelyingParty;
pub use transaction_contract::transaction_store_contract;
