//! Where signing in through an identity provider starts and returns. As long as no provider is configured, every flow
//! ends where the specification sends one that fails: on the sign-in page, with a code and a reference.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use stratora_actix::{ApiError, RequestContext};
use stratora_audit::{Action, Outcome};
use stratora_wire as wire;

use crate::services::Services;

/// The providers that people can sign in through.
#[utoipa::path(get, path = "/api/v1/auth/providers", tag = "session", responses((status = 200, body = [wire::Provider])))]
pub(crate) async fn list() -> web::Json<Vec<wire::Provider>> {
    web::Json(Vec::new())
}

/// Start signing in through a provider.
#[utoipa::path(get, path = "/api/v1/auth/oidc/authorize/{id}", tag = "session", params(("id" = String, Path)), responses(
    (status = 303, description = "To the sign-in page, with a code and a reference: no such provider."),
    (status = 429, body = wire::Error, description = "`rate_limited`"),
))]
pub(crate) async fn authorize(
    context: RequestContext,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    failed("provider_unknown", &context, &services).await
}

/// Return from a provider.
#[utoipa::path(get, path = "/api/v1/auth/oidc/callback", tag = "session", responses(
    (status = 303, description = "To the sign-in page, with a code and a reference: no such sign-in was started."),
    (status = 429, body = wire::Error, description = "`rate_limited`"),
))]
pub(crate) async fn callback(context: RequestContext, services: web::Data<Services>) -> Result<HttpResponse, ApiError> {
    failed("state_invalid", &context, &services).await
}

/// Start signing in with the only provider, or go to the sign-in page.
#[utoipa::path(get, path = "/api/v1/auth/sso", tag = "session", responses(
    (status = 303, description = "To the provider, if there is exactly one; else to the sign-in page."),
    (status = 429, body = wire::Error, description = "`rate_limited`"),
))]
pub(crate) async fn sso() -> HttpResponse {
    see_other("/login".to_owned())
}

/// The short address for a provider's application tile.
pub(crate) async fn sso_tile() -> HttpResponse {
    see_other("/api/v1/auth/sso".to_owned())
}

async fn failed(code: &str, context: &RequestContext, services: &Services) -> Result<HttpResponse, ApiError> {
    let event = context.origin().event(services.clock.now(), Action::SignIn);
    services.audit.append(event.ended(Outcome::Failure).with("method", "oidc").with("reason", code)).await?;
    Ok(see_other(format!("/login#error={code}&ref={}", context.request_id)))
}

fn see_other(location: String) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}
