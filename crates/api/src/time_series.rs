//! The client of the time-series store. VictoriaMetrics has no authentication of its own: it listens on loopback, and this
//! is the only way to it. Redirects are not followed.

use std::time::Duration;

use actix_web::http::StatusCode;
use awc::Client;
use stratora_actix::ApiError;

/// How long connecting may take, on the same host.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the store may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the time-series store is, if there is one.
#[derive(Debug, Clone, Default)]
pub struct TimeSeries {
    url: Option<String>,
}

impl TimeSeries {
    /// The store at `url`, such as `http://127.0.0.1:8428`.
    pub fn at(url: &str) -> Self {
        Self { url: Some(url.trim_end_matches('/').to_owned()) }
    }

    /// No store: what needs one answers 503 and says why.
    pub const fn none() -> Self {
        Self { url: None }
    }

    /// The address of `path` with `parameters`.
    ///
    /// # Errors
    /// 503 when there is no store.
    pub(crate) fn address(&self, path: &str, parameters: &[(&str, &str)]) -> Result<String, ApiError> {
        let base = self.url.as_deref().ok_or_else(|| {
            ApiError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "no_time_series_store",
                "This server has no time-series store. Its operator sets victoriametrics.url in config.yaml.",
            )
            .with_retry_after(Duration::from_mins(1))
        })?;
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        Ok(format!("{base}{path}?{query}"))
    }
}

/// A client for one worker.
pub(crate) fn client() -> Client {
    Client::builder()
        .connector(awc::Connector::new().timeout(CONNECT_TIMEOUT))
        .timeout(ANSWER_TIMEOUT)
        .disable_redirects()
        .no_default_headers()
        .finish()
}

/// 503 while the store is away.
pub(crate) fn away(cause: impl std::fmt::Display) -> ApiError {
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "time_series_store_away",
        "The time-series store does not answer. Keep the data and try again later.",
    )
    .with_retry_after(Duration::from_secs(10))
    .caused_by(cause.to_string())
}
