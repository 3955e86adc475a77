//! From what the services know to what travels: every answer is built here, field by field, so that nothing is shown
//! because somebody added it to a stored type.

use std::sync::Arc;

use newtype_uuid::{GenericUuid as _, TypedUuid, TypedUuidKind};
use serde::{Serialize, Serializer};
use stratora_audit::{Actor, Record, Resource, Stats};
use stratora_auth::{Account, LiveSession, Session, SessionId, SignedIn, User};
use stratora_clock::Timestamp;
use stratora_federation::{Attempt, DryRun, Probe, ProbeStep, Provider, RoleMapping, Step, StepOutcome};
use stratora_keys::{ApiKey, Component, ComponentId, EnrollmentToken, Progress, Report, WaitingRequest};
use stratora_port::Page;
use stratora_wire as wire;
use uuid::Uuid;

fn id<K: TypedUuidKind>(id: TypedUuid<K>) -> String {
    id.into_untyped_uuid().hyphenated().encode_lower(&mut Uuid::encode_buffer()).to_owned()
}

pub(crate) fn page<T, W>(page: Page<T>, item: impl FnMut(T) -> W) -> wire::Page<W> {
    let page = page.map(item);
    wire::Page { items: page.items, next_cursor: page.next.map(|cursor| cursor.encode()), total: page.total }
}

/// Whoever a session lets in, written out from memory when it is sent.
pub(crate) struct Myself(pub(crate) Arc<LiveSession>);

impl Serialize for Myself {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        me(&self.0.user).serialize(serializer)
    }
}

fn me(user: &User) -> wire::Me<'_> {
    wire::Me {
        id: id(user.id),
        username: user.username.as_str().into(),
        display_name: user.display_name.as_ref().into(),
        email: user.email.as_deref().map(Into::into),
        role: user.role.as_str().into(),
        auth_source: user.source.as_str().into(),
        must_change_password: user.must_change_password,
    }
}

pub(crate) fn user(account: &Account) -> wire::User {
    wire::User {
        id: id(account.id),
        username: account.username.to_string(),
        display_name: account.display_name.clone(),
        email: account.email.clone(),
        role: account.role.to_string(),
        auth_source: account.source.as_str().to_owned(),
        must_change_password: account.must_change_password,
        active: account.active,
        built_in: account.built_in,
        created_at: account.created_at.to_string(),
        last_sign_in_at: account.last_sign_in_at.map(|at| at.to_string()),
    }
}

pub(crate) fn signed_in<'a>(signed_in: &SignedIn, user: &'a User) -> wire::SignedIn<'a> {
    wire::SignedIn {
        token: signed_in.token.0.expose().to_string(),
        expires_at: signed_in.session.expires_at.to_string(),
        user: me(user),
    }
}

pub(crate) fn session(session: &Session, current: Option<SessionId>) -> wire::Session {
    wire::Session {
        id: id(session.id),
        current: current == Some(session.id),
        created_at: session.created_at.to_string(),
        last_seen_at: session.last_seen_at.to_string(),
        expires_at: session.expires_at.to_string(),
        client_address: session.client.map(|client| client.to_string()),
        user_agent: session.user_agent.clone(),
    }
}

pub(crate) fn component(component: &Component, now: Timestamp) -> wire::Component {
    wire::Component {
        id: id(component.id),
        name: component.name.to_string(),
        hostname: component.hostname.as_ref().map(ToString::to_string),
        kind: component.kind.as_str().to_owned(),
        status: component.status(now).as_str().to_owned(),
        key_prefix: component.key_prefix.to_string(),
        key_created_at: component.key_created_at.to_string(),
        rotation_requested_at: component.rotation_requested_at.map(|at| at.to_string()),
        last_seen_at: component.last_seen_at.map(|at| at.to_string()),
        last_seen_ip: component.last_seen_ip.map(|ip| ip.to_string()),
        version: component.version.as_ref().map(ToString::to_string),
        created_at: component.created_at.to_string(),
        revoked_at: component.revoked_at.map(|at| at.to_string()),
    }
}

