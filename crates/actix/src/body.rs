//! Request bodies, read within bounds: of the documented media type, not larger than allowed, in time, and strictly.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use actix_web::{FromRequest, HttpRequest, mime};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::ApiError;
use crate::patience::Patience;

/// The largest JSON body: hundreds of times what any request of ours needs.
const MAX_JSON: usize = 64 * 1024;
/// How many seconds a body may take to arrive; NGINX, which buffers bodies, gives a client as long between two reads.
const PATIENCE: u32 = 60;

/// A JSON object of at most 64 KiB. `T` refuses unknown fields (`#[serde(deny_unknown_fields)]`).
///
/// Refuses with 415 anything but `application/json`, with 413 what is too large, and with 400 `malformed_json` or
/// `invalid_json` what is not JSON or not a `T`. The message tells where, and never repeats the input.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest for JsonBody<T> {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let types = ["application/json"];
        let refused = refusal(request, &types, MAX_JSON, "Send the body as application/json.");
        Reading::of(refused, request, payload, MAX_JSON, |body| parse(body).map(Self))
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // Serde would also read a structure from an array of its fields' values.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(ApiError::bad_request("invalid_json", "Send a JSON object, not an array."));
    }
    // Looked at as a whole, text is faster to tell from other bytes than string by string.
    let parsed = std::str::from_utf8(body).map_or_else(|_| serde_json::from_slice(body), serde_json::from_str);
    parsed.map_err(|error| {
        let (code, what) = match error.classify() {
            Category::Data => (
                "invalid_json",
                "has an unknown, missing or repeated field, or a value of another type than documented,",
            ),
            Category::Syntax | Category::Eof | Category::Io => ("malformed_json", "is not well-formed JSON"),
        };
        let (line, column) = (error.line(), error.column());
        ApiError::bad_request(code, format!("The body {what} at line {line}, column {column}."))
    })
}

/// A text of at most `MAX` bytes of UTF-8, sent as `application/toml` or `text/plain`.
#[derive(Debug)]
pub struct TextBody<const MAX: usize>(pub String);

impl<const MAX: usize> FromRequest for TextBody<MAX> {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let types = ["application/toml", "text/plain"];
        let refused = refusal(request, &types, MAX, "Send the body as application/toml or text/plain, in UTF-8.");
        Reading::of(refused, request, payload, MAX, |body| {
            let text = std::str::from_utf8(body)
                .map_err(|_| ApiError::bad_request("malformed_text", "Send the body in UTF-8."))?;
            Ok(Self(text.to_owned()))
        })
    }
}

/// The fields of a form of at most 64 KiB, each as often as it was sent.
#[derive(Debug)]
pub struct FormBody(pub Vec<(String, String)>);

impl FromRequest for FormBody {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let types = ["application/x-www-form-urlencoded"];
        let refused = refusal(request, &types, MAX_JSON, "Send the body as application/x-www-form-urlencoded.");
        Reading::of(refused, request, payload, MAX_JSON, |body| {
            Ok(Self(form_urlencoded::parse(body).into_owned().collect()))
        })
    }
}

/// Why a body is not read at all: `message` says what to do when it is none of `types`.
fn refusal(request: &HttpRequest, types: &[&str], max: usize, message: &'static str) -> Option<ApiError> {
    if is_utf8_of(request, types) {
        declared_length(request.headers(), max).err()
    } else {
        Some(ApiError::unsupported_media_type(message))
    }
}

/// Whether the one `Content-Type` is one of `types`, with no parameter but `charset=utf-8`.
fn is_utf8_of(request: &HttpRequest, types: &[&str]) -> bool {
    let mut lines = request.headers().get_all(CONTENT_TYPE);
    let (Some(line), None) = (lines.next(), lines.next()) else { return false };
    if types.iter().any(|exact| line.as_bytes() == exact.as_bytes()) {
        return true;
    }
    let Some(sent) = line.to_str().ok().and_then(|text| text.parse::<mime::Mime>().ok()) else { return false };
    types.contains(&sent.essence_str())
        && sent.params().all(|(name, value)| name == mime::CHARSET && value == mime::UTF_8)
}

fn declared_length(headers: &HeaderMap, max: usize) -> Result<(), ApiError> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > max as u64) { Err(ApiError::payload_too_large(max)) } else { Ok(()) }
}

