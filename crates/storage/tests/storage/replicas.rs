//! Servers on one PostgreSQL: what one changes, the others know before it is answered for, or do not trust their memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use stratora_audit::Action;
use stratora_cache::{AsOf, Coherence, CredentialTag, Lease, Subject};
use stratora_keys::{
    Allowance, Answer, Call, ComponentId, EnrollmentPolicy, EnrollmentStore as _, KeyStore, NewEnrollmentToken, Offer,
};
use stratora_storage::{DatabaseUrl, Membership, Options, Storage};
use stratora_testing::Proxy;
use stratora_token::Digest;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::support::fixtures::{at, call, component, enrollment_token, event, id, key, tag_of};
use crate::support::{connect, empty_postgres, until};

const SUBJECT: Subject = Subject::Component(Uuid::from_u128(1));
/// Longer than an answer ever takes, and shorter than a lease.
const LEASE: Duration = Duration::from_secs(3);

/// A server that has joined.
struct Server {
    storage: Storage,
    coherence: Arc<Coherence>,
    membership: Membership,
}

impl Server {
    async fn start(url: &str) -> Self {
        let options = Options { lease: Lease::lasting(LEASE).unwrap(), ..Options::default() };
        let storage = Storage::connect(&DatabaseUrl::parse(url).unwrap(), options, Handle::current()).await.unwrap();
        let membership = storage.join().await.unwrap();
        let server = Self { coherence: storage.coherence(), storage, membership };
        server.is_trusting().await;
        server
    }

    async fn is_trusting(&self) {
        until(|| self.coherence.is_trusted()).await;
    }

    /// Whether what was read then may still be used.
    fn still_uses(&self, read: AsOf) -> bool {
        self.coherence.is_unchanged(SUBJECT, read) && self.coherence.is_trusted()
    }

    /// Revokes the component. Returns how long that took.
    async fn revoke(&self) -> Duration {
        let started = now();
        self.storage.revoke(id::<ComponentId>(1), at(1), event(Action::ComponentRevoke)).await.unwrap();
        started.elapsed()
    }
}

#[expect(clippy::disallowed_methods, reason = "the bound is one of real time")]
fn now() -> Instant {
    Instant::now()
}

