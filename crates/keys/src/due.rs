//! When a component is told to rotate its key: when somebody asked for it, when the key is too old, and when a rotation was
//! begun and not finished.

use std::time::Duration;

use newtype_uuid::GenericUuid as _;
use stratora_clock::Timestamp;

use crate::{KeyId, KeyRecord, KeyState};

/// How old a key may get. Every key has an age of its own, up to a tenth below this: a fleet that was enrolled in one day
/// does not rotate in one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxKeyAge(Duration);

/// The age is impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be between 1 hour and 10 years, or 0 for no limit")]
pub struct RefusedMaxKeyAge;

impl MaxKeyAge {
    /// More often than hourly, rotations would be most of what a fleet does.
    const SHORTEST: Duration = Duration::from_hours(1);
    const LONGEST: Duration = Duration::from_hours(10 * 366 * 24);

    /// A limit of that length.
    ///
    /// # Errors
    /// [`RefusedMaxKeyAge`] when it is below an hour or beyond 10 years.
    pub fn new(age: Duration) -> Result<Self, RefusedMaxKeyAge> {
        if (Self::SHORTEST..=Self::LONGEST).contains(&age) { Ok(Self(age)) } else { Err(RefusedMaxKeyAge) }
    }

    /// The age at which this key is to be rotated: from nine tenths of the limit to all of it. The same whenever and
    /// wherever it is asked for, since it comes from the identifier, which is random.
    pub fn of(self, key: KeyId) -> Duration {
        let [.., high, low] = *key.as_untyped_uuid().as_bytes();
        let share = u32::from(u16::from_be_bytes([high, low]));
        self.0.saturating_sub((self.0 / 10 / u32::from(u16::MAX)) * share)
    }
}

impl KeyRecord {
    /// Whether its holder should rotate it now. Never while an administrator hands over its successor: a deadline is an
    /// administrator's, and whoever is told then would ask with a key that may not.
    pub fn is_due(&self, now: Timestamp, max_age: Option<MaxKeyAge>) -> bool {
        if matches!(self.state, KeyState::Grace { until: Some(_) }) {
            return false;
        }
        // Its successor was made and never used, perhaps lost in a crash.
        let is_unfinished = self.state == KeyState::Grace { until: None };
        let is_old = max_age.is_some_and(|max_age| now.since(self.created_at) >= max_age.of(self.key_id));
        self.rotation_requested || is_unfinished || is_old
    }
}

#[cfg(test)]
mod tests {
    use newtype_uuid::TypedUuid;
    use uuid::Uuid;

    use super::*;
    use crate::{ComponentKind, Name, Standing};

    const DAY: Duration = Duration::from_hours(24);

    fn key(number: u128) -> KeyId {
        TypedUuid::from_untyped_uuid(Uuid::from_u128(number))
    }

    fn record(state: KeyState) -> KeyRecord {
        KeyRecord {
            key_id: key(0),
            state,
            used: true,
            created_at: Timestamp::UNIX_EPOCH,
            rotation_requested: false,
            component_id: TypedUuid::nil(),
            name: Name::parse("a").unwrap(),
            kind: ComponentKind::Agent,
            standing: Standing::Active,
            config_etag: None,
        }
    }

    #[test]
    fn an_impossible_age_is_refused() {
        for impossible in
            [Duration::ZERO, Duration::from_mins(59), Duration::from_hours(10 * 366 * 24 + 1), Duration::MAX]
        {
            assert_eq!(MaxKeyAge::new(impossible), Err(RefusedMaxKeyAge), "{impossible:?}");
        }
        for possible in [Duration::from_hours(1), 90 * DAY] {
            assert!(MaxKeyAge::new(possible).is_ok(), "{possible:?}");
        }
    }

    #[test]
    fn keys_of_one_day_come_of_age_over_a_tenth_of_the_limit() {
        let max_age = MaxKeyAge::new(100 * DAY).unwrap();
        let ages: Vec<_> = (0..=0xffff_u128).step_by(0xff).map(|number| max_age.of(key(number))).collect();
        assert_eq!((ages.first(), max_age.of(key(0))), (Some(&(100 * DAY)), 100 * DAY));
        assert!(ages.iter().all(|age| (90 * DAY..=100 * DAY).contains(age)), "{ages:?}");
        let last = ages.last().unwrap();
        assert!(*last < 90 * DAY + Duration::from_secs(1), "{last:?}");
        for tenth in 0..10_u32 {
            let within = |age: &&Duration| (90 * DAY + DAY * tenth..90 * DAY + DAY * (tenth + 1)).contains(*age);
            let share = ages.iter().filter(within).count();
            assert!((20..=32).contains(&share), "{share} of {} on day {tenth}", ages.len());
        }
    }

    #[test]
    fn a_key_is_due_from_its_age_on() {
        let max_age = MaxKeyAge::new(DAY).unwrap();
        let live = record(KeyState::Live);
        let of_age = Timestamp::UNIX_EPOCH.plus(max_age.of(live.key_id));
        assert!(!live.is_due(of_age.minus(Duration::from_micros(1)), Some(max_age)));
        assert!(live.is_due(of_age, Some(max_age)));
        assert!(!live.is_due(of_age.plus(1000 * DAY), None), "without a limit no key is too old");
    }

    #[test]
    fn a_key_is_due_when_somebody_asked_and_when_its_successor_was_never_used() {
        let now = Timestamp::UNIX_EPOCH;
        assert!(!record(KeyState::Live).is_due(now, None));
        assert!(KeyRecord { rotation_requested: true, ..record(KeyState::Live) }.is_due(now, None));
        assert!(record(KeyState::Grace { until: None }).is_due(now, None));
    }

    #[test]
    fn a_key_that_an_administrator_replaced_is_not_due_however_old_it_is_and_whoever_asked() {
        let later = Timestamp::UNIX_EPOCH.plus(DAY * 2);
        let handed_over = record(KeyState::Grace { until: Some(later.plus(DAY)) });
        let asked = KeyRecord { rotation_requested: true, ..handed_over.clone() };
        for record in [handed_over, asked] {
            assert!(!record.is_due(later, Some(MaxKeyAge::new(DAY).unwrap())));
        }
    }
}
