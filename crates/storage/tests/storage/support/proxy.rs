//! A wire to PostgreSQL that can be made to hang or be cut, as a stopped or restarting server would.

use std::net::SocketAddr;
use std::sync::Arc;

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
pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
}

impl Proxy {
    /// Forwards to the server of `url`.
    pub(crate) async fn before(url: &str) -> Self {
        let server = authority(url).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(watch::Sender::new(State::Open));
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, state) = (server.clone(), accepting.subscribe());
                tokio::spawn(async move {
                    if *state.borrow() == State::Cut {
                        return;
                    }
                    let server = TcpStream::connect(server).await.unwrap();
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::join!(
                        forward(from_client, to_server, state.clone()),
                        forward(from_server, to_client, state.clone())
                    );
                });
            }
        });
        Self { address, state }
    }

    /// The same URL through this proxy.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replacen(authority(url), &self.address.to_string(), 1)
    }

    /// Nothing gets through, and nobody is told.
    pub(crate) fn hang(&self) {
        self.state.send_replace(State::Hanging);
    }

    /// All connections end, and new ones are refused.
    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Everything gets through again.
    pub(crate) fn open(&self) {
        self.state.send_replace(State::Open);
    }
}

/// `host:port` of a URL.
fn authority(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap();
    let (authority, _) = rest.split_once('/').unwrap();
    authority.rsplit_once('@').map_or(authority, |(_, authority)| authority)
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
                if to.write_all(&buffer[..length]).await.is_err() {
                    return;
                }
            }
            _ => return,
        }
    }
}
