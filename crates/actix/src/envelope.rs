//! What every response has, whatever made it: an identifier, the security headers once, errors in one shape, a line in
//! the log and a place in the metrics. Wraps the whole application, so that nothing inside can answer without it.

use std::fmt;
use std::future::{Ready, ready};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use stratora_audit::{Action, Outcome, RequestId};
use stratora_token::BulkUuids;
use uuid::Uuid;

use crate::answer::JSON;
use crate::figures::Figures;
use crate::future::pin_in_place;
use crate::unread::ChunkedBody;
use crate::visit::{Caller, Visit};
use crate::{ApiError, ClientAddress, Gate, HeaderSet, RequestContext};

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Middleware for the whole application, and its last `wrap`: actix makes the last one the outermost. The log and the figures
/// know requests by the [`Route`](crate::Route) that they reached: what reached none counts for `none`, and is logged by its path.
#[derive(Clone)]
pub struct Envelope {
    gate: Data<Gate>,
}

impl Envelope {
    /// Reads the time, randomness and trusted proxies of `gate`.
    pub const fn new(gate: Data<Gate>) -> Self {
        Self { gate }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Envelope
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = Enveloped<S>;
    type InitError = ();
    type Future = Ready<Result<Enveloped<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let worker = Worker {
            service,
            request_ids: BulkUuids::of(Arc::clone(&self.gate.entropy)),
            gate: self.gate.clone(),
            figures: Figures::default(),
        };
        ready(Ok(Enveloped(Rc::new(worker))))
    }
}

/// The application in its [`Envelope`].
pub struct Enveloped<S>(Rc<Worker<S>>);

/// What each worker has of its own.
struct Worker<S> {
    service: S,
    gate: Data<Gate>,
    request_ids: BulkUuids,
    figures: Figures,
}

impl<S, B> Service<ServiceRequest> for Enveloped<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.service.poll_ready(context)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let worker = Rc::clone(&self.0);
        pin_in_place(|| async move {
            let Worker { service, gate, request_ids, figures } = worker.as_ref();
            let request_id = request_ids.take();
            let exchange = Exchange {
                context: RequestContext::new(
                    // Without randomness nothing else can be done safely either; the answer says so.
                    RequestId::from_uuid(request_id.unwrap_or(Uuid::nil())),
                    ClientAddress::of(&request, &gate.trusted_proxies),
                    gate.clock.now(),
                ),
                method: request.method().clone(),
                uri: request.uri().clone(),
                body: ChunkedBody::of(&mut request),
            };
            if let Err(error) = request_id {
                let refused = request.error_response(ApiError::unavailable(error));
                return Ok(exchange.seal(refused, gate, figures));
            }
            exchange.context.attach_to(&request);
            // A panic in `call` itself is caught as well as one in the future that it returns.
            match AssertUnwindSafe(async { service.call(request).await }).catch_unwind().await {
                Ok(Ok(response)) => Ok(exchange.seal(response.map_into_boxed_body(), gate, figures)),
                Ok(Err(error)) => Err(exchange.seal_error(error, gate, figures)),
                Err(_) => {
                    exchange.audit_panic(gate).await;
                    // What the panic says goes to standard error by the panic hook, and nowhere else.
                    Err(exchange.seal_error(ApiError::internal("a handler panicked").into(), gate, figures))
                }
            }
        })
    }
}

/// A request, after it has been handed on.
struct Exchange {
    context: RequestContext,
    method: Method,
    uri: Uri,
    body: Option<ChunkedBody>,
}

impl Exchange {
    /// Gives a response all that every response has. One that is well is changed in place: to take it apart is to move it.
    fn seal(self, mut response: ServiceResponse<BoxBody>, gate: &Gate, figures: &Figures) -> ServiceResponse<BoxBody> {
        let took = gate.clock.now().since(self.context.arrived_at);
        let known = Visit::read(response.request(), |visit| {
            (visit.context.route, visit.headers, matches!(visit.caller, Caller::Component(_)))
        });
        let (route, asked, is_of_component) = known.unwrap_or((None, HeaderSet::Api, false));
        let status = response.status();
        figures.record(route.unwrap_or("none"), method_label(&self.method), status, took);
        let is_routine = status.as_u16() < 400 && (self.method.is_safe() || is_of_component);
        self.log(route, status, response.response().error(), took, is_routine);
        let set = header_set(response.response(), asked);
        if wants_explanation(response.response(), set) {
            response = explain(response, self.context.request_id);
        }
        set.write(response.headers_mut(), self.context.request_id);
        match self.body {
            Some(unread) => response.map_body(|_, body| unread.held_by(body)),
            None => response,
        }
    }

