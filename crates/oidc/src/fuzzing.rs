//! What the fuzz targets call, and the tests of this crate on arbitrary bytes.

use std::time::Duration;

use serde_json::json;
use stratora_clock::Timestamp;
use stratora_federation::{Algorithm, Claims, ClientId, Issuer, ProviderSettings};

use crate::jwks::KeySet;
use crate::jws::Unverified;
use crate::metadata::{Document, Metadata};
use crate::moment::Times;
use crate::{id_token, json, logout_token};

/// Public keys whose private parts nobody has kept.
fn keys() -> KeySet {
    let keys = json!({"keys": [
        {"kty": "RSA", "kid": "r", "e": "AQAB", "n": "wv7LV50h0QH1gIOhtXmY98KiTeRovj0LahJ2S8SyQmApOI-7TmOmwvXAQvaX33bikcJCUHYH9YT6o7uii-B5c5gJcwdq9FwfwIY6OFspVbC1l4bviEzX006wo1l6eX3PdPkyIDPI-LsqW8bu74efZt7a_3r8j9N4OQFmR2ksWlPV1CQU8oUvRMxuY3ElBo3e9xIkY1BG24dewf5r4-rjNzrCJjWSH1-FgR5eaMNPK8zxtUVMEy9JJ9_MuqFsnFtasdpMF9DIRJ91Yg_PoyhZ4nSIBcBLk6AFDJY5Al5IdZmXpUgqHH6gM3M3KFZt3wvnUGqs4HD5XQTao4Zxn27KFw"},
        {"kty": "EC", "kid": "p", "crv": "P-256", "x": "vceGM9Qp8FFP9MJCnXoHoJJo5JFxhNtmeEufuNtHMRA", "y": "mP2pryq2XhJu5Quhz-d7vF-RTlXSr66ibWIrd0-BmmY"},
        {"kty": "OKP", "kid": "e", "crv": "Ed25519", "x": "5Xwsq1YXX8OXXsJjhVfQphO0lBbTct0knJ4kLwobKrw"},
    ]});
    KeySet::read(keys.to_string().as_bytes()).unwrap_or_default()
}

fn settings() -> Option<ProviderSettings> {
    let issuer = Issuer::parse("https://id.example.com").ok()?;
    let mut settings = ProviderSettings::new(issuer, ClientId::parse("stratora").ok()?);
    settings.set_algorithms(Algorithm::ALL).ok()?;
    Some(settings)
}

/// Takes the bytes for an ID token or a logout token. Nobody can sign with the keys, so whatever they are, no claims come out.
///
/// # Panics
/// When claims come out.
pub fn id_token(bytes: &[u8]) {
    let (Ok(text), Some(settings)) = (std::str::from_utf8(bytes), settings()) else { return };
    for kinds in [&id_token::KINDS[..], &logout_token::KINDS] {
        if let Ok(token) = Unverified::parse(text, kinds) {
            assert!(token.verify(&keys(), &settings.algorithms).is_err(), "claims without a signature");
        }
    }
}

/// Takes the bytes for the claims of a token that was signed: each check says yes or no.
pub fn claims(bytes: &[u8]) {
    let (Some(claims), Some(settings)) = (json::object(bytes), settings()) else { return };
    let now = Timestamp::UNIX_EPOCH.plus(Duration::from_secs(1_780_000_000));
    id_token::check_issuer(&claims, &settings).ok();
    id_token::check_audience(&claims, &settings).ok();
    id_token::sid(&claims);
    Times { expires: true, max_age: Duration::from_mins(10) }.check(&claims, now).ok();
    Claims::read(&claims, &settings.groups_claim).ok();
}