/// A body on its way to being a `T`; or an error as soon as it grows too large or takes too long.
pub struct Reading<T, S = Payload> {
    refused: Option<ApiError>,
    payload: S,
    /// Whether to do without a wake-up when more of it has been read.
    is_polled_anyway: bool,
    arrived: Arrived,
    max: usize,
    patience: Patience,
    parse: fn(&[u8]) -> Result<T, ApiError>,
}

impl<T> Reading<T> {
    fn of(
        refused: Option<ApiError>,
        request: &HttpRequest,
        payload: &mut Payload,
        max: usize,
        parse: fn(&[u8]) -> Result<T, ApiError>,
    ) -> Self {
        let (payload, arrived) = (payload.take(), Arrived::default());
        let is_polled_anyway =
            matches!(payload, Payload::H1 { .. }) && !request.headers().contains_key(TRANSFER_ENCODING);
        Self { refused, payload, is_polled_anyway, arrived, max, patience: Patience::of_seconds(PATIENCE), parse }
    }
}

impl<T, S> Future for Reading<T, S>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    type Output = Result<T, ApiError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Some(error) = this.refused.take() {
            return Poll::Ready(Err(error));
        }
        // Whoever reads a body of known length from an HTTP/1 connection polls its request after each read: to be woken for that
        // would only have the task run once more, for nothing. A chunked body, which may turn out malformed, wakes.
        let mut unwoken = Context::from_waker(Waker::noop());
        loop {
            let reader = if this.is_polled_anyway { &mut unwoken } else { &mut *context };
            let Poll::Ready(next) = this.payload.poll_next_unpin(reader) else { break };
            let Some(chunk) = next else {
                return Poll::Ready((this.parse)(&mem::take(&mut this.arrived).whole()));
            };
            let chunk = chunk.map_err(|error| match error {
                PayloadError::Overflow => ApiError::payload_too_large(this.max),
                _ => ApiError::bad_request("incomplete_body", "The body did not arrive whole. Send it again."),
            })?;
            if this.arrived.len() + chunk.len() > this.max {
                return Poll::Ready(Err(ApiError::payload_too_large(this.max)));
            }
            this.arrived.push(chunk);
        }
        this.patience.poll(context).map(|()| Err(ApiError::of_status(StatusCode::REQUEST_TIMEOUT)))
    }
}

/// What has arrived of a body. One chunk, as most of them are, is not copied.
#[derive(Default)]
struct Arrived {
    first: Bytes,
    joined: BytesMut,
}

impl Arrived {
    fn len(&self) -> usize {
        self.first.len() + self.joined.len()
    }

    fn push(&mut self, chunk: Bytes) {
        if self.len() == 0 {
            self.first = chunk;
        } else {
            self.joined.extend_from_slice(&mem::take(&mut self.first));
            self.joined.extend_from_slice(&chunk);
        }
    }

