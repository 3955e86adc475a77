//! How long it takes to revoke, when every server has to have heard of it before it is answered for.

use anyhow::Result;
use tempfile::TempDir;

use super::figures::{Figure, Mark};
use super::load::{Load, write_revocations};
use super::scale::Installation;

/// How many components there are to revoke, one after the other.
const COMPONENTS: usize = 20_000;
/// For how many seconds, from the first request on: a hundredth of what four seconds hold is chance.
const SECONDS: u32 = 20;
/// How long a revocation may take, in milliseconds.
const MARK: f64 = 20.0;

/// Three servers on one PostgreSQL, all of them well.
pub(super) fn measure(directory: &TempDir) -> Result<Figure> {
    let installation = Installation::start(directory.path(), true, COMPONENTS)?;
    let server = &installation.server;
    let _others = [server.start_beside("second")?, server.start_beside("third")?];
    let script = server.script("revocations.lua");
    write_revocations(&script, &installation.files.join("keys"))?;
    let load = Load {
        url: server.url("/"),
        headers: vec![server.bearer()],
        script: Some(script.as_path()),
        connections: 1,
        seconds: SECONDS,
        core: None,
    };
    let met = load.run()?;
    Ok(Figure {
        what: "p99 of a revocation, three servers, PostgreSQL".to_owned(),
        floor: "20 ms",
        measured: format!("{:.1} ms, {:.1} ms on average", met.p99, 1000.0 / met.rate),
        ratio: met.p99 / MARK,
        mark: Some(Mark::AtMost(1.0)),
    })
}
