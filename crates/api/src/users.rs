//! The administration of users.

use actix_web::{HttpResponse, web};
use stratora_actix::{ApiError, CurrentUser, Json, JsonBody, PathId, QueryParams};
use stratora_auth::{AccountChange, DisplayName, EmailAddress, NewUser, UserKind};
use stratora_wire as wire;

use crate::services::Services;
use crate::{errors, input, view};

fn display_name(text: &str) -> Result<DisplayName, ApiError> {
    DisplayName::parse(text).map_err(|reason| input::refused("display_name")(&reason))
}

fn email(text: &str) -> Result<EmailAddress, ApiError> {
    EmailAddress::parse(text).map_err(|reason| input::refused("email")(&reason))
}

/// All users by name.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(wire::PageQuery), responses(
    (status = 200, body = wire::Page<wire::User>),
    (status = 400, body = wire::Error, description = "`invalid_query`"),
))]
pub(crate) async fn list(
    services: web::Data<Services>,
    query: QueryParams<wire::PageQuery>,
) -> Result<Json<wire::Page<wire::User>>, ApiError> {
    let page = input::page(query.0.limit, query.0.cursor.as_deref())?;
    let accounts = services.users.page(&page).await?;
    Ok(Json(view::page(accounts, |account| view::user(&account))))
}

/// Create a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = wire::CreateUser, responses(
    (status = 201, body = wire::CreatedUser, description = "Created; the only time a one-time password is seen."),
    (status = 409, body = wire::Error, description = "`username_taken`"),
    (status = 422, body = wire::Error, description = "`invalid_value`"),
))]
pub(crate) async fn create(
    user: CurrentUser,
    services: web::Data<Services>,
    body: JsonBody<wire::CreateUser>,
) -> Result<HttpResponse, ApiError> {
    let body = body.0;
    let new = NewUser {
        username: input::username(&body.username)?,
        role: input::role(&body.role)?,
        display_name: body.display_name.as_deref().map(display_name).transpose()?,
        email: body.email.as_deref().map(email).transpose()?,
        password: body.password.as_deref().map(|text| input::password("password", text)).transpose()?,
    };
    let (account, one_time) = services.users.create(new, &user.origin()).await.map_err(errors::create_user)?;
    Ok(HttpResponse::Created().json(wire::CreatedUser {
        user: view::user(&account),
        one_time_password: one_time.map(|password| password.expose().to_string()),
    }))
}

/// One user.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users", params(("id" = String, Path)), responses(
    (status = 200, body = wire::User),
    (status = 404, body = wire::Error, description = "`not_found`"),
))]
pub(crate) async fn read(id: PathId<UserKind>, services: web::Data<Services>) -> Result<Json<wire::User>, ApiError> {
    let account = services.users.find(id.0).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(view::user(&account)))
}

/// Change a user. A new role and deactivation end all of the user's sessions.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", params(("id" = String, Path)),
    request_body = wire::UpdateUser, responses(
        (status = 200, body = wire::User),
        (status = 403, body = wire::Error, description = "`own_account` or `built_in_account`"),
        (status = 404, body = wire::Error, description = "`not_found`"),
        (status = 422, body = wire::Error, description = "`invalid_value`"),
    ))]
pub(crate) async fn update(
    user: CurrentUser,
    id: PathId<UserKind>,
    services: web::Data<Services>,
    body: JsonBody<wire::UpdateUser>,
) -> Result<Json<wire::User>, ApiError> {
    let body = body.0;
    let change = AccountChange {
        display_name: body.display_name.as_deref().map(display_name).transpose()?.map(|name| name.as_str().to_owned()),
        email: body
            .email
            .map(|text| text.as_deref().map(email).transpose())
            .transpose()?
            .map(|email| email.map(|email| email.to_string())),
        role: body.role.as_deref().map(input::role).transpose()?,
        active: body.active,
    };
    let account =
        services.users.update(id.0, change, user.session.user.id, &user.origin()).await.map_err(errors::change_user)?;
    Ok(Json(view::user(&account)))
}

/// Delete a user and end all of its sessions.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users", params(("id" = String, Path)), responses(
    (status = 204, description = "Deleted."),
    (status = 403, body = wire::Error, description = "`own_account` or `built_in_account`"),
    (status = 404, body = wire::Error, description = "`not_found`"),
))]
pub(crate) async fn delete(
    user: CurrentUser,
    id: PathId<UserKind>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services.users.delete(id.0, user.session.user.id, &user.origin()).await.map_err(errors::change_user)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Give a user a one-time password and end all of its sessions.
#[utoipa::path(post, path = "/api/v1/users/{id}/reset-password", tag = "users", params(("id" = String, Path)),
    responses(
        (status = 200, body = wire::ResetPassword, description = "The only time the one-time password is seen."),
        (status = 404, body = wire::Error, description = "`not_found`"),
        (status = 409, body = wire::Error, description = "`not_local`: another system keeps this user's password"),
    ))]
pub(crate) async fn reset_password(
    user: CurrentUser,
    id: PathId<UserKind>,
    services: web::Data<Services>,
) -> Result<Json<wire::ResetPassword>, ApiError> {
    let (account, one_time) =
        services.users.reset_password(id.0, &user.origin()).await.map_err(errors::reset_password)?;
    Ok(Json(wire::ResetPassword { user: view::user(&account), one_time_password: one_time.expose().to_string() }))
}

/// A user's sessions, the newest first.
#[utoipa::path(get, path = "/api/v1/users/{id}/sessions", tag = "users", params(("id" = String, Path)), responses(
    (status = 200, body = [wire::Session]),
    (status = 404, body = wire::Error, description = "`not_found`"),
))]
pub(crate) async fn sessions(
    user: CurrentUser,
    id: PathId<UserKind>,
    services: web::Data<Services>,
) -> Result<Json<Vec<wire::Session>>, ApiError> {
    services.users.find(id.0).await?.ok_or_else(ApiError::not_found)?;
    let own = user.session.id;
    let sessions = services.sessions.of_user(id.0).await?;
    Ok(Json(sessions.iter().map(|session| view::session(session, Some(own))).collect()))
}

/// End all of a user's sessions.
#[utoipa::path(delete, path = "/api/v1/users/{id}/sessions", tag = "users", params(("id" = String, Path)), responses(
    (status = 204, description = "Ended."),
    (status = 404, body = wire::Error, description = "`not_found`"),
))]
pub(crate) async fn end_sessions(
    user: CurrentUser,
    id: PathId<UserKind>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services.users.find(id.0).await?.ok_or_else(ApiError::not_found)?;
    services.sessions.end_all(id.0, None, &user.origin()).await?;
    Ok(HttpResponse::NoContent().finish())
}
