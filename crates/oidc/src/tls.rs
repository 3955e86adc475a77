//! Whom outgoing requests believe: what the operating system trusts, and what an operator adds. Nobody can turn that off.

use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, RootCertStore};

/// What was given as certification authorities is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not certificates in PEM")]
pub(crate) struct NoCertificates;

/// How TLS is spoken: version 1.2 or 1.3 (ASVS 12.1.1), with certificates verified (ASVS 12.3.2).
pub(crate) fn config(extra: Option<&[u8]>) -> Result<ClientConfig, NoCertificates> {
    let mut roots = RootCertStore::empty();
    // Without a trust store no provider is believed, and the advice at the first request says why.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(pem) = extra {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.map_err(|_| NoCertificates)?).map_err(|_| NoCertificates)?;
        }
        if roots.len() == before {
            return Err(NoCertificates);
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|_| NoCertificates)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Why TLS failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsFlaw {
    /// Nobody whom this server believes vouches for the certificate.
    Untrusted,
    /// It has expired, or is not valid yet.
    NotNow,
    /// It is for another name.
    OtherName,
    /// Anything else, such as a server that speaks no TLS.
    Handshake,
}

impl TlsFlaw {
    /// The flaw that an error of TLS means, if it is one.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        use CertificateError as Certificate;
        let rustls::Error::InvalidCertificate(flaw) = error.downcast_ref()? else { return Some(Self::Handshake) };
        Some(match flaw {
            Certificate::Expired
            | Certificate::ExpiredContext { .. }
            | Certificate::NotValidYet
            | Certificate::NotValidYetContext { .. } => Self::NotNow,
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => Self::OtherName,
            _ => Self::Untrusted,
        })
    }
}

/// An error and what it comes from. An `io::Error` hides its cause from [`Error::source`].
pub(crate) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let cause = |error: &&'a (dyn Error + 'static)| {
        let error = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &'a (dyn Error + 'static)),
            None => error.source(),
        }
    };
    std::iter::successors(Some(error), cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused_and_not_ignored() {
        for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert_eq!(config(Some(pem.as_bytes())).err(), Some(NoCertificates), "{pem:?}");
        }
        assert!(config(None).is_ok());
    }

    #[test]
    fn the_cause_within_an_io_error_is_found() {
        let tls = rustls::Error::InvalidCertificate(CertificateError::Expired);
        let hidden = io::Error::other(io::Error::other(tls));
        assert_eq!(causes(&hidden).find_map(TlsFlaw::of), Some(TlsFlaw::NotNow));
    }
}
