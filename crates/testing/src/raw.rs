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
    /// The status of each response, in order, interim ones (1xx) included. What looks like a status line within a body
    /// counts too: a response that hides behind another is seen, wherever that one ends.
    pub fn statuses(&self) -> Vec<u16> {
        self.text.match_indices("HTTP/1.").filter_map(|(at, _)| status(self.text.get(at..)?)).collect()
    }
}

/// The status of a line `HTTP/1.1 200 OK`, whose reason may be missing; RFC 9112, section 4.
fn status(line: &str) -> Option<u16> {
    let line = line.strip_prefix("HTTP/1.")?.strip_prefix(|minor: char| minor.is_ascii_digit())?.strip_prefix(' ')?;
    let (digits, rest) = line.split_at_checked(3)?;
    let ends = rest.starts_with([' ', '\r', '\n']) && digits.bytes().all(|digit| digit.is_ascii_digit());
    if ends { digits.parse().ok() } else { None }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(text: &str) -> Vec<u16> {
        RawAnswer { text: text.to_owned(), closed: true }.statuses()
    }

    #[test]
    fn a_response_behind_a_body_without_a_line_end_is_counted() {
        let pipelined = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 404 Not Found\r\n\r\n";
        assert_eq!(statuses(pipelined), [200, 404]);
    }

    #[test]
    fn interim_responses_and_missing_reasons_are_counted() {
        assert_eq!(statuses("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 204\r\n\r\n"), [100, 204]);
    }

    #[test]
    fn what_is_no_status_line_is_not_counted() {
        assert!(statuses("").is_empty());
        assert!(statuses("<h1>It works</h1>").is_empty(), "an answer in HTTP/0.9 has none");
        assert!(statuses("GET / HTTP/1.1\r\nHTTP/1.1 2000 \nHTTP/1.1 +20 \nHTTP/1.x 200 \nHTTP/1.1 20").is_empty());
    }
}
