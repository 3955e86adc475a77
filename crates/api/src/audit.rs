//! Reading the audit log.

use actix_web::web;
use stratora_actix::{ApiError, Json, QueryParams};
use stratora_audit::{Filter, Outcome, ResourceKind};
use stratora_wire as wire;
use uuid::Uuid;

use crate::services::Services;
use crate::{input, view};

fn filter(query: wire::AuditQuery) -> Result<Filter, ApiError> {
    let refuse = input::bad_parameter;
    let outcome =
        |text: String| Outcome::parse(&text).ok_or_else(|| refuse("Send as outcome success, failure or denied."));
    let kind = |text: String| {
        let message = "Send as resource one of user, session, component, key, enrollment_token, provider and endpoint.";
        ResourceKind::parse(&text).ok_or_else(|| refuse(message))
    };
    let id = |text: String| Uuid::try_parse(&text).map_err(|_| refuse("Send as resource_id a UUID."));
    Ok(Filter {
        from: query.from.as_deref().map(input::time).transpose()?,
        until: query.until.as_deref().map(input::time).transpose()?,
        actor: input::search_text(query.user)?,
        action: query
            .action
            .map(|text| text.parse().map_err(|_| refuse("Send as action one of the documented names.")))
            .transpose()?,
        outcome: query.outcome.map(outcome).transpose()?,
        resource_kind: query.resource.map(kind).transpose()?,
        resource_id: query.resource_id.map(id).transpose()?,
        text: input::search_text(query.q)?,
    })
}

/// The entries that match, the newest first.
#[utoipa::path(get, path = "/api/v1/audit-logs", tag = "audit", params(wire::AuditQuery), responses(
    (status = 200, body = wire::Page<wire::AuditEntry>),
    (status = 400, body = wire::Error, description = "`invalid_query`"),
))]
pub(crate) async fn list(
    services: web::Data<Services>,
    query: QueryParams<wire::AuditQuery>,
) -> Result<Json<wire::Page<wire::AuditEntry>>, ApiError> {
    let page = input::page(query.0.limit, query.0.cursor.as_deref())?;
    let records = services.audit.page(&filter(query.0)?, &page).await?;
    Ok(Json(view::page(records, view::audit_entry)))
}

/// Counts over the entries that match; `limit` and `cursor` do not count here.
#[utoipa::path(get, path = "/api/v1/audit-logs/stats", tag = "audit", params(wire::AuditQuery), responses(
    (status = 200, body = wire::AuditStats),
    (status = 400, body = wire::Error, description = "`invalid_query`"),
))]
pub(crate) async fn stats(
    services: web::Data<Services>,
    query: QueryParams<wire::AuditQuery>,
) -> Result<Json<wire::AuditStats>, ApiError> {
    let stats = services.audit.stats(&filter(query.0)?).await?;
    Ok(Json(view::audit_stats(stats)))
}
