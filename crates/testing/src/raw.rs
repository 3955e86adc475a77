//! Exact bytes over TCP and TLS, for requests that no client library would send.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

/// How long to wait for more bytes before taking what came for all there is.
const QUIET: Duration = Duration::from_secs(3);

/// What came back.
#[derive(Debug, Clone)]
pub struct RawAnswer {
    /// All bytes, as text.
    pub text: String,
    /// Whether the other side hung up.
    pub closed: bool,
}

impl RawAnswer {
    /// The status of each response, in order. A body that held a status line would count too.
    pub fn statuses(&self) -> Vec<u16> {
        let lines = self.text.lines().filter(|line| line.starts_with("HTTP/1."));
        lines.filter_map(|line| line.split(' ').nth(1)?.parse().ok()).collect()
    }
}

/// Sends `bytes` in clear to a port of this machine.
///
/// # Errors
/// When the connection is refused.
pub fn raw_tcp(port: u16, bytes: &[u8]) -> anyhow::Result<RawAnswer> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(QUIET))?;
    Ok(exchange(stream, bytes))
}

/// Sends `bytes` over TLS to a port of this machine, as `localhost`.
///
/// # Errors
/// When the connection or the handshake is refused.
pub fn raw_tls(port: u16, bytes: &[u8]) -> anyhow::Result<RawAnswer> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(QUIET))?;
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost")?)?;
    Ok(exchange(StreamOwned::new(connection, stream), bytes))
}

fn exchange(mut stream: impl Read + Write, bytes: &[u8]) -> RawAnswer {
    // A server may answer and hang up before it has read everything.
    let _sent = stream.write_all(bytes).and_then(|()| stream.flush());
    let mut received = Vec::new();
    let mut buffer = [0; 16 * 1024];
    let closed = loop {
        match stream.read(&mut buffer) {
            Ok(0) => break true,
            Ok(length) => received.extend_from_slice(buffer.get(..length).unwrap_or_default()),
            Err(error) => break !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    };
    RawAnswer { text: String::from_utf8_lossy(&received).into_owned(), closed }
}

/// Takes any certificate: the test made it a moment ago.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
