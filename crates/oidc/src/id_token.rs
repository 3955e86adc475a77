//! What the claims of an ID token must say (OpenID Connect Core 1.0 §3.1.3.7). `at_hash` is not looked at: it ties an access
//! token, and none is used.

use std::time::Duration;

use serde_json::{Map, Value};
use stratora_clock::Timestamp;
use stratora_federation::{Claims, FlowError, ProviderSettings, Step, Verified};
use subtle::ConstantTimeEq as _;

use crate::flaw::refused;
use crate::jws::Signed;
use crate::moment::Times;

/// The media types that an ID token's `typ` may name (RFC 7519 §5.1); an access token has `at+jwt` (RFC 9068 §2.1).
pub(crate) const KINDS: [&str; 1] = ["JWT"];
/// An ID token is made when its code is exchanged, and a code lives as long as the sign-in at most: ten minutes.
const TIMES: Times = Times { expires: true, max_age: Duration::from_mins(10) };
/// The longest session identifier that is kept, in bytes.
const MAX_SID: usize = 255;

/// What is expected of a token.
pub(crate) struct Expected<'a> {
    pub(crate) settings: &'a ProviderSettings,
    pub(crate) nonce: &'a str,
    pub(crate) now: Timestamp,
}

impl Expected<'_> {
    /// Holds a token against what is expected. Each thing that is well is added to `steps`.
    pub(crate) fn check(&self, token: &Signed, steps: &mut Vec<Step>) -> Result<Verified, FlowError> {
        let claims = token.claims().ok_or_else(|| refused("claims", MALFORMED))?;
        check_issuer(&claims, self.settings)?;
        steps.push(Step::passed("iss"));
        check_audience(&claims, self.settings)?;
        steps.push(Step::passed("aud"));
        let note = TIMES.check(&claims, self.now).map_err(|advice| refused("time", advice))?;
        let time = Step::passed("time");
        steps.push(match note {
            Some(note) => time.noting(note),
            None => time,
        });
        self.check_nonce(&claims)?;
        steps.push(Step::passed("nonce"));
        let read = Claims::read(&claims, &self.settings.groups_claim);
        let read = read.map_err(|error| refused("claims", format!("the token names nobody: {error}")))?;
        let step = Step::passed("claims");
        steps.push(if self.leaves_groups_out(&claims) { step.noting(GROUPS_LEFT_OUT) } else { step });
        Ok(Verified { claims: read, sid: sid(&claims) })
    }

    fn check_nonce(&self, claims: &Map<String, Value>) -> Result<(), FlowError> {
        let nonce = claims.get("nonce").and_then(Value::as_str).unwrap_or_default();
        // An empty one on both sides would be equal, too.
        if !self.nonce.is_empty() && bool::from(nonce.as_bytes().ct_eq(self.nonce.as_bytes())) {
            return Ok(());
        }
        Err(refused("nonce", "the token was not made for this sign-in: its nonce is missing or another one"))
    }

    /// Entra ID sends a link instead of more than two hundred groups.
    fn leaves_groups_out(&self, claims: &Map<String, Value>) -> bool {
        let elsewhere = claims.get("_claim_names").and_then(Value::as_object);
        elsewhere.is_some_and(|names| names.contains_key(self.settings.groups_claim.as_str()))
    }
}

/// The payload is signed, and yet not claims.
pub(crate) const MALFORMED: &str = "the token's claims are no JSON object that reads one way only";
const GROUPS_LEFT_OUT: &str = "the provider has left the groups out, because there are too many for a token: have it send only \
                               those that are assigned to this application";

/// Byte for byte: a slash at the end or another case is another issuer.
pub(crate) fn check_issuer(claims: &Map<String, Value>, settings: &ProviderSettings) -> Result<(), FlowError> {
    if claims.get("iss").and_then(Value::as_str) == Some(settings.issuer.as_str()) {
        return Ok(());
    }
    Err(refused("iss", "the token is from another issuer: its iss must be the configured issuer, byte for byte"))
}

