//! How components come in by themselves: enrollment tokens, registration, and who asks for the place of a component.

use actix_web::http::header::HeaderName;
use actix_web::{HttpRequest, HttpResponse, web};
use stratora_actix::{
    ApiError, AuthenticatedComponent, CurrentUser, Gate, Json, JsonBody, PathId, ProvenComponent, QueryParams,
    RequestContext,
};
use stratora_audit::{Action, Event, Outcome, ResourceKind};
use stratora_clock::Timestamp;
use stratora_keys::{
    Allowance, Call, ComponentTypeKind, Description, EnrollmentSecret, EnrollmentTokenTypeKind, IdempotencyKey,
    NewTokenRequest, RefusedRegistration, RegistrationError, Validity, Version,
};
use stratora_wire as wire;

use crate::input::OptionalJsonBody;
use crate::services::Services;
use crate::{errors, input, view};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Create an enrollment token. The answer is the only time its value is seen.
#[utoipa::path(post, path = "/api/v1/enrollment-tokens", tag = "enrollment", request_body = wire::CreateEnrollmentToken,
    responses(
        (status = 201, body = wire::CreatedEnrollmentToken),
        (status = 422, body = wire::Error, description = "`invalid_value`"),
    ))]
pub(crate) async fn create_token(
    user: CurrentUser,
    services: web::Data<Services>,
    body: JsonBody<wire::CreateEnrollmentToken>,
) -> Result<HttpResponse, ApiError> {
    let body = body.0;
    let validity = match body.expires_in_seconds {
        None => Validity::default(),
        Some(seconds) => Validity::of_seconds(seconds).ok_or_else(|| {
            let message =
                "Send as expires_in_seconds a number up to 31536000, 0 for a token without an end, or leave it out.";
            ApiError::invalid_field("expires_in_seconds", message)
        })?,
    };
    let request = NewTokenRequest {
        description: Description::parse(&body.description).map_err(|reason| input::refused("description")(&reason))?,
        allowance: Allowance::of(body.multi_use, body.max_uses)
            .map_err(|reason| input::refused("max_uses")(&reason))?,
        validity,
    };
    let (token, secret) =
        services.enrollment.create_token(request, &user.origin()).await.map_err(errors::registration)?;
    Ok(HttpResponse::Created().json(wire::CreatedEnrollmentToken {
        token: view::enrollment_token(&token),
        enrollment_token: secret.expose().to_string(),
    }))
}

/// All enrollment tokens, the newest first; never their values.
#[utoipa::path(get, path = "/api/v1/enrollment-tokens", tag = "enrollment", params(wire::PageQuery), responses(
    (status = 200, body = wire::Page<wire::EnrollmentToken>),
    (status = 400, body = wire::Error, description = "`invalid_query`"),
))]
pub(crate) async fn tokens(
    services: web::Data<Services>,
    query: QueryParams<wire::PageQuery>,
) -> Result<Json<wire::Page<wire::EnrollmentToken>>, ApiError> {
    let page = input::page(query.0.limit, query.0.cursor.as_deref())?;
    let tokens = services.enrollment.tokens(&page).await?;
    Ok(Json(view::page(tokens, |token| view::enrollment_token(&token))))
}

/// Delete an enrollment token. Components that came in with it stay.
#[utoipa::path(delete, path = "/api/v1/enrollment-tokens/{id}", tag = "enrollment", params(("id" = String, Path)),
    responses(
        (status = 204, description = "Deleted: nobody registers with it from now on."),
        (status = 404, body = wire::Error, description = "`not_found`"),
    ))]
pub(crate) async fn delete_token(
    user: CurrentUser,
    id: PathId<EnrollmentTokenTypeKind>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services.enrollment.delete_token(id.0, &user.origin()).await.map_err(errors::missing_token)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Register a component with an enrollment token. The answer is the only time its key is seen. For a host that is known the
/// component keeps its place and is given a new key, if the caller sends the present one in `X-API-Key` or an administrator
/// has approved it; the old key is dead at once.
#[utoipa::path(post, path = "/api/v1/components/register", tag = "enrollment", request_body = wire::Register,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "22 to 128 visible ASCII characters that nobody can \
            guess: the same call with the same one is answered again, with another key, until a key of it was used."),
        ("X-API-Key" = Option<String>, Header, description = "The present key, of a component that is known already."),
    ),
    responses(
        (status = 200, body = wire::OwnKey, description = "A component that was there has this new key."),
        (status = 201, body = wire::OwnKey, description = "A new component; with `enrollment.require_approval` it waits."),
        (status = 400, body = wire::Error, description = "`invalid_idempotency_key`, or the body does not read"),
        (status = 401, body = wire::Error, description = "`enrollment_token_unknown`"),
        (status = 409, body = wire::Error, description = "`component_exists` until an administrator approves, or `name_taken`"),
        (status = 410, body = wire::Error, description = "`enrollment_token_used` or `enrollment_token_expired`"),
        (status = 422, body = wire::Error, description = "`invalid_value`"),
        (status = 429, body = wire::Error, description = "`rate_limited`"),
    ))]
