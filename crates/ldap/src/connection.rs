//! Connections to the directory, one for each sign-in: a bind is for a whole connection, and none may be left bound as
//! somebody.

use std::sync::Arc;

use futures_util::future::join;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, StdStream};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio_rustls::TlsConnector;

use crate::conversation::{Progress, Stage};
use crate::failure::Trouble;
use crate::relay::{Wire, relay};
use crate::start_tls::start_tls;
use crate::trust;

/// Where the directory is, and how it is spoken to.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encryption: Encryption,
}

#[derive(Debug, Clone)]
pub(crate) enum Encryption {
    None,
    StartTls(ServerName<'static>, Arc<ClientConfig>),
    Tls(ServerName<'static>, Arc<ClientConfig>),
}

impl Endpoint {
    pub(crate) const fn is_encrypted(&self) -> bool {
        !matches!(self.encryption, Encryption::None)
    }

    /// Connects, and starts TLS unless there is none to be.
    pub(crate) async fn connect(&self, progress: &mut Progress) -> Result<Box<dyn Wire>, Trouble> {
        progress.enter(Stage::Connect);
        let addresses = lookup_host((self.host.as_str(), self.port)).await.map_err(|_| Trouble::UnknownHost)?;
        let addresses: Vec<_> = addresses.collect();
        let mut stream = TcpStream::connect(addresses.as_slice()).await.map_err(|_| Trouble::Unreachable)?;
        stream.set_nodelay(true).map_err(|_| Trouble::Unreachable)?;
        let (name, config) = match &self.encryption {
            Encryption::None => return Ok(Box::new(stream)),
            Encryption::StartTls(name, config) | Encryption::Tls(name, config) => (name.clone(), Arc::clone(config)),
        };
        progress.enter(Stage::Tls);
        if matches!(self.encryption, Encryption::StartTls(..)) {
            start_tls(&mut stream).await?;
        }
        let stream = TlsConnector::from(config).connect(name, stream).await;
        Ok(Box::new(stream.map_err(|error| trust::why(&error))?))
    }
}

/// Speaks LDAP over that wire. What is returned beside the handle has to be driven for it to work, and ends with the connection.
pub(crate) async fn speak(wire: Box<dyn Wire>) -> Result<(Ldap, impl Future<Output = ()>), Trouble> {
    let (ours, parsers) = UnixStream::pair().map_err(|_| Trouble::Busy)?;
    let parsers = parsers.into_std().map_err(|_| Trouble::Busy)?;
    let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(parsers));
    let connection = LdapConnAsync::with_settings(settings, "ldapi:///").await;
    let (connection, ldap) = connection.map_err(|_| Trouble::Busy)?;
    let driven = async { drop(join(connection.drive(), relay(wire, ours)).await) };
    Ok((ldap, driven))
}
