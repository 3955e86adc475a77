//! This host in numbers: CPU, memory, disks, networks and load.

mod lines;
mod sampler;

pub use sampler::{NoMetrics, Sampler};
