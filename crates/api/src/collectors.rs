//! The configuration that a collector pulls every few seconds, and what it says about applying it.

use actix_web::http::header::{ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use stratora_actix::{
    ApiError, AuthenticatedComponent, CurrentUser, HeaderSet, Json, JsonBody, OwnComponent, PathId, TextBody,
};
use stratora_keys::{ComponentTypeKind, ETag, ReportStatus};
use stratora_wire as wire;

use crate::services::Services;
use crate::{errors, input, view};

/// The largest configuration.
const MAX_CONFIG: usize = 1024 * 1024;

/// The component's own configuration. The caller is authorised before its condition is looked at: a dead key never learns
/// that its entity tag still fits.
#[utoipa::path(get, path = "/api/v1/remote-collectors/{id}/config", tag = "fleet", params(
    ("id" = String, Path),
    ("If-None-Match" = Option<String>, Header, description = "Entity tags that the component has"),
), responses(
    (status = 200, body = String, content_type = "application/toml", headers(("ETag" = String))),
    (status = 304, description = "What the component has is the present configuration."),
    (status = 401, body = wire::Error, description = "`key_unknown`, `key_rotated` or `key_revoked`"),
    (status = 404, body = wire::Error, description = "`no_config`: none is set yet; `not_found`"),
))]
pub(crate) async fn config(
    request: HttpRequest,
    own: OwnComponent,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    HeaderSet::CollectorConfig.set_for(&request)?;
    let etag = own.0.key.config_etag().ok_or_else(no_config)?;
    if names(&request, &etag) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, etag.quoted().as_slice())).finish());
    }
    let config = services.keys.config(own.id()).await?.ok_or_else(no_config)?;
    Ok(HttpResponse::Ok()
        .content_type("application/toml")
        .insert_header((ETAG, config.etag.quoted().as_slice()))
        .body(config.body))
}

fn no_config() -> ApiError {
    ApiError::new(
        actix_web::http::StatusCode::NOT_FOUND,
        "no_config",
        "No configuration has been set for this component yet. Ask again later.",
    )
}

/// Several `If-None-Match` lines are one list. A line that is not text names nothing.
fn names(request: &HttpRequest, etag: &ETag) -> bool {
    request.headers().get_all(IF_NONE_MATCH).filter_map(|line| line.to_str().ok()).any(|line| etag.is_named_by(line))
}

/// Set a component's configuration.
#[utoipa::path(put, path = "/api/v1/remote-collectors/{id}/config", tag = "components", params(("id" = String, Path)),
    request_body(content = String, content_type = "application/toml"), responses(
        (status = 204, description = "Set."),
        (status = 404, body = wire::Error, description = "`not_found`"),
        (status = 413, body = wire::Error, description = "`payload_too_large`: more than 1 MiB"),
        (status = 422, body = wire::Error, description = "`invalid_value`: not TOML"),
    ))]
pub(crate) async fn put_config(
    user: CurrentUser,
    id: PathId<ComponentTypeKind>,
    services: web::Data<Services>,
    body: TextBody<MAX_CONFIG>,
) -> Result<HttpResponse, ApiError> {
    services.keys.put_config(id.0, body.0, &user.origin()).await.map_err(errors::put_config)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Tell how applying a configuration went.
#[utoipa::path(post, path = "/api/v1/remote-collectors/{id}/report", tag = "fleet", params(("id" = String, Path)),
    request_body = wire::ConfigReport, responses(
        (status = 204, description = "Kept."),
        (status = 422, body = wire::Error, description = "`invalid_value`"),
    ))]
pub(crate) async fn report(
    own: OwnComponent,
    services: web::Data<Services>,
    body: JsonBody<wire::ConfigReport>,
) -> Result<HttpResponse, ApiError> {
    let AuthenticatedComponent { key, .. } = &own.0;
    let status = ReportStatus::parse(&body.0.status)
        .ok_or_else(|| ApiError::invalid_field("status", "Status must be applied, validation_error or rolled_back."))?;
    let report = services.keys.new_report(&body.0.config_hash, status, &body.0.message);
    let report = report.map_err(|refused| input::refused(refused.field)(&refused.reason))?;
    services.keys.put_report(key.component(), report, &own.0.origin()).await.map_err(errors::missing_component)?;
    Ok(HttpResponse::NoContent().finish())
}

/// What a component last said about its configuration.
#[utoipa::path(get, path = "/api/v1/remote-collectors/{id}/report", tag = "components", params(("id" = String, Path)),
    responses(
        (status = 200, body = wire::LastReport),
        (status = 404, body = wire::Error, description = "`not_found`: no such component, or it has said nothing yet"),
    ))]
pub(crate) async fn last_report(
    id: PathId<ComponentTypeKind>,
    services: web::Data<Services>,
) -> Result<Json<wire::LastReport>, ApiError> {
    let report = services.keys.report(id.0).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(view::last_report(report)))
}
