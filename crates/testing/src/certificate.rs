//! A certificate that a test makes for its NGINX.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};

/// What a certificate is always good for, beside the names that are asked for.
const LOOPBACK: [&str; 2] = ["localhost", "127.0.0.1"];

/// A self-signed certificate of the kind that installations use, ECDSA on P-256, as files in PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Certificate {
    /// Makes `certificate.pem` and `key.pem` in `directory`, for this machine and for `names`.
    ///
    /// # Errors
    /// When a name is none, or the files cannot be written.
    pub fn create(directory: &Path, names: &[&str]) -> anyhow::Result<Self> {
        let names: Vec<_> = LOOPBACK.iter().chain(names).map(|name| (*name).to_owned()).collect();
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let signed = CertificateParams::new(names)?.self_signed(&pair)?;
        let files = Self { certificate: directory.join("certificate.pem"), key: directory.join("key.pem") };
        fs::write(&files.certificate, signed.pem())?;
        fs::write(&files.key, pair.serialize_pem())?;
        Ok(files)
    }
}