/// Takes the bytes for metadata and for keys. Endpoints come out only if they are protected.
///
/// # Panics
/// When others come out.
pub fn metadata(bytes: &[u8]) {
    KeySet::read(bytes);
    let (Ok(document), Some(settings)) = (Document::parse(200, bytes), settings()) else { return };
    if let Ok(metadata) = Metadata::read(&document, &settings, true) {
        let endpoints = metadata.endpoints;
        for endpoint in [endpoints.authorization, endpoints.token, endpoints.jwks] {
            assert!(endpoint.starts_with("https://"), "an endpoint without TLS");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::{Map, Value};

    use super::*;
    use crate::testing::base64;

    /// Something like a token: three parts of base64url, of which the first two are JSON.
    fn like_a_token(header: Map<String, Value>, payload: &Value, signature: &[u8]) -> String {
        let header = Value::Object(header);
        format!("{}.{}.{}", base64(header.to_string()), base64(payload.to_string()), base64(signature))
    }

    const NAMES: [&str; 18] = [
        "none", "None", "nOnE", "NONE", "", "HS256", "HS384", "HS512", "RS256", "RS384", "PS256", "PS512", "ES256",
        "ES384", "ES512", "EdDSA", "RSA-OAEP", "dir",
    ];

    /// What was found to be worth keeping: each stands for a shape that a parser may trip over.
    const CORPUS: [&str; 15] = [
        "",
        ".",
        "..",
        "...",
        "....",
        "e30.e30.",
        "e30.e30.e30",
        ".e30.",
        "bnVsbA.e30.",
        "W10.e30.",
        "e30=.e30.",
        "eyJhbGciOiJub25lIn0.e30.",
        "{\"payload\":\"e30\",\"signatures\":[]}",
        "eyJhbGciOiJFUzI1NiIsImtpZCI6InAifQ.e30.AA",
        // Endpoints without the slashes that a URL has.
        r#"{"issuer":"https://id.example.com","authorization_endpoint":"https:a","token_endpoint":"https:;/b","jwks_uri":"https:/*c"}"#,
    ];

    /// A JSON value of any shape.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            select(&["stratora", "https://id.example.com"][..]).prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map("[a-z]{1,4}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn members(names: &'static [&'static str]) -> impl Strategy<Value = Map<String, Value>> {
        proptest::collection::hash_map(select(names), any_json(), 0..8)
            .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    #[test]
    fn what_was_once_found_stays_harmless() {
        for text in CORPUS {
            id_token(text.as_bytes());
            metadata(text.as_bytes());
            claims(text.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_token_no_claims_and_no_metadata(bytes: Vec<u8>) {
            id_token(&bytes);
            claims(&bytes);
            metadata(&bytes);
        }

        #[test]
        fn arbitrary_text_of_tokens_is_no_token(text in "[A-Za-z0-9_=.-]{0,200}") {
            id_token(text.as_bytes());
        }

        #[test]
        fn nothing_is_proved_without_a_private_key(
            mut header in members(&["typ", "crit", "jku", "jwk", "x5u", "x5c", "cty", "b64"]),
            algorithm in select(&NAMES[..]),
            key in select(&["r", "p", "e", "x", "../../etc/passwd"][..]),
            names_key: bool,
            payload in any_json(),
            signature in prop_oneof![Just(vec![]), Just(vec![0; 64]), Just(vec![0; 256]), vec(any::<u8>(), 0..300)],
        ) {
            header.insert("alg".to_owned(), algorithm.into());
            if names_key {
                header.insert("kid".to_owned(), key.into());
            }
            id_token(like_a_token(header, &payload, &signature).as_bytes());
        }

        #[test]
        fn claims_of_any_shape_are_judged(
            members in members(&["iss", "sub", "aud", "azp", "exp", "nbf", "iat", "nonce", "groups", "sid", "email_verified"]),
        ) {
            claims(Value::Object(members).to_string().as_bytes());
        }

        #[test]
        fn metadata_of_any_shape_is_judged(
            members in members(&[
                "authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint", "response_types_supported",
                "code_challenge_methods_supported", "token_endpoint_auth_methods_supported", "keys",
                "id_token_signing_alg_values_supported", "authorization_response_iss_parameter_supported",
            ]),
            is_ours: bool,
        ) {
            let mut members = members;
            if is_ours {
                members.insert("issuer".to_owned(), "https://id.example.com".into());
            }
            metadata(Value::Object(members).to_string().as_bytes());
        }
    }
}
