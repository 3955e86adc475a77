//! A provider's keys. Each is vetted when the set is read, so that a token meets only keys that can be trusted to verify: what
//! is symmetric, too small, for encryption or no key at all is not among them.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use openidconnect::core::{CoreJsonCurveType, CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey as _, SignatureVerificationError};
use serde_json::{Map, Value};
use stratora_federation::Algorithm;

/// How many keys are looked at. A provider has one for each algorithm, and twice that while it changes them.
const MAX_KEYS: usize = 100;
/// NIST SP 800-131A Rev. 2 and RFC 7518 §3.3 allow no smaller ones.
const MIN_RSA_BITS: usize = 2048;
/// Larger ones take long to verify with; the library refuses them too.
const MAX_RSA_BITS: usize = 4096;
/// The longest exponent, in bytes: 65537 has three.
const MAX_EXPONENT_LENGTH: usize = 4;

/// Some providers pad, against RFC 7515 §2.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What kind of key one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Kind {
    const fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => Self::Rsa,
            Algorithm::ES256 => Self::P256,
            Algorithm::ES384 => Self::P384,
            Algorithm::EdDSA => Self::Ed25519,
        }
    }
}

const fn core(algorithm: Algorithm) -> CoreJwsSigningAlgorithm {
    match algorithm {
        Algorithm::RS256 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        Algorithm::RS384 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
        Algorithm::RS512 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
        Algorithm::PS256 => CoreJwsSigningAlgorithm::RsaSsaPssSha256,
        Algorithm::PS384 => CoreJwsSigningAlgorithm::RsaSsaPssSha384,
        Algorithm::PS512 => CoreJwsSigningAlgorithm::RsaSsaPssSha512,
        Algorithm::ES256 => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        Algorithm::ES384 => CoreJwsSigningAlgorithm::EcdsaP384Sha384,
        Algorithm::EdDSA => CoreJwsSigningAlgorithm::EdDsa,
    }
}

/// A key that may verify.
#[derive(Debug)]
pub(crate) struct Key {
    id: Option<String>,
    /// The only algorithm that it is for, if it says so.
    algorithm: Option<String>,
    kind: Kind,
    jwk: CoreJsonWebKey,
}

impl Key {
    /// Whether it is for that algorithm.
    fn fits(&self, algorithm: Algorithm) -> bool {
        self.kind == Kind::of(algorithm) && self.algorithm.as_deref().is_none_or(|own| own == algorithm.as_str())
    }

    /// Whether whoever has its private part has signed `message`.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.fits(algorithm) && self.jwk.verify_signature(&core(algorithm), message, signature).is_ok()
    }

    /// The key in a JWK; nothing when it is none that may verify.
    fn read(jwk: &Map<String, Value>) -> Option<Self> {
        // Some write `null` where they have nothing.
        let member = |name: &str| jwk.get(name).filter(|value| !value.is_null());
        let text = |name: &str| member(name).and_then(Value::as_str);
        let bytes = |name: &str| BASE64.decode(text(name)?).ok();
        let is_for_signatures = member("use").is_none_or(|purpose| purpose == "sig")
            && member("key_ops").is_none_or(|operations| contains(operations, "verify"))
            && member("alg").is_none_or(Value::is_string);
        if !is_for_signatures {
            return None;
        }
        // Built from vetted parts, and not read by the library: its reader takes any length, and symmetric keys.
        let (kind, vetted) = match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let (n, e) = (unpadded(bytes("n")?), unpadded(bytes("e")?));
                is_strong_rsa(&n, &e).then(|| (Kind::Rsa, CoreJsonWebKey::new_rsa(n, e, None)))?
            }
            ("EC", Some("P-256")) => (
                Kind::P256,
                CoreJsonWebKey::new_ec(sized(bytes("x")?, 32)?, sized(bytes("y")?, 32)?, CoreJsonCurveType::P256, None),
            ),
            ("EC", Some("P-384")) => (
                Kind::P384,
                CoreJsonWebKey::new_ec(sized(bytes("x")?, 48)?, sized(bytes("y")?, 48)?, CoreJsonCurveType::P384, None),
            ),
            ("OKP", Some("Ed25519")) => {
                (Kind::Ed25519, CoreJsonWebKey::new_okp(sized(bytes("x")?, 32)?, CoreJsonCurveType::Ed25519, None))
            }
            _ => return None,
        };
        let owned = |name: &str| text(name).map(str::to_owned);
        let key = Self { id: owned("kid"), algorithm: owned("alg"), kind, jwk: vetted };
        key.is_sound().then_some(key)
    }

    /// Whether the parts make a key, and a point lies on its curve. The library looks at that before it looks at a signature,
    /// so that any signature brings it out.
    fn is_sound(&self) -> bool {
        let algorithm = Algorithm::ALL.into_iter().find(|algorithm| Kind::of(*algorithm) == self.kind);
        let tried = algorithm.map(|algorithm| self.jwk.verify_signature(&core(algorithm), b"", &[0; 64]));
        !matches!(tried, None | Some(Err(SignatureVerificationError::InvalidKey(_))))
    }
}

