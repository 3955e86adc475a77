//! The agent as its package ships it, against the product: through NGINX over TLS it joins, reports, pulls its configuration,
//! and rotates its key, and it comes back whenever it is killed.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use stratora_testing::{Background, Client, Signal};
use tempfile::TempDir;

use crate::support::{Installation, on_both_databases, text, with_time_series};

on_both_databases!(an_agent_joins_reports_and_does_as_it_is_told, an_agent_that_is_killed_at_any_instant_comes_back,);

/// Often enough for a test; the server counts on 10 seconds.
const INTERVAL: &str = "0.2";
/// How often the agent is killed in a rotation, and by how much later each time.
const KILLS: u32 = 12;
const LATER: Duration = Duration::from_millis(60);

/// The program, which a test of the whole workspace builds beside the server; built here when only this package is tested.
fn program() -> PathBuf {
    let server = Path::new(env!("CARGO_BIN_EXE_stratora-server"));
    let agent = server.with_file_name("stratora-agent");
    if !agent.exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "stratora-agent", "--target-dir"]);
        build.arg(server.parent().unwrap().parent().unwrap());
        assert!(build.status().unwrap().success(), "the agent does not build");
    }
    agent
}

/// A host with an agent.
struct Host {
    program: PathBuf,
    directory: TempDir,
    agent: Option<Background>,
}

impl Host {
    /// One that is told this much by its administrator.
    fn with_settings(settings: &Value) -> Self {
        let host = Self { program: program(), directory: tempfile::tempdir().unwrap(), agent: None };
        fs::DirBuilder::new().mode(0o700).create(host.path("state")).unwrap();
        host.write(settings);
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, settings: &Value) {
        fs::write(self.path("agent.json"), settings.to_string()).unwrap();
        fs::set_permissions(self.path("agent.json"), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn settings(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path("agent.json")).unwrap()).unwrap()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.path("agent.json")).arg("--state-directory").arg(self.path("state"));
        command
    }

    fn start(&mut self) {
        let mut command = self.command();
        command.args(["--interval", INTERVAL, "--config-target"]).arg(self.path("telegraf.conf"));
        self.agent = Some(Background::start(&mut command, self.directory.path(), "agent").unwrap());
    }

    fn kill(&mut self) {
        let mut agent = self.agent.take().unwrap();
        agent.stop(Signal::KILL).unwrap();
    }

    /// Whether `stratora-agent status` says so.
    fn is_well(&self) -> bool {
        self.command().arg("status").output().unwrap().status.success()
    }

    /// Waits for what the agent does.
    async fn until(&self, what: &str, mut ready: impl AsyncFnMut() -> bool) {
        for _ in 0..600 {
            if ready().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!(
            "{what} does not happen; the agent says {}",
            self.agent.as_ref().map_or_else(String::new, Background::output)
        );
    }
}

/// What an administrator sees of the components.
async fn components(client: &Client, admin: &str) -> Vec<Value> {
    let listed = client.get("/api/v1/remote-components").bearer(admin).send().await.unwrap().json();
    listed["items"].as_array().unwrap().clone()
}

/// Settings of an agent that is to enroll with a new token.
async fn to_enroll(installation: &Installation, admin: &str) -> Value {
    let body = json!({"description": "a host"});
    let made = installation.proxy().post("/api/v1/enrollment-tokens").bearer(admin).json(&body).send().await.unwrap();
    json!({
        "server_url": format!("https://localhost:{}", installation.https_port),
        "enrollment_token": text(&made.json(), "enrollment_token"),
        "insecure_skip_verify": true,
    })
}

/// Waits until the agent holds exactly one key, which is the live one of its component.
async fn is_settled(host: &Host, client: &Client, admin: &str) -> Value {
    let mut settled = Value::Null;
    host.until("one key on both sides", async || {
        let (settings, known) = (host.settings(), components(client, admin).await);
        let [component] = known.as_slice() else { return false };
        let prefix = settings["api_key"].as_str().and_then(|key| key.get(..12));
        let is_one = settings["new_api_key"].is_null() && settings["enrollment_token"].is_null();
        let is_told = component["rotation_requested_at"].is_string();
        settled = component.clone();
        is_one && !is_told && prefix.is_some() && component["key_prefix"].as_str() == prefix
    })
    .await;
    settled
}