pub(crate) fn component_with_key(changed: &Component, key: &ApiKey, now: Timestamp) -> wire::ComponentWithKey {
    wire::ComponentWithKey { component: component(changed, now), api_key: key.expose().to_string() }
}

pub(crate) fn fleet_rotation(progress: &Progress) -> wire::FleetRotation {
    let Progress { rotation, tally } = progress;
    let plan = &rotation.plan;
    wire::FleetRotation {
        id: id(rotation.id),
        state: rotation.state.as_str().to_owned(),
        reason: rotation.reason.clone(),
        kind: plan.kind().map(|kind| kind.as_str().to_owned()),
        wave_size: plan.size(),
        max_refused_percent: plan.max_refused_percent(),
        wave_timeout_seconds: plan.timeout().as_secs(),
        total: rotation.total,
        asked: tally.asked,
        rotated: tally.rotated,
        lost: tally.lost,
        waves: rotation.wave,
        started_by: rotation.started_by.clone(),
        started_at: rotation.started_at.to_string(),
        wave_began_at: rotation.wave_began_at.map(|at| at.to_string()),
        ended_at: rotation.ended_at.map(|at| at.to_string()),
    }
}

pub(crate) fn own_key(component: ComponentId, key: &ApiKey) -> wire::OwnKey {
    wire::OwnKey { component_id: id(component), api_key: key.expose().to_string() }
}

pub(crate) fn enrollment_token(token: &EnrollmentToken) -> wire::EnrollmentToken {
    wire::EnrollmentToken {
        id: id(token.id),
        description: token.description.as_str().to_owned(),
        multi_use: token.allowance.is_multi_use(),
        max_uses: token.allowance.max_uses(),
        uses: token.uses,
        created_at: token.created_at.to_string(),
        expires_at: token.expires_at.map(|at| at.to_string()),
        last_used_at: token.last_used_at.map(|at| at.to_string()),
    }
}

pub(crate) fn enrollment_request(waiting: &WaitingRequest, now: Timestamp) -> wire::EnrollmentRequest {
    let WaitingRequest { component, request } = waiting;
    wire::EnrollmentRequest {
        component_id: id(component.id),
        name: component.name.to_string(),
        hostname: component.hostname.as_ref().map(ToString::to_string),
        kind: component.kind.as_str().to_owned(),
        status: component.status(now).as_str().to_owned(),
        requested_at: request.requested_at.to_string(),
        client: request.client.map(|client| client.to_string()),
        version: request.version.to_string(),
        // An approval that has run out is none.
        approved_at: request.approved_at.filter(|_| request.is_approved(now)).map(|at| at.to_string()),
    }
}

pub(crate) fn last_report(report: Report) -> wire::LastReport {
    wire::LastReport {
        config_hash: report.config_hash,
        status: report.status.as_str().to_owned(),
        message: report.message,
        reported_at: report.at.to_string(),
    }
}

pub(crate) fn provider(provider: &Provider) -> wire::Provider {
    wire::Provider { id: id(provider.id), name: provider.name.to_string() }
}

