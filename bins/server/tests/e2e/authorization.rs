//! Every route with every kind of caller: the table of routes says who may, and the running server does as it says.

use actix_web::http::Method;
use serde_json::json;
use stratora_actix::Access;
use stratora_api::{ROUTES, RouteSpec};
use stratora_auth::Role;
use stratora_testing::{Answer, Client};

use crate::support::{Installation, create_component, create_user, on_both_databases, sign_in, text};

on_both_databases!(every_route_admits_exactly_whom_the_table_names, nobody_is_helped_by_asking_for_another_component);

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Nobody,
    Viewer,
    Operator,
    Admin,
    Component,
    RevokedComponent,
    DisabledUser,
    MustChangeUser,
}

const CALLERS: [Caller; 8] = [
    Caller::Nobody,
    Caller::Viewer,
    Caller::Operator,
    Caller::Admin,
    Caller::Component,
    Caller::RevokedComponent,
    Caller::DisabledUser,
    Caller::MustChangeUser,
];

/// What is expected of the door; what lies behind it is for other tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Open,
    Unauthenticated,
    Forbidden,
    PasswordChangeRequired,
}

fn expected(route: &RouteSpec, caller: Caller) -> Door {
    let role = match caller {
        Caller::Viewer => Some(Role::Viewer),
        Caller::Operator => Some(Role::Operator),
        Caller::Admin | Caller::MustChangeUser => Some(Role::Admin),
        _ => None,
    };
    let least = match route.access {
        Access::Anyone => return Door::Open,
        Access::Component | Access::InfluxWriter if caller == Caller::Component => return Door::Open,
        Access::Component | Access::InfluxWriter => return Door::Unauthenticated,
        Access::SignedIn { while_must_change: true } if role.is_some() => return Door::Open,
        Access::SignedIn { .. } => Role::Viewer,
        Access::Role(least) => least,
    };
    match role {
        None => Door::Unauthenticated,
        Some(_) if caller == Caller::MustChangeUser => Door::PasswordChangeRequired,
        Some(role) if role < least => Door::Forbidden,
        Some(_) => Door::Open,
    }
}

fn door(answer: &Answer) -> Door {
    match (answer.status, answer.error().as_str()) {
        (401, "invalid_credentials") => Door::Open,
        (401, _) => Door::Unauthenticated,
        (403, "password_change_required") => Door::PasswordChangeRequired,
        (403, "forbidden") => Door::Forbidden,
        _ => Door::Open,
    }
}

