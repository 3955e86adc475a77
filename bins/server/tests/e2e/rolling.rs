//! Several servers behind one NGINX: one after the other is restarted, or one dies, and nobody notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use stratora_testing::{Background, Client, PostgresDatabase, Signal, free_port};
use tokio::task::JoinSet;

use crate::support::{Installation, create_component};

/// Three servers on one PostgreSQL behind NGINX.
struct Fleet {
    servers: Vec<(u16, Background)>,
    ports: Vec<u16>,
    installation: Installation,
    admin: String,
    component: (String, String),
}

impl Fleet {
    async fn start() -> Self {
        let postgres = PostgresDatabase::create().unwrap();
        let mut installation =
            Installation::prepare(Some(postgres), "flood: {requests_per_second: 10000, burst: 10000}\n");
        installation.start_server();
        let admin = installation.admin().await;
        let component = create_component(&installation.backend(), &admin, "Berlin").await;
        let ports: Vec<_> = (0..3).map(|_| free_port().unwrap()).collect();
        let servers = ports.iter().map(|port| (*port, installation.start_beside(*port))).collect();
        installation.start_nginx_before(&ports);
        Self { servers, ports, installation, admin, component }
    }

    /// Requests of every kind without a pause, until they are told to stop. They fail with the first that is not answered.
    fn load(&self, with_writes: bool) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let mut asking = JoinSet::new();
        for _ in 0..4 {
            let asker = Asker {
                client: self.installation.proxy(),
                admin: self.admin.clone(),
                component: self.component.clone(),
                with_writes,
                stop: Arc::clone(&stop),
            };
            asking.spawn(asker.ask());
        }
        Load { asking, stop }
    }
}

struct Asker {
    client: Client,
    admin: String,
    component: (String, String),
    with_writes: bool,
    stop: Arc<AtomicBool>,
}

impl Asker {
    /// Returns how many requests were answered.
    async fn ask(self) -> usize {
        let (id, key) = &self.component;
        let mut answered = 0;
        while !self.stop.load(Ordering::SeqCst) {
            let me = self.client.get("/api/v1/auth/me").bearer(&self.admin).send().await.unwrap();
            assert_eq!(me.status, 200, "{}", me.text());
            let config = self.client.get(&format!("/api/v1/remote-collectors/{id}/config")).key(key);
            let config = config.send().await.unwrap();
            assert_eq!(config.error(), "no_config", "{}: {}", config.status, config.text());
            answered += 2;
            if self.with_writes {
                let body = json!({"hostname": "db-1", "version": "1.2.3", "os": "linux"});
                let heartbeat = self.client.post(&format!("/api/v1/agents/heartbeat/{id}")).key(key).json(&body);
                let heartbeat = heartbeat.send().await.unwrap();
                assert_eq!(heartbeat.status, 200, "{}", heartbeat.text());
                answered += 1;
            }
        }
        answered
    }
}

struct Load {
    asking: JoinSet<usize>,
    stop: Arc<AtomicBool>,
}

impl Load {
    /// Returns how many requests were answered, all of them well.
    async fn stop(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        self.asking.join_all().await.into_iter().sum()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_drops_no_request() {
    let mut fleet = Fleet::start().await;
    let load = fleet.load(true);
    for index in 0..fleet.servers.len() {
        let port = fleet.ports[index];
        fleet.installation.pass_to(&fleet.ports, Some(port));
        let (_, server) = &mut fleet.servers[index];
        assert!(server.stop(Signal::TERM).unwrap().success());
        *server = fleet.installation.start_beside(port);
        let ready = Client::new(format!("http://127.0.0.1:{port}")).unwrap().get("/health/ready").send().await.unwrap();
        assert_eq!(ready.status, 200);
        fleet.installation.pass_to(&fleet.ports, None);
    }
    assert!(load.stop().await > 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_costs_no_request_that_can_be_repeated() {
    let mut fleet = Fleet::start().await;
    let load = fleet.load(false);
    let (_, mut dead) = fleet.servers.pop().unwrap();
    dead.signal(Signal::KILL);
    dead.wait().unwrap();
    // Long enough for each of the others to be asked many times.
    for _ in 0..100 {
        let me = fleet.installation.proxy().get("/api/v1/auth/me").bearer(&fleet.admin).send().await.unwrap();
        assert_eq!(me.status, 200);
    }
    assert!(load.stop().await > 100);
}