    fn whole(self) -> Bytes {
        if self.joined.is_empty() { self.first } else { self.joined.freeze() }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::Shutdown;
    use std::time::Duration;

    use actix_web::web::{self, ServiceConfig};
    use futures_util::stream;

    use super::*;
    use crate::testing::{Answer, Server};

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it reads matters")]
    struct Login {
        username: String,
        password: String,
        attempts: Option<u32>,
    }

    fn routes(config: &mut ServiceConfig) {
        config
            .route("/json", web::post().to(|_: JsonBody<Login>| async { "read" }))
            .route("/text", web::put().to(|text: TextBody<16>| async move { text.0 }));
    }

    #[test]
    fn a_json_object_of_the_documented_fields_is_read() {
        let server = Server::start(routes);
        for content_type in
            ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""]
        {
            let lines = ["POST /json HTTP/1.1", "Host: a.test", &format!("Content-Type: {content_type}")];
            let answer = server.send(&lines, br#" {"password":"\u0000","username":"b"} "#);
            assert_eq!((answer.status, answer.body.as_str()), (200, "read"), "{content_type}");
        }
    }

    #[test]
    fn whatever_else_is_refused_without_repeating_it() {
        let server = Server::start(routes);
        let deep = |open: &str| open.repeat(10_000);
        let digits = format!(r#"{{"username":"a","password":"b","attempts":{}}}"#, "9".repeat(50_000));
        for (body, code) in [
            ("", "malformed_json"),
            ("{", "malformed_json"),
            ("nul", "malformed_json"),
            (r#"{"username":"a","password":"b",}"#, "malformed_json"),
            (r#"{"username":"a","password":"b"} x"#, "malformed_json"),
            ("{\"username\":\"a\",\"password\":\"b\"}\n{}", "malformed_json"),
            (r#"/* */ {"username":"a","password":"b"}"#, "malformed_json"),
            (r#"{"username":"a","password":"b","attempts":1e400}"#, "malformed_json"),
            (r#"{"username":"a","password":"b","attempts":NaN}"#, "malformed_json"),
            (r#"{"username":"a","password":"b","attempts":0x1}"#, "malformed_json"),
            (r#"{"username":"\ud800","password":"b"}"#, "malformed_json"),
            (&format!(r#"{{"username":{}"#, deep("[")), "invalid_json"),
            (&digits, "malformed_json"),
            (r#"{"username":"a","password":"b","attempts":-1}"#, "invalid_json"),
            (r#"{"username":"a","password":"b","attempts":1.0}"#, "invalid_json"),
            (r#"{"username":"a","password":"b","attempts":9223372036854775808}"#, "invalid_json"),
            (r#"{"username":"a","password":"b","password":"c"}"#, "invalid_json"),
            (r#"{"username":"a","password":"b","<script>":1}"#, "invalid_json"),
            (&deep("["), "invalid_json"),
            (&deep(r#"{"a":"#), "invalid_json"),
            (r#"{"username":["<script>"],"password":"b"}"#, "invalid_json"),
            (r#"{"username":null,"password":"b"}"#, "invalid_json"),
            (r#"{"username":"a"}"#, "invalid_json"),
            ("{}", "invalid_json"),
            (r#""<script>""#, "invalid_json"),
            ("1", "invalid_json"),
            ("true", "invalid_json"),
            (r#"["a","b",null]"#, "invalid_json"),
        ] {
            let answer = server.post_json("/json", body.as_bytes());
            let shown = &body[..body.len().min(60)];
            assert_eq!((answer.status, answer.error().as_str()), (400, code), "{shown}");
            assert!(!answer.body.contains("script"), "{answer:?}");
        }
        assert_eq!(server.post_json("/json", b"{\"username\":\"\xff\"}").error(), "malformed_json");
    }

    #[test]
    fn a_body_of_another_media_type_is_refused() {
        let server = Server::start(routes);
        for header in [
            "X-None: 1",
            "Content-Type:",
            "Content-Type: text/plain",
            "Content-Type: application/json; charset=utf-16",
            "Content-Type: application/json; charset=utf-8; x=y",
            "Content-Type: application/json, application/json",
            "Content-Type: application/json\r\nContent-Type: application/json",
            "Content-Type: application/x-www-form-urlencoded",
            "Content-Type: multipart/form-data; boundary=x",
            "Content-Type: application/jsonx",
        ] {
            let answer =
                server.send(&["POST /json HTTP/1.1", "Host: a.test", header], br#"{"username":"a","password":"b"}"#);
            assert_eq!((answer.status, answer.error().as_str()), (415, "unsupported_media_type"), "{header}");
        }
    }

    fn chunked(server: &Server, chunk: &[u8], times: usize) -> Answer {
        let mut stream = server.connect();
        let head = "POST /json HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        for _ in 0..times {
            let sent = write!(stream, "{:x}\r\n", chunk.len())
                .and_then(|()| stream.write_all(chunk))
                .and_then(|()| stream.write_all(b"\r\n"));
            if sent.is_err() {
                break;
            }
        }
        let _ = stream.write_all(b"0\r\n\r\n");
        Answer::read(stream)
    }

    #[test]
    fn a_body_that_comes_late_and_in_pieces_is_read_as_soon_as_it_is_whole() {
        let server = Server::start(routes);
        let body = br#"{"username":"a","password":"b"}"#;
        let head = format!(
            "POST /json HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let pause = || std::thread::sleep(Duration::from_millis(20));
        let mut stream = server.connect();
        // The second and the third begin in the same read that ends the one before them.
        let requests = [head.as_bytes(), body, head.as_bytes(), body, head.as_bytes(), body].concat();
        for piece in [&requests[..40], &requests[40..head.len()], &requests[head.len()..head.len() + 7]] {
            stream.write_all(piece).unwrap();
            pause();
        }
        let whole = 2 * head.len() + body.len();
        stream.write_all(&requests[head.len() + 7..whole + 3]).unwrap();
        pause();
        stream.write_all(&requests[whole + 3..requests.len() - 1]).unwrap();
        pause();
        stream.write_all(&requests[requests.len() - 1..]).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut answers = Vec::new();
        while answers.windows(4).filter(|bytes| bytes == b"read").count() < 3 {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).unwrap();
            assert_ne!(count, 0, "{}", String::from_utf8_lossy(&answers));
            answers.extend_from_slice(&buffer[..count]);
        }
    }

    #[test]
    fn a_body_that_breaks_off_is_refused_at_once() {
        let server = Server::start(routes);
        for framing in [
            "Content-Length: 31\r\n\r\n{",
            "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
            "Transfer-Encoding: chunked\r\n\r\nx",
        ] {
            let mut stream = server.connect();
            let head = "POST /json HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\n";
            stream.write_all(head.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            stream.write_all(framing.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            stream.shutdown(Shutdown::Write).unwrap();
            let answer = Answer::read(stream);
            assert_eq!((answer.status, answer.error().as_str()), (400, "incomplete_body"), "{framing}");
        }
    }

    #[test]
    fn a_body_that_is_too_large_is_refused_by_its_length_and_by_its_chunks() {
        let server = Server::start(routes);
        let answer = server.post_json("/json", &b" ".repeat(MAX_JSON + 1));
        assert_eq!((answer.status, answer.error().as_str()), (413, "payload_too_large"));
        assert_eq!(server.post_json("/json", &b" ".repeat(MAX_JSON)).status, 400);
        let answer = chunked(&server, &[b' '; 4096], 17);
        assert_eq!((answer.status, answer.error().as_str()), (413, "payload_too_large"));
        assert_eq!(chunked(&server, br#"{"username":"a","password":"b"}"#, 1).status, 200);
    }

    #[test]
    fn a_text_is_read_within_its_bound_and_as_utf8_only() {
        let server = Server::start(routes);
        let put = |content_type: &str, body: &[u8]| {
            server.send(&["PUT /text HTTP/1.1", "Host: a.test", &format!("Content-Type: {content_type}")], body)
        };
        assert_eq!(put("application/toml", "é = 1".as_bytes()).body, "é = 1");
        assert_eq!(put("text/plain; charset=utf-8", b"a = 1").body, "a = 1");
        assert_eq!(put("application/toml", b"").status, 200);
        assert_eq!(put("application/json", b"{}").status, 415);
        assert_eq!(put("application/toml", b"\xff").error(), "malformed_text");
        assert_eq!(put("application/toml", &[b' '; 17]).error(), "payload_too_large");
    }

    type Chunk = Result<Bytes, PayloadError>;

    async fn read(payload: impl Stream<Item = Chunk> + Unpin) -> Result<Vec<u8>, ApiError> {
        read_within(PATIENCE, payload).await
    }

    async fn read_within(seconds: u32, payload: impl Stream<Item = Chunk> + Unpin) -> Result<Vec<u8>, ApiError> {
        let (arrived, patience) = (Arrived::default(), Patience::of_seconds(seconds));
        let parse = |body: &[u8]| Ok(body.to_vec());
        Reading { refused: None, payload, is_polled_anyway: false, arrived, max: 6, patience, parse }.await
    }

    #[actix_web::test]
    async fn a_body_is_whole_in_however_many_chunks_it_comes() {
        for chunks in [vec![], vec!["abc"], vec!["abc", "def"], vec!["", "ab", "", "cd", "ef"], vec!["a", "b", "c", ""]]
        {
            let payload = stream::iter(chunks.iter().map(|chunk| Chunk::Ok(Bytes::from_static(chunk.as_bytes()))));
            assert_eq!(read(payload).await.unwrap(), chunks.concat().as_bytes());
        }
        let late = stream::once(Box::pin(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            Chunk::Ok(Bytes::from_static(b"late"))
        }));
        assert_eq!(read(late).await.unwrap(), b"late");
    }

    #[actix_web::test]
    async fn a_body_that_grows_breaks_off_or_stalls_is_an_error() {
        let chunk = |text: &'static str| Chunk::Ok(Bytes::from_static(text.as_bytes()));
        let too_large = read(stream::iter([chunk("abc"), chunk("defg")])).await.unwrap_err();
        assert_eq!(too_large.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let broken = read(stream::iter([chunk("abc"), Err(PayloadError::Incomplete(None))])).await.unwrap_err();
        assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
        assert_eq!(read_within(0, stream::pending()).await.unwrap_err().status(), StatusCode::REQUEST_TIMEOUT);
        let stalled = stream::iter([chunk("abc")]).chain(stream::pending());
        assert_eq!(read_within(0, stalled).await.unwrap_err().status(), StatusCode::REQUEST_TIMEOUT);
    }
}
