//! Serving: the listeners, what is done in the background, and an end that loses nothing.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use actix_governor::Governor;
use actix_web::dev::Server;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Context as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use stratora_actix::Envelope;
use stratora_auth::{BrakeStore, LimitStore, OneTimePassword};
use stratora_port::StoreError;
use stratora_token::OsEntropy;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, sleep, timeout};

use crate::compose::{Core, connect};
use crate::fleet;
use crate::flood::{self, FloodGuard};
use crate::key_file;
use crate::settings::Settings;

/// How long requests under way may take when the server is told to stop.
const DRAIN_SECONDS: u64 = 10;
/// How often what is recorded in batches is written.
const FLUSH: Duration = Duration::from_secs(5);
/// How long that is tried at the end, when no request is left, and how long after a failure it is tried again.
const FLUSH_AT_THE_END: Duration = Duration::from_secs(10);
const FLUSH_AGAIN: Duration = Duration::from_millis(200);
/// How often the samples of histograms are condensed.
const UPKEEP: Duration = Duration::from_secs(1);
/// How often what has expired is forgotten.
const PURGE: Duration = Duration::from_hours(1);
/// How often metadata and keys of identity providers are read. Providers announce new keys a day or more before they use them.
const REFRESH_PROVIDERS: Duration = Duration::from_mins(10);
/// How long counters within the free failures and empty rate windows are kept.
const COUNTERS_KEPT: Duration = Duration::from_hours(7 * 24);
const WINDOWS_KEPT: Duration = Duration::from_hours(1);
/// How long a request's headers may take to arrive.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than NGINX keeps its connections, so that it is never the backend that closes one just as a request comes.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// The upper bounds of a histogram's buckets in seconds: from an answer out of memory to one that a timeout made.
const BUCKETS: [f64; 17] =
    [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Serves until it is told to stop.
///
/// # Errors
/// When a part does not start.
pub async fn serve(settings: &Settings) -> anyhow::Result<()> {
    serve_with(settings, |_| {}).await
}

/// The same with more routes, for tests that need one that fails on purpose.
///
/// # Errors
/// When a part does not start.
pub async fn serve_with<F>(settings: &Settings, more: F) -> anyhow::Result<()>
where
    F: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    let metrics = PrometheusBuilder::new().set_buckets(&BUCKETS).context("the buckets of histograms")?;
    let metrics = metrics.install_recorder().context("cannot start the metrics recorder")?;
    let storage = connect(settings).await?;
    match storage.migrate().await {
        Ok(applied) => tracing::info!(migrations = applied.len(), "the schema is up to date"),
        // A role without the right to create tables is fine when somebody else ran the migrations.
        Err(error) => {
            if storage.check_schema().await.is_err() {
                return Err(error).context("cannot bring the schema up to date");
            }
            tracing::debug!(%error, "migrations were not run by this server");
        }
    }
    let keys = key_file::load_or_create(&settings.security.key_file, &OsEntropy)?;
    let core = Core::build(settings, storage, keys)?;
    if let Some(password) = core.services.users.ensure_built_in().await? {
        hand_over(&password, settings)
            .context("the first password is lost; run `stratora-server admin reset-password`")?;
    }
    if !settings.server.host.is_loopback() {
        tracing::warn!(
            setting = "server.host",
            host = %settings.server.host,
            "the backend listens beyond loopback; let only NGINX reach it, or set server.host to 127.0.0.1"
        );
    }
    let membership = core.storage.join().await?;
    let guard = flood::guard(settings.flood)?;
    let mut background = JoinSet::new();
    background.spawn(write_records(core.clone()));
    background.spawn(purge(core.clone()));
    background.spawn(condense(guard.clone(), metrics.clone()));
    background.spawn(refresh_providers(core.clone()));
    background.spawn(fleet::look_after(core.clone()));
    if let Some(address) = settings.metrics.listen {
        let figures = figures(address, metrics)?;
        background.spawn(async {
            if let Err(error) = figures.await {
                tracing::error!(%error, "the listener for the server's own figures failed");
            }
        });
    }

    let server = listen(settings, core.clone(), guard, more)?;
    tracing::info!(address = %settings.server.address(), url = settings.server.external_url(), "serving");
    let end = until_the_end(server, &mut background).await;
    background.shutdown().await;
    let written = write_the_last(&core).await;
    if let Err(error) = &written {
        tracing::error!(%error, "what was recorded last could not be written");
    }
    // A key's slow hash is verified once in its life; what has begun is brought to its end.
    core.services.keys.settled().await;
    membership.leave().await;
    tracing::info!("stopped");
    end?;
    written.context("what was recorded last could not be written")
}

/// Runs the server until it is told to stop, or something in the background fails that it cannot do without for long.
async fn until_the_end(mut server: Server, background: &mut JoinSet<()>) -> anyhow::Result<()> {
    let failure = tokio::select! {
        end = &mut server => return end.context("the server failed"),
        failure = failure(background) => failure,
    };
    tracing::error!(error = %failure, "a task in the background failed; the server stops");
    let stop = server.handle().stop(true);
    let ((), ended) = tokio::join!(stop, server);
    if let Err(error) = ended {
        tracing::error!(%error, "the server failed");
    }
    Err(failure).context("a task in the background failed")
}