/// Whether the token is for us. One that is for others too is taken only when it says that it was issued to us (`azp`): then
/// it is ours, and the others may read it. Without that it may be a token which another application got and passes on, and
/// OpenID Connect Core 1.0 §3.1.3.7 leaves it to us whom of them to trust: nobody.
pub(crate) fn check_audience(claims: &Map<String, Value>, settings: &ProviderSettings) -> Result<(), FlowError> {
    let us = settings.client_id.as_str();
    let audiences: Option<Vec<&str>> = match claims.get("aud") {
        Some(Value::String(one)) => Some(vec![one]),
        Some(Value::Array(all)) => all.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let audiences = audiences.unwrap_or_default();
    if !audiences.contains(&us) {
        return Err(refused("aud", "the token is for another application: check client_id"));
    }
    match claims.get("azp").filter(|party| !party.is_null()) {
        Some(party) if party.as_str() != Some(us) => {
            Err(refused("aud", "the token was issued to another application (azp): check client_id"))
        }
        None if audiences.len() > 1 => {
            let advice = "the token is for several applications and does not say that it was issued to this one (azp): have the \
                          provider send one audience, or azp";
            Err(refused("aud", advice))
        }
        _ => Ok(()),
    }
}

/// What the provider calls its session.
pub(crate) fn sid(claims: &Map<String, Value>) -> Option<String> {
    let sid = claims.get("sid")?.as_str()?;
    ((1..=MAX_SID).contains(&sid.len()) && !sid.contains(char::is_control)).then(|| sid.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stratora_clock::{Clock as _, ManualClock};
    use stratora_federation::{Algorithm, StepOutcome};

    use super::*;
    use crate::jws::Unverified;
    use crate::testing::{CLIENT, ISSUER, Signer, key_set, settings};

    const NONCE: &str = "the nonce of this sign-in";

    fn good(now: Timestamp) -> Value {
        let seconds = now.as_micros() / 1_000_000;
        json!({"iss": ISSUER, "aud": CLIENT, "sub": "1", "iat": seconds, "exp": seconds + 300, "nonce": NONCE})
    }

    /// What becomes of a token that is good but for `change`, in which `null` leaves a claim out.
    fn check_with(change: &Value, clock: &ManualClock) -> (Result<Verified, FlowError>, Vec<Step>) {
        let mut claims = good(ManualClock::default().now());
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        claims.as_object_mut().unwrap().retain(|_, claim| !claim.is_null());
        let signer = Signer::p256();
        let token = signer.token(Algorithm::ES256, "a", &claims);
        let settings = settings();
        let unverified = Unverified::parse(&token, &KINDS).unwrap();
        let proved = unverified.verify(&key_set(&[signer.jwk("a")]), &settings.algorithms).unwrap();
        let expected = Expected { settings: &settings, nonce: NONCE, now: clock.now() };
        let mut steps = Vec::new();
        (expected.check(&proved, &mut steps), steps)
    }

    fn check(change: &Value) -> Result<Verified, FlowError> {
        check_with(change, &ManualClock::default()).0
    }

    #[track_caller]
    fn assert_refused(change: &Value, check_name: &str) {
        let refused = check(change).unwrap_err();
        assert_eq!(refused.check, check_name, "{change}");
        assert!(!refused.is_unavailable, "{change}");
    }

    #[test]
    fn a_good_token_passes_every_check_in_order() {
        let (verified, steps) = check_with(&json!({"sid": "s", "groups": ["ops"]}), &ManualClock::default());
        let verified = verified.unwrap();
        assert_eq!((verified.claims.subject.as_str(), verified.sid.as_deref()), ("1", Some("s")));
        assert!(verified.claims.groups.contains("ops"));
        let names: Vec<_> = steps.iter().map(|step| step.check.as_ref()).collect();
        assert_eq!(names, ["iss", "aud", "time", "nonce", "claims"]);
        assert!(steps.iter().all(|step| step.outcome == StepOutcome::Passed && step.note.is_none()));
    }

    #[test]
    fn the_issuer_is_compared_byte_for_byte() {
        for iss in
            [json!("https://id.example.com/"), json!("https://ID.example.com"), json!([ISSUER]), json!(null), json!(7)]
        {
            assert_refused(&json!({"iss": iss}), "iss");
        }
    }

    #[test]
    fn the_token_is_for_us_and_was_issued_to_us() {
        for change in [
            json!({"aud": [CLIENT]}),
            json!({"azp": CLIENT}),
            json!({"aud": [CLIENT, "another"], "azp": CLIENT}),
            json!({"aud": ["another", CLIENT], "azp": CLIENT}),
        ] {
            assert!(check(&change).is_ok(), "{change}");
        }
        for change in [
            json!({"aud": null}),
            json!({"aud": []}),
            json!({"aud": "another"}),
            json!({"aud": ["another"]}),
            json!({"aud": "Stratora"}),
            json!({"aud": {"stratora": true}}),
            json!({"aud": [CLIENT, 7], "azp": CLIENT}),
            json!({"aud": [CLIENT, "another"]}),
            json!({"aud": [CLIENT, CLIENT]}),
            json!({"aud": [CLIENT, "another"], "azp": "another"}),
            json!({"aud": "another", "azp": CLIENT}),
            json!({"azp": "another"}),
            json!({"azp": [CLIENT]}),
            json!({"azp": ""}),
        ] {
            assert_refused(&change, "aud");
        }
    }

    #[test]
    fn the_nonce_is_that_of_this_sign_in() {
        for nonce in [json!(null), json!(""), json!("another"), json!([NONCE]), json!(format!("{NONCE} "))] {
            assert_refused(&json!({"nonce": nonce}), "nonce");
        }
    }

    #[test]
    fn a_sign_in_without_a_nonce_is_never_matched() {
        let settings = settings();
        let expected = Expected { settings: &settings, nonce: "", now: ManualClock::default().now() };
        for nonce in [json!({}), json!({"nonce": ""})] {
            assert!(expected.check_nonce(nonce.as_object().unwrap()).is_err());
        }
    }

    #[test]
    fn a_minute_of_skew_and_no_second_more() {
        let ends = |seconds: u64| {
            let clock = ManualClock::default();
            clock.advance(Duration::from_secs(300 + seconds));
            check_with(&json!({}), &clock).0
        };
        assert!(ends(59).is_ok());
        assert_eq!(ends(60).unwrap_err().check, "time");
        let begins = |seconds: u64| {
            let clock = ManualClock::default();
            clock.set(clock.now().minus(Duration::from_secs(seconds)));
            check_with(&json!({}), &clock).0
        };
        assert!(begins(59).is_ok() && begins(60).is_ok());
        assert_eq!(begins(61).unwrap_err().check, "time");
    }

    #[test]
    fn clocks_that_differ_are_noted_in_our_words() {
        let clock = ManualClock::default();
        clock.advance(Duration::from_secs(42));
        let (verified, steps) = check_with(&json!({}), &clock);
        verified.unwrap();
        let note = steps.iter().find(|step| step.check == "time").unwrap().note.clone().unwrap();
        assert_eq!(note, "the clock of this server and the provider's differ by about 42 s");
    }

    #[test]
    fn a_token_names_a_person() {
        for subject in [json!(null), json!(""), json!(7), json!("a".repeat(256))] {
            assert_refused(&json!({"sub": subject}), "claims");
        }
    }

    #[test]
    fn odd_types_of_claims_that_nobody_needs_do_no_harm() {
        let change = json!({
            "auth_time": 0.5, "email_verified": "true", "groups": ["a", "a", 7], "address": [], "updated_at": "never",
            "at_hash": "not looked at", "acr": 0, "amr": "pwd", "sid": 7,
        });
        let verified = check(&change).unwrap();
        assert!(!verified.claims.email_verified);
        assert_eq!(verified.claims.groups, ["a".to_owned()].into());
        assert_eq!(verified.sid, None);
    }

    #[test]
    fn groups_that_a_provider_left_out_are_noted() {
        let change =
            json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph"}}});
        let (verified, steps) = check_with(&change, &ManualClock::default());
        assert!(verified.unwrap().claims.groups.is_empty());
        assert!(steps.last().unwrap().note.as_deref().unwrap().contains("left the groups out"));
    }
}
