//! Where requests lead: endpoints at their paths, each behind its policy, so that none without one can be written down.

use std::fmt;
use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::Method;
use actix_web::{Error, FromRequest, Handler, HttpResponse, Responder};
use futures_util::future::LocalBoxFuture;
use matchit::Router;

use crate::future::pin_in_place;
use crate::guard::admit_request;
use crate::path::canonical;
use crate::visit::Visit;
use crate::{ApiError, RoutePolicy};

/// The order in which `Allow` names methods.
const ORDER: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

type Answering = LocalBoxFuture<'static, Result<ServiceResponse, Error>>;

/// A handler, which nothing leads to but a [`Route`] with its policy. The guard hangs on the handler and not on a prefix of the
/// path, so that no spelling of a path leads around it.
pub struct Endpoint(Box<dyn Fn(ServiceRequest, RoutePolicy) -> Answering>);

impl Endpoint {
    /// The endpoint that `handler` answers.
    pub fn of<F, Args>(handler: F) -> Self
    where
        F: Handler<Args>,
        F::Output: Responder + 'static,
        Args: FromRequest + 'static,
    {
        Self(Box::new(move |request, policy| pin_in_place(|| answer(request, policy, handler.clone()))))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Endpoint(…)")
    }
}

async fn answer<F, Args>(request: ServiceRequest, policy: RoutePolicy, handler: F) -> Result<ServiceResponse, Error>
where
    F: Handler<Args>,
    F::Output: Responder + 'static,
    Args: FromRequest,
{
    let mut fields = None;
    let mut response = match admit_request(&request, policy, &mut fields).await {
        Ok(()) => {
            let (request, mut payload) = request.into_parts();
            let response = match Args::from_request(&request, &mut payload).await {
                Ok(args) => handler.call(args).await.respond_to(&request).map_into_boxed_body(),
                Err(error) => HttpResponse::from_error(error),
            };
            ServiceResponse::new(request, response)
        }
        Err(error) => request.error_response(error),
    };
    if let Some(fields) = fields {
        fields.write(response.headers_mut());
    }
    Ok(response)
}

/// One method at one path, and what stands between a request and its handler.
#[derive(Debug)]
pub struct Route {
    /// The method. `HEAD` goes where `GET` goes.
    pub method: Method,
    /// The path, with `{id}` in place of at most one segment: [`PathId`](crate::PathId) reads it.
    pub path: &'static str,
    /// Who may use it, and how often.
    pub policy: RoutePolicy,
    /// What answers.
    pub endpoint: Endpoint,
}

/// All routes of an application, as its first and so innermost `wrap`: as a service of the application's own, each request's
/// future would be put on the heap twice. They come before those services, and stand inside [`Envelope`](crate::Envelope).
///
/// Any other method of a path that they know, `OPTIONS` included, is answered with 405 and `Allow`; any other path goes on to
/// the application, and ends with 404 where that does not know it either. Of two paths that fit, the one counts that spells out
/// the first segment in which they differ.
#[derive(Debug, Default)]
pub struct Routes(Rc<Router<Vec<Route>>>);

impl Routes {
    /// These routes. One whose path cannot stand beside those before it is left out.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Self {
        let mut by_path: Vec<(&'static str, Vec<Route>)> = Vec::new();
        for route in routes {
            match by_path.iter_mut().find(|(path, _)| *path == route.path) {
                Some((_, beside)) => beside.push(route),
                None => by_path.push((route.path, vec![route])),
            }
        }
        let mut tree = Router::new();
        for (path, routes) in by_path {
            if let Err(error) = tree.insert(path, routes) {
                tracing::error!(path, %error, "this path cannot be served");
            }
        }
        Self(Rc::new(tree))
    }
}

impl<S> Transform<S, ServiceRequest> for Routes
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error, Future = Answering> + 'static,
{
    type Response = ServiceResponse;
    type Error = Error;
    type Transform = Routed<S>;
    type InitError = ();
    type Future = Ready<Result<Routed<S>, ()>>;

    fn new_transform(&self, application: S) -> Self::Future {
        ready(Ok(Routed { routes: Rc::clone(&self.0), application }))
    }
}

