//! How long it takes to revoke, when every server has to have heard of it before it is answered for.

use std::fs;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::figures::{Figure, Mark};
use super::load::{Load, write_revocations};
use super::scale::Installation;

/// How many components there are to revoke, one after the other.
const COMPONENTS: usize = 20_000;
/// How many of them are revoked at the most while connections are opened and statements prepared.
const FIRST: usize = 5_000;
/// How many seconds that takes, and how many are counted then: a hundredth of too few is chance.
const WARM_UP: u32 = 4;
const SECONDS: u32 = 16;
/// How long a revocation may take, in milliseconds.
const MARK: f64 = 20.0;

/// Three servers on one PostgreSQL, all of them well.
pub(super) fn measure(directory: &TempDir) -> Result<Figure> {
    let installation = Installation::start(directory.path(), true, COMPONENTS)?;
    let server = &installation.server;
    let _others = [server.start_beside("second")?, server.start_beside("third")?];
    let components = fs::read_to_string(installation.files.join("keys"))?;
    let components: Vec<_> = components.lines().collect();
    let (first, rest) = components.split_at_checked(FIRST).context("there are too few")?;
    let script = server.script("revocations.lua");
    let revoke = |components: &[&str], seconds| {
        let file = installation.files.join("these");
        fs::write(&file, components.join("\n") + "\n")?;
        write_revocations(&script, &file)?;
        let (url, headers) = (server.url("/"), vec![server.bearer()]);
        Load { url, headers, script: Some(script.as_path()), connections: 1, seconds, core: None }.run()
    };
    revoke(first, WARM_UP)?;
    let met = revoke(rest, SECONDS)?;
    Ok(Figure {
        what: "p99 of a revocation, three servers, PostgreSQL".to_owned(),
        floor: "20 ms",
        measured: format!("{:.1} ms, {:.1} ms on average", met.p99, 1000.0 / met.rate),
        ratio: met.p99 / MARK,
        mark: Some(Mark::AtMost(1.0)),
    })
}
