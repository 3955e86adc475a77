//! Measurements on their way to the time-series store. They are streamed, not kept; what is added is who sent them, as
//! labels that override the sender's own, so that no component writes as another.

use std::cell::Cell;
use std::rc::Rc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use awc::Client;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use newtype_uuid::GenericUuid as _;
use stratora_actix::{ApiError, AuthenticatedComponent};

use crate::services::Services;
use crate::time_series::away;

/// The largest batch, as it is sent: what Telegraf and Prometheus send in minutes, after an outage.
const MAX_BATCH: usize = 32 * 1024 * 1024;

/// One of the protocols that measurements come in.
struct Protocol {
    /// Where the store takes it.
    path: &'static str,
    /// The compressions that the store unpacks.
    encodings: &'static [&'static str],
}

const INFLUX: Protocol = Protocol { path: "/write", encodings: &["identity", "gzip"] };
const PROMETHEUS: Protocol = Protocol { path: "/api/v1/write", encodings: &["identity", "snappy", "zstd"] };

/// Take measurements in InfluxDB line protocol.
#[utoipa::path(post, path = "/api/v1/ingest/influx", tag = "fleet", params(
    ("precision" = Option<String>, Query, description = "The unit of timestamps: ns, us, ms, s, m or h"),
), request_body(content = String, content_type = "text/plain"), responses(
    (status = 204, description = "Taken."),
    (status = 401, body = stratora_wire::Error, description = "`key_unknown`, `key_rotated` or `key_revoked`"),
    (status = 413, body = stratora_wire::Error, description = "`payload_too_large`: more than 32 MiB"),
    (status = 415, body = stratora_wire::Error, description = "`unsupported_media_type`: neither plain nor gzip"),
    (status = 503, body = stratora_wire::Error, description = "`time_series_store_away` or `no_time_series_store`"),
))]
pub(crate) async fn influx(
    request: HttpRequest,
    component: AuthenticatedComponent,
    services: web::Data<Services>,
    client: web::Data<Client>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    forward(&INFLUX, precision(&request)?, &request, &component, &services, &client, body).await
}

/// Take measurements in InfluxDB line protocol, at the path that InfluxDB's own clients append.
#[utoipa::path(post, path = "/api/v1/ingest/influx/write", tag = "fleet", params(
    ("precision" = Option<String>, Query, description = "The unit of timestamps: ns, us, ms, s, m or h"),
), request_body(content = String, content_type = "text/plain"), responses(
    (status = 204, description = "Taken; see `/api/v1/ingest/influx`."),
))]
pub(crate) async fn influx_write(
    request: HttpRequest,
    component: AuthenticatedComponent,
    services: web::Data<Services>,
    client: web::Data<Client>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    influx(request, component, services, client, body).await
}

/// Take measurements in InfluxDB line protocol, as writers of InfluxDB 2 send it: they have no other header for a key than
/// `Authorization: Token`.
#[utoipa::path(post, path = "/api/v2/write", tag = "fleet", params(
    ("precision" = Option<String>, Query, description = "The unit of timestamps: ns, us, ms, s, m or h"),
), request_body(content = String, content_type = "text/plain"), responses(
    (status = 204, description = "Taken; see `/api/v1/ingest/influx`. What names a bucket or an organisation is dropped."),
    (status = 413, body = stratora_wire::Error, description = "`payload_too_large`: more than 32 MiB"),
    (status = 415, body = stratora_wire::Error, description = "`unsupported_media_type`: neither plain nor gzip"),
    (status = 503, body = stratora_wire::Error, description = "`time_series_store_away` or `no_time_series_store`"),
))]
pub(crate) async fn influx_v2_write(
    request: HttpRequest,
    component: AuthenticatedComponent,
    services: web::Data<Services>,
    client: web::Data<Client>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    influx(request, component, services, client, body).await
}

/// Take measurements by Prometheus remote write.
#[utoipa::path(post, path = "/api/v1/ingest/prometheus", tag = "fleet",
    request_body(content = Vec<u8>, content_type = "application/x-protobuf"), responses(
        (status = 204, description = "Taken."),
        (status = 401, body = stratora_wire::Error, description = "`key_unknown`, `key_rotated` or `key_revoked`"),
        (status = 503, body = stratora_wire::Error, description = "`time_series_store_away` or `no_time_series_store`"),
    ))]
