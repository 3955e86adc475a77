//! The console: one page for all screens, and the files that it is made of, as they were built with the server.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, Encoding, EntityTag, Header as _, IfNoneMatch,
    VARY,
};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use stratora_actix::{ApiError, HeaderSet};

use crate::services::Services;
use crate::welcome;

/// Where the files are.
pub trait ConsoleFiles: Send + Sync + 'static {
    /// The file at that path below the console's folder.
    fn find(&self, path: &str) -> Option<ConsoleFile>;
}

/// A file of the console.
#[derive(Debug, Clone)]
pub struct ConsoleFile {
    /// What is in it.
    pub content: Bytes,
    /// The SHA-256 of that.
    pub digest: [u8; 32],
}

/// Asked for anew each time, so that a new server brings a new console.
const REVALIDATED: &str = "no-cache";
/// Named by their content, so they never change.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// What was compressed beforehand, the smallest first.
const ENCODINGS: [(Encoding, &str, &str); 2] = [(Encoding::brotli(), "br", ".br"), (Encoding::gzip(), "gzip", ".gz")];

/// Any screen: which one is the page's own business.
pub(crate) async fn page(request: HttpRequest, services: web::Data<Services>) -> Result<HttpResponse, ApiError> {
    HeaderSet::Page.set_for(&request)?;
    Ok(answer(&request, &services, "index.html", REVALIDATED).unwrap_or_else(welcome::page))
}

/// A file beside the page.
pub(crate) async fn file(request: HttpRequest, services: web::Data<Services>) -> Result<HttpResponse, ApiError> {
    // Undecoded: each file has one address.
    let path = request.path().trim_start_matches('/');
    let is_encoded = ENCODINGS.iter().any(|(_, _, suffix)| path.ends_with(suffix));
    let caching = if path.starts_with("assets/") { IMMUTABLE } else { REVALIDATED };
    let answer = answer(&request, &services, path, caching).filter(|_| !is_encoded).ok_or_else(ApiError::not_found)?;
    HeaderSet::Page.set_for(&request)?;
    Ok(answer)
}

fn answer(request: &HttpRequest, services: &Services, path: &str, caching: &'static str) -> Option<HttpResponse> {
    let plain = services.console.find(path)?;
    let accepted = AcceptEncoding::parse(request).ok();
    let compressed = ENCODINGS.iter().find_map(|(encoding, name, suffix)| {
        let is_accepted = accepted.as_ref()?.negotiate([encoding].into_iter()).as_ref() == Some(encoding);
        Some((services.console.find(&format!("{path}{suffix}")).filter(|_| is_accepted)?, *name))
    });
    let (file, encoding) = compressed.map_or((plain, None), |(file, name)| (file, Some(name)));
    let tag = EntityTag::new_strong(format!("{:032x}", u128::from_be_bytes(*file.digest.first_chunk()?)));
    let is_known = match IfNoneMatch::parse(request).ok() {
        Some(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag)),
        Some(IfNoneMatch::Any) => true,
        None => false,
    };
    let mut answer = HttpResponse::build(if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    answer.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, caching)).insert_header((VARY, "accept-encoding"));
    if is_known {
        return Some(answer.finish());
    }
    answer.insert_header((CONTENT_TYPE, media_type(path)));
    if let Some(encoding) = encoding {
        answer.insert_header((CONTENT_ENCODING, encoding));
    }
    Some(answer.body(file.content))
}

/// Of what a build of the console consists of.
fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "woff2" => "font/woff2",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}
