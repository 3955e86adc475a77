//! The times in a token, held against the clock.

use std::time::Duration;

use serde_json::{Map, Value};
use stratora_clock::Timestamp;

/// By how much two clocks may differ. More would let a token live on that its provider takes for expired (ASVS 9.2.1).
pub(crate) const SKEW: Duration = Duration::from_mins(1);
/// From what difference on an administrator is told of it although all is well.
const NOTEWORTHY: Duration = Duration::from_secs(5);

/// The moment that a claim names, if it names one: seconds since 1970, with a fraction or without (RFC 7519 §2).
pub(crate) fn numeric_date(claim: &Value) -> Option<Timestamp> {
    let since = match claim.as_u64() {
        Some(seconds) => Duration::from_secs(seconds),
        None => Duration::try_from_secs_f64(claim.as_f64()?).ok()?,
    };
    Some(Timestamp::UNIX_EPOCH.plus(since))
}

/// What times a token must have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// Whether it must say when it expires.
    pub(crate) expires: bool,
    /// How long ago it may have been made.
    pub(crate) max_age: Duration,
}

impl Times {
    /// Holds a token's times against the clock. What an administrator should know is returned, whether all is well or not.
    pub(crate) fn check(self, claims: &Map<String, Value>, now: Timestamp) -> Result<Option<String>, String> {
        let read = |name: &str| match claims.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(claim) => numeric_date(claim).map(Some).ok_or_else(|| format!("the token's {name} is no time")),
        };
        let missing = |name: &str| format!("the token does not say {name}, which OpenID Connect requires");
        let (exp, nbf, iat) = (read("exp")?, read("nbf")?, read("iat")?);
        let iat = iat.ok_or_else(|| missing("when it was made (iat)"))?;
        if exp.is_none() && self.expires {
            return Err(missing("when it expires (exp)"));
        }
        let apart = now.since(iat).max(iat.since(now));
        let clocks = format!("the clock of this server and the provider's differ by about {} s", apart.as_secs());
        let is_early = now.plus(SKEW) < iat || nbf.is_some_and(|nbf| now.plus(SKEW) < nbf);
        let is_late = exp.is_some_and(|exp| now >= exp.plus(SKEW)) || now > iat.plus(self.max_age).plus(SKEW);
        if is_early || is_late {
            let what = if is_early { "the token is not valid yet" } else { "the token has expired" };
            return Err(format!("{what}: {clocks}, and both should be set by NTP"));
        }
        Ok((apart >= NOTEWORTHY).then_some(clocks))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use stratora_clock::{Clock as _, ManualClock};

    use super::*;

    const TIMES: Times = Times { expires: true, max_age: Duration::from_mins(10) };

    /// A token made now that lasts for an hour, but for what `change` gives, in seconds from now.
    fn check(change: &[(&str, i64)]) -> Result<Option<String>, String> {
        let now = ManualClock::default().now();
        let seconds = now.as_micros() / 1_000_000;
        let mut claims = json!({"iat": seconds, "exp": seconds + 3600}).as_object().unwrap().clone();
        claims.extend(change.iter().map(|(name, off)| ((*name).to_owned(), json!(seconds + off))));
        TIMES.check(&claims, now)
    }

    #[test]
    fn a_token_is_good_up_to_a_minute_after_it_expired() {
        assert!(check(&[("exp", -59)]).is_ok());
        assert!(check(&[("exp", -60)]).is_err());
        assert!(check(&[("exp", -61)]).is_err());
    }

    #[test]
    fn a_token_is_good_from_a_minute_before_its_time() {
        for name in ["nbf", "iat"] {
            assert!(check(&[(name, 59)]).is_ok(), "{name}");
            assert!(check(&[(name, 60)]).is_ok(), "{name}");
            assert!(check(&[(name, 61)]).is_err(), "{name}");
        }
        assert!(check(&[("iat", 24 * 3600), ("exp", 25 * 3600)]).is_err());
    }

    #[test]
    fn a_token_that_was_made_long_ago_is_not_taken_however_long_it_lasts() {
        assert!(check(&[("iat", -659)]).is_ok());
        assert!(check(&[("iat", -660)]).is_ok());
        assert!(check(&[("iat", -661)]).is_err());
    }

    #[test]
    fn times_that_are_missing_or_none_are_not_made_up() {
        let now = ManualClock::default().now();
        let seconds = now.as_micros() / 1_000_000;
        for claims in [
            json!({"iat": seconds}),
            json!({"exp": seconds + 60}),
            json!({"iat": seconds, "exp": "tomorrow"}),
            json!({"iat": seconds, "exp": null}),
            json!({"iat": seconds, "exp": (seconds + 60).to_string()}),
            json!({"iat": -1, "exp": seconds + 60}),
            json!({"iat": seconds, "exp": seconds + 60, "nbf": [0]}),
        ] {
            assert!(TIMES.check(claims.as_object().unwrap(), now).is_err(), "{claims}");
        }
    }

    #[test]
    fn a_time_may_have_a_fraction() {
        assert_eq!(numeric_date(&json!(1.5)), Some(Timestamp::UNIX_EPOCH.plus(Duration::from_millis(1500))));
        assert_eq!(numeric_date(&json!(1e300)), None);
        assert_eq!(numeric_date(&json!(u64::MAX)), Some(Timestamp::UNIX_EPOCH.plus(Duration::MAX)));
    }

    #[test]
    fn clocks_that_drift_apart_are_told_before_they_lock_anybody_out() {
        assert_eq!(check(&[]), Ok(None));
        let note = check(&[("iat", 30)]).unwrap().unwrap();
        assert!(note.contains("differ by about 30 s"), "{note}");
        let advice = check(&[("iat", 90)]).unwrap_err();
        assert!(advice.contains("differ by about 90 s"), "{advice}");
    }

    proptest! {
        #[test]
        fn a_token_is_good_exactly_within_its_window(exp in -200_i64..200, nbf in -200_i64..200, iat in -800_i64..200) {
            let expected = exp > -60 && nbf <= 60 && (-660..=60).contains(&iat);
            prop_assert_eq!(check(&[("exp", exp), ("nbf", nbf), ("iat", iat)]).is_ok(), expected);
        }
    }
}
