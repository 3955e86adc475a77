//! Whose certificates a directory is believed with.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::{CertificateError, ClientConfig, RootCertStore};

use crate::failure::Trouble;
use crate::settings::{RefusedSettings, refused};

/// Believes the authorities in the file, and no others; those of the operating system without one.
pub(crate) fn trusting(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, RefusedSettings> {
    let mut authorities = RootCertStore::empty();
    let certificates = match ca_file {
        Some(file) => read(file)?,
        // What the system has but cannot be read is missed by whoever needs it, and then said.
        None => rustls_native_certs::load_native_certs().certs,
    };
    authorities.add_parsable_certificates(certificates);
    if authorities.is_empty() {
        return Err(match ca_file {
            Some(_) => refused("ca_file", "must hold a certificate in PEM"),
            None => refused("ca_file", "must be set, since the operating system trusts nobody"),
        });
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| refused("url", "cannot be used: TLS is not available"))?;
    Ok(Arc::new(config.with_root_certificates(authorities).with_no_client_auth()))
}

fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, RefusedSettings> {
    let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    certificates.map_err(|error| match error {
        pem::Error::Io(source) => RefusedSettings::File { field: "ca_file", file: file.to_owned(), source },
        _ => refused("ca_file", "must hold certificates in PEM"),
    })
}

/// Why there is no TLS.
pub(crate) fn why(error: &io::Error) -> Trouble {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(reason)) => match reason {
            CertificateError::UnknownIssuer => Trouble::Untrusted,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Trouble::WrongHost,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Trouble::OutOfDate,
            _ => Trouble::BadCertificate,
        },
        _ => Trouble::NoTls,
    }
}
