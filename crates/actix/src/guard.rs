//! The guard of one route: its policy, carried out before the handler or the body is touched.

use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, WWW_AUTHENTICATE};
use metrics::counter;
use newtype_uuid::GenericUuid as _;
use stratora_audit::{Action, Outcome, ResourceKind};
use stratora_auth::{AuthenticateError, Channel, Per, Quota, Role, quotas};
use stratora_keys::{ApiKey, AuthenticateKeyError, AuthenticatedKey, ComponentId, KeyUse, Name, Refusal};

use crate::credential::SessionCredential;
use crate::limit::{RateLimitFields, admit, admit_component};
use crate::visit::{Caller, Visit};
use crate::{ApiError, AuthenticatedComponent, CurrentUser, Gate, RequestContext, credential};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone; credentials are not looked at.
    Anyone,
    /// Components, with their key in `X-API-Key`.
    Component,
    /// Components, with their key in `X-API-Key` or in the `Authorization: Token` of `InfluxDB` writers.
    InfluxWriter,
    /// People who are signed in.
    SignedIn {
        /// Also those who must change their password first.
        while_must_change: bool,
    },
    /// People who are signed in and have at least this role.
    Role(Role),
}

/// What stands between a request and its handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoutePolicy {
    /// Who may use the route.
    pub access: Access,
    /// How often a client may try, well or not; or how often a component may ask, where the quota counts those.
    pub quota: Option<&'static Quota>,
    /// Whether the body may be compressed: only where it is passed on as it came.
    pub encoded_body: bool,
}

/// Lets a request in. An address is counted before anything else is asked, and a component once it is known which it is;
/// `fields` are what the answer tells about that, whatever it is.
pub(crate) async fn admit_request(
    request: &ServiceRequest,
    policy: RoutePolicy,
    fields: &mut Option<RateLimitFields>,
) -> Result<(), ApiError> {
    let (gate, context) = (Gate::of_service(request)?, &RequestContext::of(request)?);
    let counts = |per| policy.quota.filter(|quota| quota.per == per);
    if let Some(quota) = counts(Per::Address) {
        *fields = Some(admit(gate, context, quota).await?);
    }
    authorize(gate, context, request, policy).await?;
    if let Some(quota) = counts(Per::Component) {
        let component = Visit::read(request, AuthenticatedComponent::of).flatten()?;
        *fields = Some(admit_component(gate, &component, quota).await?);
    }
    Ok(())
}

async fn authorize(
    gate: &Gate,
    context: &RequestContext,
    request: &ServiceRequest,
    policy: RoutePolicy,
) -> Result<(), ApiError> {
    let caller = match policy.access {
        Access::Anyone => Caller::Anonymous,
        Access::Component => {
            Caller::Component(known_key(gate, context, credential::key(request.headers()), "X-API-Key").await?)
        }
        Access::InfluxWriter => {
            Caller::Component(known_key(gate, context, credential::key_or_token(request.headers()), "Token").await?)
        }
        Access::SignedIn { while_must_change } => {
            permitted_user(gate, context, request, while_must_change, None).await?
        }
        Access::Role(role) => permitted_user(gate, context, request, false, Some(role)).await?,
    };
    Visit::change(request, |visit| visit.caller = caller)?;
    let encodings = request.headers().get_all(CONTENT_ENCODING);
    if !policy.encoded_body && encodings.into_iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(ApiError::unsupported_media_type("Send the body without a Content-Encoding."));
    }
    Ok(())
}

