//! The real clocks. The wall clock is read once; after that only the time since boot moves time, so that whoever turns
//! the wall clock (by hand, NTP or a leap second) unlocks nothing and locks nobody out, and a machine that slept knows it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::{Clock, Stopwatch, Timestamp};

/// The time since the machine was started.
#[derive(Debug, Clone, Copy, Default)]
pub struct BootStopwatch;

impl Stopwatch for BootStopwatch {
    fn elapsed(&self) -> Duration {
        // Not `Instant`, which stands still while the machine sleeps.
        Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
    }
}

/// In microseconds: requests read the time several times, so it is the plain number.
fn since_boot() -> i64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::Boottime);
    tv_sec * 1_000_000 + tv_nsec / 1_000
}

fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Wall-clock time at start, moved on by the time since boot, which never runs backwards.
#[derive(Debug)]
pub struct SystemClock {
    /// What the wall clock would have said then, in microseconds.
    at_boot: i64,
}

impl SystemClock {
    /// Reads the wall clock, for the last time.
    #[expect(clippy::disallowed_methods, reason = "this crate is where time is read")]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self { at_boot: Timestamp::UNIX_EPOCH.plus(since_epoch).as_micros() - since_boot() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        timestamp(self.at_boot.saturating_add(since_boot()))
    }
}

/// A clock set from outside and moved on by the time since boot. Replicas set theirs by their shared database.
#[derive(Debug)]
pub struct MonotonicClock {
    /// In microseconds since the machine was started.
    origin: i64,
    at_origin: AtomicI64,
    latest: AtomicI64,
}

impl MonotonicClock {
    /// A clock that reads `now` at this moment.
    pub fn starting_at(now: Timestamp) -> Self {
        Self {
            origin: since_boot(),
            at_origin: AtomicI64::new(now.as_micros()),
            latest: AtomicI64::new(now.as_micros()),
        }
    }

    /// Moves the clock towards `reference` by at most `most`, so that a reference that jumps drags time along slowly
    /// instead of skipping over a window or a timeout. Returns by how much the clock is still off, positive when behind.
    pub fn steer(&self, reference: Timestamp, most: Duration) -> i64 {
        let off = reference.as_micros().saturating_sub(self.reading());
        let most = i64::try_from(most.as_micros()).unwrap_or(i64::MAX);
        let step = off.clamp(-most, most);
        self.at_origin.fetch_add(step, Ordering::Relaxed);
        off - step
    }

    fn reading(&self) -> i64 {
        self.at_origin.load(Ordering::Relaxed).saturating_add(since_boot() - self.origin)
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Timestamp {
        let reading = self.reading();
        let latest = self.latest.fetch_max(reading, Ordering::Relaxed).max(reading);
        timestamp(latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_the_reference_moves_time_by_the_step_only() {
        let clock = MonotonicClock::starting_at(Timestamp::UNIX_EPOCH);
        let still_off = clock.steer(Timestamp::UNIX_EPOCH.plus(Duration::from_hours(1)), Duration::from_secs(1));
        let now = clock.now().since(Timestamp::UNIX_EPOCH);
        assert!(now >= Duration::from_secs(1) && now < Duration::from_mins(1), "{now:?}");
        assert!(still_off > 3_500_000_000, "{still_off}");
    }

    #[test]
    fn steering_back_never_makes_time_run_backwards() {
        let clock = MonotonicClock::starting_at(Timestamp::UNIX_EPOCH.plus(Duration::from_secs(100)));
        let before = clock.now();
        clock.steer(Timestamp::UNIX_EPOCH, Duration::from_secs(50));
        assert!(clock.now() >= before);
    }
}
