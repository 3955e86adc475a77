//! Keys of a provider for tests, one of each kind, and what it signs with them.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _,
};
use rsa::rand_core::OsRng;
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey};
use serde_json::{Value, json};
use stratora_federation::{Algorithm, ClientId, Issuer, ProviderSettings};

use crate::jwks::KeySet;

pub(crate) const ISSUER: &str = "https://id.example.com";
pub(crate) const CLIENT: &str = "stratora";

pub(crate) fn settings() -> ProviderSettings {
    let mut settings = ProviderSettings::new(Issuer::parse(ISSUER).unwrap(), ClientId::parse(CLIENT).unwrap());
    settings.set_algorithms(Algorithm::ALL).unwrap();
    settings
}

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn rsa_key() -> &'static RsaPrivateKey {
    static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
    KEY.get_or_init(|| RsaPrivateKey::new(&mut OsRng, 2048).unwrap())
}

/// A private key.
pub(crate) enum Signer {
    Ec(EcdsaKeyPair, &'static str),
    Ed(Ed25519KeyPair),
    Rsa(&'static RsaPrivateKey),
}

impl Signer {
    fn ec(curve: &'static EcdsaSigningAlgorithm, name: &'static str) -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(curve, &random).unwrap();
        Self::Ec(EcdsaKeyPair::from_pkcs8(curve, pkcs8.as_ref(), &random).unwrap(), name)
    }

    pub(crate) fn p256() -> Self {
        Self::ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256")
    }

    /// A new key for that algorithm.
    pub(crate) fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::ES256 => Self::p256(),
            Algorithm::ES384 => Self::ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            Algorithm::EdDSA => {
                let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
                Self::Ed(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
            }
            _ => Self::Rsa(rsa_key()),
        }
    }

    pub(crate) fn jwk(&self, id: &str) -> Value {
        match self {
            Self::Ec(pair, curve) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({"kty": "EC", "crv": curve, "kid": id, "x": base64(x), "y": base64(y)})
            }
            Self::Ed(pair) => json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": base64(pair.public_key())}),
            Self::Rsa(key) => {
                json!({"kty": "RSA", "kid": id, "n": base64(key.n().to_bytes_be()), "e": base64(key.e().to_bytes_be())})
            }
        }
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ec(pair, _) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rsa(key) => match algorithm {
                "RS384" => key.sign(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message)).unwrap(),
                "RS512" => key.sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message)).unwrap(),
                "PS256" => key.sign_with_rng(&mut OsRng, Pss::new::<Sha256>(), &Sha256::digest(message)).unwrap(),
                "PS384" => key.sign_with_rng(&mut OsRng, Pss::new::<Sha384>(), &Sha384::digest(message)).unwrap(),
                "PS512" => key.sign_with_rng(&mut OsRng, Pss::new::<Sha512>(), &Sha512::digest(message)).unwrap(),
                _ => key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message)).unwrap(),
            },
        }
    }

    /// A token of that header and payload, signed as `algorithm`, whatever the header says.
    pub(crate) fn token_as(&self, algorithm: &str, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", base64(header), base64(payload));
        let signature = self.sign(algorithm, signed.as_bytes());
        format!("{signed}.{}", base64(signature))
    }

    /// A token as it should be.
    pub(crate) fn token(&self, algorithm: Algorithm, id: &str, claims: &Value) -> String {
        let header = json!({"alg": algorithm.as_str(), "kid": id, "typ": "JWT"});
        self.token_as(algorithm.as_str(), &header.to_string(), &claims.to_string())
    }
}

pub(crate) fn key_set(keys: &[Value]) -> KeySet {
    KeySet::read(json!({"keys": keys}).to_string().as_bytes()).unwrap()
}
