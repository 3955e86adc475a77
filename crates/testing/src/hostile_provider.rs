//! An identity provider on a free port of loopback that does what it should, and on demand one thing that it should not:
//! forged tokens, answers without end, keys that are none. It sends browsers straight back, or shows a page first.

mod answers;
mod keys;
mod misbehaviour;
mod tokens;
mod wire;

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use self::keys::{SigningKey, random};
use crate::Certificate;

pub use self::keys::Signing;
pub use self::misbehaviour::{Habit, Misbehaviour};

/// The secret that clients prove themselves with, until another is set.
const CLIENT_SECRET: &str = "hostile provider's client secret: +/%&";

/// How often something was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Counts {
    metadata: usize,
    authorize: usize,
    token: usize,
    jwks: usize,
    decoy: usize,
}

/// What a code stands for.
#[derive(Debug, Clone)]
struct Grant {
    client_id: String,
    redirect_uri: String,
    nonce: String,
    challenge: String,
}

/// How the provider behaves at the moment, and what it has seen.
struct Behaviour {
    misbehaviour: Option<Misbehaviour>,
    habit: Option<Habit>,
    signing: Signing,
    claims: Map<String, Value>,
    client_secret: Option<String>,
    /// What the signing key is called.
    key_id: String,
    key: SigningKey,
    foreign_key: SigningKey,
    foreign_token_endpoint: String,
    ahead: Duration,
    shows_page: bool,
    grants: HashMap<String, Grant>,
    counts: Counts,
    client_auth: Option<&'static str>,
    secrets_received: Vec<String>,
}

/// What all connections share.
struct Shared {
    issuer: String,
    behaviour: Mutex<Behaviour>,
}

impl Shared {
    fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something that may need another key. It is made now, not while a client waits for an answer.
    fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        let mut behaviour = self.behaviour();
        change(&mut behaviour);
        tokens::current_key(&behaviour).ok();
    }
}

impl Behaviour {
    fn does(&self, misbehaviour: Misbehaviour) -> bool {
        self.misbehaviour == Some(misbehaviour)
    }

    fn has(&self, habit: Habit) -> bool {
        self.habit == Some(habit)
    }

    /// The provider's time.
    #[expect(clippy::disallowed_methods, reason = "another program, with a clock of its own")]
    fn now(&self) -> SystemTime {
        SystemTime::now() + self.ahead
    }

    fn seconds(&self) -> i64 {
        let since = self.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }
}

/// A provider that misbehaves on demand.
pub struct HostileProvider {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl HostileProvider {
    /// Starts one that does nothing wrong yet, without TLS.
    ///
    /// # Errors
    /// When there is no port or no randomness.
    pub fn start() -> anyhow::Result<Self> {
        Self::listen(None)
    }

    /// Starts one with TLS, as `localhost`.
    ///
    /// # Errors
    /// When the certificate cannot be read, or there is no port or no randomness.
    pub fn start_with_tls(certificate: &Certificate) -> anyhow::Result<Self> {
        let chain = CertificateDer::pem_file_iter(&certificate.certificate)?.collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_file(&certificate.key)?;
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Self::listen(Some(TlsAcceptor::from(Arc::new(config))))
    }