/// Waits for a task that does not end as it should.
async fn failure(tasks: &mut JoinSet<()>) -> JoinError {
    loop {
        match tasks.join_next().await {
            Some(Ok(())) => {}
            Some(Err(failure)) => return failure,
            None => std::future::pending().await,
        }
    }
}

/// Writes what is recorded in batches, for the last time: a database that is busy or away for a moment gets another chance.
async fn write_the_last(core: &Core) -> Result<(), StoreError> {
    let mut refusal = None;
    let written = timeout(FLUSH_AT_THE_END, async {
        while let Err(error) = core.flush().await {
            refusal = Some(error);
            sleep(FLUSH_AGAIN).await;
        }
    })
    .await;
    written.map_err(|late| refusal.unwrap_or_else(|| StoreError::unavailable(late)))
}

fn listen<F>(settings: &Settings, core: Core, guard: FloodGuard, more: F) -> anyhow::Result<Server>
where
    F: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(core.gate.clone())
            .configure(stratora_api::configure(core.services.clone()))
            .configure(more.clone())
            .wrap(stratora_api::routes())
            .wrap(Governor::new(&guard))
            .wrap(Envelope::new(core.gate.clone()))
    })
    .shutdown_timeout(DRAIN_SECONDS)
    .client_request_timeout(REQUEST_TIMEOUT)
    .keep_alive(KEEP_ALIVE);
    if let Some(workers) = settings.server.workers {
        server = server.workers(workers);
    }
    let address = settings.server.address();
    let server =
        server.bind(address).with_context(|| format!("server.host and server.port: cannot listen at {address}"))?;
    Ok(server.run())
}

/// The server's own figures, on a listener that only this machine reaches.
fn figures(address: SocketAddr, metrics: PrometheusHandle) -> anyhow::Result<Server> {
    let server = HttpServer::new(move || {
        let metrics = metrics.clone();
        let render = move || {
            let text = metrics.render();
            async { HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text) }
        };
        App::new().route("/metrics", web::get().to(render))
    });
    let server = server.workers(1).disable_signals().bind(address);
    Ok(server.with_context(|| format!("metrics.listen: cannot listen at {address}"))?.run())
}

/// Keeps what grows with each request small. A task of its own: it must go on while the database is slow or away.
async fn condense(guard: FloodGuard, metrics: PrometheusHandle) {
    let mut upkeep = tokio::time::interval(UPKEEP);
    let mut sweep = tokio::time::interval(flood::SWEEP);
    loop {
        tokio::select! {
            // The samples of histograms would pile up where nobody asks for the figures.
            _ = upkeep.tick() => metrics.run_upkeep(),
            _ = sweep.tick() => {
                guard.limiter().retain_recent();
                guard.limiter().shrink_to_fit();
            }
        }
    }
}

/// Writes what is recorded in batches.
async fn write_records(core: Core) {
    let mut flush = tokio::time::interval(FLUSH);
    flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        flush.tick().await;
        if let Err(error) = core.flush().await {
            tracing::warn!(%error, "what was recorded in batches will be written later");
        }
    }
}

/// Removes what has expired.
async fn purge(core: Core) {
    let mut purge = tokio::time::interval(PURGE);
    loop {
        purge.tick().await;
        purge_expired(&core).await;
    }
}

/// Keeps what is known of providers fresh. A task of its own: providers may be slow.
async fn refresh_providers(core: Core) {
    let mut refresh = tokio::time::interval(REFRESH_PROVIDERS);
    loop {
        refresh.tick().await;
        if let Err(error) = core.services.federation.refresh().await {
            tracing::warn!(%error, "what is known of identity providers will be refreshed later");
        }
    }
}

async fn purge_expired(core: &Core) {
    let now = core.services.clock.now();
    let purged = async {
        let sessions = core.services.sessions.purge().await?;
        let counters = BrakeStore::purge(&core.storage, now.minus(COUNTERS_KEPT)).await?;
        core.services.federation.purge().await?;
        core.services.enrollment.purge().await?;
        let windows = LimitStore::purge(&core.storage, now.minus(WINDOWS_KEPT)).await?;
        Ok::<_, StoreError>((sessions, counters, windows))
    };
    match purged.await {
        Ok((sessions, counters, windows)) => tracing::debug!(sessions, counters, windows, "purged what has expired"),
        Err(error) => tracing::warn!(%error, "what has expired will be purged later"),
    }
}

/// Hands the first password to whoever starts the server: on standard output, or in a file of its own under systemd, where
/// standard output would end up in the journal.
fn hand_over(password: &OneTimePassword, settings: &Settings) -> anyhow::Result<()> {
    if std::env::var_os("INVOCATION_ID").is_none() {
        eprintln!("First start. Sign in as admin with this one-time password within 24 hours, and change it:");
        println!("{}", password.expose());
        return Ok(());
    }
    let beside = settings.security.key_file.parent().unwrap_or_else(|| Path::new("."));
    let path = beside.join("initial-admin-password");
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            std::fs::remove_file(&path)?;
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)
        }
        opened => opened,
    }
    .with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(file, "{}", password.expose())?;
    file.sync_all()?;
    tracing::warn!(path = %path.display(), "first start: the one-time password of admin is in this file; change it within 24 hours");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_fails_in_the_background_does_not_go_unnoticed() {
        let mut tasks = JoinSet::new();
        tasks.spawn(async {});
        tasks.spawn(std::future::pending());
        tasks.spawn(async { panic!("on purpose") });
        assert!(failure(&mut tasks).await.is_panic());
    }
}