pub(crate) async fn prometheus(
    request: HttpRequest,
    component: AuthenticatedComponent,
    services: web::Data<Services>,
    client: web::Data<Client>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    forward(&PROMETHEUS, None, &request, &component, &services, &client, body).await
}

async fn forward(
    protocol: &Protocol,
    precision: Option<&'static str>,
    request: &HttpRequest,
    component: &AuthenticatedComponent,
    services: &Services,
    client: &Client,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let headers = request.headers();
    refuse_by_headers(protocol, headers)?;
    let id = format!("component_id={}", component.key.component().as_untyped_uuid());
    let name = format!("component={}", component.key.name());
    let mut parameters = vec![("extra_label", id.as_str()), ("extra_label", name.as_str())];
    parameters.extend(precision.map(|unit| ("precision", unit)));

    let mut forwarded = client.post(services.time_series.address(protocol.path, &parameters)?);
    for name in [CONTENT_TYPE, CONTENT_ENCODING] {
        if let Some(value) = headers.get(&name) {
            forwarded = forwarded.insert_header((name, value.clone()));
        }
    }
    let failure = Rc::new(Cell::new(None));
    let answer = forwarded.send_stream(bounded(body, Rc::clone(&failure))).await;
    if let Some(error) = failure.take() {
        return Err(error);
    }
    match answer.map_err(away)?.status() {
        status if status.is_success() => Ok(HttpResponse::NoContent().finish()),
        status if status.is_client_error() => Err(ApiError::bad_request(
            "invalid_measurements",
            "The time-series store refused the batch. Check its format, and that it is compressed as it says.",
        )),
        status => Err(away(status)),
    }
}

/// Only `precision` is taken of the sender's query: the rest could name other labels.
fn precision(request: &HttpRequest) -> Result<Option<&'static str>, ApiError> {
    const UNITS: [&str; 8] = ["ns", "n", "us", "u", "ms", "s", "m", "h"];
    let sent = form_urlencoded::parse(request.query_string().as_bytes()).find(|(name, _)| name == "precision");
    let Some((_, sent)) = sent else { return Ok(None) };
    let known = UNITS.into_iter().find(|unit| *unit == sent);
    known.map(Some).ok_or_else(|| {
        ApiError::bad_request("invalid_query", "Send as precision one of ns, us, ms, s, m and h, or leave it out.")
    })
}

fn refuse_by_headers(protocol: &Protocol, headers: &HeaderMap) -> Result<(), ApiError> {
    let known = |sent: &[u8]| protocol.encodings.iter().any(|encoding| encoding.as_bytes() == sent);
    let mut encodings = headers.get_all(CONTENT_ENCODING);
    match (encodings.next(), encodings.next()) {
        (None, _) => {}
        (Some(encoding), None) if known(encoding.as_bytes()) => {}
        _ => {
            let message = "Send the batch plain, or compressed in the way of its protocol: gzip for line protocol, \
                snappy or zstd for remote write.";
            return Err(ApiError::unsupported_media_type(message));
        }
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > MAX_BATCH) {
        return Err(ApiError::payload_too_large(MAX_BATCH));
    }
    Ok(())
}

/// Passes the body on until it ends, breaks off or gets too large. The last two end the forwarded request without an end,
/// so that the store does not take a part for the whole, and leave their reason in `failure`.
fn bounded(
    body: web::Payload,
    failure: Rc<Cell<Option<ApiError>>>,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    let mut passed = 0_usize;
    body.map(move |chunk| {
        let error = match chunk {
            Ok(chunk) => {
                passed = passed.saturating_add(chunk.len());
                if passed <= MAX_BATCH {
                    return Ok(chunk);
                }
                ApiError::payload_too_large(MAX_BATCH)
            }
            Err(_) => ApiError::of_status(StatusCode::BAD_REQUEST),
        };
        failure.set(Some(error));
        Err(std::io::Error::other("the batch was not passed on whole"))
    })
}
