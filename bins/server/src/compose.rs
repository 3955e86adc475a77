//! The parts, connected: the one place where ports meet the stores behind them.

use std::num::NonZeroUsize;
use std::sync::Arc;

use actix_web::web::Data;
use anyhow::Context as _;
use async_trait::async_trait;
use stratora_actix::{Gate, Refusals};
use stratora_api::{DirectoryTest, Readiness, Services, TimeSeries};
use stratora_auth::{Directory, RateLimiter, Sessions, SignIn, SignInParts, Users};
use stratora_clock::Clock;
use stratora_federation::{Federation, Providers};
use stratora_hashing::{HashingPool, PoolSettings};
use stratora_keys::{Enrollment, FleetRotations, Keys, KeysParts};
use stratora_ldap::LdapDirectory;
use stratora_port::StoreError;
use stratora_storage::{Options, Storage};
use stratora_token::{Entropy, OsEntropy};
use tokio::runtime::Handle;

use crate::console::EmbeddedConsole;
use crate::identity::{self, Tested};
use crate::key_file;
use crate::settings::Settings;

/// Everything that requests and commands are answered with.
#[derive(Clone)]
pub struct Core {
    /// The services.
    pub services: Data<Services>,
    /// What the middleware asks.
    pub gate: Data<Gate>,
    /// The database.
    pub storage: Storage,
}

/// Connects to the database.
///
/// # Errors
/// When it does not answer.
pub async fn connect(settings: &Settings) -> anyhow::Result<Storage> {
    let mut options = Options { lease: settings.cache.lease()?, ..Options::default() };
    if let Some(max_connections) = settings.database.max_connections {
        options.max_connections = max_connections;
    }
    Storage::connect(&settings.database.url()?, options, Handle::current()).await.context("database.url")
}

impl Core {
    /// Connects the parts.
    ///
    /// # Errors
    /// When a setting is impossible, or a part does not start.
    pub fn build(settings: &Settings, storage: Storage, keys_of_installation: key_file::Keys) -> anyhow::Result<Self> {
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let clock: Arc<dyn Clock> = storage.clock();
        let store = Arc::new(storage.clone());
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let hashing = HashingPool::start(PoolSettings::for_cores(cores), Arc::clone(&entropy))?;
        let timeouts = settings.session.timeouts()?;

        let sessions = Arc::new(Sessions::new(
            store.clone(),
            Arc::clone(&clock),
            timeouts,
            settings.cache.sessions.get(),
            storage.coherence(),
        ));
        let directory = settings.directory()?;
        let directory = directory.map(|settings| Arc::new(LdapDirectory::new(settings, Arc::clone(&clock))));
        let parts = SignInParts {
            accounts: store.clone(),
            sessions: store.clone(),
            brake: store.clone(),
            audit: store.clone(),
            directory: directory.clone().map(|directory| directory as Arc<dyn Directory>),
            hashing: hashing.clone(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            timeouts,
        };
        let keys = Arc::new(Keys::new(KeysParts {
            store: store.clone(),
            configs: store.clone(),
            hashing,
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            etags: keys_of_installation.etag,
            in_memory: settings.cache.keys.get(),
            max_key_age: settings.keys.max_age()?,
            coherence: storage.coherence(),
        }));
        let enrollment = Enrollment::new(Arc::clone(&keys), store.clone(), settings.enrollment.policy()?);
        let federation =
            identity::federation(settings, &storage, keys_of_installation.sealing, Arc::clone(&entropy), timeouts)?;
        let fleet_rotations =
            FleetRotations::new(store.clone(), store.clone(), Arc::clone(&clock), Arc::clone(&entropy));
        let fleet_rotations = Arc::new(fleet_rotations);
        let gate = Gate {
            sessions: Arc::clone(&sessions),
            keys: Arc::clone(&keys),
            limiter: Arc::new(RateLimiter::new(store.clone(), Arc::clone(&clock))),
            refusals: Refusals::new(store.clone()),
            clock: Arc::clone(&clock),
            entropy,
            trusted_proxies: settings.trusted_proxies()?,
            external_origin: settings.external_origin()?,
        };
        let services = Services {
            sign_in: Arc::new(SignIn::new(parts.clone())),
            sessions,
            users: Arc::new(Users::new(parts, settings.password.policy()?)),
            federation: Arc::new(Federation::new(federation.clone())),
            providers: Arc::new(Providers::new(federation)),
            console: Arc::new(EmbeddedConsole),
            directory: directory.map(|directory| Arc::new(Tested(directory)) as Arc<dyn DirectoryTest>),
            keys,
            enrollment: Arc::new(enrollment),
            fleet_rotations,
            audit: store.clone(),
            time_series: settings.victoriametrics.url.as_deref().map_or_else(TimeSeries::none, TimeSeries::at),
            readiness: Arc::new(Ready(storage.clone())),
            devices: keys_of_installation.device,
            timeouts,
            external_url: settings.external_origin()?.as_str().to_owned(),
            clock,
        };
        Ok(Self { services: Data::new(services), gate: Data::new(gate), storage })
    }

    /// Writes what is recorded in batches.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails; what was not written is kept.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let (sessions, keys) = tokio::join!(self.services.sessions.flush(), self.services.keys.flush());
        sessions.and(keys)
    }
}

struct Ready(Storage);

#[async_trait]
impl Readiness for Ready {
    async fn check(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }
}
