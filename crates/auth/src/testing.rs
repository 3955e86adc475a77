//! For tests of whoever signs people in, and of whoever stores what that takes: stores in memory, and the contracts that
//! every store fulfils. A contract runs on an empty store and panics at the first thing that is not so.
#![expect(clippy::unwrap_used, reason = "a contract that is broken says so by a panic")]

mod account_contract;
mod brake_contract;
mod fixtures;
mod limit_contract;
mod memory;
mod session_contract;

pub use account_contract::account_store_contract;
pub use brake_contract::brake_store_contract;
pub use limit_contract::limit_store_contract;
pub use memory::MemoryStore;
pub use session_contract::session_store_contract;
