//! What a component does with its key besides pulling and pushing: signs of life, and its own rotation.

use actix_web::web;
use stratora_actix::{ApiError, Json, JsonBody, OwnComponent};
use stratora_keys::{Grace, Sighting, Version};
use stratora_wire as wire;

use crate::services::Services;
use crate::{errors, input, view};

/// The longest name of an operating system.
const MAX_OS: usize = 100;

/// A sign of life.
#[utoipa::path(post, path = "/api/v1/agents/heartbeat/{id}", tag = "fleet", params(("id" = String, Path)),
    request_body = wire::Heartbeat, responses(
        (status = 200, body = wire::HeartbeatAnswer),
        (status = 401, body = wire::Error, description = "`key_unknown`, `key_rotated` or `key_revoked`"),
        (status = 422, body = wire::Error, description = "`invalid_value`"),
    ))]
pub(crate) async fn heartbeat(
    own: OwnComponent,
    services: web::Data<Services>,
    body: JsonBody<wire::Heartbeat>,
) -> Result<Json<wire::HeartbeatAnswer>, ApiError> {
    let wire::Heartbeat { hostname, version, os } = body.0;
    // Never more characters than bytes.
    let is_too_long = os.len() > MAX_OS && os.chars().nth(MAX_OS).is_some();
    if is_too_long || os.contains(char::is_control) {
        return Err(ApiError::invalid_field("os", "Os must have at most 100 characters, none of them a control."));
    }
    let now = services.clock.now();
    services.keys.sighted(Sighting {
        component: own.0.key.component(),
        at: now,
        client: Some(own.0.client()),
        hostname: Some(input::hostname(hostname)?),
        version: Some(Version::parse(version).map_err(|reason| input::refused("version")(&reason))?),
    });
    Ok(Json(wire::HeartbeatAnswer { server_time: now.to_string(), rotate: services.keys.is_due(&own.0.key, now) }))
}

/// A new key for the component that asks. The key that it asks with lives until the new one is first used, so that no crash
/// in between leaves the component without a key; it may ask again as often as it loses the new one. A key that an
/// administrator has replaced, and that lives until a deadline, gets no other.
#[utoipa::path(post, path = "/api/v1/agents/{id}/rotate", tag = "fleet", params(("id" = String, Path)), responses(
    (status = 200, body = wire::OwnKey, description = "The only time the key is seen."),
    (status = 401, body = wire::Error, description = "`key_unknown`, `key_rotated` or `key_revoked`"),
    (status = 409, body = wire::Error, description = "`key_replaced`: an administrator has made a new key"),
    (status = 429, body = wire::Error, description = "`rate_limited`"),
))]
pub(crate) async fn rotate(own: OwnComponent, services: web::Data<Services>) -> Result<Json<wire::OwnKey>, ApiError> {
    let id = own.0.key.component();
    let grace = Grace::UntilFirstUse(own.0.key.key());
    let (_, key) = services.keys.rotate(id, grace, &own.0.origin()).await.map_err(errors::issue_key)?;
    Ok(Json(view::own_key(id, &key)))
}
