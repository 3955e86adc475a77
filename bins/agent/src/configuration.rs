//! The configuration that the server has for this component: pulled, staged, validated, swapped in, verified, and
//! rolled back if it does not hold. What became of it is reported.

mod command;
mod puller;
mod target;

pub use command::{Command, InvalidCommand};
pub use puller::{LastConfiguration, Puller, Steps};