/// The person who is signed in and may do what is asked, else why not; what their role or the page that they came from denies
/// them is written down.
async fn permitted_user(
    gate: &Gate,
    context: &RequestContext,
    request: &ServiceRequest,
    while_must_change: bool,
    role: Option<Role>,
) -> Result<Caller, ApiError> {
    let SessionCredential { channel, secret, beside } =
        credential::session(request.headers()).ok_or_else(unauthenticated)?;
    let session = gate.sessions.authenticate(channel, &secret, beside.as_ref(), context.arrived_at).await;
    let session = session.map_err(|error| match error {
        AuthenticateError::Invalid => unauthenticated(),
        AuthenticateError::Unavailable(cause) => ApiError::from(cause),
    })?;
    let user = CurrentUser::new(session, channel, *context);
    // On the heap: whoever is let in would carry the state of a denial.
    let deny = |action: Action| {
        let event = user.origin().event(gate.clock.now(), action).ended(Outcome::Denied);
        Box::pin(gate.refusals.write(event.on(ResourceKind::Endpoint, None, endpoint(request, context))))
    };
    if user.session.user.must_change_password && !while_must_change {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "password_change_required", "Change your password first."));
    }
    if role.is_some_and(|role| user.role() < role) {
        deny(Action::AccessDeny).await;
        return Err(ApiError::forbidden());
    }
    if channel == Channel::Cookie && !gate.external_origin.admits(request.method(), request.headers()) {
        deny(Action::OriginRefuse).await;
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "cross_origin",
            "Open the console at its own address and try again there.",
        ));
    }
    Ok(Caller::User(user.session, channel))
}

fn unauthenticated() -> ApiError {
    counter!("http_auth_failures_total", "reason" => "session").increment(1);
    ApiError::unauthenticated()
}

/// What is known of `key` and the component that holds it, else why it is refused; that is counted and written down.
/// `challenge` is what a refusal asks for.
pub(crate) async fn known_key(
    gate: &Gate,
    context: &RequestContext,
    key: Option<ApiKey>,
    challenge: &'static str,
) -> Result<Arc<AuthenticatedKey>, ApiError> {
    let (refusal, holder) = match key {
        None => (Refusal::Unknown, None),
        Some(key) => match gate.keys.authenticate(&key, &key_use(context)).await {
            Ok(known) => return Ok(known),
            Err(AuthenticateKeyError::Refused { refusal, holder }) => (refusal, holder),
            Err(AuthenticateKeyError::Unavailable(cause)) => return Err(ApiError::from(cause)),
        },
    };
    // On the heap: whoever is let in would carry the state of a refusal.
    Err(Box::pin(refuse(gate, context, refusal, holder, challenge)).await)
}

fn key_use(context: &RequestContext) -> KeyUse {
    KeyUse { at: context.arrived_at, client: Some(context.client.ip()), request_id: context.request_id }
}

/// The answer to a key that is refused; or to too many of them.
async fn refuse(
    gate: &Gate,
    context: &RequestContext,
    refusal: Refusal,
    holder: Option<(ComponentId, Name)>,
    challenge: &'static str,
) -> ApiError {
    let (status, code, message) = match refusal {
        Refusal::Unknown => {
            (StatusCode::UNAUTHORIZED, "key_unknown", "Send a component key of this server in X-API-Key.")
        }
        Refusal::Rotated => {
            (StatusCode::UNAUTHORIZED, "key_rotated", "This key was replaced. Use the component's new key.")
        }
        Refusal::Revoked => {
            (StatusCode::UNAUTHORIZED, "key_revoked", "This key was revoked. Ask an administrator for a new one.")
        }
        Refusal::NotApproved => {
            (StatusCode::FORBIDDEN, "not_approved", "Ask an administrator to approve this component.")
        }
    };
    counter!("http_auth_failures_total", "reason" => code).increment(1);
    // Only keys that nobody holds are counted, so that nobody is locked out by what a neighbour sends.
    if refusal == Refusal::Unknown
        && let Err(error) = admit(gate, context, &quotas::UNKNOWN_KEY).await
    {
        return error;
    }
    let event = context.origin().event(gate.clock.now(), Action::KeyRefuse).ended(Outcome::Denied).with("reason", code);
    let event = match holder {
        Some((component, name)) => {
            event.on(ResourceKind::Component, Some(component.into_untyped_uuid()), name.as_str())
        }
        None => event,
    };
    gate.refusals.write_seldom(event, context.client.key()).await;
    let error = ApiError::new(status, code, message);
    let is_challenge = status == StatusCode::UNAUTHORIZED;
    if is_challenge { error.with_header((WWW_AUTHENTICATE, challenge)) } else { error }
}

