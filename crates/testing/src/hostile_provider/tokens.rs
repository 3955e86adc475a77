//! ID tokens and logout tokens, as they should be and otherwise.

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::keys::{Signing, SigningKey, base64, hmac, random};
use super::{Behaviour, Grant, Habit, Misbehaviour};

const DAY: i64 = 24 * 60 * 60;

/// The key that a token is signed with at the moment, and that the set should hold.
pub(super) fn current_key(behaviour: &Behaviour) -> anyhow::Result<Option<SigningKey>> {
    Ok(match (behaviour.misbehaviour, behaviour.signing) {
        (Some(Misbehaviour::KeySmall), _) => Some(SigningKey::rsa(1024)?),
        (Some(Misbehaviour::KeyExponentOne), _) => Some(SigningKey::rsa_exponent_one()?),
        (
            Some(
                Misbehaviour::AlgHmacPublicPem
                | Misbehaviour::AlgHmacPublicJwk
                | Misbehaviour::AlgEcWithRsaKey
                | Misbehaviour::AlgSwappedPadding,
            ),
            _,
        )
        | (_, Signing::RS256 | Signing::PS256) => Some(SigningKey::rsa(2048)?),
        (_, Signing::ES256) => None,
    })
}

/// What the token endpoint hands out as an ID token: a text, or something else where a text should be.
pub(super) fn id_token(issuer: &str, behaviour: &Behaviour, grant: &Grant) -> anyhow::Result<Value> {
    let claims = claims(issuer, behaviour, grant);
    let mut payload = Value::Object(claims).to_string();
    if behaviour.does(Misbehaviour::TokenClaimTwice) {
        payload = payload.replacen('{', r#"{"sub":"somebody else","#, 1);
    }
    let rsa = current_key(behaviour)?;
    let key = rsa.as_ref().unwrap_or(&behaviour.key);
    let signing = match (rsa.as_ref(), behaviour.signing) {
        (Some(_), Signing::ES256) => Signing::RS256,
        (_, signing) => signing,
    };
    let mut header = header(issuer, behaviour, signing.name());
    if behaviour.does(Misbehaviour::TokenHeaderTwice) {
        header = header.replacen('{', r#"{"alg":"none","#, 1);
    }
    let signed = format!("{}.{}", base64(header), base64(&payload));
    let signature = match behaviour.misbehaviour {
        Some(Misbehaviour::AlgNone | Misbehaviour::AlgNoneMixedCase | Misbehaviour::SignatureStripped) => Vec::new(),
        Some(Misbehaviour::AlgHmacClientSecret) => {
            hmac(behaviour.client_secret.as_deref().unwrap_or_default().as_bytes(), signed.as_bytes())
        }
        Some(Misbehaviour::AlgHmacPublicPem) => hmac(key.pem()?.as_bytes(), signed.as_bytes()),
        Some(Misbehaviour::AlgHmacPublicJwk) => hmac(key.jwk().to_string().as_bytes(), signed.as_bytes()),
        Some(Misbehaviour::SignatureForeign | Misbehaviour::KeyEmbedded | Misbehaviour::KeyUrl) => {
            behaviour.foreign_key.sign(signing, signed.as_bytes())?
        }
        Some(Misbehaviour::SignatureOfOtherClaims) => key.sign(signing, signed.to_lowercase().as_bytes())?,
        _ => key.sign(signing, signed.as_bytes())?,
    };
    Ok(match behaviour.misbehaviour {
        Some(Misbehaviour::TokenEncrypted) => Value::String(format!("{signed}.AAAA.AAAA.{}", base64(signature))),
        Some(Misbehaviour::JsonSerialisation) => {
            let (protected, payload) = signed.split_once('.').context("a header and a payload")?;
            let one = json!({"protected": protected, "signature": base64(&signature)});
            let other = json!({"protected": protected, "signature": base64(random()?)});
            Value::String(json!({"payload": payload, "signatures": [one, other]}).to_string())
        }
        _ => Value::String(format!("{signed}.{}", base64(signature))),
    })
}

fn claims(issuer: &str, behaviour: &Behaviour, grant: &Grant) -> Map<String, Value> {
    let (now, us) = (behaviour.seconds(), grant.client_id.as_str());
    let mut claims = Map::new();
    let mut set = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
    set("iss", json!(issuer));
    set("aud", json!(us));
    set("iat", json!(now));
    set("exp", json!(now + 300));
    set("nonce", json!(grant.nonce));
    for (name, value) in &behaviour.claims {
        set(name, value.clone());
    }
    match behaviour.habit {
        Some(Habit::AudienceList) => set("aud", json!([us])),
        Some(Habit::AudienceListWithParty) => {
            set("aud", json!([us, "another"]));
            set("azp", json!(us));
        }
        Some(Habit::OddClaims) => {
            set("auth_time", json!(1_700_000_000.25));
            set("iat", json!(format!("{now}.25").parse::<f64>().unwrap_or_default()));
            set("email_verified", json!("true"));
            set("groups", json!(["ops", "ops", 7, null]));
            set("address", json!(["no", "object"]));
        }
        _ => {}
    }
    match behaviour.misbehaviour {
        Some(Misbehaviour::TokenIssuer) => set("iss", json!("https://id.example.com")),
        Some(Misbehaviour::TokenAudience) => set("aud", json!("another")),
        Some(Misbehaviour::TokenExtraAudience) => set("aud", json!([us, "another"])),
        Some(Misbehaviour::TokenAuthorizedParty) => set("azp", json!("another")),
        Some(Misbehaviour::TokenNonce) => set("nonce", json!("another")),
        Some(Misbehaviour::TokenNonceMissing) => set("nonce", Value::Null),
        Some(Misbehaviour::TokenExpired) => {
            set("iat", json!(now - 400));
            set("exp", json!(now - 100));
        }
        Some(Misbehaviour::TokenExpMissing) => set("exp", Value::Null),
        Some(Misbehaviour::TokenNotBefore) => set("nbf", json!(now + 120)),
        Some(Misbehaviour::TokenIssuedTomorrow) => {
            set("iat", json!(now + DAY));
            set("exp", json!(now + DAY + 300));
        }
        Some(Misbehaviour::TokenIatMissing) => set("iat", Value::Null),
        Some(Misbehaviour::TokenIssuedYesterday) => {
            set("iat", json!(now - DAY));
            set("exp", json!(now + 7 * DAY));
        }
        Some(Misbehaviour::TokenSubjectMissing) => set("sub", Value::Null),
        Some(Misbehaviour::TokenHuge) => set("padding", json!("x".repeat(700_000))),
        _ => {}
    }
    claims.retain(|_, value| !value.is_null());
    claims
}

fn header(issuer: &str, behaviour: &Behaviour, algorithm: &str) -> String {
    let mut header = json!({"alg": algorithm, "kid": behaviour.key_id, "typ": "JWT"});
    let mut set = |name: &str, value: Value| {
        if let Some(members) = header.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    };
    match behaviour.misbehaviour {
        Some(Misbehaviour::AlgNone) => set("alg", json!("none")),
        Some(Misbehaviour::AlgNoneMixedCase) => set("alg", json!("nOnE")),
        Some(Misbehaviour::AlgHmacClientSecret | Misbehaviour::AlgHmacPublicPem | Misbehaviour::AlgHmacPublicJwk) => {
            set("alg", json!("HS256"));
        }
        Some(Misbehaviour::AlgEcWithRsaKey) => set("alg", json!("ES256")),
        Some(Misbehaviour::AlgSwappedPadding) => set("alg", json!("PS256")),
        Some(Misbehaviour::AlgNotAllowed) => set("alg", json!("ES512")),
        Some(Misbehaviour::KeyUnknown) => set("kid", json!("nobody knows it")),
        Some(Misbehaviour::KeyTraversal) => set("kid", json!("../../decoy?' OR 1=1 --")),
        Some(Misbehaviour::KeyEmbedded) => set("jwk", behaviour.foreign_key.jwk()),
        Some(Misbehaviour::KeyUrl) => set("jku", json!(format!("{issuer}/decoy"))),
        Some(Misbehaviour::KeyCertificateUrl) => {
            set("x5u", json!(format!("{issuer}/decoy")));
            set("kid", json!("behind the certificate"));
        }
        Some(Misbehaviour::TokenCritical) => {
            set("crit", json!(["exp"]));
        }
        Some(Misbehaviour::TokenTypeAccess) => set("typ", json!("at+jwt")),
        Some(Misbehaviour::TokenTypeLogout) => set("typ", json!("logout+jwt")),
        _ => {}
    }
    match behaviour.habit {
        Some(Habit::NamesNoKeys) => set("kid", Value::Null),
        Some(Habit::NoType) => set("typ", Value::Null),
        _ => {}
    }
    if let Some(members) = header.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    header.to_string()
}

pub(super) fn logout_token(
    issuer: &str,
    behaviour: &Behaviour,
    client_id: &str,
    change: &Value,
) -> anyhow::Result<String> {
    let now = behaviour.seconds();
    let mut claims = json!({
        "iss": issuer, "aud": client_id, "iat": now, "exp": now + 120, "jti": random()?,
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        "sub": behaviour.claims.get("sub"), "sid": behaviour.claims.get("sid"),
    });
    if let (Some(claims), Some(change)) = (claims.as_object_mut(), change.as_object()) {
        claims.extend(change.clone());
        claims.retain(|_, value| !value.is_null());
    }
    let header = json!({"alg": "ES256", "kid": behaviour.key_id, "typ": "logout+jwt"});
    let signed = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
    Ok(format!("{signed}.{}", base64(behaviour.key.sign(Signing::ES256, signed.as_bytes())?)))
}
