//! An instant in UTC, in whole microseconds: what PostgreSQL keeps, so that a stored instant reads back unchanged.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Microseconds since 1970-01-01T00:00:00Z, between the years -9999 and 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The instant lies outside the years -9999 to 9999, or the text is not RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange;

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an RFC 3339 instant between the years -9999 and 9999")
    }
}

impl std::error::Error for OutOfRange {}

/// The ends of time: the first and the last whole second that a calendar in any time zone holds.
const FIRST: i64 = -377_705_023_201_000_000;
const LAST: i64 = 253_402_207_200_000_000;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(0);

    /// The instant that many microseconds after the Unix epoch.
    ///
    /// # Errors
    /// [`OutOfRange`] beyond the year 9999 or before the year -9999.
    pub fn from_micros(micros: i64) -> Result<Self, OutOfRange> {
        if (FIRST..=LAST).contains(&micros) { Ok(Self(micros)) } else { Err(OutOfRange) }
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The time that has passed since `earlier`; zero when `earlier` lies in the future.
    pub fn since(self, earlier: Self) -> Duration {
        u64::try_from(self.0.saturating_sub(earlier.0)).map_or(Duration::ZERO, Duration::from_micros)
    }

    /// This instant plus `span`, held at the end of the year 9999.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros).min(LAST))
    }

    /// This instant minus `span`, held at the start of the year -9999.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros).max(FIRST))
    }

    fn to_jiff(self) -> jiff::Timestamp {
        // In range by construction; the epoch stands in for what cannot be.
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

/// RFC 3339 in UTC with a `Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_jiff(), f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = OutOfRange;

    fn from_str(text: &str) -> Result<Self, OutOfRange> {
        let at: jiff::Timestamp = text.parse().map_err(|_| OutOfRange)?;
        Self::from_micros(at.as_microsecond())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_rfc3339_in_utc_and_reads_back() {
        let at = Timestamp::from_micros(1_700_000_000_123_456).unwrap();
        assert_eq!(at.to_string(), "2023-11-14T22:13:20.123456Z");
        assert_eq!(at.to_string().parse(), Ok(at));
        assert_eq!("2023-11-14T23:13:20.123456+01:00".parse(), Ok(at));
    }

    #[test]
    fn arithmetic_is_held_at_the_ends_of_time() {
        let last = Timestamp::UNIX_EPOCH.plus(Duration::MAX);
        assert!(last.to_string().starts_with("9999-"), "{last}");
        assert_eq!(last.plus(Duration::from_secs(1)), last);
        assert!(Timestamp::UNIX_EPOCH.minus(Duration::MAX).to_string().starts_with("-00"));
        assert_eq!(Timestamp::UNIX_EPOCH.since(last), Duration::ZERO);
    }

    #[test]
    fn an_instant_that_no_calendar_holds_is_refused() {
        assert_eq!(jiff::Timestamp::MIN.as_second() * 1_000_000, FIRST);
        assert_eq!(jiff::Timestamp::MAX.as_second() * 1_000_000, LAST);
        for (end, beyond) in [(FIRST, FIRST - 1), (LAST, LAST + 1), (0, i64::MAX)] {
            let at = Timestamp::from_micros(end).unwrap();
            assert_eq!(at.to_string().parse(), Ok(at));
            assert_eq!(Timestamp::from_micros(beyond), Err(OutOfRange), "{beyond}");
        }
        assert_eq!("9999-12-30T22:00:00.5Z".parse::<Timestamp>(), Err(OutOfRange));
        assert_eq!("yesterday".parse::<Timestamp>(), Err(OutOfRange));
    }

    #[test]
    fn years_past_2038_are_ordinary() {
        let at: Timestamp = "2038-01-19T03:14:08Z".parse().unwrap();
        assert_eq!(at.since("2038-01-19T03:14:07Z".parse().unwrap()), Duration::from_secs(1));
    }
}