    /// For what leaves no request behind that could be answered: actix makes the response of the error.
    fn seal_error(self, error: Error, gate: &Gate, figures: &Figures) -> Error {
        let took = gate.clock.now().since(self.context.arrived_at);
        let status = error.as_response_error().status_code();
        figures.record("none", method_label(&self.method), status, took);
        self.log(None, status, Some(&error), took, false);
        Sealed { error, request_id: self.context.request_id, body: self.body }.into()
    }

    /// One line without the query string, which may hold what is nobody's business. What is only read, and what a fleet
    /// sends every few seconds, would drown all else.
    fn log(&self, route: Option<&str>, status: StatusCode, error: Option<&Error>, took: Duration, is_routine: bool) {
        let RequestContext { request_id, client, .. } = self.context;
        let (method, path) = (method_label(&self.method), route.unwrap_or_else(|| self.uri.path()));
        let status_code = status.as_u16();
        // Reckoned only where the line is written.
        let micros = || u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if is_routine {
            tracing::debug!(method, path, status = status_code, microseconds = micros(), %request_id, %client, "request");
        } else {
            tracing::info!(method, path, status = status_code, microseconds = micros(), %request_id, %client, "request");
        }
        if let Some(error) = error.filter(|_| status.is_server_error()) {
            let cause = error.as_error::<ApiError>().and_then(std::error::Error::source);
            tracing::error!(%request_id, %error, cause, "request failed");
        }
    }

    async fn audit_panic(&self, gate: &Gate) {
        let path: String = self.uri.path().chars().take(200).collect();
        let event = self
            .context
            .origin()
            .event(gate.clock.now(), Action::Panic)
            .ended(Outcome::Failure)
            .with("method", method_label(&self.method))
            .with("path", path);
        gate.refusals.write_seldom(event, self.context.client.key()).await;
    }
}

/// A method in logs and metrics. Callers can make up any word for one.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// An error whose response has everything that [`Envelope`] gives.
#[derive(Debug)]
struct Sealed {
    error: Error,
    request_id: RequestId,
    body: Option<ChunkedBody>,
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for Sealed {
    fn status_code(&self) -> StatusCode {
        self.error.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let response = self.error.as_response_error().error_response();
        let body = error_body(Some(&self.error), response.status(), self.request_id);
        let mut response = with_body(response, as_json(&body));
        HeaderSet::Api.write(response.headers_mut(), self.request_id);
        match &self.body {
            Some(unread) => response.map_body(|_, body| unread.clone().held_by(body)),
            None => response,
        }
    }
}

/// The set that a response gets whose handler has `asked` for one.
fn header_set(response: &HttpResponse, asked: HeaderSet) -> HeaderSet {
    let is_uncached = response.error().is_some() || is_error(response.status()) && asked == HeaderSet::CollectorConfig;
    if is_uncached { HeaderSet::Api } else { asked }
}

/// Whether it is an error without a body of ours. A page stays as it is, and so does JSON that a handler wrote itself.
fn wants_explanation(response: &HttpResponse, set: HeaderSet) -> bool {
    let is_json = || response.error().is_none() && response.headers().get(CONTENT_TYPE) == Some(&JSON);
    is_error(response.status()) && set != HeaderSet::Page && !is_json()
}

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

/// Gives an error its body.
fn explain(response: ServiceResponse, request_id: RequestId) -> ServiceResponse {
    let (request, response) = response.into_parts();
    let status = response.status();
    let body = error_body(response.error(), status, request_id);
    // The one error that people meet in the middle of a sign-in that their browser carries out.
    let is_for_people = status == StatusCode::TOO_MANY_REQUESTS && asks_for_page(&request);
    let body = if is_for_people { as_page(&body) } else { as_json(&body) };
    ServiceResponse::new(request, with_body(response, body))
}

fn asks_for_page(request: &HttpRequest) -> bool {
    let mut accepted = request.headers().get_all(ACCEPT).filter_map(|line| line.to_str().ok());
    request.method() == Method::GET && accepted.any(|line| line.contains("text/html"))
}

fn as_json(error: &stratora_wire::Error) -> (HeaderValue, Vec<u8>) {
    (JSON, serde_json::to_vec(error).unwrap_or_default())
}

/// All of it is text of ours.
fn as_page(error: &stratora_wire::Error) -> (HeaderValue, Vec<u8>) {
    let stratora_wire::Error { message, request_id, .. } = error;
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>Too many requests</title>\n<h1>Too many requests</h1>\n\
         <p>{message}</p>\n<p><small>Request {request_id}</small></p>\n</html>\n"
    );
    (HTML, page.into_bytes())
}

fn error_body(error: Option<&Error>, status: StatusCode, request_id: RequestId) -> stratora_wire::Error {
    match error.and_then(|error| error.as_error::<ApiError>()) {
        Some(error) => error.body(request_id),
        None => ApiError::of_status(status).body(request_id),
    }
}