/// The route as people know it: `GET /api/v1/users/{id}`.
fn endpoint(request: &ServiceRequest, context: &RequestContext) -> String {
    format!("{} {}", request.method(), context.route.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use actix_web::http::Method;
    use actix_web::web::Bytes;
    use stratora_clock::Clock as _;
    use stratora_keys::{KeyState, Standing};

    use super::*;
    use crate::testing::{Answer, Server};
    use crate::{Endpoint, OwnComponent, Route, Routes};

    const fn policy(access: Access) -> RoutePolicy {
        RoutePolicy { access, quota: None, encoded_body: false }
    }

    fn routes() -> Routes {
        let user = |user: CurrentUser| async move { format!("{:?} {}", user.channel, user.role()) };
        let own = |component: OwnComponent| async move { component.id().to_string() };
        let component = |component: AuthenticatedComponent| async move { component.key.name().to_string() };
        let login = RoutePolicy { quota: Some(&quotas::LOGIN), ..policy(Access::Anyone) };
        let ingest = RoutePolicy { encoded_body: true, ..policy(Access::Component) };
        let signed_in = policy(Access::SignedIn { while_must_change: false });
        let admin = policy(Access::Role(Role::Admin));
        let rotation = RoutePolicy { quota: Some(&quotas::OWN_ROTATION), ..policy(Access::Component) };
        let nobodys = RoutePolicy { quota: Some(&quotas::OWN_ROTATION), ..policy(Access::Anyone) };
        let route = |method, path, endpoint, policy| Route { method, path, policy, endpoint };
        Routes::new([
            route(Method::POST, "/rotate", Endpoint::of(component), rotation),
            route(Method::POST, "/nobodys", Endpoint::of(|| async { "in" }), nobodys),
            route(Method::POST, "/login", Endpoint::of(|_: Bytes| async { "in" }), login),
            route(Method::GET, "/me", Endpoint::of(user), policy(Access::SignedIn { while_must_change: true })),
            route(Method::GET, "/sessions", Endpoint::of(user), signed_in),
            route(Method::DELETE, "/sessions", Endpoint::of(user), signed_in),
            route(Method::GET, "/users", Endpoint::of(user), admin),
            route(Method::POST, "/agents/{id}", Endpoint::of(own), policy(Access::Component)),
            route(Method::POST, "/ingest", Endpoint::of(component), ingest),
            route(Method::POST, "/write", Endpoint::of(component), policy(Access::InfluxWriter)),
            route(Method::GET, "/mistake", Endpoint::of(user), policy(Access::Anyone)),
            route(Method::POST, "/mistake", Endpoint::of(user), policy(Access::Component)),
            route(Method::PUT, "/mistake", Endpoint::of(component), signed_in),
        ])
    }

    fn send(server: &Server, request: &str, headers: &[&str]) -> Answer {
        let start = format!("{request} HTTP/1.1");
        server.send(&[&[&start, "Host: a.test"], headers].concat(), b"")
    }

    fn login(server: &Server, client: &str) -> Answer {
        send(server, "POST /login", &[&format!("X-Forwarded-For: {client}")])
    }

    #[test]
    fn the_sixth_attempt_is_refused_with_the_time_after_which_the_next_is_admitted() {
        let server = Server::of(routes);
        for remaining in (0..5).rev() {
            let answer = login(&server, "192.0.2.1");
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("ratelimit-policy"), Some("\"login\";q=5;w=300"));
            assert_eq!(answer.header("ratelimit"), Some(format!("\"login\";r={remaining};t=300").as_str()));
        }
        server.clock.advance(Duration::from_millis(183_500));
        for _ in 0..3 {
            let refused = login(&server, "192.0.2.1");
            assert_eq!((refused.status, refused.error().as_str()), (429, "rate_limited"));
            assert_eq!(refused.header("retry-after"), Some("117"));
            assert_eq!(refused.header("ratelimit"), Some("\"login\";r=0;t=117"));
        }
        assert_eq!(server.log.actions(), [Action::RateLimit], "at most one entry a minute");
        assert_eq!(login(&server, "192.0.2.2").status, 200, "another client is not concerned");
        server.clock.advance(Duration::from_secs(116));
        assert_eq!(login(&server, "192.0.2.1").status, 429);
        server.clock.advance(Duration::from_secs(1));
        assert_eq!(login(&server, "192.0.2.1").status, 200);
    }

    #[test]
    fn a_client_of_the_proxy_cannot_choose_whom_it_counts_for() {
        let server = Server::of(routes);
        for attempt in 0..5 {
            assert_eq!(login(&server, &format!("10.0.0.{attempt}, 192.0.2.1")).status, 200);
        }
        assert_eq!(login(&server, "10.0.0.99, 192.0.2.1").status, 429);
        for attempt in 0..5 {
            assert_eq!(login(&server, &format!("2001:db8::{attempt}")).status, 200);
        }
        assert_eq!(login(&server, "2001:db8::ffff:1").status, 429, "a /64 is one client");
    }

    #[test]
    fn a_component_that_asks_too_often_is_refused_and_its_neighbours_are_not() {
        let server = Server::of(routes);
        let [one, other] = [(); 2].map(|()| server.keys.add(KeyState::Live, Standing::Active));
        let rotate = |key: &str, client: &str| {
            let headers = [format!("X-API-Key: {key}"), format!("X-Forwarded-For: {client}")];
            send(&server, "POST /rotate", &headers.each_ref().map(String::as_str))
        };
        let unknown = format!("sk_stra_{}", "A".repeat(43));
        for _ in 0..15 {
            let refused = rotate(&unknown, "192.0.2.1");
            assert_eq!((refused.status, refused.header("ratelimit-policy")), (401, None), "counts for nobody");
        }
        for remaining in (0..10).rev() {
            let answer = rotate(&one.key, &format!("192.0.2.{remaining}"));
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("ratelimit-policy"), Some("\"own-rotation\";q=10;w=60"));
            assert_eq!(answer.header("ratelimit"), Some(format!("\"own-rotation\";r={remaining};t=60").as_str()));
        }
        server.clock.advance(Duration::from_secs(20));
        for client in ["192.0.2.1", "192.0.2.1", "192.0.2.77"] {
            let refused = rotate(&one.key, client);
            assert_eq!((refused.status, refused.error().as_str()), (429, "rate_limited"), "{client}");
            assert_eq!(refused.header("retry-after"), Some("40"));
            assert_eq!(refused.header("ratelimit"), Some("\"own-rotation\";r=0;t=40"));
            assert!(refused.body.contains("from this component"), "{}", refused.body);
        }
        let limited: Vec<_> =
            server.log.events().into_iter().filter(|event| event.action == Action::RateLimit).collect();
        assert_eq!(limited.len(), 2, "at most one entry a minute from one address");
        assert!(limited.iter().all(|event| event.actor.id == Some(one.id.into_untyped_uuid())), "{limited:?}");
        assert_eq!(rotate(&other.key, "192.0.2.1").status, 200, "another component is not concerned");
        assert_eq!(
            send(&server, "POST /ingest", &[&format!("X-API-Key: {}", one.key)]).status,
            200,
            "nor other routes"
        );
        server.clock.advance(Duration::from_secs(40));
        assert_eq!(rotate(&one.key, "192.0.2.1").status, 200);
        server.limits.is_away.store(true, Ordering::SeqCst);
        assert_eq!(rotate(&other.key, "192.0.2.1").status, 503);
    }

    #[test]
    fn a_quota_of_components_on_a_route_of_others_fails_closed() {
        let server = Server::of(routes);
        let key = format!("X-API-Key: {}", server.keys.add(KeyState::Live, Standing::Active).key);
        let answer = send(&server, "POST /nobodys", &[&key]);
        assert_eq!((answer.status, answer.error().as_str()), (500, "internal"));
    }

    #[test]
    fn when_a_store_is_away_the_door_is_closed() {
        let server = Server::of(routes);
        let key = format!("X-API-Key: {}", server.keys.add(KeyState::Live, Standing::Active).key);
        let person = server.sessions.open(Role::Admin, false, server.clock.now());
        let bearer = format!("Authorization: Bearer {}", person.token);
        for is_away in [&server.limits.is_away, &server.sessions.is_away, &server.keys.is_away] {
            is_away.store(true, Ordering::SeqCst);
        }
        for (request, header) in [("POST /login", "X-None: 1"), ("GET /me", &bearer), ("POST /ingest", &key)] {
            let answer = send(&server, request, &[header]);
            assert_eq!((answer.status, answer.error().as_str()), (503, "unavailable"), "{request}");
            assert!(answer.header("retry-after").is_some());
        }
    }

    #[test]
    fn nothing_of_an_identity_stays_for_the_next_request_on_the_connection() {
        let server = Server::of(routes);
        let person = server.sessions.open(Role::Admin, false, server.clock.now());
        let mut stream = server.connect();
        let first = format!("GET /me HTTP/1.1\r\nHost: a.test\r\nAuthorization: Bearer {}\r\n\r\n", person.token);
        let others = ["GET /mistake", "GET /me"].map(|request| format!("{request} HTTP/1.1\r\nHost: a.test\r\n"));
        write!(stream, "{first}{}\r\n{}Connection: close\r\n\r\n", others[0], others[1]).unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).unwrap();
        let statuses: Vec<_> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
        assert_eq!(statuses, ["200", "500", "401"]);
    }

    #[test]
    fn a_refused_request_with_a_huge_body_is_answered_and_let_go() {
        let server = Server::of(routes);
        for _ in 0..5 {
            login(&server, "127.0.0.1");
        }
        for framing in ["Content-Length: 1000000000", "Transfer-Encoding: chunked"] {
            let mut stream = server.connect();
            write!(stream, "POST /login HTTP/1.1\r\nHost: a.test\r\n{framing}\r\n\r\n").unwrap();
            stream.write_all(b"10000\r\n").unwrap();
            let mut answer = Vec::new();
            // Ends when the server hangs up; fails when it waits for the rest for longer than the client's patience.
            let end = stream.read_to_end(&mut answer);
            assert!(answer.starts_with(b"HTTP/1.1 429 "), "{framing}");
            assert!(end.is_ok(), "{framing}: {end:?}");
        }
    }

    #[test]
    fn each_secret_of_a_session_works_in_its_own_channel_only() {
        let server = Server::of(routes);
        let person = server.sessions.open(Role::Viewer, false, server.clock.now());
        let bearer = |secret: &str| send(&server, "GET /me", &[&format!("Authorization: Bearer {secret}")]);
        let cookie = |secret: &str| send(&server, "GET /me", &[&format!("Cookie: __Host-stratora_session={secret}")]);
        assert_eq!(bearer(&person.token).body, "Bearer viewer");
        assert_eq!(cookie(&person.cookie).body, "Cookie viewer");
        for refused in [bearer(&person.cookie), cookie(&person.token), send(&server, "GET /me", &[])] {
            assert_eq!((refused.status, refused.error().as_str()), (401, "unauthenticated"));
            assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
        }
        let target = format!("GET /me?token={0}&access_token={0}", person.token);
        assert_eq!(send(&server, &target, &[]).status, 401);
    }

    #[test]
    fn a_bearer_token_decides_alone_and_never_falls_back_to_the_cookie() {
        let server = Server::of(routes);
        let now = server.clock.now();
        let (viewer, admin) =
            (server.sessions.open(Role::Viewer, false, now), server.sessions.open(Role::Admin, false, now));
        let bearer = format!("Authorization: Bearer {}", viewer.token);
        let wrong = format!("Authorization: Bearer {}", "A".repeat(43));
        let cookie = format!("Cookie: __Host-stratora_session={}", admin.cookie);
        assert_eq!(send(&server, "GET /me", &[&bearer, &cookie]).body, "Bearer viewer");
        assert_eq!(send(&server, "GET /users", &[&bearer, &cookie]).status, 403);
        assert_eq!(send(&server, "GET /me", &[&wrong, &cookie]).status, 401);
        assert_eq!(send(&server, "GET /me", &["Authorization: Basic YTpi", &cookie]).status, 401);
        assert_eq!(send(&server, "GET /me", &[&bearer, &bearer]).status, 401);
        assert_eq!(send(&server, "GET /me", &[&cookie, &cookie]).status, 401);
    }

    #[test]
    fn a_cookie_changes_something_from_our_own_page_only() {
        let server = Server::of(routes);
        let person = server.sessions.open(Role::Viewer, false, server.clock.now());
        let cookie = format!("Cookie: __Host-stratora_session={}", person.cookie);
        let bearer = format!("Authorization: Bearer {}", person.token);
        for proof in ["Sec-Fetch-Site: same-origin", "Origin: https://stratora.example.com"] {
            assert_eq!(send(&server, "DELETE /sessions", &[&cookie, proof]).status, 200, "{proof}");
        }
        for forged in ["X-None: 1", "Origin: https://evil.test", "Origin: null", "Sec-Fetch-Site: same-site"] {
            let refused = send(&server, "DELETE /sessions", &[&cookie, forged]);
            assert_eq!((refused.status, refused.error().as_str()), (403, "cross_origin"), "{forged}");
        }
        assert_eq!(server.log.actions(), [Action::OriginRefuse; 4]);
        assert_eq!(send(&server, "GET /sessions", &[&cookie]).status, 200);
        assert_eq!(send(&server, "GET /sessions", &[&cookie, "Sec-Fetch-Site: cross-site"]).status, 403);
        let foreign = "Origin: https://evil.test";
        assert_eq!(
            send(&server, "DELETE /sessions", &[&bearer, foreign]).status,
            200,
            "no browser adds a token by itself"
        );
    }

    #[test]
    fn who_must_change_the_password_can_do_nothing_else() {
        let server = Server::of(routes);
        let person = server.sessions.open(Role::Admin, true, server.clock.now());
        let bearer = format!("Authorization: Bearer {}", person.token);
        assert_eq!(send(&server, "GET /me", &[&bearer]).status, 200);
        for path in ["GET /sessions", "GET /users"] {
            assert_eq!(send(&server, path, &[&bearer]).error(), "password_change_required", "{path}");
        }
    }

    #[test]
    fn a_role_that_does_not_suffice_is_denied_and_audited() {
        let server = Server::of(routes);
        for role in [Role::Viewer, Role::Operator] {
            let person = server.sessions.open(role, false, server.clock.now());
            let denied = send(&server, "GET /users", &[&format!("Authorization: Bearer {}", person.token)]);
            assert_eq!((denied.status, denied.error().as_str()), (403, "forbidden"));
        }
        let events = server.log.events();
        assert_eq!(events.iter().map(|event| event.actor.name.as_str()).collect::<Vec<_>>(), ["viewer", "operator"]);
        assert_eq!(events[0].resource.as_ref().unwrap().name, "GET /users");
        let admin = server.sessions.open(Role::Admin, false, server.clock.now());
        assert_eq!(send(&server, "GET /users", &[&format!("Authorization: Bearer {}", admin.token)]).status, 200);
    }

    #[test]
    fn a_component_reaches_what_is_its_own_and_nothing_of_another() {
        let server = Server::of(routes);
        let (one, other) =
            (server.keys.add(KeyState::Live, Standing::Active), server.keys.add(KeyState::Live, Standing::Active));
        let key = format!("X-API-Key: {}", one.key);
        assert_eq!(send(&server, &format!("POST /agents/{}", one.id), &[&key]).body, one.id.to_string());
        let (other, upper) = (other.id.to_string(), one.id.to_string().to_uppercase());
        for id in [&*other, &upper, "1", "%2e%2e", "..%2fx", "%00", "%c0%ae", "1'--", &"9".repeat(6000)] {
            let refused = send(&server, &format!("POST /agents/{id}"), &[&key]);
            assert_eq!((refused.status, refused.error().as_str()), (404, "not_found"), "{id}");
        }
        assert_eq!(server.log.actions(), [Action::AccessDeny]);
    }

    #[test]
    fn only_its_holder_learns_why_a_key_is_refused() {
        let server = Server::of(routes);
        let refused = |state, standing| {
            let holder = server.keys.add(state, standing);
            let answer = send(&server, "POST /ingest", &[&format!("X-API-Key: {}", holder.key)]);
            (answer.status, answer.error())
        };
        assert_eq!(refused(KeyState::Rotated, Standing::Active), (401, "key_rotated".to_owned()));
        assert_eq!(refused(KeyState::Revoked, Standing::Revoked), (401, "key_revoked".to_owned()));
        assert_eq!(refused(KeyState::Live, Standing::Pending), (403, "not_approved".to_owned()));
        let key = format!("X-API-Key: {}", server.keys.add(KeyState::Live, Standing::Active).key);
        let unknown = format!("X-API-Key: sk_stra_{}", "A".repeat(43));
        for headers in [&[][..], &["X-API-Key: wrong"], &[&unknown], &[&key, &key]] {
            let answer = send(&server, "POST /ingest", headers);
            assert_eq!((answer.status, answer.error().as_str()), (401, "key_unknown"), "{headers:?}");
        }
        assert_eq!(server.log.actions(), [Action::KeyRefuse; 4], "what is unknown once for all");
    }

    #[test]
    fn too_many_unknown_keys_are_refused_and_the_neighbours_are_not() {
        let server = Server::of(routes);
        let good = format!("X-API-Key: {}", server.keys.add(KeyState::Live, Standing::Active).key);
        let rotated = format!("X-API-Key: {}", server.keys.add(KeyState::Rotated, Standing::Active).key);
        for _ in 0..30 {
            assert_eq!(send(&server, "POST /ingest", &["X-API-Key: wrong"]).status, 401);
        }
        let refused = send(&server, "POST /ingest", &["X-API-Key: wrong"]);
        assert_eq!((refused.status, refused.error().as_str()), (429, "rate_limited"));
        assert_eq!(refused.header("retry-after"), Some("60"));
        assert_eq!(send(&server, "POST /ingest", &[&good]).status, 200);
        assert_eq!(send(&server, "POST /ingest", &[&rotated]).error(), "key_rotated");
    }

    #[test]
    fn a_key_is_no_session_and_a_session_is_no_key() {
        let server = Server::of(routes);
        let holder = server.keys.add(KeyState::Live, Standing::Active);
        let person = server.sessions.open(Role::Admin, false, server.clock.now());
        let (key, token) = (format!("X-API-Key: {}", holder.key), format!("Authorization: Bearer {}", person.token));
        assert_eq!(send(&server, "GET /me", &[&key]).status, 401);
        assert_eq!(send(&server, "GET /me", &[&format!("Authorization: Bearer {}", holder.key)]).status, 401);
        assert_eq!(send(&server, "POST /ingest", &[&token]).status, 401);
        assert_eq!(send(&server, "POST /ingest", &[&format!("X-API-Key: {}", person.token)]).status, 401);
        let influx = format!("Authorization: Token {}", holder.key);
        assert_eq!(send(&server, "POST /ingest", &[&influx]).status, 401);
        assert_eq!(send(&server, "POST /write", &[&influx]).status, 200);
        for (request, challenge) in [("POST /ingest", "X-API-Key"), ("POST /write", "Token")] {
            assert_eq!(send(&server, request, &[]).header("www-authenticate"), Some(challenge));
        }
        assert_eq!(send(&server, "POST /write", &[&influx, &key]).status, 401);
    }

    #[test]
    fn a_handler_whose_policy_provides_no_identity_fails_closed() {
        let server = Server::of(routes);
        let key = format!("X-API-Key: {}", server.keys.add(KeyState::Live, Standing::Active).key);
        let person = server.sessions.open(Role::Admin, false, server.clock.now());
        let bearer = format!("Authorization: Bearer {}", person.token);
        for method in ["GET", "POST", "PUT"] {
            let answer = send(&server, &format!("{method} /mistake"), &[&key, &bearer]);
            assert_eq!((answer.status, answer.error().as_str()), (500, "internal"), "{method}");
        }
    }

    #[test]
    fn a_compressed_body_is_taken_only_where_it_is_passed_on() {
        let server = Server::of(routes);
        let key = format!("X-API-Key: {}", server.keys.add(KeyState::Live, Standing::Active).key);
        for coding in ["gzip", "br", "zstd", "deflate", "identity, gzip"] {
            let header = format!("Content-Encoding: {coding}");
            let refused =
                send(&server, "POST /login", &[&header, &format!("X-Forwarded-For: {}", login_client(coding))]);
            assert_eq!((refused.status, refused.error().as_str()), (415, "unsupported_media_type"), "{coding}");
            assert_eq!(send(&server, "POST /ingest", &[&header, &key]).status, 200, "{coding}");
        }
        assert_eq!(send(&server, "POST /login", &["Content-Encoding: identity"]).status, 200);
    }

    /// An address of its own for each test value, so that no quota is in the way.
    fn login_client(value: &str) -> String {
        format!("192.0.2.{}", value.len())
    }
}
