//! Whether the server lives, and whether it can do its work: for load balancers and service managers.

use actix_web::{HttpResponse, web};
use stratora_actix::ApiError;

use crate::services::Services;

/// The process answers.
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 200, description = "It lives.")))]
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "live"}))
}

/// The store answers too.
#[utoipa::path(get, path = "/health/ready", tag = "health", responses(
    (status = 200, description = "It can do its work."),
    (status = 503, body = stratora_wire::Error, description = "`unavailable`"),
))]
pub(crate) async fn ready(services: web::Data<Services>) -> Result<HttpResponse, ApiError> {
    services.readiness.check().await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({"status": "ready"})))
}