fn with_body(response: HttpResponse, (media_type, body): (HeaderValue, Vec<u8>)) -> HttpResponse {
    response.map_body(|head, _| {
        for stale in [CONTENT_LENGTH, CONTENT_ENCODING] {
            head.headers.remove(stale);
        }
        head.headers.insert(CONTENT_TYPE, media_type);
        BoxBody::new(body)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use actix_web::http::header::ETAG;
    use actix_web::web::{self, ServiceConfig};
    use stratora_headers::Transport;

    use super::*;
    use crate::testing::{Answer, Server};
    use crate::{Access, Endpoint, Route, RoutePolicy, Routes};

    fn routes(config: &mut ServiceConfig) {
        config
            .route("/well", web::get().to(|| async { "well" }))
            .route("/client", web::get().to(|client: ClientAddress| async move { client.to_string() }))
            .route("/panic", web::get().to(|| async { if true { panic!("secret") } else { "" } }))
            .route("/store", web::get().to(|| async { Err::<String, _>(ApiError::unavailable("postgres://hidden")) }))
            .route(
                "/foreign",
                web::get().to(|| async { Err::<String, _>(actix_web::error::ErrorBadGateway("secret")) }),
            )
            .route("/field", web::get().to(|| async { Err::<String, _>(ApiError::invalid_field("name", "Too long.")) }))
            .route(
                "/twice",
                web::get().to(|| async {
                    HttpResponse::Ok()
                        .append_header(("x-frame-options", "SAMEORIGIN"))
                        .append_header(("x-request-id", "mine"))
                        .finish()
                }),
            )
            .route("/config", web::get().to(config_answer))
            .route("/no-config", web::get().to(no_config_answer))
            .route("/page", web::get().to(page_answer))
            .route("/no-page", web::get().to(no_page_answer));
    }

    fn things() -> Routes {
        let policy = RoutePolicy { access: Access::Anyone, quota: None, encoded_body: false };
        let endpoint = Endpoint::of(|| async { "thing" });
        Routes::new([Route { method: Method::GET, path: "/things/{id}", policy, endpoint }])
    }

    async fn config_answer(request: HttpRequest) -> HttpResponse {
        HeaderSet::CollectorConfig.set_for(&request).unwrap();
        HttpResponse::NotModified().insert_header((ETAG, "\"1\"")).finish()
    }

    async fn no_config_answer(request: HttpRequest) -> HttpResponse {
        HeaderSet::CollectorConfig.set_for(&request).unwrap();
        HttpResponse::from_error(ApiError::not_found())
    }

    async fn page_answer(request: HttpRequest) -> HttpResponse {
        HeaderSet::Page.set_for(&request).unwrap();
        HttpResponse::TooManyRequests().content_type("text/html; charset=utf-8").body("<p>Wait")
    }

    async fn no_page_answer(request: HttpRequest) -> Result<HttpResponse, ApiError> {
        HeaderSet::Page.set_for(&request)?;
        Err(ApiError::not_found())
    }

    fn assert_set(answer: &Answer, set: &[stratora_headers::Header]) {
        for header in set {
            assert_eq!(answer.header(&header.name.to_ascii_lowercase()), Some(header.value), "{answer:?}");
        }
        assert_eq!(answer.header("x-request-id").map(str::len), Some(36));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }

    #[test]
    fn every_answer_has_each_header_of_its_set_once() {
        let server = Server::start(routes);
        for (path, status) in [
            ("/well", 200),
            ("/twice", 200),
            ("/missing", 404),
            ("/panic", 500),
            ("/store", 503),
            ("/foreign", 502),
            ("/field", 422),
            ("/no-config", 404),
            ("/no-page", 404),
        ] {
            let answer = server.get(path);
            assert_eq!(answer.status, status, "{path}");
            assert_set(&answer, stratora_headers::api());
        }
    }

    #[test]
    fn a_configuration_is_kept_and_validated_and_never_marked_no_cache() {
        let answer = Server::start(routes).get("/config");
        assert_eq!((answer.status, answer.header("etag")), (304, Some("\"1\"")));
        assert_set(&answer, stratora_headers::collector_config());
        assert_eq!(answer.header("pragma"), None);
    }

    #[test]
    fn a_page_stays_a_page_even_when_it_tells_of_an_error() {
        let answer = Server::start(routes).get("/page");
        assert_eq!((answer.status, answer.body.as_str()), (429, "<p>Wait"));
        assert_set(&answer, stratora_headers::page(Transport::Plain));
        assert_eq!(answer.header("pragma"), None);
    }

    #[test]
    fn every_error_has_the_same_shape_and_nothing_of_the_inside() {
        let server = Server::start(routes);
        for (path, code) in [
            ("/missing", "not_found"),
            ("/no-page", "not_found"),
            ("/panic", "internal"),
            ("/store", "unavailable"),
            ("/foreign", "unavailable"),
            ("/field", "invalid_value"),
        ] {
            let answer = server.get(path);
            assert_eq!(answer.error(), code, "{path}");
            assert!(!answer.body.contains("secret") && !answer.body.contains("hidden"), "{answer:?}");
        }
        assert!(server.get("/field").body.contains("\"field\":\"name\""));
    }

    #[test]
    fn a_panic_is_audited_and_the_worker_lives_on() {
        let server = Server::start(routes);
        for _ in 0..3 {
            assert_eq!(server.get("/panic").status, 500);
            assert_eq!(server.get("/well").status, 200);
        }
        assert_eq!(server.log.actions(), [Action::Panic], "at most one entry a minute");
    }

    #[test]
    fn the_request_id_is_ours_whatever_the_request_says() {
        let lines = ["GET /well HTTP/1.1", "Host: a.test", "X-Request-Id: 11111111-1111-4111-8111-111111111111"];
        let answer = Server::start(routes).send(&lines, b"");
        assert_ne!(answer.header("x-request-id"), Some("11111111-1111-4111-8111-111111111111"));
    }

    #[test]
    fn without_randomness_nothing_is_served() {
        let server = Server::start(routes);
        server.entropy.break_down();
        let answer = server.get("/well");
        assert_eq!((answer.status, answer.error().as_str()), (503, "unavailable"));
        server.entropy.mend();
        assert_eq!(server.get("/well").status, 200);
    }

    #[test]
    fn only_what_the_proxy_forwards_is_believed() {
        let server = Server::start(routes);
        let client = |header: &str| server.send(&["GET /client HTTP/1.1", "Host: a.test", header], b"").body;
        assert_eq!(client("X-Forwarded-For: 1.2.3.4, 5.6.7.8"), "5.6.7.8");
        assert_eq!(client("X-Forwarded-For: 5.6.7.8:99"), "127.0.0.1");
        for ignored in
            ["Forwarded: for=1.2.3.4", "X-Real-IP: 1.2.3.4", "X-Forwarded-Host: 1.2.3.4", "X-Client-IP: 1.2.3.4"]
        {
            assert_eq!(client(ignored), "127.0.0.1", "{ignored}");
        }
    }

    /// A log in memory.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_log_has_a_line_a_request_and_no_query_header_or_body() {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(move || writer.clone())
            .init();
        let server = Server::with(things, routes);
        let canaries = ["Authorization: Bearer canary", "Cookie: a=canary", "X-API-Key: canary", "User-Agent: canary"];
        for target in ["/well?token=canary", "/things/7?token=canary", "/missing/%0d%0a?token=canary"] {
            let start = format!("GET {target} HTTP/1.1");
            server.send(&[&[&start, "Host: a.test"], &canaries[..]].concat(), b"canary");
        }
        server.get("/store");
        drop(server);
        let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let requests: Vec<serde_json::Value> = log
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|line: &serde_json::Value| line["fields"]["message"] == "request")
            .collect();
        assert!(!log.contains("canary"), "{log}");
        let paths: Vec<_> = requests.iter().map(|line| line["fields"]["path"].as_str().unwrap()).collect();
        assert_eq!(paths, ["/well", "/things/{id}", "/missing/%0d%0a", "/store"]);
        assert_eq!(
            (&requests[0]["fields"]["status"], &requests[0]["fields"]["client"]),
            (&200.into(), &"127.0.0.1".into())
        );
        assert!(log.contains("postgres://hidden"), "what callers do not see, operators do: {log}");
    }

    #[test]
    fn metrics_have_as_many_labels_as_there_are_routes() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        metrics::set_global_recorder(recorder).unwrap();
        let server = Server::with(things, routes);
        for target in ["/things/1", "/things/2", "/missing/1", "/missing/2"] {
            server.get(target);
            server.send(&[&format!("BREW {target} HTTP/1.1"), "Host: a.test"], b"");
        }
        let rendered = metrics.render();
        let mut counted: Vec<_> = rendered.lines().filter(|line| line.starts_with("http_requests_total{")).collect();
        counted.sort_unstable();
        assert_eq!(
            counted,
            [
                r#"http_requests_total{method="GET",route="/things/{id}",status="200"} 2"#,
                r#"http_requests_total{method="GET",route="none",status="404"} 2"#,
                r#"http_requests_total{method="other",route="/things/{id}",status="405"} 2"#,
                r#"http_requests_total{method="other",route="none",status="404"} 2"#,
            ]
        );
        assert!(rendered.contains("http_request_duration_seconds"), "{rendered}");
    }
}
