//! The page of a server that was built without the console: tells what runs here and where to go on.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;

/// Under the content security policy: no script, no request but the page itself.
const PAGE: &str = include_str!("welcome.html");

pub(crate) fn page() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::html()).body(PAGE)
}
