//! Time. The agent depends on none of the crates that provide it to the server.

use std::time::{Instant, SystemTime};

use jiff::Timestamp;

/// This host's idea of the time, which may be wrong.
pub fn now() -> Timestamp {
    // Only a clock that is off by millennia is out of range.
    Timestamp::try_from(system()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The same, for what takes no other type.
pub fn system() -> SystemTime {
    #[expect(clippy::disallowed_methods, reason = "the one place of this program that reads the time")]
    SystemTime::now()
}

/// A point to measure from, which no change of the clock moves.
pub fn instant() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the one place of this program that reads the time")]
    Instant::now()
}
