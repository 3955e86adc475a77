//! What the claims of a logout token must say (OpenID Connect Back-Channel Logout 1.0 §2.4 and §2.6).

use std::time::Duration;

use serde_json::{Map, Value};
use stratora_clock::Timestamp;
use stratora_federation::{Claims, FlowError, LogoutToken, ProviderSettings};

use crate::flaw::refused;
use crate::id_token::{MALFORMED, check_audience, check_issuer, sid};
use crate::jws::Signed;
use crate::moment::Times;

/// The media types that its `typ` may name.
pub(crate) const KINDS: [&str; 2] = ["JWT", "logout+jwt"];
/// What makes it one.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// It is sent when it is made (§2.4 recommends two minutes). Earlier drafts knew no `exp`, and not everybody sends it; without a
/// limit of our own such a token could be sent again for ever.
const TIMES: Times = Times { expires: false, max_age: Duration::from_mins(2) };

/// Holds a token against what is expected. That it is sent twice is no harm: sessions that ended stay so.
pub(crate) fn check(token: &Signed, settings: &ProviderSettings, now: Timestamp) -> Result<LogoutToken, FlowError> {
    let claims = token.claims().ok_or_else(|| refused("claims", MALFORMED))?;
    check_issuer(&claims, settings)?;
    check_audience(&claims, settings)?;
    TIMES.check(&claims, now).map_err(|advice| refused("time", advice))?;
    let is_logout = claims.get("events").and_then(|events| events.get(EVENT)).is_some_and(Value::is_object);
    if !is_logout {
        return Err(refused("events", "the token is no logout token: it does not hold that event"));
    }
    // So that nobody takes an ID token for one, or one for an ID token.
    if claims.contains_key("nonce") {
        return Err(refused("nonce", "the token holds a nonce, which a logout token must not"));
    }
    if claims.get("jti").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(refused("jti", "the token has no identifier (jti), which a logout token must have"));
    }
    let subject = subject(&claims, settings)?;
    let sid = sid(&claims);
    if sid.is_none() && claims.contains_key("sid") {
        // Without it, the token would end all sessions of the person.
        return Err(refused(
            "claims",
            "the token names a session (sid) that is no text of 1 to 255 printable characters",
        ));
    }
    if subject.is_none() && sid.is_none() {
        return Err(refused("claims", "the token names neither a person (sub) nor a session (sid)"));
    }
    Ok(LogoutToken { subject, sid })
}

/// Whom it names, with the same rule as in an ID token.
fn subject(claims: &Map<String, Value>, settings: &ProviderSettings) -> Result<Option<String>, FlowError> {
    if !claims.contains_key("sub") {
        return Ok(None);
    }
    let read = Claims::read(claims, &settings.groups_claim);
    read.map(|claims| Some(claims.subject)).map_err(|error| refused("claims", error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stratora_clock::{Clock as _, ManualClock};
    use stratora_federation::Algorithm;

    use super::*;
    use crate::jws::Unverified;
    use crate::testing::{CLIENT, ISSUER, Signer, key_set, settings};

    fn check_at(change: &Value, clock: &ManualClock) -> Result<LogoutToken, FlowError> {
        let seconds = ManualClock::default().now().as_micros() / 1_000_000;
        let mut claims = json!({
            "iss": ISSUER, "aud": CLIENT, "iat": seconds, "jti": "j", "sub": "1", "sid": "s", "events": {EVENT: {}},
        });
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        claims.as_object_mut().unwrap().retain(|_, claim| !claim.is_null());
        let signer = Signer::p256();
        let token = signer.token(Algorithm::ES256, "a", &claims);
        let settings = settings();
        let unverified = Unverified::parse(&token, &KINDS).unwrap();
        let proved = unverified.verify(&key_set(&[signer.jwk("a")]), &settings.algorithms).unwrap();
        super::check(&proved, &settings, clock.now())
    }

    fn check_name(change: &Value) -> &'static str {
        check_at(change, &ManualClock::default()).unwrap_err().check
    }

    #[test]
    fn a_logout_names_a_person_or_a_session_or_both() {
        let at = |change: Value| check_at(&change, &ManualClock::default()).unwrap();
        let both = LogoutToken { subject: Some("1".to_owned()), sid: Some("s".to_owned()) };
        assert_eq!(at(json!({})), both);
        assert_eq!(at(json!({"sid": null})).sid, None);
        assert_eq!(at(json!({"sub": null})).subject, None);
        assert_eq!(check_name(&json!({"sub": null, "sid": null})), "claims");
    }

    #[test]
    fn a_session_that_cannot_be_read_does_not_end_all_of_them() {
        for sid in [json!(7), json!(""), json!("a\u{0}"), json!("a".repeat(256))] {
            assert_eq!(check_name(&json!({"sid": sid})), "claims");
        }
        assert_eq!(check_name(&json!({"sub": 7})), "claims");
    }

    #[test]
    fn what_is_no_logout_token_ends_nothing() {
        for (change, name) in [
            (json!({"events": null}), "events"),
            (json!({"events": {}}), "events"),
            (json!({"events": {EVENT: true}}), "events"),
            (json!({"events": [EVENT]}), "events"),
            (json!({"nonce": "n"}), "nonce"),
            (json!({"jti": null}), "jti"),
            (json!({"jti": ""}), "jti"),
            (json!({"iss": "https://id.example.com/"}), "iss"),
            (json!({"aud": "another"}), "aud"),
            (json!({"aud": [CLIENT, "another"]}), "aud"),
            (json!({"iat": null}), "time"),
        ] {
            assert_eq!(check_name(&change), name, "{change}");
        }
    }

    #[test]
    fn a_logout_token_is_good_for_two_minutes_and_the_skew() {
        let after = |seconds: u64| {
            let clock = ManualClock::default();
            clock.advance(Duration::from_secs(seconds));
            check_at(&json!({}), &clock)
        };
        assert!(after(179).is_ok() && after(180).is_ok());
        assert_eq!(after(181).unwrap_err().check, "time");
        let clock = ManualClock::default();
        clock.set(clock.now().minus(Duration::from_secs(61)));
        assert_eq!(check_at(&json!({}), &clock).unwrap_err().check, "time");
    }
}