fn contains(list: &Value, text: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|item| item == text))
}

/// Without leading zeros, which some providers write (against RFC 7518 §2).
fn unpadded(mut number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.drain(..zeros);
    number
}

fn sized(bytes: Vec<u8>, length: usize) -> Option<Vec<u8>> {
    (bytes.len() == length).then_some(bytes)
}

/// An even number is no product of odd primes; with an exponent of one, everybody can sign.
fn is_strong_rsa(n: &[u8], e: &[u8]) -> bool {
    let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits)
        && is_odd(n)
        && is_odd(e)
        && (1..=MAX_EXPONENT_LENGTH).contains(&e.len())
        && e != [1]
}

/// A provider's keys.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    keys: Vec<Key>,
    /// The identifiers of those that may not verify.
    unusable: BTreeSet<String>,
}

impl KeySet {
    /// The keys in a JWK set (RFC 7517 §5); nothing when it is none. A key that may not verify is left out: others may be good.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let set: Map<String, Value> = serde_json::from_slice(body).ok()?;
        let mut found = Self::default();
        for jwk in set.get("keys")?.as_array()?.iter().take(MAX_KEYS).filter_map(Value::as_object) {
            match Key::read(jwk) {
                Some(key) => found.keys.push(key),
                None => found.unusable.extend(jwk.get("kid").and_then(Value::as_str).map(str::to_owned)),
            }
        }
        Some(found)
    }

    /// Whether one of the keys is for one of the algorithms.
    pub(crate) fn serves(&self, algorithms: &BTreeSet<Algorithm>) -> bool {
        algorithms.iter().any(|algorithm| self.keys.iter().any(|key| key.fits(*algorithm)))
    }

    /// The keys that a token with that header may be signed with: those of that name, or without a name the only one that is
    /// for the algorithm.
    pub(crate) fn candidates(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<&Key> {
        let fitting = self.keys.iter().filter(|key| key.fits(algorithm));
        match id {
            Some(id) => fitting.filter(|key| key.id.as_deref() == Some(id)).collect(),
            None => Some(fitting.collect::<Vec<_>>()).filter(|all| all.len() == 1).unwrap_or_default(),
        }
    }

    /// Whether there is a key of that name that may not verify such a token.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.unusable.contains(id) || self.keys.iter().any(|key| key.id.as_deref() == Some(id))
    }
}

#[cfg(test)]
mod tests {
    use rsa::traits::PublicKeyParts as _;
    use serde_json::json;

    use super::*;
    use crate::testing::{Signer, base64, key_set, rsa_key};

    fn serves(jwk: Value) -> bool {
        key_set(&[jwk]).serves(&Algorithm::ALL.into())
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        jwk[name] = value;
        jwk
    }

    #[test]
    fn keys_of_every_kind_are_read() {
        for algorithm in Algorithm::ALL {
            let set = key_set(&[Signer::of(algorithm).jwk("a")]);
            assert!(set.serves(&[algorithm].into()), "{algorithm:?}");
            assert_eq!(set.candidates(Some("a"), algorithm).len(), 1);
        }
    }

