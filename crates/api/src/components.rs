//! The administration of components and their keys.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use stratora_actix::{ApiError, CurrentUser, Json, JsonBody, PathId, QueryParams, RequestContext};
use stratora_keys::{
    ApiKey, ComponentFilter, ComponentKind, ComponentTypeKind, ComponentUpdate, Grace, NewComponentRequest, Status,
};
use stratora_wire as wire;

use crate::input::OptionalJsonBody;
use crate::services::Services;
use crate::{errors, input, view};

/// The longest grace: a month, which a fleet needs that is switched on only now and then.
const LONGEST_GRACE: u32 = 30 * 24 * 60 * 60;

/// The components that match, by name.
#[utoipa::path(get, path = "/api/v1/remote-components", tag = "components", params(wire::ComponentQuery), responses(
    (status = 200, body = wire::Page<wire::Component>),
    (status = 400, body = wire::Error, description = "`invalid_query`"),
))]
pub(crate) async fn list(
    services: web::Data<Services>,
    query: QueryParams<wire::ComponentQuery>,
) -> Result<Json<wire::Page<wire::Component>>, ApiError> {
    let query = query.0;
    let kind = |text: String| {
        ComponentKind::parse(&text).ok_or_else(|| input::bad_parameter("Send as kind either agent or collector."))
    };
    let status = |text: String| {
        let message = "Send as status one of pending, active, offline and revoked.";
        Status::parse(&text).ok_or_else(|| input::bad_parameter(message))
    };
    let filter = ComponentFilter {
        kind: query.kind.map(kind).transpose()?,
        status: query.status.map(status).transpose()?,
        text: input::search_text(query.q)?,
    };
    let page = input::page(query.limit, query.cursor.as_deref())?;
    let now = services.clock.now();
    let components = services.keys.page(&filter, &page).await?;
    Ok(Json(view::page(components, |component| view::component(&component, now))))
}

/// Create a component. The answer is the only time its key is seen.
#[utoipa::path(post, path = "/api/v1/remote-components", tag = "components", request_body = wire::CreateComponent,
    responses(
        (status = 201, body = wire::ComponentWithKey),
        (status = 409, body = wire::Error, description = "`name_taken`"),
        (status = 422, body = wire::Error, description = "`invalid_value`"),
    ))]
pub(crate) async fn create(
    user: CurrentUser,
    services: web::Data<Services>,
    body: JsonBody<wire::CreateComponent>,
) -> Result<HttpResponse, ApiError> {
    let request = NewComponentRequest {
        name: input::component_name(&body.0.name)?,
        kind: input::component_kind(&body.0.kind)?,
        hostname: body.0.hostname.as_deref().map(input::hostname).transpose()?,
    };
    let (component, key) = services.keys.create(request, &user.origin()).await.map_err(errors::issue_key)?;
    Ok(HttpResponse::Created().json(view::component_with_key(&component, &key, services.clock.now())))
}

/// One component.
#[utoipa::path(get, path = "/api/v1/remote-components/{id}", tag = "components", params(("id" = String, Path)),
    responses(
        (status = 200, body = wire::Component),
        (status = 404, body = wire::Error, description = "`not_found`"),
    ))]
pub(crate) async fn read(
    id: PathId<ComponentTypeKind>,
    services: web::Data<Services>,
) -> Result<Json<wire::Component>, ApiError> {
    let component = services.keys.find(id.0).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(view::component(&component, services.clock.now())))
}

/// Change what describes a component.
#[utoipa::path(patch, path = "/api/v1/remote-components/{id}", tag = "components", params(("id" = String, Path)),
    request_body = wire::UpdateComponent, responses(
        (status = 200, body = wire::Component),
        (status = 404, body = wire::Error, description = "`not_found`"),
        (status = 409, body = wire::Error, description = "`name_taken`"),
        (status = 422, body = wire::Error, description = "`invalid_value`"),
    ))]
pub(crate) async fn update(
    user: CurrentUser,
    id: PathId<ComponentTypeKind>,
    services: web::Data<Services>,
    body: JsonBody<wire::UpdateComponent>,
) -> Result<Json<wire::Component>, ApiError> {
    let update = ComponentUpdate {
        name: body.0.name.as_deref().map(input::component_name).transpose()?,
        hostname: body.0.hostname.map(|text| text.as_deref().map(input::hostname).transpose()).transpose()?,
    };
    let component = services.keys.update(id.0, update, &user.origin()).await.map_err(errors::change_component)?;
    Ok(Json(view::component(&component, services.clock.now())))
}

/// Delete a component, its keys and its configuration.
#[utoipa::path(delete, path = "/api/v1/remote-components/{id}", tag = "components", params(("id" = String, Path)),
    responses(
        (status = 204, description = "Deleted."),
        (status = 404, body = wire::Error, description = "`not_found`"),
    ))]