pub(crate) async fn register(
    request: HttpRequest,
    proof: ProvenComponent,
    services: web::Data<Services>,
    gate: web::Data<Gate>,
    body: JsonBody<wire::Register>,
) -> Result<HttpResponse, ApiError> {
    let (call, context) = call(&request, proof, &services, &body.0)?;
    let registered = match call {
        Some(call) => services.enrollment.register(&call).await,
        None => Err(RefusedRegistration::UnknownToken.into()),
    };
    let registered = match registered {
        Ok(registered) => registered,
        Err(error) => {
            if let Some(event) = refusal(&error, &context, services.clock.now()) {
                gate.refusals.write_seldom(event, context.client.key()).await;
            }
            return Err(errors::registration(error));
        }
    };
    let mut response = if registered.admission.is_new() { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(response.json(view::own_key(registered.component.id, &registered.key)))
}

/// What the request asks for; no call when its token cannot be one.
fn call(
    request: &HttpRequest,
    proof: ProvenComponent,
    services: &Services,
    body: &wire::Register,
) -> Result<(Option<Call>, RequestContext), ApiError> {
    let context = RequestContext::of(request)?;
    let origin = proof.0.as_ref().map_or_else(|| context.origin(), AuthenticatedComponent::origin);
    let repeat = idempotency_key(request)?;
    let hostname = input::hostname(&body.hostname)?;
    let kind = input::kind_of_component("component_type", &body.component_type)?;
    let version = Version::parse(&body.version).map_err(|reason| input::refused("version")(&reason))?;
    let call = EnrollmentSecret::parse(&body.enrollment_token).map(|token| Call {
        token: token.digest(),
        hostname,
        kind,
        version,
        repeat,
        proof: proof.0.map(|component| component.key.key()),
        origin,
        at: services.clock.now(),
    });
    Ok((call, context))
}

fn idempotency_key(request: &HttpRequest) -> Result<Option<IdempotencyKey>, ApiError> {
    let mut lines = request.headers().get_all(&IDEMPOTENCY_KEY);
    let parsed = match (lines.next(), lines.next()) {
        (None, _) => return Ok(None),
        (Some(line), None) => IdempotencyKey::parse(line.as_bytes()).ok(),
        (Some(_), Some(_)) => None,
    };
    let message =
        "Send as Idempotency-Key 22 to 128 visible ASCII characters that nobody can guess, once, or leave it out.";
    parsed.map(Some).ok_or_else(|| ApiError::bad_request("invalid_idempotency_key", message))
}

/// What is written down about a refused call. That a component exists is written together with the request.
fn refusal(error: &RegistrationError, context: &RequestContext, now: Timestamp) -> Option<Event> {
    let RegistrationError::Refused(refused) = error else { return None };
    let reason = errors::refused_registration(*refused);
    if matches!(refused, RefusedRegistration::Exists { .. }) {
        return None;
    }
    let event = context.origin().event(now, Action::ComponentRegister).ended(Outcome::Denied);
    let endpoint = "POST /api/v1/components/register";
    Some(event.on(ResourceKind::Endpoint, None, endpoint).with("reason", reason.code()))
}

/// Approve that whoever asked for a component's place at `requested_at` is given it, for 24 hours and once: the key that the
/// component has ends then. Without that time: let a pending component in with the key that it has, and of any other one
/// approve whatever request there is.
#[utoipa::path(post, path = "/api/v1/remote-components/{id}/approve", tag = "enrollment", params(("id" = String, Path)),
    request_body = Option<wire::ApproveComponent>, responses(
        (status = 200, body = wire::Component),
        (status = 404, body = wire::Error, description = "`not_found`"),
        (status = 409, body = wire::Error,
            description = "`component_active` or `component_revoked`: nobody asks for its place; or `request_changed`: \
                nobody asked for it then"),
        (status = 422, body = wire::Error, description = "`invalid_value`"),
    ))]
pub(crate) async fn approve(
    user: CurrentUser,
    id: PathId<ComponentTypeKind>,
    services: web::Data<Services>,
    body: OptionalJsonBody<wire::ApproveComponent>,
) -> Result<Json<wire::Component>, ApiError> {
    let time = |text: String| {
        let message = "Send as requested_at the requested_at of the request that you have seen, or leave it out.";
        text.parse::<Timestamp>().map_err(|_| ApiError::invalid_field("requested_at", message))
    };
    let requested_at = body.0.and_then(|body| body.requested_at).map(time).transpose()?;
    let approved = services.enrollment.approve(id.0, requested_at, &user.origin()).await.map_err(errors::approve)?;
    Ok(Json(view::component(&approved, services.clock.now())))
}

/// Who asks for the place of a component, the latest first.
#[utoipa::path(get, path = "/api/v1/enrollment-requests", tag = "enrollment", params(wire::PageQuery), responses(
    (status = 200, body = wire::Page<wire::EnrollmentRequest>),
    (status = 400, body = wire::Error, description = "`invalid_query`"),
))]
pub(crate) async fn requests(
    services: web::Data<Services>,
    query: QueryParams<wire::PageQuery>,
) -> Result<Json<wire::Page<wire::EnrollmentRequest>>, ApiError> {
    let page = input::page(query.0.limit, query.0.cursor.as_deref())?;
    let (requests, now) = (services.enrollment.requests(&page).await?, services.clock.now());
    Ok(Json(view::page(requests, |waiting| view::enrollment_request(&waiting, now))))
}

/// Put aside that somebody asks for the place of this component, approved or not.
#[utoipa::path(delete, path = "/api/v1/enrollment-requests/{id}", tag = "enrollment", params(("id" = String, Path)),
    responses(
        (status = 204, description = "Put aside, until somebody asks again."),
        (status = 404, body = wire::Error, description = "`not_found`"),
    ))]
pub(crate) async fn dismiss(
    user: CurrentUser,
    id: PathId<ComponentTypeKind>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services.enrollment.dismiss(id.0, &user.origin()).await.map_err(errors::missing_request)?;
    Ok(HttpResponse::NoContent().finish())
}
