//! The administration of identity providers and the directory: what there is, whether it works, and why somebody could not
//! get in.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use stratora_actix::{ApiError, CurrentUser, Json, JsonBody, PathId, QueryParams};
use stratora_auth::Role;
use stratora_federation::{
    Algorithm, AttemptFilter, ClaimName, Claims, ClientAuth, ClientId, ClientSecret, Domain, GroupName, Issuer,
    NewProvider, ProviderKind, ProviderName, ProviderUpdate, Reference, RefusedSetting, RoleMapping, Scope,
};
use stratora_wire as wire;

use crate::services::Services;
use crate::{errors, input, view};

/// All providers by name.
#[utoipa::path(get, path = "/api/v1/identity-providers/oidc", tag = "identity providers", responses(
    (status = 200, body = wire::Page<wire::OidcProvider>),
))]
pub(crate) async fn list(services: web::Data<Services>) -> Result<Json<wire::Page<wire::OidcProvider>>, ApiError> {
    let providers = services.providers.all().await?;
    let items: Vec<_> =
        providers.iter().map(|provider| view::oidc_provider(provider, &services.external_url)).collect();
    Ok(Json(wire::Page { total: items.len() as u64, items, next_cursor: None }))
}

/// Set up a provider.
#[utoipa::path(post, path = "/api/v1/identity-providers/oidc", tag = "identity providers",
    request_body = wire::CreateOidcProvider, responses(
        (status = 201, body = wire::OidcProvider),
        (status = 409, body = wire::Error, description = "`name_taken`"),
        (status = 422, body = wire::Error, description = "`invalid_value`"),
    ))]
pub(crate) async fn create(
    user: CurrentUser,
    services: web::Data<Services>,
    body: JsonBody<wire::CreateOidcProvider>,
) -> Result<HttpResponse, ApiError> {
    let body = body.0;
    let new = NewProvider {
        name: ProviderName::parse(&body.name).map_err(setting)?,
        issuer: Issuer::parse(&body.issuer).map_err(setting)?,
        client_id: ClientId::parse(&body.client_id).map_err(setting)?,
    };
    let update = update_of(wire::UpdateOidcProvider {
        name: None,
        issuer: None,
        client_id: None,
        client_secret: body.client_secret.map(Some),
        enabled: body.enabled,
        token_endpoint_auth_method: body.token_endpoint_auth_method,
        scopes: body.scopes,
        id_token_signing_algs: body.id_token_signing_algs,
        groups_claim: body.groups_claim,
        auto_provision: body.auto_provision,
        link_verified_email: body.link_verified_email,
        verified_domains: body.verified_domains,
        default_role: body.default_role,
        role_mappings: body.role_mappings,
    })?;
    let provider = services.providers.create(new, update, &user.origin()).await.map_err(errors::provider)?;
    Ok(HttpResponse::Created().json(view::oidc_provider(&provider, &services.external_url)))
}

/// One provider.
#[utoipa::path(get, path = "/api/v1/identity-providers/oidc/{id}", tag = "identity providers",
    params(("id" = String, Path)), responses(
        (status = 200, body = wire::OidcProvider),
        (status = 404, body = wire::Error, description = "`not_found`"),
    ))]
pub(crate) async fn read(
    id: PathId<ProviderKind>,
    services: web::Data<Services>,
) -> Result<Json<wire::OidcProvider>, ApiError> {
    let provider = services.providers.find(id.0).await.map_err(errors::provider)?;
    Ok(Json(view::oidc_provider(&provider, &services.external_url)))
}

/// Change a provider.
#[utoipa::path(patch, path = "/api/v1/identity-providers/oidc/{id}", tag = "identity providers",
    params(("id" = String, Path)), request_body = wire::UpdateOidcProvider, responses(
        (status = 200, body = wire::OidcProvider),
        (status = 404, body = wire::Error, description = "`not_found`"),
        (status = 409, body = wire::Error, description = "`name_taken` or `changed_meanwhile`"),
        (status = 422, body = wire::Error, description = "`invalid_value`"),
    ))]