    #[test]
    fn a_weak_rsa_key_is_none() {
        let (n, e) = (rsa_key().n().to_bytes_be(), rsa_key().e().to_bytes_be());
        let jwk = |n: &[u8], e: &[u8]| json!({"kty": "RSA", "kid": "a", "n": base64(n), "e": base64(e)});
        assert!(serves(jwk(&n, &e)));
        assert!(serves(jwk(&n, &[3])), "an exponent of three is fit to verify with");
        assert!(serves(jwk(&[&[0], &n[..]].concat(), &[&[0], &e[..]].concat())), "zeros in front");
        for bad in [&[][..], &[0], &[1], &[2], &[0, 1], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
            assert!(!serves(jwk(&n, bad)), "{bad:?}");
        }
        let mut even = n.clone();
        *even.last_mut().unwrap() &= 0xfe;
        assert!(!serves(jwk(&even, &e)));
        assert!(!serves(jwk(&n[..128], &e)), "1024 bits");
        let mut short = n.clone();
        short[0] = 0x7f;
        assert!(!serves(jwk(&short, &e)), "2047 bits");
        assert!(!serves(jwk(&[&n[..], &n, &n].concat(), &e)), "6144 bits");
        // Zeros in front make no strong key of a weak one.
        assert!(!serves(jwk(&[&[0; 128], &n[128..]].concat(), &e)));
    }

    #[test]
    fn a_point_must_be_on_its_curve_and_written_in_full() {
        let good = Signer::p256().jwk("a");
        assert!(serves(good.clone()));
        for (name, value) in [
            ("y", json!(base64([1; 32]))),
            ("y", json!(base64([0; 32]))),
            ("x", json!(base64([0xff; 32]))),
            ("x", json!(base64([1; 31]))),
            ("y", json!(base64([1; 33]))),
            ("x", json!("")),
            ("y", json!(null)),
            ("crv", json!("P-384")),
            ("crv", json!("P-521")),
            ("crv", json!("secp256k1")),
            ("kty", json!("RSA")),
        ] {
            assert!(!serves(with(good.clone(), name, value.clone())), "{name} {value}");
        }
    }

    #[test]
    fn what_is_not_for_signatures_verifies_none() {
        let good = Signer::p256().jwk("a");
        for (name, value) in [
            ("use", json!("enc")),
            ("use", json!(7)),
            ("key_ops", json!(["encrypt"])),
            ("key_ops", json!("verify")),
            ("alg", json!(7)),
            ("alg", json!("ECDH-ES")),
        ] {
            assert!(!serves(with(good.clone(), name, value.clone())), "{name} {value}");
        }
        for (name, value) in [
            ("use", json!("sig")),
            ("use", json!(null)),
            ("key_ops", json!(["verify"])),
            ("alg", json!("ES256")),
            ("x5c", json!(["nonsense"])),
        ] {
            assert!(serves(with(good.clone(), name, value.clone())), "{name} {value}");
        }
        assert!(!serves(json!({"kty": "oct", "kid": "a", "k": base64([7; 32])})));
    }

    #[test]
    fn bad_keys_stand_in_nobodys_way() {
        let good = Signer::p256();
        let set = key_set(&[json!("no key"), json!({"kid": "bad"}), json!({"kty": 7, "kid": {}}), good.jwk("a")]);
        assert_eq!(set.candidates(Some("a"), Algorithm::ES256).len(), 1);
        assert!(set.knows("bad") && set.knows("a") && !set.knows("b"));
    }

    #[test]
    fn no_more_than_a_hundred_keys_are_looked_at() {
        let good = Signer::p256().jwk("a");
        let many = |before: usize| [vec![json!({}); before], vec![good.clone()]].concat();
        assert!(key_set(&many(MAX_KEYS - 1)).knows("a"));
        assert!(!key_set(&many(MAX_KEYS)).knows("a"));
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for body in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":"a"}"#, "<html>", "null"] {
            assert!(KeySet::read(body.as_bytes()).is_none(), "{body}");
        }
        assert!(KeySet::read(br#"{"keys":[]}"#).is_some());
    }
}