pub(crate) async fn delete(
    user: CurrentUser,
    id: PathId<ComponentTypeKind>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services.keys.delete(id.0, &user.origin()).await.map_err(errors::missing_component)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Give a component a new key. The answer is the only time it is seen; the old one is dead, unless a grace was asked for.
#[utoipa::path(post, path = "/api/v1/remote-components/{id}/rotate", tag = "components", params(("id" = String, Path)),
    request_body = Option<wire::RotateComponent>, responses(
        (status = 200, body = wire::ComponentWithKey),
        (status = 404, body = wire::Error, description = "`not_found`"),
        (status = 409, body = wire::Error, description = "`component_revoked`"),
        (status = 422, body = wire::Error, description = "`invalid_value`"),
    ))]
pub(crate) async fn rotate(
    user: CurrentUser,
    id: PathId<ComponentTypeKind>,
    services: web::Data<Services>,
    body: OptionalJsonBody<wire::RotateComponent>,
) -> Result<Json<wire::ComponentWithKey>, ApiError> {
    let grace = match body.0.and_then(|body| body.grace_seconds) {
        None => Grace::None,
        Some(seconds @ 1..=LONGEST_GRACE) => Grace::For(Duration::from_secs(seconds.into())),
        Some(_) => {
            let message = "Send as grace_seconds a number from 1 to 2592000, or leave it out.";
            return Err(ApiError::invalid_field("grace_seconds", message));
        }
    };
    let (component, key) = services.keys.rotate(id.0, grace, &user.origin()).await.map_err(errors::issue_key)?;
    Ok(Json(view::component_with_key(&component, &key, services.clock.now())))
}

/// Ask a component to rotate its key by itself: the answer to its next heartbeat says so.
#[utoipa::path(post, path = "/api/v1/remote-components/{id}/request-rotation", tag = "components",
    params(("id" = String, Path)), responses(
        (status = 200, body = wire::Component),
        (status = 404, body = wire::Error, description = "`not_found`"),
        (status = 409, body = wire::Error, description = "`component_pending` or `component_revoked`"),
    ))]
pub(crate) async fn request_rotation(
    user: CurrentUser,
    id: PathId<ComponentTypeKind>,
    services: web::Data<Services>,
) -> Result<Json<wire::Component>, ApiError> {
    let component = services.keys.request_rotation(id.0, &user.origin()).await.map_err(errors::change_component)?;
    Ok(Json(view::component(&component, services.clock.now())))
}

/// End all keys of a component, at once.
#[utoipa::path(post, path = "/api/v1/remote-components/{id}/revoke", tag = "components", params(("id" = String, Path)),
    responses(
        (status = 200, body = wire::Component, description = "Revoked: no request that starts now is let in."),
        (status = 404, body = wire::Error, description = "`not_found`"),
    ))]
pub(crate) async fn revoke(
    user: CurrentUser,
    id: PathId<ComponentTypeKind>,
    services: web::Data<Services>,
) -> Result<Json<wire::Component>, ApiError> {
    let component = services.keys.revoke(id.0, &user.origin()).await.map_err(errors::missing_component)?;
    Ok(Json(view::component(&component, services.clock.now())))
}

/// Let a revoked component in again with a new key. The answer is the only time it is seen.
#[utoipa::path(post, path = "/api/v1/remote-components/{id}/restore", tag = "components", params(("id" = String, Path)),
    responses(
        (status = 200, body = wire::ComponentWithKey),
        (status = 404, body = wire::Error, description = "`not_found`"),
        (status = 409, body = wire::Error, description = "`component_active` or `component_pending`"),
    ))]
pub(crate) async fn restore(
    user: CurrentUser,
    id: PathId<ComponentTypeKind>,
    services: web::Data<Services>,
) -> Result<Json<wire::ComponentWithKey>, ApiError> {
    let (component, key) = services.keys.restore(id.0, &user.origin()).await.map_err(errors::issue_key)?;
    Ok(Json(view::component_with_key(&component, &key, services.clock.now())))
}

/// Report a leaked key. Whoever holds it can end it; the answer tells nothing about it.
#[utoipa::path(post, path = "/api/v1/keys/report-leak", tag = "components", request_body = wire::LeakReport, responses(
    (status = 202, description = "Taken note of."),
    (status = 429, body = wire::Error, description = "`rate_limited`"),
))]
pub(crate) async fn report_leak(
    context: RequestContext,
    services: web::Data<Services>,
    body: JsonBody<wire::LeakReport>,
) -> Result<HttpResponse, ApiError> {
    // What is no key cannot have leaked; the answer does not say so.
    if let Ok(key) = ApiKey::parse(&body.0.api_key) {
        services.keys.report_leak(&key, &context.origin()).await?;
    }
    Ok(HttpResponse::Accepted().finish())
}
