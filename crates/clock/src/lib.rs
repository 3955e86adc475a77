//! Time as a dependency. Whatever needs to know the time is handed a [`Clock`]; nothing else in the workspace reads one
//! (`.clippy.toml` bans the calls), so that every rule about time can be tested without waiting.

mod manual;
mod system;
mod timestamp;

pub use manual::ManualClock;
pub use system::{BootStopwatch, MonotonicClock, SystemClock};
pub use timestamp::{OutOfRange, Timestamp};

/// A source of the current time.
pub trait Clock: Send + Sync + 'static {
    /// The current time. Never runs backwards within one process.
    fn now(&self) -> Timestamp;
}

/// Measures spans of time as they pass, those in which the machine slept included. Nobody sets or steers it.
pub trait Stopwatch: Send + Sync + 'static {
    /// The time since a moment that is fixed while the process lives.
    fn elapsed(&self) -> std::time::Duration;
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}
