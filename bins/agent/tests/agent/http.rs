//! Just enough HTTP/1.1 to serve one client, over any stream, and to answer it wrongly.

use std::io::{BufRead as _, BufReader, Read, Write};

/// A request.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Reads one; `None` when the client has gone.
    pub(crate) fn read(stream: &mut BufReader<impl Read>) -> Option<Self> {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut words = line.split_whitespace();
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut request = Self { method, path, headers, body: Vec::new() };
        let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        request.body = vec![0; length];
        stream.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(present, _)| present == name).map(|(_, value)| value.as_str())
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    pub(crate) fn of_type(status: u16, media_type: &str, body: impl Into<String>) -> Self {
        Self { status, headers: vec![("Content-Type", media_type.to_owned())], body: body.into() }
    }

    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::of_type(status, "application/json", body.to_string())
    }

    pub(crate) fn error(status: u16, reason: &str) -> Self {
        Self::json(status, &serde_json::json!({"error": reason, "message": "A sentence.", "request_id": "r1"}))
    }

    pub(crate) fn html(status: u16) -> Self {
        Self::of_type(status, "text/html", "<html><body>\n<h1>Something else</h1>\n</body></html>")
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut lines = vec![format!("HTTP/1.1 {} Reason", self.status)];
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        if self.status != 204 && self.status != 304 {
            lines.push(format!("Content-Length: {}", self.body.len()));
        }
        (lines.join("\r\n") + "\r\n\r\n" + &self.body).into_bytes()
    }

    /// Sends it whole.
    pub(crate) fn send(&self, stream: &mut impl Write) -> std::io::Result<()> {
        stream.write_all(&self.bytes())?;
        stream.flush()
    }

    /// Sends it without the last part of its body.
    pub(crate) fn send_half(&self, stream: &mut impl Write) {
        let bytes = self.bytes();
        let _sent = stream.write_all(&bytes[..bytes.len() - self.body.len() / 2 - 1]).and_then(|()| stream.flush());
    }
}