/// An application with its [`Routes`].
#[derive(Debug)]
pub struct Routed<S> {
    routes: Rc<Router<Vec<Route>>>,
    application: S,
}

impl<S> Service<ServiceRequest> for Routed<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error, Future = Answering>,
{
    type Response = ServiceResponse;
    type Error = Error;
    type Future = Answering;

    forward_ready!(application);

    fn call(&self, request: ServiceRequest) -> Answering {
        let Ok(found) = self.routes.at(request.match_info().unprocessed()) else {
            return self.application.call(request);
        };
        let routes = found.value;
        let known = Visit::change(&request, |visit| {
            visit.context.route = routes.first().map(|route| route.path);
            visit.path_id = found.params.get("id").and_then(canonical);
        });
        if let Err(error) = known {
            return Box::pin(ready(Ok(request.error_response(error))));
        }
        match routes.iter().find(|route| serves(&route.method, request.method())) {
            Some(route) => (route.endpoint.0)(request, route.policy),
            None => Box::pin(ready(Ok(request.error_response(ApiError::method_not_allowed(&allowed(routes)))))),
        }
    }
}

fn serves(served: &Method, asked: &Method) -> bool {
    served == asked || (*served == Method::GET && *asked == Method::HEAD)
}

fn allowed(routes: &[Route]) -> Vec<Method> {
    ORDER.into_iter().filter(|method| routes.iter().any(|route| serves(&route.method, method))).collect()
}

#[cfg(test)]
mod tests {
    use stratora_keys::ComponentTypeKind;

    use super::*;
    use crate::testing::Server;
    use crate::{Access, PathId, RequestContext};

    const OPEN: RoutePolicy = RoutePolicy { access: Access::Anyone, quota: None, encoded_body: false };

    fn routes() -> Routes {
        let route = |method, path, endpoint| Route { method, path, policy: OPEN, endpoint };
        let pattern = |context: RequestContext| async move { context.route.unwrap_or_default() };
        let id = |id: PathId<ComponentTypeKind>| async move { id.0.to_string() };
        Routes::new([
            route(Method::DELETE, "/api/v1/things/{id}", Endpoint::of(HttpResponse::NoContent)),
            route(Method::GET, "/api/v1/things/{id}", Endpoint::of(pattern)),
            route(Method::GET, "/api/v1/things/best", Endpoint::of(|| async { "the best" })),
            route(Method::GET, "/api/v1/things/{id}/parts", Endpoint::of(pattern)),
            route(Method::GET, "/api/v1/things/{id}/id", Endpoint::of(id)),
            route(Method::GET, "/api/v1/things/{name}", Endpoint::of(|| async { "cannot be told from the others" })),
            route(Method::POST, "/api/v1/login", Endpoint::of(HttpResponse::Ok)),
        ])
    }

    #[test]
    fn a_path_leads_to_what_fits_it_best() {
        let server = Server::of(routes);
        for (path, body) in [
            ("/api/v1/things/1", "/api/v1/things/{id}"),
            ("/api/v1/things/a%20b", "/api/v1/things/{id}"),
            ("/api/v1/things/bes", "/api/v1/things/{id}"),
            ("/api/v1/things/best", "the best"),
            ("/api/v1/things/1/parts", "/api/v1/things/{id}/parts"),
            ("/api/v1/things/best/parts", "/api/v1/things/{id}/parts"),
            ("/api/v1/things/1?id=2", "/api/v1/things/{id}"),
        ] {
            let answer = server.get(path);
            assert_eq!((answer.status, answer.body.as_str()), (200, body), "{path}");
        }
        for path in ["/", "/api/v1/things", "/api/v1/things/", "/api/v1/things/1/", "/api/v1/things/1/parts/2"] {
            assert_eq!(server.get(path).status, 404, "{path}");
        }
    }

