//! Signing in and out, one's own password and one's own sessions.

use actix_web::http::header::USER_AGENT;
use actix_web::{HttpRequest, HttpResponse, web};
use stratora_actix::{ApiError, CurrentUser, DeviceCookie, Json, JsonBody, PathId, RequestContext, SessionCookie};
use stratora_audit::Origin;
use stratora_auth::{ClientContext, Credentials, SessionKind, SignedIn};
use stratora_wire as wire;

use crate::services::Services;
use crate::{errors, input, view};

/// Sign in with a password.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "session", request_body = wire::Login, responses(
    (status = 200, body = wire::SignedIn, description = "Signed in. Also sets the session and device cookies."),
    (status = 401, body = wire::Error, description = "`invalid_credentials`"),
    (status = 422, body = wire::Error, description = "`invalid_value`"),
    (status = 429, body = wire::Error, description = "`rate_limited` or `account_throttled`"),
    (status = 503, body = wire::Error, description = "`busy` or `unavailable`"),
))]
pub(crate) async fn login(
    request: HttpRequest,
    context: RequestContext,
    services: web::Data<Services>,
    body: JsonBody<wire::Login>,
) -> Result<HttpResponse, ApiError> {
    let credentials = Credentials {
        username: input::username(&body.0.username)?,
        password: input::password("password", &body.0.password)?,
    };
    let client = client(&request, context.origin(), &services);
    let signed_in = services.sign_in.with_password(credentials, &client).await.map_err(errors::sign_in)?;
    Ok(signed_in_answer(&signed_in, &services))
}

/// End the session that asks.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "session", responses(
    (status = 204, description = "Signed out; the session cookie is cleared."),
    (status = 401, body = wire::Error, description = "`unauthenticated`"),
))]
pub(crate) async fn logout(user: CurrentUser, services: web::Data<Services>) -> Result<HttpResponse, ApiError> {
    services.sessions.sign_out(&user.session, &user.origin()).await.map_err(errors::missing_session)?;
    Ok(HttpResponse::NoContent()
        .insert_header(SessionCookie::clear())
        .insert_header(("Clear-Site-Data", "\"storage\""))
        .finish())
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/auth/me", tag = "session", responses(
    (status = 200, body = wire::Me),
    (status = 401, body = wire::Error, description = "`unauthenticated`"),
))]
pub(crate) async fn me(user: CurrentUser) -> Json<view::Myself> {
    Json(view::Myself(user.session))
}

/// Change one's own password. Every other session of the user ends.
#[utoipa::path(post, path = "/api/v1/auth/change-password", tag = "session", request_body = wire::ChangePassword,
    responses(
        (status = 200, body = wire::SignedIn, description = "Changed; the old session is replaced by a new one."),
        (status = 401, body = wire::Error, description = "`unauthenticated`"),
        (status = 403, body = wire::Error, description = "`wrong_password`"),
        (status = 422, body = wire::Error, description = "`invalid_value`: why the new password was refused"),
        (status = 429, body = wire::Error, description = "`rate_limited` or `account_throttled`"),
    ))]
pub(crate) async fn change_password(
    request: HttpRequest,
    user: CurrentUser,
    services: web::Data<Services>,
    body: JsonBody<wire::ChangePassword>,
) -> Result<HttpResponse, ApiError> {
    let current = input::password("current_password", &body.0.current_password)?;
    let new = input::password("new_password", &body.0.new_password)?;
    let client = client(&request, user.origin(), &services);
    let signed_in = services
        .users
        .change_own_password(&user.session, current, new, &client)
        .await
        .map_err(errors::change_password)?;
    Ok(signed_in_answer(&signed_in, &services))
}

/// One's own sessions, the newest first.
#[utoipa::path(get, path = "/api/v1/auth/sessions", tag = "session", responses(
    (status = 200, body = [wire::Session]),
    (status = 401, body = wire::Error, description = "`unauthenticated`"),
))]
pub(crate) async fn sessions(
    user: CurrentUser,
    services: web::Data<Services>,
) -> Result<Json<Vec<wire::Session>>, ApiError> {
    let own = user.session.id;
    let sessions = services.sessions.of_user(user.session.user.id).await?;
    Ok(Json(sessions.iter().map(|session| view::session(session, Some(own))).collect()))
}

/// End one of one's own sessions.
#[utoipa::path(delete, path = "/api/v1/auth/sessions/{id}", tag = "session", params(("id" = String, Path)), responses(
    (status = 204, description = "Ended."),
    (status = 404, body = wire::Error, description = "`not_found`"),
))]
pub(crate) async fn end_session(
    user: CurrentUser,
    id: PathId<SessionKind>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services.sessions.end(user.session.user.id, id.0, &user.origin()).await.map_err(errors::missing_session)?;
    Ok(HttpResponse::NoContent().finish())
}

/// End all of one's own sessions but the one that asks.
#[utoipa::path(delete, path = "/api/v1/auth/sessions", tag = "session", responses(
    (status = 204, description = "Ended."),
))]
pub(crate) async fn end_other_sessions(
    user: CurrentUser,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let own = user.session.id;
    services.sessions.end_all(user.session.user.id, Some(own), &user.origin()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Where a sign-in comes from.
pub(crate) fn client(request: &HttpRequest, origin: Origin, services: &Services) -> ClientContext {
    let user_agent = request.headers().get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    ClientContext {
        origin,
        user_agent: user_agent.unwrap_or_default().into_owned(),
        device: DeviceCookie::read(request.headers(), &services.devices, services.clock.now()),
    }
}

fn signed_in_answer(signed_in: &SignedIn, services: &Services) -> HttpResponse {
    let user = signed_in.account.clone().into();
    HttpResponse::Ok()
        .append_header(SessionCookie::issue(&signed_in.cookie, services.timeouts.absolute))
        .append_header(DeviceCookie::issue(&services.devices, signed_in.device))
        .json(view::signed_in(signed_in, &user))
}
