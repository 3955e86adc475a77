//! Signed tokens (RFC 7515, RFC 7519): the path from a text to claims leads through a signature, and there is no other.
//! `openidconnect` verifies the signature itself. Its token types are not used: they hand out claims before, compare `iss` and
//! `aud` before the signature, and refuse a whole token for one claim of an unusual type that nobody needs.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use stratora_federation::Algorithm;

use crate::json;
use crate::jwks::KeySet;

/// The longest token, in bytes: one with two hundred groups has about 20 000.
const MAX_TOKEN: usize = 64 * 1024;

/// The token is none, or of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("the token is longer than 64 KiB: have the provider send fewer claims or groups")]
    TooLong,
    #[error("the token is no JWS in compact form, which has exactly three parts in base64url")]
    NotCompact,
    #[error("the token is encrypted, which is not supported: have the provider sign it only")]
    Encrypted,
    #[error("the token's header is no JSON object that reads one way only")]
    Header,
    #[error("the token's header asks for an extension that must be understood (crit), and none is")]
    Critical,
    #[error("the token is of another kind: its typ is not the one that this needs, as in an access token")]
    OtherKind,
}

/// The signature is not one to believe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureFlaw {
    #[error("the token is not signed, or with a shared secret: have the provider sign with one of the algorithms {0}")]
    Unsigned(String),
    #[error("the token is signed with {1}, which is not among the algorithms of this provider ({0})")]
    OtherAlgorithm(String, &'static str),
    #[error("the token names a key that is not among the provider's: it may have changed its keys a moment ago")]
    UnknownKey,
    #[error("the token names no key, and not exactly one of the provider's is for its algorithm")]
    NoKeyNamed,
    #[error(
        "the token names a key that may not verify it: keys must be for signatures and for the token's algorithm, and RSA \
         keys have 2048 to 4096 bits and an odd exponent above 1"
    )]
    UnusableKey,
    #[error("the token's signature is wrong: it was not made by this provider, or was changed on its way")]
    Wrong {
        /// Whether the token says by which key.
        names_key: bool,
    },
}

impl SignatureFlaw {
    /// Whether the provider's keys may be newer than what is known of them.
    pub(crate) const fn may_be_of_new_key(&self) -> bool {
        matches!(self, Self::UnknownKey | Self::NoKeyNamed | Self::Wrong { names_key: false })
    }
}

/// A token that nobody has vouched for. Its claims cannot be read.
#[derive(Debug)]
pub(crate) struct Unverified<'a> {
    algorithm: String,
    key: Option<String>,
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Takes the token apart. `kinds` are the media types that its `typ` may name, without `application/`; it may name none.
    /// What the header says about where keys are (`jku`, `jwk`, `x5u`, `x5c`) is not looked at.
    pub(crate) fn parse(token: &'a str, kinds: &[&str]) -> Result<Self, Malformed> {
        if token.len() > MAX_TOKEN {
            return Err(Malformed::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Malformed::NotCompact)?;
        let (header, payload) = signed.split_once('.').ok_or(Malformed::NotCompact)?;
        if payload.matches('.').count() == 2 {
            return Err(Malformed::Encrypted);
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Malformed::NotCompact);
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        let header = json::object(&header).ok_or(Malformed::Header)?;
        if header.contains_key("crit") {
            return Err(Malformed::Critical);
        }
        let text = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(Malformed::Header),
        };
        if text("typ")?.is_some_and(|kind| !kinds.iter().any(|allowed| allowed.eq_ignore_ascii_case(kind))) {
            return Err(Malformed::OtherKind);
        }
        let algorithm = text("alg")?.ok_or(Malformed::Header)?.to_owned();
        Ok(Self { algorithm, key: text("kid")?.map(str::to_owned), signed, payload, signature })
    }

    /// Proves that the provider has made it: with one of the `algorithms`, which come from the provider's settings and never
    /// from the token, and with one of its keys.
    pub(crate) fn verify(&self, keys: &KeySet, algorithms: &BTreeSet<Algorithm>) -> Result<Signed, SignatureFlaw> {
        let allowed = || algorithms.iter().map(|algorithm| algorithm.as_str()).collect::<Vec<_>>().join(", ");
        // None of the algorithms that can be chosen is symmetric, and `none` is not among them.
        let algorithm = Algorithm::parse(&self.algorithm).map_err(|_| SignatureFlaw::Unsigned(allowed()))?;
        if !algorithms.contains(&algorithm) {
            return Err(SignatureFlaw::OtherAlgorithm(allowed(), algorithm.as_str()));
        }
        let name = self.key.as_deref();
        let candidates = keys.candidates(name, algorithm);
        if candidates.is_empty() {
            return Err(match name {
                Some(name) if keys.knows(name) => SignatureFlaw::UnusableKey,
                Some(_) => SignatureFlaw::UnknownKey,
                None => SignatureFlaw::NoKeyNamed,
            });
        }
        let is_signed = candidates.iter().any(|key| key.verifies(algorithm, self.signed.as_bytes(), &self.signature));
        if is_signed {
            Ok(Signed(self.payload.clone()))
        } else {
            Err(SignatureFlaw::Wrong { names_key: name.is_some() })
        }
    }
}

