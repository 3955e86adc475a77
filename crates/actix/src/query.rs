//! Query strings, read strictly: a parameter that is not known or comes twice is an error and not a guess.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;

use crate::ApiError;

/// The query's parameters, else 400. `T` refuses unknown fields (`#[serde(deny_unknown_fields)]`).
#[derive(Debug)]
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned> FromRequest for QueryParams<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // Why it does not read would repeat the input.
        let params = web::Query::<T>::from_query(request.query_string()).map_err(|_| {
            ApiError::bad_request(
                "invalid_query",
                "Send the query parameters that this endpoint documents, each once and with a value of its type.",
            )
        });
        ready(params.map(|params| Self(params.into_inner())))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::web::ServiceConfig;

    use super::*;
    use crate::testing::Server;

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Page {
        limit: Option<u16>,
        q: Option<String>,
    }

    fn routes(config: &mut ServiceConfig) {
        config.route(
            "/list",
            web::get()
                .to(|QueryParams(page): QueryParams<Page>| async move { format!("{:?} {:?}", page.limit, page.q) }),
        );
    }

    #[test]
    fn documented_parameters_are_read() {
        let server = Server::start(routes);
        assert_eq!(server.get("/list").body, "None None");
        assert_eq!(server.get("/list?limit=5&q=a%20b%2B%26c").body, "Some(5) Some(\"a b+&c\")");
        assert_eq!(server.get("/list?q=%2520").body, "None Some(\"%20\")", "decoded once");
    }

    #[test]
    fn whatever_else_is_refused_without_repeating_it() {
        let server = Server::start(routes);
        for query in [
            "limit=1&limit=2",
            "script=1",
            "limit=",
            "limit=-1",
            "limit=65536",
            "limit=1e3",
            "limit=script",
            "limit[]=1",
        ] {
            let answer = server.get(&format!("/list?{query}"));
            assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_query"), "{query}");
            assert!(!answer.body.contains("script"), "{answer:?}");
        }
    }
}
