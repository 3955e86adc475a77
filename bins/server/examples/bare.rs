//! What a request can cost at best: the server's own framework with one handler, for requests without and with a body, and
//! nothing around it. `cargo xtask bench` measures the product against it. The port is the only argument.

use actix_web::{App, HttpResponse, HttpServer, web};

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(8081);
    let answer = || HttpResponse::Ok().content_type("application/json").body("{}");
    let handler = move || async move { answer() };
    let reading = move |_: web::Bytes| async move { answer() };
    let server =
        HttpServer::new(move || App::new().route("/", web::get().to(handler)).route("/", web::post().to(reading)));
    server.workers(1).bind(("127.0.0.1", port))?.run().await
}