    #[test]
    fn a_handler_gets_the_identifier_of_its_path_and_no_other() {
        let server = Server::of(routes);
        let (id, other) = ("67e55044-10b1-426f-9247-bb680e5fe0c8", "00000000-0000-4000-8000-000000000001");
        // A character that needs no encoding means the same encoded (RFC 3986 §2.3).
        for spelling in [id, &id.replace('6', "%36")] {
            let answer = server.get(&format!("/api/v1/things/{spelling}/id?id={other}"));
            assert_eq!((answer.status, answer.body.as_str()), (200, id));
        }
        for not_one in ["1", &id.to_uppercase(), &id.replace('-', ""), &format!("{id}%00")] {
            assert_eq!(server.get(&format!("/api/v1/things/{not_one}/id")).error(), "not_found", "{not_one}");
        }
    }

    #[test]
    fn any_other_method_of_a_known_path_is_answered_with_the_methods_there_are() {
        let server = Server::of(routes);
        for method in ["POST", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "FOO"] {
            let answer = server.send(&[&format!("{method} /api/v1/things/1 HTTP/1.1"), "Host: a.test"], b"");
            assert_eq!((answer.status, answer.error().as_str()), (405, "method_not_allowed"), "{method}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD, DELETE"));
        }
        assert_eq!(server.get("/api/v1/login").header("allow"), Some("POST"));
        let preflight = server.send(
            &[
                "OPTIONS /api/v1/login HTTP/1.1",
                "Host: a.test",
                "Origin: https://evil.test",
                "Access-Control-Request-Method: POST",
            ],
            b"",
        );
        assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (405, None));
    }

    #[test]
    fn head_is_get_without_a_body() {
        let server = Server::of(routes);
        let get = server.get("/api/v1/things/1");
        let head = server.send(&["HEAD /api/v1/things/1 HTTP/1.1", "Host: a.test"], b"");
        let without_date_and_id = |headers: &[(String, String)]| {
            let kept = |(name, _): &&(String, String)| name != "date" && name != "x-request-id";
            let mut kept: Vec<_> = headers.iter().filter(kept).cloned().collect();
            kept.sort();
            kept
        };
        assert_eq!((get.status, get.body.as_str()), (200, "/api/v1/things/{id}"));
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        assert_eq!(head.header("content-length"), Some("19"));
        assert_eq!(without_date_and_id(&head.headers), without_date_and_id(&get.headers));
        let refused = server.send(&["HEAD /api/v1/login HTTP/1.1", "Host: a.test"], b"");
        assert_eq!((refused.status, refused.body.as_str()), (405, ""));
    }

    #[test]
    fn no_spelling_of_a_path_reaches_a_route_but_its_own() {
        let server = Server::of(routes);
        for path in [
            "//api//v1//login",
            "/api/v1/login/",
            "/API/v1/login",
            "/api/v1/login;x=1",
            "/api/v1/x/../login",
            "/api/v1/login%2f",
        ] {
            assert_eq!(server.post_json(path, b"{}").status, 404, "{path}");
        }
        let long = format!("/api/v1/things/{}", "a/".repeat(10_000));
        for target in ["*", "a.test:443", "http://a.test", "/api/v1/login/{id}", "/api/v1/%ff/login", &long] {
            let answer = server.send(&[&format!("OPTIONS {target} HTTP/1.1"), "Host: a.test"], b"");
            assert!([400, 404].contains(&answer.status), "{} {target:.40}", answer.status);
        }
        let absolute = server.send(&["GET http://b.test/api/v1/things/best HTTP/1.1", "Host: a.test"], b"");
        assert_eq!((absolute.status, absolute.body.as_str()), (200, "the best"));
        assert_eq!(server.get("/api/v1/things/{id}").body, "/api/v1/things/{id}", "a segment like any other");
        for header in
            ["X-HTTP-Method-Override: DELETE", "X-Original-URL: /api/v1/things/1", "X-Rewrite-URL: /api/v1/things/1"]
        {
            assert_eq!(
                server.send(&["GET /api/v1/login HTTP/1.1", "Host: a.test", header], b"").status,
                405,
                "{header}"
            );
        }
    }
}
