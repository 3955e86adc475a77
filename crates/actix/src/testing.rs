//! What the tests of this crate share: a real server on a free port, with everything behind it in memory, and a client that
//! sends exactly the bytes it is told to.

mod stores;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};
use stratora_auth::{RateLimiter, SessionTimeouts, Sessions};
use stratora_cache::Coherence;
use stratora_clock::ManualClock;
use stratora_hashing::{Cost, HashingPool, PoolSettings};
use stratora_keys::{ETagKey, Keys, KeysParts};
use stratora_token::MacKey;
use stratora_token::testing::BreakableEntropy;

pub(crate) use self::stores::{MemoryKeys, MemoryLimits, MemorySessions, RecordingLog};
use crate::{Envelope, ExternalOrigin, Gate, Refusals, Routes, TrustedProxies};

/// A server, and what stands behind it.
pub(crate) struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    pub(crate) log: Arc<RecordingLog>,
    pub(crate) limits: Arc<MemoryLimits>,
    pub(crate) sessions: Arc<MemorySessions>,
    pub(crate) keys: Arc<MemoryKeys>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) entropy: Arc<BreakableEntropy>,
}

impl Server {
    /// One of an application without routes.
    pub(crate) fn start(configure: fn(&mut ServiceConfig)) -> Self {
        Self::with(Routes::default, configure)
    }

    /// One of nothing but routes.
    pub(crate) fn of(routes: fn() -> Routes) -> Self {
        Self::with(routes, |_| {})
    }

    pub(crate) fn with(routes: fn() -> Routes, configure: fn(&mut ServiceConfig)) -> Self {
        let (log, limits) = (Arc::new(RecordingLog::default()), Arc::new(MemoryLimits::default()));
        let (sessions, keys) = (Arc::new(MemorySessions::default()), Arc::new(MemoryKeys::default()));
        let (clock, entropy) = (Arc::new(ManualClock::default()), Arc::new(BreakableEntropy::default()));
        let coherence = Arc::new(Coherence::new(clock.clone()));
        let gate = Data::new(Gate {
            sessions: Arc::new(Sessions::new(
                sessions.clone(),
                clock.clone(),
                SessionTimeouts::default(),
                100,
                coherence.clone(),
            )),
            keys: Arc::new(Keys::new(KeysParts {
                store: keys.clone(),
                configs: keys.clone(),
                hashing: HashingPool::start(
                    PoolSettings { threads: NonZeroUsize::MIN, queue: 1, cost: Cost::for_tests() },
                    entropy.clone(),
                )
                .unwrap(),
                clock: clock.clone(),
                entropy: entropy.clone(),
                etags: ETagKey::new(MacKey::from_bytes([7; 32])),
                in_memory: 100,
                max_key_age: None,
                coherence,
            })),
            limiter: Arc::new(RateLimiter::new(limits.clone(), clock.clone())),
            refusals: Refusals::new(log.clone()),
            clock: clock.clone(),
            entropy: entropy.clone(),
            trusted_proxies: TrustedProxies::default(),
            external_origin: ExternalOrigin::of("https://stratora.example.com").unwrap(),
        });
        let server = HttpServer::new(move || {
            App::new().app_data(gate.clone()).configure(configure).wrap(routes()).wrap(Envelope::new(gate.clone()))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        std::thread::spawn(move || actix_web::rt::System::new().block_on(server));
        Self { address, handle, log, limits, sessions, keys, clock, entropy }
    }

    /// Sends `lines` as a request's head, and `body` after it.
    pub(crate) fn send(&self, lines: &[&str], body: &[u8]) -> Answer {
        let mut head = lines.join("\r\n").into_bytes();
        head.extend_from_slice(b"\r\nConnection: close\r\n");
        if !body.is_empty() && !lines.iter().any(|line| line.starts_with("Transfer-Encoding")) {
            head.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        head.extend_from_slice(b"\r\n");
        let mut stream = self.connect();
        stream.write_all(&head).unwrap();
        // A server that has refused need not read on.
        let _ = stream.write_all(body);
        Answer::read(stream)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(&[&format!("GET {path} HTTP/1.1"), "Host: a.test"], b"")
    }

    pub(crate) fn post_json(&self, path: &str, body: &[u8]) -> Answer {
        self.send(&[&format!("POST {path} HTTP/1.1"), "Host: a.test", "Content-Type: application/json"], body)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// A response as it was sent.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// Reads until the server closes the connection.
    pub(crate) fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        // A reset after the response is how a server ends a connection whose request it did not read whole.
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            bytes.extend_from_slice(&buffer[..length]);
        }
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no response: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }

    /// The value of a header that stands at most once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(header, _)| header == name).map(|(_, value)| value.as_str());
        let value = values.next();
        assert_eq!(values.next(), None, "{name} stands twice: {self:?}");
        value
    }

    /// The code of an error, after a check that it has the product's shape.
    pub(crate) fn error(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        let error: stratora_wire::Error = serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"));
        assert_eq!(self.header("x-request-id"), Some(error.request_id.as_str()));
        assert!(error.message.ends_with('.'), "{}", error.message);
        error.error
    }
}
