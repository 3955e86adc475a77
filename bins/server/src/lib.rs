//! Stratora's security core as a server: reads the settings, connects the parts, serves. Everything that decides stands in
//! the library crates; here it is put together.

pub mod command;
pub mod compose;
mod console;
pub mod fleet;
pub mod flood;
mod identity;
pub mod key_file;
pub mod nginx;
pub mod serve;
pub mod settings;
mod telemetry;
