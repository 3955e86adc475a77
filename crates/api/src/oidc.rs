//! Signing in through an identity provider, as a browser is led: out to the provider, back, and on to the console. Whatever
//! goes wrong ends on the sign-in page, with a code and a reference.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use stratora_actix::{
    ApiError, CurrentUser, DeviceCookie, FormBody, Json, PathId, RequestContext, SessionCookie, TransactionCookie,
};
use stratora_auth::SignedIn;
use stratora_federation::{CallbackParameters, ProviderKind, Refused, Started};
use stratora_wire as wire;

use crate::services::Services;
use crate::{errors, session, view};

/// The providers that people can sign in through.
#[utoipa::path(get, path = "/api/v1/auth/providers", tag = "session", responses((status = 200, body = [wire::Provider])))]
pub(crate) async fn list(services: web::Data<Services>) -> Result<Json<Vec<wire::Provider>>, ApiError> {
    Ok(Json(services.federation.enabled().await?.iter().map(view::provider).collect()))
}

/// Start signing in through a provider.
#[utoipa::path(get, path = "/api/v1/auth/oidc/authorize/{id}", tag = "session", params(("id" = String, Path)), responses(
    (status = 302, description = "To the provider."),
    (status = 303, description = "To the sign-in page, with a code and a reference."),
    (status = 429, body = wire::Error, description = "`rate_limited`"),
))]
pub(crate) async fn authorize(
    request: HttpRequest,
    context: RequestContext,
    id: Option<PathId<ProviderKind>>,
    services: web::Data<Services>,
) -> HttpResponse {
    let client = session::client(&request, context.origin(), &services);
    let started = services.federation.start(id.map(|id| id.0), &client).await;
    lead_out(&request, &context, started)
}

/// Return from a provider.
#[utoipa::path(get, path = "/api/v1/auth/oidc/callback", tag = "session", responses(
    (status = 303, description = "To `/#oidc_session=` and the bearer token, which has to be used within a minute in this \
        browser; or to the sign-in page, with a code and a reference."),
    (status = 429, body = wire::Error, description = "`rate_limited`"),
))]
pub(crate) async fn callback(
    request: HttpRequest,
    context: RequestContext,
    services: web::Data<Services>,
) -> HttpResponse {
    let mut parameters = CallbackParameters::default();
    for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
        let value = value.into_owned();
        match &*name {
            "state" => parameters.states.push(value),
            "code" => parameters.codes.push(value.into()),
            "iss" => parameters.issuers.push(value),
            "error" => parameters.errors.push(value),
            // What else providers add, such as a session state or a description of an error, decides nothing.
            _ => {}
        }
    }
    let label = parameters.cookie();
    let binding = label.as_deref().and_then(|label| TransactionCookie::read(request.headers(), label));
    let client = session::client(&request, context.origin(), &services);
    let mut answer = match services.federation.finish(parameters, binding, &client).await {
        Ok(signed_in) => arrived(&signed_in, &services),
        Err(refused) => back_to_sign_in(&refused, &context),
    };
    if let Some(label) = label {
        let (name, value) = TransactionCookie::clear(&label);
        answer.headers_mut().append(name, value);
    }
    answer
}

/// Start signing in with the only provider, or go to the sign-in page.
#[utoipa::path(get, path = "/api/v1/auth/sso", tag = "session", responses(
    (status = 302, description = "To the provider, if there is exactly one."),
    (status = 303, description = "To the sign-in page."),
    (status = 429, body = wire::Error, description = "`rate_limited`"),
))]
pub(crate) async fn sso(request: HttpRequest, context: RequestContext, services: web::Data<Services>) -> HttpResponse {
    let only = match services.federation.enabled().await {
        Ok(providers) => match providers.as_slice() {
            [only] => only.id,
            _ => return see_other("/login"),
        },
        Err(error) => return back_to_sign_in(&error.into(), &context),
    };
    let client = session::client(&request, context.origin(), &services);
    let started = services.federation.start(Some(only), &client).await;
    lead_out(&request, &context, started)
}

/// The short address for a provider's application tile.
pub(crate) async fn sso_tile() -> HttpResponse {
    see_other("/api/v1/auth/sso")
}

/// Where to go after signing out, so that the session at the provider ends too. To be asked before.
#[utoipa::path(get, path = "/api/v1/auth/end-session", tag = "session", responses(
    (status = 200, body = wire::EndSession),
    (status = 401, body = wire::Error, description = "`unauthenticated`"),
))]
pub(crate) async fn end_session(
    user: CurrentUser,
    services: web::Data<Services>,
) -> Result<Json<wire::EndSession>, ApiError> {
    let end_session_url = services.federation.end_session_url(user.session.id).await?;
    Ok(Json(wire::EndSession { end_session_url }))
}

/// A provider's word that somebody has signed out there (`OpenID` Connect Back-Channel Logout 1.0).
#[utoipa::path(post, path = "/api/v1/auth/oidc/backchannel/{id}", tag = "session", params(("id" = String, Path)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`logout_token`"),
    responses(
        (status = 200, description = "Their sessions have ended."),
        (status = 400, body = wire::Error, description = "`invalid_logout_token`"),
        (status = 404, body = wire::Error, description = "`not_found`"),
    ))]
pub(crate) async fn back_channel(
    request: HttpRequest,
    context: RequestContext,
    id: PathId<ProviderKind>,
    services: web::Data<Services>,
    form: FormBody,
) -> Result<HttpResponse, ApiError> {
    let mut tokens = form.0.iter().filter(|(name, _)| name == "logout_token").map(|(_, token)| token);
    let (Some(token), None) = (tokens.next(), tokens.next()) else { return Err(errors::logout_token()) };
    let client = session::client(&request, context.origin(), &services);
    services.federation.back_channel(id.0, token, &client).await.map_err(errors::back_channel)?;
    Ok(HttpResponse::Ok().finish())
}

fn lead_out(request: &HttpRequest, context: &RequestContext, started: Result<Started, Refused>) -> HttpResponse {
    match started {
        Ok(Started { location, cookie, binding, lasts }) => {
            let mut answer = HttpResponse::Found();
            for cleared in TransactionCookie::make_room(request.headers()) {
                answer.append_header(cleared);
            }
            answer.append_header(TransactionCookie::issue(&cookie, &binding, lasts));
            answer.insert_header((LOCATION, location)).finish()
        }
        Err(refused) => back_to_sign_in(&refused, context),
    }
}

/// In the fragment the token reaches the page and nothing else: no server, no log, no `Referer`.
fn arrived(signed_in: &SignedIn, services: &Services) -> HttpResponse {
    let location = format!("/#oidc_session={}", *signed_in.token.0.expose());
    HttpResponse::SeeOther()
        .append_header(SessionCookie::issue(&signed_in.cookie, services.timeouts.absolute))
        .append_header(DeviceCookie::issue(&services.devices, signed_in.device))
        .insert_header((LOCATION, location))
        .finish()
}

fn back_to_sign_in(refused: &Refused, context: &RequestContext) -> HttpResponse {
    match refused {
        Refused::Recorded { code, reference } => see_other(&format!("/login#error={}&ref={reference}", code.as_str())),
        Refused::Store(_) | Refused::Entropy(_) => {
            tracing::error!(error = %refused, request_id = %context.request_id, "a sign-in could not be carried out");
            see_other(&format!("/login#error=unavailable&ref={}", context.request_id))
        }
    }
}

fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}
