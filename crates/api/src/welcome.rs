//! The page of a server that was built without the console: tells what runs here and where to go on.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use stratora_actix::HeaderSet;

/// Under the content security policy: no script, no request but the page itself.
const PAGE: &str = include_str!("welcome.html");

pub(crate) fn page() -> HttpResponse {
    let response = HttpResponse::Ok().content_type(ContentType::html()).body(PAGE);
    HeaderSet::Page.mark(response)
}