pub(crate) async fn update(
    user: CurrentUser,
    id: PathId<ProviderKind>,
    services: web::Data<Services>,
    body: JsonBody<wire::UpdateOidcProvider>,
) -> Result<Json<wire::OidcProvider>, ApiError> {
    let update = update_of(body.0)?;
    let provider = services.providers.update(id.0, update, &user.origin()).await.map_err(errors::provider)?;
    Ok(Json(view::oidc_provider(&provider, &services.external_url)))
}

/// Delete a provider. The sessions that came from it end; accounts stay.
#[utoipa::path(delete, path = "/api/v1/identity-providers/oidc/{id}", tag = "identity providers",
    params(("id" = String, Path)), responses(
        (status = 204, description = "Deleted."),
        (status = 404, body = wire::Error, description = "`not_found`"),
    ))]
pub(crate) async fn delete(
    user: CurrentUser,
    id: PathId<ProviderKind>,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    services.providers.delete(id.0, &user.origin()).await.map_err(errors::provider)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Look whether a provider can be used, and take its endpoints as they are now.
#[utoipa::path(post, path = "/api/v1/identity-providers/oidc/{id}/test", tag = "identity providers",
    params(("id" = String, Path)), responses(
        (status = 200, body = wire::ProviderTest),
        (status = 404, body = wire::Error, description = "`not_found`"),
    ))]
pub(crate) async fn test(
    user: CurrentUser,
    id: PathId<ProviderKind>,
    services: web::Data<Services>,
) -> Result<Json<wire::ProviderTest>, ApiError> {
    let probe = services.providers.test(id.0, &user.origin()).await.map_err(errors::provider)?;
    Ok(Json(view::provider_test(probe)))
}

/// Say what would become of somebody with certain claims. Nothing is done.
#[utoipa::path(post, path = "/api/v1/identity-providers/oidc/{id}/dry-run", tag = "identity providers",
    params(("id" = String, Path)), request_body = wire::DryRun, responses(
        (status = 200, body = wire::DryRunResult),
        (status = 404, body = wire::Error, description = "`not_found`"),
        (status = 422, body = wire::Error, description = "`invalid_value`: no subject"),
    ))]
pub(crate) async fn dry_run(
    id: PathId<ProviderKind>,
    services: web::Data<Services>,
    body: JsonBody<wire::DryRun>,
) -> Result<Json<wire::DryRunResult>, ApiError> {
    let provider = services.providers.find(id.0).await.map_err(errors::provider)?;
    let claims = Claims::read(&body.0.claims, &provider.settings.groups_claim);
    let claims = claims.map_err(|refused| input::refused("claims")(&refused))?;
    let decided = services.providers.dry_run(&provider, &claims).await?;
    Ok(Json(view::dry_run(decided)))
}

/// The records of sign-ins through providers, the newest first.
#[utoipa::path(get, path = "/api/v1/identity-providers/oidc/attempts", tag = "identity providers",
    params(wire::AttemptQuery), responses(
        (status = 200, body = wire::Page<wire::Attempt>),
        (status = 400, body = wire::Error, description = "`invalid_query`"),
    ))]
pub(crate) async fn attempts(
    services: web::Data<Services>,
    query: QueryParams<wire::AttemptQuery>,
) -> Result<Json<wire::Page<wire::Attempt>>, ApiError> {
    let query = query.0;
    let reference = |text: &str| {
        Reference::parse(text)
            .ok_or_else(|| input::bad_parameter("Send as reference the eight characters that the sign-in page shows."))
    };
    let provider =
        |text: &str| text.parse().map_err(|_| input::bad_parameter("Send as provider the id of an identity provider."));
    let filter = AttemptFilter {
        reference: query.reference.as_deref().map(reference).transpose()?,
        provider: query.provider.as_deref().map(provider).transpose()?,
    };
    let page = input::page(query.limit, query.cursor.as_deref())?;
    Ok(Json(view::page(services.providers.attempts(&filter, &page).await?, view::attempt)))
}