async fn an_agent_joins_reports_and_does_as_it_is_told(mut installation: Installation) {
    let admin = installation.admin().await;
    let (mut installation, store) = with_time_series(installation);
    installation.start_nginx();
    let proxy = installation.proxy();
    let mut host = Host::with_settings(&to_enroll(&installation, &admin).await);
    host.start();
    let component = is_settled(&host, &proxy, &admin).await;
    let id = text(&component, "id");
    assert_eq!((&component["kind"], &host.settings()["component_id"]), (&json!("agent"), &json!(id)));
    assert_eq!(fs::metadata(host.path("agent.json")).unwrap().permissions().mode() & 0o777, 0o600);

    host.until("metrics", async || {
        let series = store.series(&format!("{{component_id=\"{id}\"}}")).await.unwrap();
        let has = |name: &str| series.iter().any(|labels| labels["__name__"].as_str().unwrap().starts_with(name));
        ["cpu", "mem", "disk", "net", "system"].iter().all(|name| has(name))
    })
    .await;
    let seen = format!("/api/v1/remote-components/{id}");
    host.until("a sign of life", async || {
        let component = proxy.get(&seen).bearer(&admin).send().await.unwrap().json();
        component["status"] == "active" && component["last_seen_at"].is_string() && component["version"].is_string()
    })
    .await;
    host.until("all to be well", async || host.is_well()).await;

    let configuration = "[agent]\ninterval = \"10s\"\n";
    let path = format!("/api/v1/remote-collectors/{id}/config");
    let set = proxy.put(&path).bearer(&admin).body("application/toml", configuration).send().await.unwrap();
    assert_eq!(set.status, 204, "{}", set.text());
    host.until("the configuration", async || {
        let report = proxy.get(&format!("/api/v1/remote-collectors/{id}/report")).bearer(&admin).send().await.unwrap();
        fs::read_to_string(host.path("telegraf.conf")).is_ok_and(|text| text == configuration)
            && report.json()["status"] == "applied"
    })
    .await;

    let rotation = json!({"kind": "agent", "wave_size": 10});
    let started =
        proxy.post("/api/v1/remote-components/rotate-fleet").bearer(&admin).json(&rotation).send().await.unwrap();
    assert_eq!(started.status, 202, "{}", started.text());
    host.until("the rotation of the fleet", async || {
        let progress = proxy.get("/api/v1/remote-components/rotate-fleet").bearer(&admin).send().await.unwrap().json();
        progress["state"] == "finished" && progress["rotated"] == 1
    })
    .await;
    let rotated = is_settled(&host, &proxy, &admin).await;
    assert_ne!(rotated["key_prefix"], component["key_prefix"]);

    proxy.post(&format!("{seen}/revoke")).bearer(&admin).send().await.unwrap();
    host.until("the agent to notice", async || !host.is_well()).await;
    let restored = proxy.post(&format!("{seen}/restore")).bearer(&admin).send().await.unwrap();
    let mut settings = host.settings();
    settings["api_key"] = restored.json()["api_key"].clone();
    host.write(&settings);
    host.until("the agent to find back", async || host.command().arg("status").output().unwrap().status.success())
        .await;
    let mut agent = host.agent.take().unwrap();
    agent.signal(Signal::TERM);
    assert!(agent.wait().unwrap().success());
    for secret in [text(&settings, "api_key"), text(&restored.json(), "api_key")] {
        assert!(!agent.output().contains(&secret), "the agent logs no key");
    }
}

async fn an_agent_that_is_killed_at_any_instant_comes_back(mut installation: Installation) {
    let admin = installation.admin().await;
    installation.start_nginx();
    let proxy = installation.proxy();
    let mut host = Host::with_settings(&to_enroll(&installation, &admin).await);
    // Fewer calls than one address may make in a minute.
    for kills in 0..5 {
        host.start();
        tokio::time::sleep(LATER * 3 * kills).await;
        host.kill();
    }
    host.start();
    let mut component = is_settled(&host, &proxy, &admin).await;
    for kills in 0..KILLS {
        // A kill costs at most two of the ten rotations that one component may ask for in a minute.
        if kills > 0 && kills.is_multiple_of(4) {
            host.kill();
            let gone = format!("/api/v1/remote-components/{}", text(&component, "id"));
            assert_eq!(proxy.delete(&gone).bearer(&admin).send().await.unwrap().status, 204);
            host = Host::with_settings(&to_enroll(&installation, &admin).await);
            host.start();
            component = is_settled(&host, &proxy, &admin).await;
        }
        let ask = format!("/api/v1/remote-components/{}/request-rotation", text(&component, "id"));
        let asked = proxy.post(&ask).bearer(&admin).send().await.unwrap();
        assert!(asked.status < 300, "{}", asked.text());
        tokio::time::sleep(LATER * kills).await;
        host.kill();
        host.start();
        let rotated = is_settled(&host, &proxy, &admin).await;
        assert_eq!(rotated["id"], component["id"]);
        assert_ne!(rotated["key_prefix"], component["key_prefix"]);
        component = rotated;
    }
}
