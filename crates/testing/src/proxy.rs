//! A wire to PostgreSQL that can be made to hang or be cut, as a network that fails would.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Hanging,
    Cut,
}

/// Forwards connections to PostgreSQL.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    server: Arc<watch::Sender<String>>,
    state: Arc<watch::Sender<State>>,
}

impl Proxy {
    /// Forwards to the server of `url`, as a task of the runtime that this is called on.
    ///
    /// # Errors
    /// When it cannot listen, or `url` names no server.
    pub async fn before(url: &str) -> anyhow::Result<Self> {
        let server = Arc::new(watch::Sender::new(authority(url).context("no server in the URL")?.to_owned()));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(watch::Sender::new(State::Open));
        let (accepting, leading_to) = (Arc::clone(&state), Arc::clone(&server));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connect(client, leading_to.borrow().clone(), accepting.subscribe()));
            }
        });
        Ok(Self { address, server, state })
    }

    /// The same URL through this proxy.
    pub fn url(&self, url: &str) -> String {
        authority(url).map_or_else(|| url.to_owned(), |server| url.replacen(server, &self.address.to_string(), 1))
    }

    /// Where this proxy listens.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// New connections lead to the server of `url`.
    pub fn lead_to(&self, url: &str) {
        if let Some(server) = authority(url) {
            self.server.send_replace(server.to_owned());
        }
    }

    /// Nothing gets through, and nobody is told.
    pub fn hang(&self) {
        self.state.send_replace(State::Hanging);
    }

    /// All connections end, and new ones are refused.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Everything gets through again.
    pub fn open(&self) {
        self.state.send_replace(State::Open);
    }
}

/// `host:port` of a URL.
fn authority(url: &str) -> Option<&str> {
    let (authority, _) = url.split_once("://")?.1.split_once('/')?;
    Some(authority.rsplit_once('@').map_or(authority, |(_, authority)| authority))
}

async fn connect(client: TcpStream, server: String, state: watch::Receiver<State>) {
    if *state.borrow() == State::Cut {
        return;
    }
    // A server that is not there hangs up on the client, too.
    let Ok(server) = TcpStream::connect(server).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(forward(from_client, to_server, state.clone()), forward(from_server, to_client, state.clone()));
}

async fn forward(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut state: watch::Receiver<State>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        if state.wait_for(|state| *state != State::Hanging).await.is_err() || *state.borrow() == State::Cut {
            return;
        }
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            _ = state.changed() => continue,
        };
        match read {
            Ok(length @ 1..) => {
                if state.wait_for(|state| *state != State::Hanging).await.is_err() {
                    return;
                }
                let Some(bytes) = buffer.get(..length) else { return };
                if to.write_all(bytes).await.is_err() {
                    return;
                }
            }
            _ => return,
        }
    }
}
