//! The OpenAPI document. It is made of the handlers' own descriptions; a test compares it with the table of routes.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use bytes::Bytes;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::{
    audit, collectors, components, enrollment, fleet, fleet_rotation, health, identity_providers, ingest, metrics,
    oidc, session, users,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Stratora security core", license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")),
    modifiers(&Credentials),
    tags(
        (name = "session", description = "Signing in and out, one's own password and sessions"),
        (name = "users", description = "The administration of users"),
        (name = "identity providers", description = "Who else vouches for people, and why somebody could not get in"),
        (name = "components", description = "The administration of components and their keys"),
        (name = "enrollment", description = "How components come in by themselves"),
        (name = "fleet", description = "What components do with their keys"),
        (name = "metrics", description = "Queries to the time-series store"),
        (name = "audit", description = "What happened"),
        (name = "health", description = "Whether the server is well"),
    ),
    paths(
        session::login, session::logout, session::me, session::change_password, session::sessions,
        session::end_other_sessions, session::end_session, oidc::list, oidc::authorize, oidc::callback, oidc::sso,
        oidc::end_session, oidc::back_channel, identity_providers::list, identity_providers::create,
        identity_providers::read, identity_providers::update, identity_providers::delete, identity_providers::test,
        identity_providers::dry_run, identity_providers::attempts, identity_providers::test_directory, users::list,
        users::create, users::read, users::update, users::delete, users::reset_password,
        users::sessions, users::end_sessions, components::list, components::create, components::read,
        components::update, components::delete, components::rotate, components::request_rotation,
        components::revoke, components::restore, components::report_leak, fleet_rotation::start,
        fleet_rotation::progress, fleet_rotation::cancel, enrollment::create_token, enrollment::tokens,
        enrollment::delete_token, enrollment::register, enrollment::approve, enrollment::requests, enrollment::dismiss,
        collectors::config,
        collectors::put_config, collectors::report, collectors::last_report, fleet::heartbeat, fleet::rotate,
        ingest::influx, ingest::influx_write, ingest::influx_v2_write, ingest::prometheus, metrics::query,
        metrics::query_range, audit::list, audit::stats, health::live, health::ready, read,
    ),
)]
struct Document;

/// How callers prove who they are.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let in_header = |name: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(name)));
        let in_cookie = |name: &str| SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(name)));
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        components.add_security_scheme("cookie", in_cookie("__Host-stratora_session"));
        components.add_security_scheme("component", in_header("X-API-Key"));
        let token = "`Token` and a component's key, where writers cannot send another header.";
        let token = ApiKeyValue::with_description("Authorization", token);
        components.add_security_scheme("influx", SecurityScheme::ApiKey(ApiKey::Header(token)));
    }
}

/// The document, with the policy of each route.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    crate::routes::describe_policies(&mut document);
    document
}

static TEXT: LazyLock<Bytes> = LazyLock::new(|| document().to_json().unwrap_or_default().into());

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "health", responses((status = 200, description = "The OpenAPI document.")))]
pub(crate) async fn read() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(TEXT.clone())
}
