//! `docs/endpoints.md` is made from the table of routes, and says who may do what. `UPDATE_DOCS=1` writes it anew.

use std::fmt::Write as _;
use std::fs;

use stratora_actix::Access;
use stratora_api::{Audited, Limited, ROUTES, RouteSpec};
use stratora_auth::{Per, Role};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/endpoints.md");

const OPENING: &str = "\
# Endpoints

Made from the table in `crates/api/src/routes.rs`, from which the server makes its routes: what stands here is what is
enforced, and a test fails when the two differ. `HEAD` goes where `GET` goes; any other method of these paths is 405, any
other path 404. A limit is for one client address, unless it says for whom else. People with a one-time password get 403
`password_change_required` everywhere but where \"also before the forced change\" stands. Over all of it lies the flood guard.

| method | path | nobody | viewer | operator | admin | component | limit | audit |
|---|---|---|---|---|---|---|---|---|
";

fn row(route: &RouteSpec) -> String {
    let role = |role: Role| match route.access {
        Access::Anyone | Access::SignedIn { .. } => true,
        Access::Role(least) => role >= least,
        Access::Component | Access::InfluxWriter => false,
    };
    let anyone = route.access == Access::Anyone;
    let component = matches!(route.access, Access::Anyone | Access::Component | Access::InfluxWriter);
    let mark = |may: bool| if may { "yes" } else { "–" };
    let who = [anyone, role(Role::Viewer), role(Role::Operator), role(Role::Admin), component].map(mark).join(" | ");
    let limit = match route.limited {
        Limited::By(quota) => {
            let whom = if quota.per == Per::Component { " for one component" } else { "" };
            format!("{} in {} s{whom}", quota.requests, quota.window.as_secs())
        }
        Limited::ByFloodGuardOnly(reason) => format!("none: {reason}"),
    };
    let audit = match route.audited {
        Audited::As(actions) => actions.iter().map(|action| format!("`{action}`")).collect::<Vec<_>>().join(", "),
        Audited::Not(reason) => format!("none: {reason}"),
    };
    let before = if route.access == (Access::SignedIn { while_must_change: true }) {
        " (also before the forced change)"
    } else {
        ""
    };
    let RouteSpec { method, path, .. } = route;
    format!("| {method} | `{path}`{before} | {who} | {limit} | {audit} |")
}

#[test]
fn the_page_of_endpoints_is_what_the_table_says() {
    let mut page = OPENING.to_owned();
    for route in ROUTES {
        writeln!(page, "{}", row(route)).unwrap();
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PAGE, &page).unwrap();
    }
    let written = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(written == page, "docs/endpoints.md is stale: run UPDATE_DOCS=1 cargo xtask test -- -p stratora-api");
}
