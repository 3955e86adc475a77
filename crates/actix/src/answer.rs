//! Answers in JSON.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

use crate::ApiError;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Something that answers with 200 and itself as JSON: what the framework has does the same, but moves the text as it grows and
/// writes the media type out for each answer.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> Responder for Json<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        /// Holds what is said about one thing, so that it is not moved while it is written.
        const ONE_THING: usize = 512;
        let mut body = Vec::with_capacity(ONE_THING);
        if let Err(error) = serde_json::to_writer(&mut body, &self.0) {
            return HttpResponse::from_error(ApiError::internal(error));
        }
        let mut response = HttpResponse::with_body(StatusCode::OK, BoxBody::new(body));
        // There is none yet.
        response.headers_mut().append(CONTENT_TYPE, JSON);
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use actix_web::web::{self, ServiceConfig};

    use super::*;
    use crate::testing::Server;

    #[test]
    fn what_can_be_written_is_sent_and_all_else_is_an_error() {
        let server = Server::start(|config: &mut ServiceConfig| {
            config
                .route("/well", web::get().to(|| async { Json(vec!["a\"b"]) }))
                .route("/badly", web::get().to(|| async { Json(HashMap::from([([1], "no key of JSON")])) }));
        });
        let well = server.get("/well");
        assert_eq!((well.status, well.body.as_str()), (200, r#"["a\"b"]"#));
        assert_eq!(well.header("content-type"), Some("application/json"));
        let badly = server.get("/badly");
        assert_eq!((badly.status, badly.error().as_str()), (500, "internal"));
    }
}