/// A database with a component, and the URL of a proxy before it.
async fn with_component() -> (String, Proxy, String) {
    let url = empty_postgres().url();
    let storage = connect(&url).await;
    storage.migrate().await.unwrap();
    storage.create(component(1, "one"), event(Action::ComponentCreate)).await.unwrap();
    let proxy = Proxy::before(&url).await.unwrap();
    let through_proxy = proxy.url(&url);
    (url, proxy, through_proxy)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_known_to_every_server_before_it_is_answered_for() {
    let (url, ..) = with_component().await;
    let servers = [Server::start(&url).await, Server::start(&url).await, Server::start(&url).await];
    for changing in &servers {
        let read: Vec<_> = servers.iter().map(|server| server.coherence.as_of_now()).collect();
        let took = changing.revoke().await;
        for (server, read) in servers.iter().zip(read) {
            assert!(!server.still_uses(read));
            assert!(server.still_uses(server.coherence.as_of_now()), "what is read from now on is good again");
        }
        assert!(took < LEASE / 2, "nobody had to be waited for: {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_known_to_every_server_before_it_is_given_out() {
    let (url, proxy, through_proxy) = with_component().await;
    let (server, other) = (Server::start(&url).await, Server::start(&through_proxy).await);
    let (second, third) = (component(2, "two"), component(3, "three"));
    let tags = [&second, &third].map(tag_of);
    let lacks = || tags.map(|tag| other.coherence.surely_lacks(tag));
    until(|| other.coherence.issued().is_complete()).await;
    assert_eq!(lacks(), [true, true]);
    server.storage.create(second, event(Action::ComponentCreate)).await.unwrap();
    assert_eq!(lacks(), [false, true]);

    // What is issued while a server hears nothing is looked up by it, until it has read all keys anew.
    proxy.hang();
    server.storage.create(third, event(Action::ComponentCreate)).await.unwrap();
    assert_eq!(lacks(), [false, false]);
    proxy.open();
    until(|| other.coherence.is_trusted() && other.coherence.issued().is_complete()).await;
    assert_eq!(lacks(), [false, false]);
    assert!(other.coherence.surely_lacks(tag_of(&component(4, "four"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_a_registration_ends_is_trusted_by_no_server_from_the_answer_on() {
    let url = empty_postgres().url();
    let (server, other) = {
        connect(&url).await.migrate().await.unwrap();
        (Server::start(&url).await, Server::start(&url).await)
    };
    let (secret, policy) = (Digest::of(b"the token"), EnrollmentPolicy::default());
    let token = NewEnrollmentToken { digest: secret, token: enrollment_token(1, Allowance::Unlimited) };
    server.storage.create_token(token, event(Action::EnrollmentTokenCreate)).await.unwrap();
    let register = async |call: Call, number| {
        let offer = Offer { component: id(1), key: key(number) };
        let answer = server.storage.register(&call, policy, Some(&offer)).await.unwrap();
        assert!(matches!(answer, Answer::Admitted { .. }), "{answer:?}");
        CredentialTag::of(offer.key.digest.as_bytes())
    };
    let first = register(call(secret, "db1"), 11).await;
    let read = other.coherence.as_of_now();
    assert!(other.still_uses(read));
    let second = register(Call { proof: Some(id(11)), ..call(secret, "db1") }, 12).await;
    assert!(!other.still_uses(read) && !server.still_uses(read));
    for tag in [first, second] {
        assert!(!other.coherence.surely_lacks(tag), "it is looked up");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_no_server_tells_the_servers_as_well() {
    let (url, ..) = with_component().await;
    let server = Server::start(&url).await;
    let read = server.coherence.as_of_now();
    connect(&url).await.revoke(id::<ComponentId>(1), at(1), event(Action::ComponentRevoke)).await.unwrap();
    assert!(!server.still_uses(read));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hears_nothing_is_waited_for_until_its_lease_is_over_and_then_no_more() {
    let (url, proxy, through_proxy) = with_component().await;
    let (server, deaf) = (Server::start(&url).await, Server::start(&through_proxy).await);
    let read = deaf.coherence.as_of_now();
    proxy.hang();
    let took = server.revoke().await;
    assert!(took >= LEASE, "{took:?}");
    assert!(!deaf.still_uses(read));
    let replicas = async || all(&url).await;
    let waiting = async {
        while replicas().await != 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap();
    let took = server.revoke().await;
    assert!(took < LEASE / 2, "it is off the list: {took:?}");

    proxy.open();
    deaf.is_trusting().await;
    assert!(!deaf.still_uses(read), "it starts with an empty memory");
    let read = deaf.coherence.as_of_now();
    server.revoke().await;
    assert!(!deaf.still_uses(read), "it is waited for again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_connections_are_cut_hears_of_everything_when_it_is_back() {
    let (url, proxy, through_proxy) = with_component().await;
    let (server, cut) = (Server::start(&url).await, Server::start(&through_proxy).await);
    let read = cut.coherence.as_of_now();
    proxy.cut();
    let revoking = tokio::spawn(async move { server.revoke().await });
    proxy.open();
    revoking.await.unwrap();
    assert!(!cut.still_uses(read));
    cut.is_trusting().await;
    assert!(!cut.still_uses(read));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_reach_the_database_trusts_nothing() {
    let (_, proxy, through_proxy) = with_component().await;
    let server = Server::start(&through_proxy).await;
    proxy.cut();
    until(|| !server.coherence.is_trusted()).await;
    proxy.open();
    server.is_trusting().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_leaves_trusts_nothing_and_is_not_waited_for() {
    let (url, ..) = with_component().await;
    let (server, leaving) = (Server::start(&url).await, Server::start(&url).await);
    leaving.membership.leave().await;
    assert!(!leaving.coherence.is_trusted());
    assert_eq!(all(&url).await, 1);
    let took = server.revoke().await;
    assert!(took < LEASE / 2, "{took:?}");
}

/// How many servers are registered.
async fn all(url: &str) -> usize {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let rows = client.query("SELECT id FROM replicas", &[]).await.unwrap();
    connection.abort();
    rows.len()
}
