//! Certificates that a test makes for its counterparts.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};

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
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let signed = parameters(names)?.self_signed(&pair)?;
        Self::write(directory, &signed, &pair)
    }

    fn write(directory: &Path, signed: &rcgen::Certificate, pair: &KeyPair) -> anyhow::Result<Self> {
        let files = Self { certificate: directory.join("certificate.pem"), key: directory.join("key.pem") };
        fs::write(&files.certificate, signed.pem())?;
        fs::write(&files.key, pair.serialize_pem())?;
        // Samba refuses a key that others may read.
        fs::set_permissions(&files.key, Permissions::from_mode(0o600))?;
        Ok(files)
    }
}

/// For this machine and for `names`.
fn parameters(names: &[&str]) -> anyhow::Result<CertificateParams> {
    let names: Vec<_> = LOOPBACK.iter().chain(names).map(|name| (*name).to_owned()).collect();
    Ok(CertificateParams::new(names)?)
}

/// An authority of a test's own, for counterparts that are believed because somebody vouches for them.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: PathBuf,
}

impl Authority {
    /// Makes one; its certificate is `authority.pem` in `directory`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(directory: &Path) -> anyhow::Result<Self> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, "authority of a test");
        let certificate = directory.join("authority.pem");
        fs::write(&certificate, parameters.self_signed(&pair)?.pem())?;
        Ok(Self { issuer: Issuer::new(parameters, pair), certificate })
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// Makes `certificate.pem` and `key.pem` in `directory`, for this machine and for `names`, and vouches for them.
    ///
    /// # Errors
    /// When a name is none, or the files cannot be written.
    pub fn issue(&self, directory: &Path, names: &[&str]) -> anyhow::Result<Certificate> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        Certificate::write(directory, &parameters(names)?.signed_by(&pair, &self.issuer)?, &pair)
    }
}
