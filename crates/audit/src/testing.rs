//! For tests of whoever writes to the log, and of whoever stores it.

mod contract;
mod memory;

pub use contract::{audit_log_contract, verify_chain};
pub use memory::MemoryLog;
