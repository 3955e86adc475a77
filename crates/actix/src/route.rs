//! Resources made of routes with policies, so that a route without one cannot be written down.

use std::fmt;
use std::future::ready;

use actix_web::dev::{ServiceRequest, ServiceResponse, fn_service};
use actix_web::guard::fn_guard;
use actix_web::http::Method;
use actix_web::{Error, FromRequest, Handler, HttpResponse, Resource, Responder, Route, web};

use crate::guard::admit_request;
use crate::{ApiError, RoutePolicy};

/// The order in which `Allow` names methods.
const ORDER: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// A handler, which nothing leads to before [`resource`] has put its policy in front of it. The guard hangs on the handler and
/// not on a prefix of the path, so that no spelling of a path leads around it; and is no middleware, which would cost each
/// request two more futures in memory.
pub struct Endpoint(Box<dyn FnOnce(RoutePolicy) -> Route>);

impl Endpoint {
    /// The endpoint that `handler` answers.
    pub fn of<F, Args>(handler: F) -> Self
    where
        F: Handler<Args>,
        F::Output: Responder + 'static,
        Args: FromRequest + 'static,
    {
        Self(Box::new(move |policy| {
            web::route().service(fn_service(move |request| answer(request, policy, handler.clone())))
        }))
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

/// The resource at `path`, with each of its methods behind its own policy. `HEAD` goes where `GET` goes; any other
/// method, `OPTIONS` included, is answered with 405 and `Allow`. The resource is called by its path; inside of a scope, give it
/// the name of the whole.
pub fn resource(path: &str, endpoints: Vec<(Method, Endpoint, RoutePolicy)>) -> Resource {
    let serves = |method: &Method| {
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        endpoints.iter().any(|(served, _, _)| served == wanted)
    };
    let allowed: Vec<_> = ORDER.into_iter().filter(serves).collect();
    let refuse = web::to(move || ready(Err::<String, _>(ApiError::method_not_allowed(&allowed))));
    let resource = web::resource(path).name(path).default_service(refuse);
    endpoints.into_iter().fold(resource, |resource, (method, Endpoint(behind), policy)| {
        let matches = fn_guard(move |context| {
            let asked = &context.head().method;
            *asked == method || (*asked == Method::HEAD && method == Method::GET)
        });
        resource.route(behind(policy).guard(matches))
    })
}

#[cfg(test)]
mod tests {
    use actix_web::web::ServiceConfig;

    use super::*;
    use crate::Access;
    use crate::testing::Server;

    const OPEN: RoutePolicy = RoutePolicy { access: Access::Anyone, quota: None, encoded_body: false };

    fn routes(config: &mut ServiceConfig) {
        config.service(
            web::scope("/api/v1")
                .service(resource(
                    "/things/{id}",
                    vec![
                        (Method::DELETE, Endpoint::of(HttpResponse::NoContent), OPEN),
                        (Method::GET, Endpoint::of(|| async { HttpResponse::Ok().body("thing") }), OPEN),
                    ],
                ))
                .service(resource("/login", vec![(Method::POST, Endpoint::of(HttpResponse::Ok), OPEN)])),
        );
    }

    #[test]
    fn any_other_method_of_a_known_path_is_answered_with_the_methods_there_are() {
        let server = Server::start(routes);
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
        let server = Server::start(routes);
        let get = server.get("/api/v1/things/1");
        let head = server.send(&["HEAD /api/v1/things/1 HTTP/1.1", "Host: a.test"], b"");
        let without_date_and_id = |headers: &[(String, String)]| {
            let kept = |(name, _): &&(String, String)| name != "date" && name != "x-request-id";
            let mut kept: Vec<_> = headers.iter().filter(kept).cloned().collect();
            kept.sort();
            kept
        };
        assert_eq!((get.status, get.body.as_str()), (200, "thing"));
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        assert_eq!(head.header("content-length"), Some("5"));
        assert_eq!(without_date_and_id(&head.headers), without_date_and_id(&get.headers));
        let refused = server.send(&["HEAD /api/v1/login HTTP/1.1", "Host: a.test"], b"");
        assert_eq!((refused.status, refused.body.as_str()), (405, ""));
    }

    #[test]
    fn no_spelling_of_a_path_reaches_a_route_but_its_own() {
        let server = Server::start(routes);
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
