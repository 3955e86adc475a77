//! The provider's keys, good and bad, and what it signs with them.

use std::sync::{Mutex, OnceLock, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use rsa::pkcs8::EncodePublicKey as _;
use rsa::rand_core::OsRng;
use rsa::sha2::{Digest as _, Sha256};
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey};
use serde_json::{Value, json};

/// With what a provider signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of RFC 7518 §3.1")]
pub enum Signing {
    ES256,
    RS256,
    PS256,
}

impl Signing {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
        }
    }
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// Random letters and digits.
pub(super) fn random() -> anyhow::Result<String> {
    let bytes: [u8; 24] = ring::rand::generate(&SystemRandom::new())?.expose();
    Ok(base64(bytes))
}

/// An RSA key takes a while to make: one of each size for all providers of a process.
fn rsa_key(bits: usize) -> anyhow::Result<&'static RsaPrivateKey> {
    static STRONG: OnceLock<RsaPrivateKey> = OnceLock::new();
    static WEAK: OnceLock<RsaPrivateKey> = OnceLock::new();
    static MAKING: Mutex<()> = Mutex::new(());
    let place = if bits < 2048 { &WEAK } else { &STRONG };
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(key) = place.get() {
        return Ok(key);
    }
    let made = RsaPrivateKey::new(&mut OsRng, bits)?;
    Ok(place.get_or_init(|| made))
}

/// A key that signs.
pub(super) enum SigningKey {
    Ec(Box<EcdsaKeyPair>),
    Rsa(&'static RsaPrivateKey),
    /// Whose exponent is given out as one, so that a signature is what it signs.
    RsaExponentOne(&'static RsaPrivateKey),
}

impl SigningKey {
    pub(super) fn ec() -> anyhow::Result<Self> {
        let (curve, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(curve, &random)?;
        Ok(Self::Ec(Box::new(EcdsaKeyPair::from_pkcs8(curve, pkcs8.as_ref(), &random)?)))
    }

    pub(super) fn rsa(bits: usize) -> anyhow::Result<Self> {
        rsa_key(bits).map(Self::Rsa)
    }

    pub(super) fn rsa_exponent_one() -> anyhow::Result<Self> {
        rsa_key(2048).map(Self::RsaExponentOne)
    }

    /// The public key as a JWK, without a name.
    pub(super) fn jwk(&self) -> Value {
        match self {
            Self::Ec(pair) => {
                let point = pair.public_key().as_ref();
                let half = |from: usize| base64(point.get(from..from + 32).unwrap_or_default());
                json!({"kty": "EC", "crv": "P-256", "use": "sig", "x": half(1), "y": half(33)})
            }
            Self::Rsa(key) => {
                json!({"kty": "RSA", "use": "sig", "n": base64(key.n().to_bytes_be()), "e": base64(key.e().to_bytes_be())})
            }
            Self::RsaExponentOne(key) => {
                json!({"kty": "RSA", "use": "sig", "n": base64(key.n().to_bytes_be()), "e": base64([1])})
            }
        }
    }

    /// The public key in PEM, which others take for a shared secret.
    pub(super) fn pem(&self) -> anyhow::Result<String> {
        match self {
            Self::Rsa(key) | Self::RsaExponentOne(key) => {
                Ok(key.to_public_key().to_public_key_pem(rsa::pkcs8::LineEnding::LF)?)
            }
            Self::Ec(_) => anyhow::bail!("only RSA keys are given out in PEM"),
        }
    }

    /// Signs `message`; EC keys do as ES256 whatever is asked.
    pub(super) fn sign(&self, how: Signing, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let digest = sha256(message);
        Ok(match (self, how) {
            (Self::Ec(pair), _) => pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec(),
            (Self::Rsa(key), Signing::PS256) => key.sign_with_rng(&mut OsRng, Pss::new::<Sha256>(), &digest)?,
            (Self::Rsa(key), _) => key.sign(Pkcs1v15Sign::new::<Sha256>(), &digest)?,
            (Self::RsaExponentOne(key), _) => padded(&digest, key.size()),
        })
    }
}

/// What RSASSA-PKCS1-v1_5 raises to the private exponent (RFC 8017 §9.2): with an exponent of one, the signature itself.
fn padded(digest: &[u8], size: usize) -> Vec<u8> {
    const SHA256: [u8; 19] = [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];
    let ones = size.saturating_sub(SHA256.len() + digest.len() + 3);
    [&[0, 1][..], &vec![0xff; ones], &[0], &SHA256, digest].concat()
}

/// HMAC with SHA-256.
pub(super) fn hmac(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
}