/// What the provider has signed. Only [`Unverified::verify`] makes one.
pub(crate) struct Signed(Vec<u8>);

impl Signed {
    /// The claims; nothing when the payload is no JSON object that reads one way only.
    pub(crate) fn claims(&self) -> Option<Map<String, Value>> {
        json::object(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ring::hmac;
    use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
    use serde_json::json;

    use super::*;
    use crate::testing::{Signer, base64, key_set, rsa_key};

    const KINDS: [&str; 1] = ["JWT"];

    fn verify(token: &str, keys: &KeySet, algorithms: &[Algorithm]) -> Result<Map<String, Value>, String> {
        let unverified = Unverified::parse(token, &KINDS).map_err(|flaw| flaw.to_string())?;
        let signed = unverified.verify(keys, &algorithms.iter().copied().collect()).map_err(|flaw| flaw.to_string())?;
        signed.claims().ok_or_else(|| "no claims".to_owned())
    }

    fn flaw(token: &str, keys: &KeySet) -> SignatureFlaw {
        Unverified::parse(token, &KINDS).unwrap().verify(keys, &Algorithm::ALL.into()).err().expect("it is refused")
    }

    #[test]
    fn every_algorithm_that_can_be_chosen_verifies() {
        for algorithm in Algorithm::ALL {
            let signer = Signer::of(algorithm);
            let token = signer.token(algorithm, "a", &json!({"sub": "1"}));
            let claims = verify(&token, &key_set(&[signer.jwk("a")]), &[algorithm]).unwrap();
            assert_eq!(claims["sub"], "1", "{algorithm:?}");
        }
    }

    #[test]
    fn unsigned_tokens_are_refused_however_they_write_it() {
        let signer = Signer::p256();
        let keys = key_set(&[signer.jwk("a")]);
        for name in ["none", "None", "nOnE", "NONE", "", " none", "none\0"] {
            let header = json!({"alg": name, "kid": "a"}).to_string();
            for signature in ["", "AAAA"] {
                let token = format!("{}.{}.{signature}", base64(&header), base64("{}"));
                assert!(matches!(flaw(&token, &keys), SignatureFlaw::Unsigned(_)), "{name:?}");
            }
            let token = signer.token_as("ES256", &header, "{}");
            assert!(matches!(flaw(&token, &keys), SignatureFlaw::Unsigned(_)), "{name:?}");
        }
    }

    #[test]
    fn a_public_key_is_no_shared_secret() {
        let public = rsa_key().to_public_key();
        let jwk = Signer::Rsa(rsa_key()).jwk("a");
        let keys = key_set(std::slice::from_ref(&jwk));
        let pem = public.to_public_key_pem(LineEnding::LF).unwrap();
        let secrets: [Vec<u8>; 5] = [
            pem.clone().into_bytes(),
            pem.trim_end().as_bytes().to_vec(),
            public.to_public_key_der().unwrap().as_bytes().to_vec(),
            jwk.to_string().into_bytes(),
            b"the client secret".to_vec(),
        ];
        for secret in secrets {
            for (name, algorithm) in
                [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)]
            {
                let signed = format!("{}.{}", base64(json!({"alg": name, "kid": "a"}).to_string()), base64("{}"));
                let tag = hmac::sign(&hmac::Key::new(algorithm, &secret), signed.as_bytes());
                let token = format!("{signed}.{}", base64(tag));
                assert!(matches!(flaw(&token, &keys), SignatureFlaw::Unsigned(_)), "{name}");
            }
        }
    }

    #[test]
    fn a_shared_secret_among_the_keys_is_not_used() {
        let keys = key_set(&[json!({"kty": "oct", "kid": "a", "k": base64("shared")})]);
        let signed = format!("{}.{}", base64(r#"{"alg":"HS256","kid":"a"}"#), base64("{}"));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"shared"), signed.as_bytes());
        assert!(matches!(flaw(&format!("{signed}.{}", base64(tag)), &keys), SignatureFlaw::Unsigned(_)));
    }

    #[test]
    fn a_key_verifies_nothing_of_another_algorithm() {
        let (rsa, ec) = (Signer::Rsa(rsa_key()), Signer::p256());
        let keys = key_set(&[rsa.jwk("rsa"), ec.jwk("ec")]);
        let token = |signer: &Signer, how: &str, says: &str, id: &str| {
            signer.token_as(how, &json!({"alg": says, "kid": id}).to_string(), "{}")
        };
        assert_eq!(flaw(&token(&ec, "ES256", "ES256", "rsa"), &keys), SignatureFlaw::UnusableKey);
        assert_eq!(flaw(&token(&rsa, "RS256", "ES256", "rsa"), &keys), SignatureFlaw::UnusableKey);
        assert_eq!(flaw(&token(&rsa, "RS256", "RS256", "ec"), &keys), SignatureFlaw::UnusableKey);
        assert_eq!(flaw(&token(&ec, "ES256", "ES384", "ec"), &keys), SignatureFlaw::UnusableKey);
        // One key, and each padding and each digest for the other.
        for (how, says) in [("RS256", "PS256"), ("PS256", "RS256"), ("RS256", "RS384"), ("PS512", "PS256")] {
            assert_eq!(
                flaw(&token(&rsa, how, says, "rsa"), &keys),
                SignatureFlaw::Wrong { names_key: true },
                "{how} {says}"
            );
        }
    }

    #[test]
    fn a_key_that_is_for_one_algorithm_verifies_no_other() {
        let rsa = Signer::Rsa(rsa_key());
        let mut jwk = rsa.jwk("a");
        jwk["alg"] = json!("RS256");
        let keys = key_set(&[jwk]);
        assert!(verify(&rsa.token(Algorithm::RS256, "a", &json!({})), &keys, &Algorithm::ALL).is_ok());
        assert_eq!(flaw(&rsa.token(Algorithm::PS256, "a", &json!({})), &keys), SignatureFlaw::UnusableKey);
    }

    #[test]
    fn an_algorithm_is_taken_only_if_it_is_allowed_for_the_provider() {
        let signer = Signer::p256();
        let keys = key_set(&[signer.jwk("a")]);
        let token = signer.token(Algorithm::ES256, "a", &json!({}));
        let error = verify(&token, &keys, &[Algorithm::RS256, Algorithm::PS256]).unwrap_err();
        assert!(error.contains("ES256") && error.contains("RS256, PS256"), "{error}");
    }

    #[test]
    fn a_token_without_a_key_id_needs_exactly_one_key_for_its_algorithm() {
        let (one, other) = (Signer::p256(), Signer::p256());
        let token = one.token_as("ES256", r#"{"alg":"ES256"}"#, "{}");
        let ed = Signer::of(Algorithm::EdDSA).jwk("c");
        assert!(verify(&token, &key_set(&[one.jwk("a"), ed]), &Algorithm::ALL).is_ok());
        assert_eq!(flaw(&token, &key_set(&[one.jwk("a"), other.jwk("b")])), SignatureFlaw::NoKeyNamed);
        assert_eq!(flaw(&token, &key_set(&[])), SignatureFlaw::NoKeyNamed);
        let flaw = flaw(&token, &key_set(&[other.jwk("b")]));
        assert!(flaw.may_be_of_new_key(), "{flaw:?}");
    }

    #[test]
    fn only_the_providers_own_keys_count_whatever_the_header_brings() {
        let (own, foreign) = (Signer::p256(), Signer::p256());
        let keys = key_set(&[own.jwk("a")]);
        for (id, expected) in [("a", SignatureFlaw::Wrong { names_key: true }), ("b", SignatureFlaw::UnknownKey)] {
            let header = json!({
                "alg": "ES256", "kid": id, "jwk": foreign.jwk(id), "jku": "http://127.0.0.1/keys", "x5u": "http://127.0.0.1/c",
                "x5c": ["AAAA"],
            });
            assert_eq!(flaw(&foreign.token_as("ES256", &header.to_string(), "{}"), &keys), expected);
        }
        for id in ["../../a", "a' OR '1'='1", "A", "a ", "a\0", ""] {
            assert_eq!(flaw(&own.token(Algorithm::ES256, id, &json!({})), &keys), SignatureFlaw::UnknownKey, "{id:?}");
        }
    }

    #[test]
    fn while_two_keys_share_a_name_either_may_have_signed() {
        let (one, other) = (Signer::p256(), Signer::p256());
        let keys = key_set(&[one.jwk("a"), other.jwk("a")]);
        for signer in [&one, &other] {
            assert!(verify(&signer.token(Algorithm::ES256, "a", &json!({})), &keys, &Algorithm::ALL).is_ok());
        }
    }

    #[test]
    fn a_token_has_three_parts_of_plain_base64url() {
        let token = Signer::p256().token(Algorithm::ES256, "a", &json!({}));
        let refused = |token: &str| Unverified::parse(token, &KINDS).err();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        for text in [
            String::new(),
            signed.to_owned(),
            format!("{token}."),
            format!("{token}="),
            format!(" {token}"),
            format!("{token}\n"),
            format!("{signed}.{signature}+"),
            token.replace('.', ". "),
            json!({"payload": "e30", "signatures": [{"protected": "e30", "signature": ""}]}).to_string(),
        ] {
            assert!(refused(&text).is_some(), "{text}");
        }
        assert_eq!(refused(&format!("{signed}.AAAA.AAAA.{signature}")), Some(Malformed::Encrypted));
        assert_eq!(refused(&format!("{token}{}", "A".repeat(MAX_TOKEN))), Some(Malformed::TooLong));
    }

    #[test]
    fn the_header_reads_one_way_only_and_asks_for_nothing() {
        let refused = |header: &str| {
            Unverified::parse(&format!("{}.{}.AAAA", base64(header), base64("{}")), &KINDS).map(|_| ()).unwrap_err()
        };
        for header in [
            "{}",
            "[]",
            r#"{"alg":"ES256","alg":"none"}"#,
            r#"{"alg":"ES256","jwk":{"kty":"EC","kty":"oct"}}"#,
            r#"{"alg":["ES256"]}"#,
            r#"{"alg":"ES256","kid":7}"#,
            r#"{"alg":"ES256","kid":null}"#,
            r#"{"alg":"ES256","typ":7}"#,
        ] {
            assert_eq!(refused(header), Malformed::Header, "{header}");
        }
        for header in
            [r#"{"alg":"ES256","crit":["exp"]}"#, r#"{"alg":"ES256","crit":[]}"#, r#"{"alg":"ES256","crit":null}"#]
        {
            assert_eq!(refused(header), Malformed::Critical, "{header}");
        }
        for kind in ["at+jwt", "logout+jwt", "application/at+jwt", "JOSE", "", "JWT "] {
            assert_eq!(refused(&json!({"alg": "ES256", "typ": kind}).to_string()), Malformed::OtherKind, "{kind}");
        }
        for header in
            [r#"{"alg":"ES256"}"#, r#"{"alg":"ES256","typ":"jwt"}"#, r#"{"alg":"ES256","cty":"x","b64":false}"#]
        {
            assert!(
                Unverified::parse(&format!("{}.{}.AAAA", base64(header), base64("{}")), &KINDS).is_ok(),
                "{header}"
            );
        }
    }

    #[test]
    fn a_signed_payload_that_reads_two_ways_has_no_claims() {
        let signer = Signer::p256();
        let keys = key_set(&[signer.jwk("a")]);
        for payload in [r#"{"sub":"1","sub":"2"}"#, r#"{"a":{"b":1,"b":2}}"#, "[]", "7", "", "{}{}"] {
            let token = signer.token_as("ES256", r#"{"alg":"ES256","kid":"a"}"#, payload);
            assert_eq!(verify(&token, &keys, &Algorithm::ALL), Err("no claims".to_owned()), "{payload}");
        }
    }

    proptest! {
        #[test]
        fn a_token_that_was_changed_anywhere_is_refused(at: proptest::sample::Index, letter in "[A-Za-z0-9_.-]") {
            let signer = Signer::p256();
            let keys = key_set(&[signer.jwk("a")]);
            let token = signer.token(Algorithm::ES256, "a", &json!({"sub": "248289761001", "groups": ["ops"]}));
            prop_assert!(verify(&token, &keys, &Algorithm::ALL).is_ok());
            let at = at.index(token.len());
            let mut changed = token.clone();
            changed.replace_range(at..=at, &letter);
            prop_assert!(changed == token || verify(&changed, &keys, &Algorithm::ALL).is_err());
        }
    }
}