pub(crate) fn oidc_provider(provider: &Provider, external_url: &str) -> wire::OidcProvider {
    let (settings, policy) = (&provider.settings, &provider.policy);
    let mapping = |mapping: &RoleMapping| wire::RoleMapping {
        group: mapping.group.to_string(),
        role: mapping.role.to_string(),
        priority: mapping.priority,
    };
    wire::OidcProvider {
        id: id(provider.id),
        name: provider.name.to_string(),
        enabled: provider.enabled,
        issuer: settings.issuer.to_string(),
        client_id: settings.client_id.to_string(),
        has_client_secret: provider.secret.is_some(),
        token_endpoint_auth_method: settings.client_auth.as_str().to_owned(),
        scopes: settings.scopes.iter().map(ToString::to_string).collect(),
        id_token_signing_algs: settings.algorithms.iter().map(|algorithm| algorithm.as_str().to_owned()).collect(),
        groups_claim: settings.groups_claim.to_string(),
        auto_provision: policy.auto_provision,
        link_verified_email: policy.link_verified_email,
        verified_domains: policy.verified_domains.iter().map(ToString::to_string).collect(),
        default_role: policy.default_role.to_string(),
        role_mappings: policy.role_mappings.iter().map(mapping).collect(),
        endpoints: settings.endpoints.clone().map(|endpoints| wire::ProviderEndpoints {
            authorization_endpoint: endpoints.authorization,
            token_endpoint: endpoints.token,
            jwks_uri: endpoints.jwks,
            end_session_endpoint: endpoints.end_session,
        }),
        redirect_uri: format!("{external_url}/api/v1/auth/oidc/callback"),
        post_logout_redirect_uri: format!("{external_url}/login"),
        backchannel_logout_uri: format!("{external_url}/api/v1/auth/oidc/backchannel/{}", provider.id),
        created_at: provider.created_at.to_string(),
    }
}

pub(crate) fn provider_test(probe: Probe) -> wire::ProviderTest {
    let ok = probe.is_good();
    let step = |step: ProbeStep| wire::TestStep {
        check: step.check.to_owned(),
        ok: step.advice.is_none(),
        advice: step.advice,
    };
    wire::ProviderTest { ok, steps: probe.steps.into_iter().map(step).collect() }
}

pub(crate) fn dry_run(decided: DryRun) -> wire::DryRunResult {
    wire::DryRunResult {
        decision: decided.decision.to_owned(),
        username: decided.username,
        role: decided.role.role.to_string(),
        role_mapped_by: decided.role.by.map(|group| group.to_string()),
    }
}

pub(crate) fn attempt(attempt: Attempt) -> wire::Attempt {
    let step = |step: Step| wire::AttemptStep {
        check: step.check.into_owned(),
        outcome: match step.outcome {
            StepOutcome::Passed => "passed".to_owned(),
            StepOutcome::Failed => "failed".to_owned(),
        },
        note: step.note,
    };
    wire::Attempt {
        reference: attempt.reference.to_string(),
        provider: attempt.provider.map(|(provider, name)| wire::Provider { id: id(provider), name: name.to_string() }),
        at: attempt.at.to_string(),
        client_address: attempt.client.map(|client| client.to_string()),
        code: attempt.code.into_owned(),
        username: attempt.username,
        steps: attempt.steps.into_iter().map(step).collect(),
    }
}

pub(crate) fn audit_entry(record: Record) -> wire::AuditEntry {
    let event = record.event;
    wire::AuditEntry {
        seq: record.seq,
        at: event.at.to_string(),
        actor: audit_actor(event.actor),
        action: event.action.to_string(),
        resource: event.resource.map(audit_resource),
        outcome: event.outcome.as_str().to_owned(),
        client_address: event.client.map(|client| client.to_string()),
        request_id: event.request_id.map(|id| id.to_string()),
        details: event.details,
        hash: record.hash.to_string(),
    }
}

fn audit_actor(actor: Actor) -> wire::AuditActor {
    wire::AuditActor { kind: actor.kind.as_str().to_owned(), id: actor.id.map(|id| id.to_string()), name: actor.name }
}

fn audit_resource(resource: Resource) -> wire::AuditResource {
    wire::AuditResource {
        kind: resource.kind.as_str().to_owned(),
        id: resource.id.map(|id| id.to_string()),
        name: resource.name,
    }
}

pub(crate) fn audit_stats(stats: Stats) -> wire::AuditStats {
    wire::AuditStats {
        total: stats.total,
        by_action: stats
            .buckets
            .into_iter()
            .map(|bucket| wire::AuditCount {
                action: bucket.action.to_string(),
                outcome: bucket.outcome.as_str().to_owned(),
                count: bucket.count,
            })
            .collect(),
        by_day: stats.days.into_iter().map(|(day, count)| wire::AuditDay { day: day.to_string(), count }).collect(),
    }
}
