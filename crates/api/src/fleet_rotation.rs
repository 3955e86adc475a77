//! The rotation of a whole fleet's keys, in waves: begun, watched and called off by administrators.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use stratora_actix::{ApiError, CurrentUser, Json};
use stratora_keys::{PlanField, Progress, StartRotationError, WavePlan};
use stratora_wire as wire;

use crate::input::OptionalJsonBody;
use crate::services::Services;
use crate::{input, view};

/// Rotate the keys of the fleet: components that report are asked in waves to rotate their keys themselves. A wave begins when
/// the one before uses its new keys, or was waited for long enough; when too many components go silent or are refused, it stops
/// by itself.
#[utoipa::path(post, path = "/api/v1/remote-components/rotate-fleet", tag = "components",
    request_body = Option<wire::StartFleetRotation>, responses(
        (status = 202, body = wire::FleetRotation, description = "It has begun."),
        (status = 409, body = wire::Error, description = "`fleet_rotation_runs`"),
        (status = 422, body = wire::Error, description = "`invalid_value`"),
    ))]
pub(crate) async fn start(
    user: CurrentUser,
    services: web::Data<Services>,
    body: OptionalJsonBody<wire::StartFleetRotation>,
) -> Result<HttpResponse, ApiError> {
    let body = body.0.unwrap_or_default();
    let kind = body.kind.as_deref().map(input::component_kind).transpose()?;
    let plan = WavePlan::new(kind, body.wave_size, body.max_refused_percent, body.wave_timeout_seconds)
        .map_err(|reason| input::refused(field(reason.field))(&reason))?;
    // A rotation takes those who were seen lately: whoever has just come is known in memory only.
    services.keys.flush().await?;
    let progress = services.fleet_rotations.start(plan, &user.origin()).await.map_err(not_started)?;
    Ok(HttpResponse::Accepted().json(view::fleet_rotation(&progress)))
}

/// How far the rotation of the fleet is that runs, or the last one before.
#[utoipa::path(get, path = "/api/v1/remote-components/rotate-fleet", tag = "components", responses(
    (status = 200, body = wire::FleetRotation),
    (status = 404, body = wire::Error, description = "`no_fleet_rotation`: there never was one"),
))]
pub(crate) async fn progress(services: web::Data<Services>) -> Result<Json<wire::FleetRotation>, ApiError> {
    shown(services.fleet_rotations.progress().await?, "The fleet's keys have never been rotated.")
}

/// Call the rotation of the fleet off: nobody else is asked. Components that were asked already rotate their keys.
#[utoipa::path(delete, path = "/api/v1/remote-components/rotate-fleet", tag = "components", responses(
    (status = 200, body = wire::FleetRotation, description = "It is cancelled."),
    (status = 404, body = wire::Error, description = "`no_fleet_rotation`: none runs"),
))]
pub(crate) async fn cancel(
    user: CurrentUser,
    services: web::Data<Services>,
) -> Result<Json<wire::FleetRotation>, ApiError> {
    shown(services.fleet_rotations.cancel(&user.origin()).await?, "No rotation of the fleet runs.")
}

fn shown(progress: Option<Progress>, none: &'static str) -> Result<Json<wire::FleetRotation>, ApiError> {
    let progress = progress.ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "no_fleet_rotation", none))?;
    Ok(Json(view::fleet_rotation(&progress)))
}

const fn field(field: PlanField) -> &'static str {
    match field {
        PlanField::Size => "wave_size",
        PlanField::MaxRefusedPercent => "max_refused_percent",
        PlanField::TimeoutSeconds => "wave_timeout_seconds",
    }
}

fn not_started(error: StartRotationError) -> ApiError {
    match error {
        StartRotationError::Runs => ApiError::conflict(
            "fleet_rotation_runs",
            "The fleet is being rotated already. Wait for it, or call it off.",
        ),
        StartRotationError::Entropy(error) => ApiError::unavailable(error),
        StartRotationError::Store(error) => error.into(),
    }
}
