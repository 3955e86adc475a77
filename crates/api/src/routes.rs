//! The one table of what there is: each line an endpoint with who may use it, how often, what is written down about it,
//! and its handler. Routes are made from the table and from nothing else, so that none exists without a policy.

use actix_web::http::Method;
use actix_web::web::{Data, ServiceConfig};
use stratora_actix::{Access, Endpoint, Route, RoutePolicy, Routes};
use stratora_audit::Action;
use stratora_auth::{Per, Quota, Role, quotas};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, OpenApi, Ref, ResponseBuilder};

use crate::services::Services;
use crate::{
    audit, collectors, components, console, enrollment, fleet, fleet_rotation, health, identity_providers, ingest,
    metrics, oidc, openapi, session, time_series, users,
};

/// What limits the use of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// A quota for each client address, or for each component.
    By(&'static Quota),
    /// The flood guard over the whole API suffices, for this reason.
    ByFloodGuardOnly(&'static str),
}

/// What the audit log says about the use of an endpoint, besides refusals: those are written wherever they happen, repeated ones seldom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audited {
    /// These actions.
    As(&'static [Action]),
    /// Nothing, for this reason.
    Not(&'static str),
}

/// One endpoint.
#[derive(Debug)]
pub struct RouteSpec {
    /// Its method; `HEAD` goes where `GET` goes.
    pub method: Method,
    /// Its path, with `{id}` for an identifier.
    pub path: &'static str,
    /// Its handler, which names the operation in the OpenAPI document.
    pub handler: &'static str,
    /// Who may use it.
    pub access: Access,
    /// How often.
    pub limited: Limited,
    /// What is written down.
    pub audited: Audited,
}

impl RouteSpec {
    /// Whether it is for browsers to show, and no part of the API.
    pub fn is_page(&self) -> bool {
        !self.path.starts_with("/api/") && !self.path.starts_with("/health/")
    }

    /// Whether it is a screen of the console: all of them are its one page.
    pub fn is_screen(&self) -> bool {
        self.is_page() && self.audited == READS && !self.path.starts_with("/assets/") && !self.path.contains('.')
    }

    fn policy(&self) -> RoutePolicy {
        RoutePolicy {
            access: self.access,
            quota: match self.limited {
                Limited::By(quota) => Some(quota),
                Limited::ByFloodGuardOnly(_) => None,
            },
            // What is only passed on is not unpacked here.
            encoded_body: self.path.starts_with("/api/v1/ingest/") || self.access == Access::InfluxWriter,
        }
    }
}

const SIGNED_IN: Access = Access::SignedIn { while_must_change: false };
const EVEN_WITH_ONE_TIME_PASSWORD: Access = Access::SignedIn { while_must_change: true };
const VIEWER: Access = Access::Role(Role::Viewer);
const OPERATOR: Access = Access::Role(Role::Operator);
const ADMIN: Access = Access::Role(Role::Admin);
const ANYONE: Access = Access::Anyone;
const COMPONENT: Access = Access::Component;

const KNOWN: Limited = Limited::ByFloodGuardOnly("the caller is authenticated");
const CHEAP: Limited = Limited::ByFloodGuardOnly("answered from memory");
const READS: Audited = Audited::Not("reads");
const REPEATS: Audited = Audited::Not("repeated every few seconds; what it says is kept with the component");

macro_rules! routes {
    ($($method:ident $path:literal, $access:expr, $limited:expr, $audited:expr => $handler:path;)+) => {
        /// Every endpoint of the server.
        pub static ROUTES: &[RouteSpec] = &[$(RouteSpec {
            method: Method::$method,
            path: $path,
            handler: stringify!($handler),
            access: $access,
            limited: $limited,
            audited: $audited,
        },)+];

        /// The endpoints, in the order of [`ROUTES`].
        fn endpoints() -> Vec<Endpoint> {
            vec![$(Endpoint::of($handler),)+]
        }
    };
}

macro_rules! audited {
    ($($action:ident),+) => { Audited::As(&[$(Action::$action),+]) };
}

routes! {
    GET "/", ANYONE, CHEAP, READS => console::page;
    GET "/login", ANYONE, CHEAP, READS => console::page;
    GET "/change-password", ANYONE, CHEAP, READS => console::page;
    GET "/sessions", ANYONE, CHEAP, READS => console::page;
    GET "/diagnostics", ANYONE, CHEAP, READS => console::page;
    GET "/audit", ANYONE, CHEAP, READS => console::page;
    GET "/hardening", ANYONE, CHEAP, READS => console::page;
    GET "/settings/components", ANYONE, CHEAP, READS => console::page;
    GET "/settings/enrollment", ANYONE, CHEAP, READS => console::page;
    GET "/settings/users", ANYONE, CHEAP, READS => console::page;
    GET "/settings/identity-providers", ANYONE, CHEAP, READS => console::page;
    GET "/settings/identity-providers/{id}", ANYONE, CHEAP, READS => console::page;
    GET "/assets/{id}", ANYONE, CHEAP, READS => console::file;
    GET "/favicon.svg", ANYONE, CHEAP, READS => console::file;
    GET "/third-party-licenses.txt", ANYONE, CHEAP, READS => console::file;
    GET "/sso", ANYONE, CHEAP, Audited::Not("only leads on") => oidc::sso_tile;
    GET "/health/live", ANYONE, CHEAP, READS => health::live;
    GET "/health/ready", ANYONE, Limited::ByFloodGuardOnly("asked by load balancers"), READS => health::ready;
    GET "/api/v1/openapi.json", ANYONE, CHEAP, READS => openapi::read;

    POST "/api/v1/auth/login", ANYONE, Limited::By(&quotas::LOGIN), audited!(SignIn, AccountThrottle)
        => session::login;
    POST "/api/v1/auth/logout", EVEN_WITH_ONE_TIME_PASSWORD, KNOWN, audited!(SignOut) => session::logout;
    GET "/api/v1/auth/me", EVEN_WITH_ONE_TIME_PASSWORD, KNOWN, READS => session::me;
    POST "/api/v1/auth/change-password", EVEN_WITH_ONE_TIME_PASSWORD, Limited::By(&quotas::CHANGE_PASSWORD),
        audited!(PasswordChange) => session::change_password;
    GET "/api/v1/auth/sessions", SIGNED_IN, KNOWN, READS => session::sessions;
    DELETE "/api/v1/auth/sessions", SIGNED_IN, KNOWN, audited!(SessionEndAll) => session::end_other_sessions;
    DELETE "/api/v1/auth/sessions/{id}", SIGNED_IN, KNOWN, audited!(SessionEnd) => session::end_session;
    GET "/api/v1/auth/providers", ANYONE, Limited::ByFloodGuardOnly("one read of a small table"), READS => oidc::list;
    GET "/api/v1/auth/oidc/authorize/{id}", ANYONE, Limited::By(&quotas::OIDC_AUTHORIZE), audited!(SignIn, ProviderPin)
        => oidc::authorize;
    GET "/api/v1/auth/oidc/callback", ANYONE, Limited::By(&quotas::OIDC_CALLBACK), audited!(SignIn, UserCreate, IdentityLink)
        => oidc::callback;
    GET "/api/v1/auth/sso", ANYONE, Limited::By(&quotas::SSO), Audited::Not("only leads on") => oidc::sso;
    GET "/api/v1/auth/end-session", EVEN_WITH_ONE_TIME_PASSWORD, KNOWN, READS => oidc::end_session;
    POST "/api/v1/auth/oidc/backchannel/{id}", ANYONE,
        Limited::ByFloodGuardOnly("a provider sends one for each session that ends, and only what it has signed counts"),
        audited!(SessionEndAll) => oidc::back_channel;

    GET "/api/v1/users", ADMIN, KNOWN, READS => users::list;
    POST "/api/v1/users", ADMIN, KNOWN, audited!(UserCreate) => users::create;
    GET "/api/v1/users/{id}", ADMIN, KNOWN, READS => users::read;
    PATCH "/api/v1/users/{id}", ADMIN, KNOWN, audited!(UserUpdate) => users::update;
    DELETE "/api/v1/users/{id}", ADMIN, KNOWN, audited!(UserDelete) => users::delete;
    POST "/api/v1/users/{id}/reset-password", ADMIN, KNOWN, audited!(PasswordReset) => users::reset_password;
    GET "/api/v1/users/{id}/sessions", ADMIN, KNOWN, READS => users::sessions;
    DELETE "/api/v1/users/{id}/sessions", ADMIN, KNOWN, audited!(SessionEndAll) => users::end_sessions;

    GET "/api/v1/identity-providers/oidc/attempts", ADMIN, KNOWN, READS => identity_providers::attempts;
    GET "/api/v1/identity-providers/oidc", ADMIN, KNOWN, READS => identity_providers::list;
    POST "/api/v1/identity-providers/oidc", ADMIN, KNOWN, audited!(ProviderCreate) => identity_providers::create;
    GET "/api/v1/identity-providers/oidc/{id}", ADMIN, KNOWN, READS => identity_providers::read;
    PATCH "/api/v1/identity-providers/oidc/{id}", ADMIN, KNOWN, audited!(ProviderUpdate) => identity_providers::update;
    DELETE "/api/v1/identity-providers/oidc/{id}", ADMIN, KNOWN, audited!(ProviderDelete)
        => identity_providers::delete;
    POST "/api/v1/identity-providers/oidc/{id}/test", ADMIN, KNOWN, audited!(ProviderTest, ProviderPin)
        => identity_providers::test;
    POST "/api/v1/identity-providers/oidc/{id}/dry-run", ADMIN, KNOWN, Audited::Not("does nothing")
        => identity_providers::dry_run;
    POST "/api/v1/identity-providers/ldap/test", ADMIN, Limited::By(&quotas::DIRECTORY_TEST), audited!(ProviderTest)
        => identity_providers::test_directory;

    GET "/api/v1/remote-components/rotate-fleet", ADMIN, KNOWN, READS => fleet_rotation::progress;
    POST "/api/v1/remote-components/rotate-fleet", ADMIN, KNOWN, audited!(FleetRotationStart) => fleet_rotation::start;
    DELETE "/api/v1/remote-components/rotate-fleet", ADMIN, KNOWN, audited!(FleetRotationEnd)
        => fleet_rotation::cancel;
    GET "/api/v1/remote-components", VIEWER, KNOWN, READS => components::list;
    POST "/api/v1/remote-components", ADMIN, KNOWN, audited!(ComponentCreate) => components::create;
    GET "/api/v1/remote-components/{id}", VIEWER, KNOWN, READS => components::read;
    PATCH "/api/v1/remote-components/{id}", ADMIN, KNOWN, audited!(ComponentUpdate) => components::update;
    DELETE "/api/v1/remote-components/{id}", ADMIN, KNOWN, audited!(ComponentDelete) => components::delete;
    POST "/api/v1/remote-components/{id}/rotate", ADMIN, KNOWN, audited!(ComponentRotate) => components::rotate;
    POST "/api/v1/remote-components/{id}/request-rotation", ADMIN, KNOWN, audited!(RotationRequest)
        => components::request_rotation;
    POST "/api/v1/remote-components/{id}/revoke", ADMIN, KNOWN, audited!(ComponentRevoke) => components::revoke;
    POST "/api/v1/remote-components/{id}/restore", ADMIN, KNOWN, audited!(ComponentRestore) => components::restore;
    POST "/api/v1/remote-components/{id}/approve", ADMIN, KNOWN, audited!(ComponentApprove) => enrollment::approve;
    POST "/api/v1/keys/report-leak", ANYONE, Limited::By(&quotas::REPORT_LEAK), audited!(KeyLeakReport)
        => components::report_leak;
    POST "/api/v1/components/register", ANYONE, Limited::By(&quotas::REGISTER),
        audited!(ComponentRegister, ComponentReenroll) => enrollment::register;
    GET "/api/v1/enrollment-tokens", OPERATOR, KNOWN, READS => enrollment::tokens;
    POST "/api/v1/enrollment-tokens", ADMIN, KNOWN, audited!(EnrollmentTokenCreate) => enrollment::create_token;
    DELETE "/api/v1/enrollment-tokens/{id}", ADMIN, KNOWN, audited!(EnrollmentTokenDelete) => enrollment::delete_token;
    GET "/api/v1/enrollment-requests", OPERATOR, KNOWN, READS => enrollment::requests;
    DELETE "/api/v1/enrollment-requests/{id}", ADMIN, KNOWN, audited!(EnrollmentRequestDismiss)
        => enrollment::dismiss;

    GET "/api/v1/remote-collectors/{id}/config", COMPONENT, KNOWN, READS => collectors::config;
    PUT "/api/v1/remote-collectors/{id}/config", OPERATOR, KNOWN, audited!(ConfigSet) => collectors::put_config;
    POST "/api/v1/remote-collectors/{id}/report", COMPONENT, KNOWN, audited!(ConfigReport) => collectors::report;
    GET "/api/v1/remote-collectors/{id}/report", VIEWER, KNOWN, READS => collectors::last_report;
    POST "/api/v1/agents/heartbeat/{id}", COMPONENT, KNOWN, REPEATS => fleet::heartbeat;
    POST "/api/v1/agents/{id}/rotate", COMPONENT, Limited::By(&quotas::OWN_ROTATION), audited!(ComponentRotate)
        => fleet::rotate;
    POST "/api/v1/ingest/influx", COMPONENT, KNOWN, REPEATS => ingest::influx;
    POST "/api/v1/ingest/influx/write", COMPONENT, KNOWN, REPEATS => ingest::influx_write;
    POST "/api/v2/write", Access::InfluxWriter, KNOWN, REPEATS => ingest::influx_v2_write;
    POST "/api/v1/ingest/prometheus", COMPONENT, KNOWN, REPEATS => ingest::prometheus;

    GET "/api/v1/metrics/query", VIEWER, KNOWN, READS => metrics::query;
    GET "/api/v1/metrics/query_range", VIEWER, KNOWN, READS => metrics::query_range;
    GET "/api/v1/audit-logs", ADMIN, KNOWN, READS => audit::list;
    GET "/api/v1/audit-logs/stats", ADMIN, KNOWN, READS => audit::stats;
}

const UNAUTHENTICATED: &str = "`unauthenticated`, or why the key is refused";
const FORBIDDEN: &str = "`forbidden`, `cross_origin` or `password_change_required`";

fn error_content() -> Content {
    Content::new(Some(Ref::from_schema_name("Error")))
}

/// Says in the OpenAPI document who may use each endpoint: the scheme, and the role in words.
pub(crate) fn describe_policies(document: &mut OpenApi) {
    for route in ROUTES {
        let Some(item) = document.paths.paths.get_mut(route.path) else { continue };
        let operation = match route.method {
            Method::GET => &mut item.get,
            Method::POST => &mut item.post,
            Method::PUT => &mut item.put,
            Method::PATCH => &mut item.patch,
            Method::DELETE => &mut item.delete,
            _ => continue,
        };
        let Some(operation) = operation else { continue };
        operation.operation_id = Some(route.handler.replace("::", "_"));
        let required = |scheme: &str| SecurityRequirement::new(scheme, Vec::<String>::new());
        let (schemes, who) = match route.access {
            Access::Anyone => (vec![], "Anyone.".to_owned()),
            Access::Component => (vec![required("component")], "Components.".to_owned()),
            Access::InfluxWriter => (vec![required("component"), required("influx")], "Components.".to_owned()),
            Access::SignedIn { .. } => (vec![required("bearer"), required("cookie")], "Who is signed in.".to_owned()),
            Access::Role(role) => (vec![required("bearer"), required("cookie")], format!("From the role {role} on.")),
        };
        for (status, described, applies) in [
            ("401", UNAUTHENTICATED, route.access != Access::Anyone),
            ("403", FORBIDDEN, matches!(route.access, Access::SignedIn { .. } | Access::Role(_))),
        ] {
            if applies && !operation.responses.responses.contains_key(status) {
                let response =
                    ResponseBuilder::new().description(described).content("application/json", error_content());
                operation.responses.responses.insert(status.to_owned(), response.build().into());
            }
        }
        operation.security = Some(schemes);
        let limit = match route.limited {
            Limited::By(quota) => {
                let (requests, seconds) = (quota.requests, quota.window.as_secs());
                match quota.per {
                    Per::Address => format!(" At most {requests} requests in {seconds} s from one address."),
                    Per::Component => format!(" At most {requests} requests in {seconds} s from one component."),
                }
            }
            Limited::ByFloodGuardOnly(_) => String::new(),
        };
        let text = operation.description.take().map(|text| format!("{text}\n\n")).unwrap_or_default();
        operation.description = Some(format!("{text}{who}{limit}"));
    }
}

/// The routes of an application whose data holds the `Gate`, and what [`configure`] adds. Made once for each worker.
pub fn routes() -> Routes {
    Routes::new(ROUTES.iter().zip(endpoints()).map(|(spec, endpoint)| Route {
        method: spec.method.clone(),
        path: spec.path,
        policy: spec.policy(),
        endpoint,
    }))
}

/// Adds what the handlers of [`routes`] need to an application's data. Called once for each worker.
pub fn configure(services: Data<Services>) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config.app_data(services).app_data(Data::new(time_series::client()));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_endpoint_is_declared_twice() {
        let endpoints: HashSet<_> = ROUTES.iter().map(|route| (route.method.as_str(), route.path)).collect();
        assert_eq!(endpoints.len(), ROUTES.len());
    }

    #[test]
    fn screens_are_neither_files_nor_ways_to_somewhere_else() {
        let screens: Vec<_> = ROUTES.iter().filter(|route| route.is_screen()).map(|route| route.path).collect();
        assert!(["/", "/login", "/settings/identity-providers/{id}"].iter().all(|path| screens.contains(path)));
        let others = ["/sso", "/favicon.svg", "/assets/{id}", "/health/live", "/api/v1/openapi.json"];
        assert!(!others.iter().any(|path| screens.contains(path)), "{screens:?}");
    }

    #[test]
    fn paths_are_spelled_out_but_for_one_identifier_so_that_all_can_stand_side_by_side() {
        for route in ROUTES {
            let (ids, others): (Vec<_>, Vec<_>) = route.path.split('/').partition(|segment| *segment == "{id}");
            assert!(ids.len() <= 1, "{}", route.path);
            assert!(!others.iter().any(|segment| segment.contains(['{', '}', '*'])), "{}", route.path);
        }
    }

    #[test]
    fn whatever_changes_something_is_audited_or_says_why_not() {
        for route in ROUTES.iter().filter(|route| route.method != Method::GET) {
            assert_ne!(route.audited, READS, "{} {}", route.method, route.path);
        }
    }

    #[test]
    fn only_reads_and_flows_that_browsers_follow_are_safe_methods() {
        for route in ROUTES.iter().filter(|route| route.method == Method::GET) {
            let leads_on = route.path.contains("/oidc/");
            assert!(leads_on || !matches!(route.audited, Audited::As(_)), "{}", route.path);
        }
    }

    #[test]
    fn every_endpoint_under_a_limit_of_the_specification_has_it() {
        let limits = [
            ("/api/v1/auth/login", 5, 300),
            ("/api/v1/auth/change-password", 10, 60),
            ("/api/v1/auth/oidc/authorize/{id}", 10, 60),
            ("/api/v1/auth/oidc/callback", 10, 60),
            ("/api/v1/auth/sso", 10, 60),
            ("/api/v1/identity-providers/ldap/test", 10, 60),
            ("/api/v1/components/register", 10, 60),
            ("/api/v1/keys/report-leak", 10, 60),
            ("/api/v1/agents/{id}/rotate", 10, 60),
        ];
        for (path, requests, seconds) in limits {
            let route = ROUTES.iter().find(|route| route.path == path).unwrap();
            let Limited::By(quota) = route.limited else { panic!("{path} has no limit") };
            assert_eq!((quota.requests, quota.window.as_secs()), (requests, seconds), "{path}");
            let of_components = matches!(route.access, Access::Component | Access::InfluxWriter);
            assert_eq!(quota.per == Per::Component, of_components, "{path}");
        }
    }
}
