//! Queries to the time-series store on behalf of people who are signed in.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, web};
use awc::Client;
use serde::Deserialize;
use stratora_actix::{ApiError, QueryParams};

use crate::services::Services;
use crate::time_series::away;

/// An instant query.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstantQuery {
    /// What to compute, in `MetricsQL` or `PromQL`.
    query: String,
    /// For which instant: seconds since the Unix epoch, or RFC 3339. Now, when absent.
    time: Option<String>,
}

/// A query over a range of time.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RangeQuery {
    /// What to compute, in `MetricsQL` or `PromQL`.
    query: String,
    /// From when: seconds since the Unix epoch, or RFC 3339.
    start: String,
    /// Until when. Now, when absent.
    end: Option<String>,
    /// In steps of how long, such as `30s`.
    step: Option<String>,
}

/// Compute a value for one instant.
#[utoipa::path(get, path = "/api/v1/metrics/query", tag = "metrics", params(InstantQuery), responses(
    (status = 200, description = "The answer of Prometheus's HTTP API."),
    (status = 400, body = stratora_wire::Error, description = "`invalid_query`"),
    (status = 503, body = stratora_wire::Error, description = "`time_series_store_away` or `no_time_series_store`"),
))]
pub(crate) async fn query(
    services: web::Data<Services>,
    client: web::Data<Client>,
    query: QueryParams<InstantQuery>,
) -> Result<HttpResponse, ApiError> {
    let InstantQuery { query, time } = &query.0;
    let mut parameters = vec![("query", query.as_str())];
    parameters.extend(time.as_deref().map(|time| ("time", time)));
    ask(&services, &client, "/api/v1/query", &parameters).await
}

/// Compute values over a range of time.
#[utoipa::path(get, path = "/api/v1/metrics/query_range", tag = "metrics", params(RangeQuery), responses(
    (status = 200, description = "The answer of Prometheus's HTTP API."),
    (status = 400, body = stratora_wire::Error, description = "`invalid_query`"),
    (status = 503, body = stratora_wire::Error, description = "`time_series_store_away` or `no_time_series_store`"),
))]
pub(crate) async fn query_range(
    services: web::Data<Services>,
    client: web::Data<Client>,
    query: QueryParams<RangeQuery>,
) -> Result<HttpResponse, ApiError> {
    let RangeQuery { query, start, end, step } = &query.0;
    let mut parameters = vec![("query", query.as_str()), ("start", start.as_str())];
    parameters.extend(end.as_deref().map(|end| ("end", end)));
    parameters.extend(step.as_deref().map(|step| ("step", step)));
    ask(&services, &client, "/api/v1/query_range", &parameters).await
}

async fn ask(
    services: &Services,
    client: &Client,
    path: &str,
    parameters: &[(&str, &str)],
) -> Result<HttpResponse, ApiError> {
    let answer = client.get(services.time_series.address(path, parameters)?).send().await.map_err(away)?;
    match answer.status() {
        status if status.is_success() => {
            Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json; charset=utf-8")).streaming(answer))
        }
        // What the store says repeats the query.
        status if status.is_client_error() => Err(ApiError::bad_request(
            "invalid_query",
            "The time-series store refused the query. Check its syntax, its times and its step.",
        )),
        status => Err(away(status)),
    }
}
