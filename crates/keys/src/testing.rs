//! For tests of whoever uses components and their keys, and of whoever stores them.

mod config_contract;
mod enrollment;
mod enrollment_contract;
mod enrollment_places;
mod enrollment_races;
mod fleet;
mod fleet_contract;
mod key_contract;
mod key_life;
mod key_races;
mod memory;
mod own_rotation;

pub use config_contract::config_store_contract;
pub use enrollment_contract::enrollment_store_contract;
pub use fleet_contract::fleet_rotation_store_contract;
pub use key_contract::key_store_contract;
pub use memory::MemoryStore;