/// The callers' credentials, as headers.
struct Callers {
    tokens: Vec<(Caller, &'static str, String)>,
    component: String,
}

impl Callers {
    async fn prepare(installation: &mut Installation) -> (Self, String) {
        let admin = installation.admin().await;
        let backend = installation.backend();
        let (_, viewer) = create_user(&backend, &admin, "viewer", "viewer", "198.51.100.1").await;
        let (_, operator) = create_user(&backend, &admin, "operator", "operator", "198.51.100.2").await;
        let (disabled_id, disabled) = create_user(&backend, &admin, "disabled", "admin", "198.51.100.3").await;
        let off = json!({"active": false});
        backend.patch(&format!("/api/v1/users/{disabled_id}")).bearer(&admin).json(&off).send().await.unwrap();
        let body = json!({"username": "new", "role": "admin"});
        let new = backend.post("/api/v1/users").bearer(&admin).json(&body).send().await.unwrap().json();
        let must_change = sign_in(&backend, "new", &text(&new, "one_time_password"), "198.51.100.4").await;
        let (component, key) = create_component(&backend, &admin, "one").await;
        let (revoked_id, revoked) = create_component(&backend, &admin, "revoked").await;
        backend.post(&format!("/api/v1/remote-components/{revoked_id}/revoke")).bearer(&admin).send().await.unwrap();
        let tokens = vec![
            (Caller::Viewer, "authorization", format!("Bearer {viewer}")),
            (Caller::Operator, "authorization", format!("Bearer {operator}")),
            (Caller::Component, "x-api-key", key),
            (Caller::RevokedComponent, "x-api-key", revoked),
            (Caller::DisabledUser, "authorization", format!("Bearer {disabled}")),
            (Caller::MustChangeUser, "authorization", format!("Bearer {must_change}")),
        ];
        (Self { tokens, component }, admin)
    }
}

/// Asks as `caller`, from an address of its own for each question, so that no limit gets in the way.
async fn ask(
    client: &Client,
    route: &RouteSpec,
    path: &str,
    credential: Option<(&str, &str)>,
    address: &str,
) -> Answer {
    let request = client.request(Method::as_str(&route.method).parse().unwrap(), path).from(address);
    let request = match credential {
        Some((name, value)) => request.header(name, value),
        None => request,
    };
    // Nothing that any endpoint would take: the door is what is asked about.
    let request = if route.method == Method::GET || route.method == Method::DELETE {
        request
    } else {
        request.body("application/json", "[]")
    };
    request.send().await.unwrap()
}

async fn every_route_admits_exactly_whom_the_table_names(mut installation: Installation) {
    let (callers, admin) = Callers::prepare(&mut installation).await;
    let backend = installation.backend();
    let mut number = 0_u32;
    let mut wrong = Vec::new();
    for route in ROUTES {
        let path = match route.access {
            Access::Component | Access::InfluxWriter => route.path.replace("{id}", &callers.component),
            _ => route.path.replace("{id}", "00000000-0000-4000-8000-000000000000"),
        };
        for caller in CALLERS {
            // What ends the session that asks is asked of a session made for it.
            let ends_itself = route.path.ends_with("/logout");
            if ends_itself && !matches!(caller, Caller::Nobody | Caller::Component | Caller::RevokedComponent) {
                continue;
            }
            let bearer = format!("Bearer {admin}");
            let credential = match caller {
                Caller::Nobody => None,
                Caller::Admin => Some(("authorization", bearer.as_str())),
                other => {
                    callers.tokens.iter().find(|(of, ..)| *of == other).map(|(_, name, value)| (*name, value.as_str()))
                }
            };
            number += 1;
            let address = format!("203.0.{}.{}", number / 250, number % 250 + 1);
            let answer = ask(&backend, route, &path, credential, &address).await;
            if door(&answer) != expected(route, caller) {
                wrong.push(format!("{caller:?} on {} {path}: {} {}", route.method, answer.status, answer.text()));
            }
            assert!(answer.status < 500 || answer.status == 503, "{} {path}: {}", route.method, answer.text());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let denied = "/api/v1/audit-logs?action=access.deny&limit=1";
    let denied = backend.get(denied).bearer(&admin).send().await.unwrap().json();
    assert!(denied["total"].as_u64().unwrap() > 0, "denials are written down");
}

async fn nobody_is_helped_by_asking_for_another_component(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (one, key) = create_component(&backend, &admin, "one").await;
    let (other, _) = create_component(&backend, &admin, "other").await;
    for id in [&one, &other] {
        let put = backend.put(&format!("/api/v1/remote-collectors/{id}/config")).bearer(&admin);
        assert_eq!(put.body("application/toml", "a = 1").send().await.unwrap().status, 204);
    }
    let beat = json!({"hostname": "h", "version": "1", "os": "linux"});
    let report = json!({"config_hash": "x", "status": "applied", "message": ""});
    for request in [
        backend.get(&format!("/api/v1/remote-collectors/{other}/config")),
        backend.get(&format!("/api/v1/remote-collectors/{other}/config")).header("if-none-match", "*"),
        backend.post(&format!("/api/v1/remote-collectors/{other}/report")).json(&report),
        backend.post(&format!("/api/v1/agents/heartbeat/{other}")).json(&beat),
        backend.post(&format!("/api/v1/agents/{other}/rotate")),
    ] {
        let answer = request.key(&key).send().await.unwrap();
        assert_eq!((answer.status, answer.error().as_str()), (404, "not_found"));
    }
    let own = backend.get(&format!("/api/v1/remote-collectors/{one}/config")).key(&key).header("if-none-match", "*");
    assert_eq!(own.send().await.unwrap().status, 304);
}

#[tokio::test]
async fn whoever_looks_only_sees_no_secret() {
    let mut installation = Installation::on_sqlite();
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (_, viewer) = create_user(&backend, &admin, "viewer", "viewer", "198.51.100.1").await;
    let (_, key) = create_component(&backend, &admin, "one").await;
    let list = backend.get("/api/v1/remote-components").bearer(&viewer).send().await.unwrap();
    assert!(list.text().contains(&key[..12]) && !list.text().contains(&key[..13]), "{}", list.text());
    assert!(!list.text().contains("digest") && !list.text().contains("hash"), "{}", list.text());
}

#[tokio::test]
async fn people_change_neither_their_own_role_nor_lock_themselves_or_the_built_in_administrator_out() {
    let mut installation = Installation::on_sqlite();
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (second_id, second) = create_user(&backend, &admin, "second", "admin", "198.51.100.1").await;
    let me = backend.get("/api/v1/auth/me").bearer(&admin).send().await.unwrap().json();
    let built_in = format!("/api/v1/users/{}", text(&me, "id"));
    let own = format!("/api/v1/users/{second_id}");
    for (path, body, error) in [
        (&own, json!({"role": "viewer"}), "own_account"),
        (&own, json!({"active": false}), "own_account"),
        (&built_in, json!({"role": "viewer"}), "built_in_account"),
        (&built_in, json!({"active": false}), "built_in_account"),
    ] {
        let answer = backend.patch(path).bearer(&second).json(&body).send().await.unwrap();
        assert_eq!((answer.status, answer.error().as_str()), (403, error), "{body}");
    }
    assert_eq!(backend.delete(&own).bearer(&second).send().await.unwrap().error(), "own_account");
    assert_eq!(backend.delete(&built_in).bearer(&second).send().await.unwrap().error(), "built_in_account");
}
