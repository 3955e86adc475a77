//! Just enough HTTP to say anything: an answer that never ends, comes a byte a second, or breaks off.

use std::collections::HashMap;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The longest request that is read.
const MAX_REQUEST: usize = 256 * 1024;
/// How long a slow answer waits between two bytes.
const SLOWLY: Duration = Duration::from_secs(1);
/// What an answer without end has before it ends after all: a gigabyte.
const ENDLESS: usize = 1 << 30;

/// A request.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: HashMap<String, String>,
    pub(super) headers: HashMap<String, String>,
    pub(super) form: HashMap<String, String>,
}

/// What follows the header of an answer.
#[derive(Debug)]
pub(super) enum Body {
    Whole(Vec<u8>),
    /// A byte a second.
    Slow(Vec<u8>),
    /// A gigabyte.
    Endless,
    /// Half of what was announced.
    BrokenOff(Vec<u8>),
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Body,
}

impl Reply {
    pub(super) fn of(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type", kind.to_owned())], body: Body::Whole(body.into()) }
    }

    pub(super) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::of(status, "application/json", body.to_string())
    }

    pub(super) fn redirect(location: &str) -> Self {
        Self { status: 302, headers: vec![("location", location.to_owned())], body: Body::Whole(Vec::new()) }
    }
}

/// Reads a request; nothing when there is none, or something that is not HTTP.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Asked> {
    let mut received: Vec<u8> = Vec::new();
    let head = loop {
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if received.first().is_some_and(|first| !first.is_ascii_uppercase()) {
            return None;
        }
        if received.len() > MAX_REQUEST || stream.read_buf(&mut received).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = received.split_off(head + 4);
    let text = String::from_utf8(received).ok()?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while body.len() < length.min(MAX_REQUEST) {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = |bytes: &[u8]| form_urlencoded::parse(bytes).into_owned().collect();
    Some(Asked { method, path: path.to_owned(), query: pairs(query.as_bytes()), headers, form: pairs(&body) })
}

/// Sends an answer, and whether it was taken or not the connection ends.
pub(super) async fn write(stream: &mut (impl AsyncWrite + Unpin), date: &str, reply: Reply) -> std::io::Result<()> {
    let length = match &reply.body {
        Body::Whole(body) | Body::Slow(body) | Body::BrokenOff(body) => body.len(),
        Body::Endless => ENDLESS,
    };
    let mut head =
        format!("HTTP/1.1 {} X\r\ndate: {date}\r\nconnection: close\r\ncontent-length: {length}\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    match reply.body {
        Body::Whole(body) => stream.write_all(&body).await?,
        Body::BrokenOff(body) => stream.write_all(body.get(..length / 2).unwrap_or_default()).await?,
        Body::Slow(body) => {
            for byte in body {
                stream.write_all(&[byte]).await?;
                stream.flush().await?;
                tokio::time::sleep(SLOWLY).await;
            }
        }
        Body::Endless => {
            let chunk = vec![b' '; 64 * 1024];
            for _ in 0..ENDLESS / chunk.len() {
                stream.write_all(&chunk).await?;
            }
        }
    }
    stream.shutdown().await
}