/// Test the directory, and with a name and a password what it says about somebody.
#[utoipa::path(post, path = "/api/v1/identity-providers/ldap/test", tag = "identity providers",
    request_body = wire::TestDirectory, responses(
        (status = 200, body = wire::DirectoryTest),
        (status = 409, body = wire::Error, description = "`no_directory`: none is configured"),
        (status = 422, body = wire::Error, description = "`invalid_value`"),
        (status = 429, body = wire::Error, description = "`rate_limited`"),
    ))]
pub(crate) async fn test_directory(
    user: CurrentUser,
    services: web::Data<Services>,
    body: JsonBody<wire::TestDirectory>,
) -> Result<Json<wire::DirectoryTest>, ApiError> {
    let directory = services.directory.as_ref().ok_or_else(|| {
        ApiError::conflict("no_directory", "No directory is configured. Add a section ldap to config.yaml and restart.")
    })?;
    let somebody = match (body.0.username.as_deref(), body.0.password.as_deref()) {
        (None, None) => None,
        (Some(username), Some(password)) => Some((input::username(username)?, input::password("password", password)?)),
        (Some(_), None) => return Err(ApiError::invalid_field("password", "Send the password with the username.")),
        (None, Some(_)) => return Err(ApiError::invalid_field("username", "Send the username with the password.")),
    };
    let found = directory.test(somebody.as_ref().map(|(username, password)| (username, password))).await;
    services.providers.directory_was_tested(found.ok, &user.origin()).await?;
    Ok(Json(found))
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` gives")]
fn setting(refused: RefusedSetting) -> ApiError {
    input::refused(refused.field)(&refused)
}

fn all<T>(texts: &[String], parse: impl Fn(&str) -> Result<T, RefusedSetting>) -> Result<Vec<T>, ApiError> {
    texts.iter().map(|text| parse(text).map_err(setting)).collect()
}

fn update_of(body: wire::UpdateOidcProvider) -> Result<ProviderUpdate, ApiError> {
    let secret = |text: &str| ClientSecret::parse(text).map_err(setting);
    Ok(ProviderUpdate {
        name: body.name.as_deref().map(ProviderName::parse).transpose().map_err(setting)?,
        enabled: body.enabled,
        issuer: body.issuer.as_deref().map(Issuer::parse).transpose().map_err(setting)?,
        client_id: body.client_id.as_deref().map(ClientId::parse).transpose().map_err(setting)?,
        secret: body.client_secret.map(|text| text.as_deref().map(secret).transpose()).transpose()?,
        client_auth: body.token_endpoint_auth_method.as_deref().map(ClientAuth::parse).transpose().map_err(setting)?,
        scopes: body.scopes.map(|scopes| all(&scopes, Scope::parse)).transpose()?,
        algorithms: body.id_token_signing_algs.map(|names| all(&names, Algorithm::parse)).transpose()?,
        groups_claim: body.groups_claim.as_deref().map(ClaimName::parse).transpose().map_err(setting)?,
        auto_provision: body.auto_provision,
        link_verified_email: body.link_verified_email,
        verified_domains: body
            .verified_domains
            .map(|domains| all(&domains, Domain::parse))
            .transpose()?
            .map(BTreeSet::from_iter),
        default_role: body.default_role.as_deref().map(|role| named_role("default_role", role)).transpose()?,
        role_mappings: body.role_mappings.map(|mappings| mappings.iter().map(mapping).collect()).transpose()?,
    })
}

fn mapping(mapping: &wire::RoleMapping) -> Result<RoleMapping, ApiError> {
    Ok(RoleMapping {
        group: GroupName::parse(&mapping.group).map_err(setting)?,
        role: named_role("role_mappings", &mapping.role)?,
        priority: mapping.priority,
    })
}

fn named_role(field: &'static str, text: &str) -> Result<Role, ApiError> {
    text.parse().map_err(|reason: stratora_auth::UnknownRole| input::refused(field)(&reason))
}