    fn listen(tls: Option<TlsAcceptor>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let issuer = match tls {
            Some(_) => format!("https://localhost:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        };
        let behaviour = Behaviour {
            misbehaviour: None,
            habit: None,
            signing: Signing::ES256,
            claims: person(),
            client_secret: Some(CLIENT_SECRET.to_owned()),
            key_id: random()?,
            key: SigningKey::ec()?,
            foreign_key: SigningKey::ec()?,
            foreign_token_endpoint: "https://id.example.com/token".to_owned(),
            ahead: Duration::ZERO,
            shows_page: false,
            grants: HashMap::new(),
            counts: Counts::default(),
            client_auth: None,
            secrets_received: Vec::new(),
        };
        let shared = Arc::new(Shared { issuer, behaviour: Mutex::new(behaviour) });
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        // A thread of its own, so that a test may block while it waits for an answer.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = thread::spawn(move || runtime.block_on(serve(listener, tls, serving, stopped)));
        Ok(Self { shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Who it is.
    pub fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// Where codes are exchanged.
    pub fn token_endpoint(&self) -> String {
        format!("{}/token", self.shared.issuer)
    }

    /// A place that nobody should ask for: headers of forged tokens point there.
    pub fn decoy(&self) -> String {
        format!("{}/decoy", self.shared.issuer)
    }

    /// The secret of its clients; none for public ones.
    pub fn client_secret(&self) -> Option<String> {
        self.shared.behaviour().client_secret.clone()
    }

    /// Its clients have another secret, or none.
    pub fn set_client_secret(&self, secret: Option<&str>) {
        self.shared.behaviour().client_secret = secret.map(str::to_owned);
    }

    /// Does one thing wrong from now on.
    pub fn misbehave(&self, misbehaviour: Misbehaviour) {
        self.shared.change(|behaviour| behaviour.misbehaviour = Some(misbehaviour));
    }

    /// Does nothing wrong any more.
    pub fn behave(&self) {
        self.shared.behaviour().misbehaviour = None;
    }

    /// Does something unusual from now on.
    pub fn adopt(&self, habit: Habit) {
        self.shared.behaviour().habit = Some(habit);
    }

    /// Signs with another algorithm.
    pub fn sign_with(&self, signing: Signing) {
        self.shared.change(|behaviour| behaviour.signing = signing);
    }

    /// Says this about the person who signs in next, beside what the protocol asks for. `null` leaves a claim out.
    pub fn set_claim(&self, name: &str, value: Value) {
        self.shared.behaviour().claims.insert(name.to_owned(), value);
    }

    /// The token endpoint of another provider, for [`Misbehaviour::MetadataForeignTokenEndpoint`].
    pub fn set_foreign_token_endpoint(&self, url: &str) {
        url.clone_into(&mut self.shared.behaviour().foreign_token_endpoint);
    }

    /// Shows a page with a link `#continue` before it sends the browser back.
    pub fn show_page(&self, shows: bool) {
        self.shared.behaviour().shows_page = shows;
    }

    /// Sets its clock ahead.
    pub fn advance(&self, span: Duration) {
        self.shared.behaviour().ahead += span;
    }

    /// Signs with a new key from now on, and forgets the old one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn rotate_keys(&self) -> anyhow::Result<()> {
        let (key, key_id) = (SigningKey::ec()?, random()?);
        let mut behaviour = self.shared.behaviour();
        (behaviour.key, behaviour.key_id) = (key, key_id);
        Ok(())
    }

    /// A logout token (OpenID Connect Back-Channel Logout 1.0) for a client, with `change` made to its claims; `null` leaves
    /// one out.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn logout_token(&self, client_id: &str, change: &Value) -> anyhow::Result<String> {
        tokens::logout_token(&self.shared.issuer, &self.shared.behaviour(), client_id, change)
    }

    /// How often the metadata was read.
    pub fn metadata_requests(&self) -> usize {
        self.shared.behaviour().counts.metadata
    }

    /// How often a browser came.
    pub fn authorize_requests(&self) -> usize {
        self.shared.behaviour().counts.authorize
    }

    /// How often a code was brought.
    pub fn token_requests(&self) -> usize {
        self.shared.behaviour().counts.token
    }

    /// How often the keys were read.
    pub fn jwks_requests(&self) -> usize {
        self.shared.behaviour().counts.jwks
    }

    /// How often somebody fell for a decoy.
    pub fn decoy_requests(&self) -> usize {
        self.shared.behaviour().counts.decoy
    }

    /// How the last client proved itself, in the words of OpenID Connect Core 1.0 §9.
    pub fn client_auth(&self) -> Option<&'static str> {
        self.shared.behaviour().client_auth
    }

    /// Every client secret that was brought, right or wrong.
    pub fn secrets_received(&self) -> Vec<String> {
        self.shared.behaviour().secrets_received.clone()
    }
}

impl Drop for HostileProvider {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Who signs in.
fn person() -> Map<String, Value> {
    let claims = json!({
        "sub": "248289761001", "preferred_username": "grace", "name": "Grace Hopper", "email": "grace@example.com",
        "email_verified": true, "groups": ["ops", "all"], "sid": "session-at-the-provider", "auth_time": 1_700_000_000,
    });
    match claims {
        Value::Object(claims) => claims,
        _ => Map::new(),
    }
}

async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let accepted: Result<(_, SocketAddr), _> = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            match tls {
                // Whoever does not believe the certificate goes away.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        answers::answer(stream, &shared).await;
                    }
                }
                None => answers::answer(stream, &shared).await,
            }
        });
    }
}
