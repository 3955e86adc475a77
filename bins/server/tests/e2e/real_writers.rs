//! Writers that nobody here wrote, each run as its users run it and through NGINX over TLS: what they send lands under the
//! component whose key they have, whatever they say of themselves.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use stratora_testing::{
    Client, Destination, Glances, Icinga, VictoriaMetrics, VmAgent, until, write_with_influxdb_client,
};

use crate::support::{Installation, create_component, on_both_databases, with_time_series};

on_both_databases!(what_influxdbs_own_client_writes_is_its_components);

/// Two components: Berlin, whose key the writers have, and Paris, which they claim to be.
struct Site {
    installation: Installation,
    store: VictoriaMetrics,
    admin: String,
    certificate: PathBuf,
    berlin: String,
    key: String,
    paris: String,
}

impl Site {
    async fn build(mut installation: Installation) -> Self {
        let admin = installation.admin().await;
        let (mut installation, store) = with_time_series(installation);
        installation.start_nginx();
        let proxy = installation.proxy();
        let (berlin, key) = create_component(&proxy, &admin, "Berlin").await;
        let (paris, _) = create_component(&proxy, &admin, "Paris").await;
        let certificate = installation.path("nginx").join("certificate.pem");
        Self { installation, store, admin, certificate, berlin, key, paris }
    }

    fn proxy(&self) -> Client {
        self.installation.proxy()
    }

    /// What a writer puts on its points to pass for Paris.
    fn lies(&self) -> [(&str, &str); 2] {
        [("component", "Paris"), ("component_id", &self.paris)]
    }

    fn destination<'a>(&'a self, labels: &'a [(&'a str, &'a str)]) -> Destination<'a> {
        Destination { port: self.installation.https_port, certificate: &self.certificate, key: &self.key, labels }
    }

    /// Waits for series that match `selector`, and looks whose they are.
    async fn assert_it_is_berlins(&self, selector: &str, output: impl Fn() -> String) {
        let series = self.wait_for(selector, output).await;
        for labels in series {
            let identity = (&labels["component"], &labels["component_id"]);
            assert_eq!(identity, (&json!("Berlin"), &json!(self.berlin)), "{labels}");
        }
    }

    async fn wait_for(&self, selector: &str, output: impl Fn() -> String) -> Vec<Value> {
        for _ in 0..1200 {
            let series = self.store.series(selector).await.unwrap();
            if !series.is_empty() {
                return series;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no {selector} within a minute: {}", output());
    }

    async fn assert_that_nothing_is_paris_s(&self) {
        for selector in ["{component=\"Paris\"}".to_owned(), format!("{{component_id=\"{}\"}}", self.paris)] {
            assert_eq!(self.store.series(&selector).await.unwrap(), Vec::<Value>::new(), "{selector}");
        }
    }

    async fn revoke_berlins_key(&self) {
        let path = format!("/api/v1/remote-components/{}/revoke", self.berlin);
        let revoked = self.proxy().post(&path).bearer(&self.admin).send().await.unwrap();
        assert_eq!(revoked.status, 200, "{}", revoked.text());
    }
}

async fn what_influxdbs_own_client_writes_is_its_components(installation: Installation) {
    let site = Site::build(installation).await;
    let lies = site.lies();
    let destination = site.destination(&lies);
    for (measurement, gzip) in [("plain", false), ("packed", true)] {
        assert_eq!(write_with_influxdb_client(&destination, measurement, gzip).unwrap(), "written");
        site.assert_it_is_berlins(&format!("{measurement}_value"), String::new).await;
    }
    site.assert_that_nothing_is_paris_s().await;

    site.revoke_berlins_key().await;
    let refused = write_with_influxdb_client(&destination, "late", true).unwrap();
    assert!(refused.starts_with("refused 401 ") && refused.contains("\"key_revoked\""), "{refused}");
    assert!(site.store.series("late_value").await.unwrap().is_empty());
    assert!(!site.installation.all_output().contains(&site.key), "a key was logged");
}

#[tokio::test]
async fn what_collectors_send_by_themselves_is_their_components() {
    let site = Site::build(Installation::on_sqlite()).await;
    let lies = site.lies();
    let destination = site.destination(&lies);
    let glances = Glances::start(&destination).unwrap();
    let vmagent = VmAgent::start(&destination).unwrap();
    let scraped = |name: &str| format!("{name}{{job=\"{}\"}}", VmAgent::JOB);
    site.assert_it_is_berlins(&scraped("up"), || vmagent.output()).await;
    site.assert_it_is_berlins(&scraped("vm_app_version"), || vmagent.output()).await;
    for name in ["glances.load_min1", "glances.mem_total"] {
        site.assert_it_is_berlins(&format!("{{__name__=\"{name}\"}}"), || glances.output()).await;
    }
    site.assert_that_nothing_is_paris_s().await;
    assert!(!site.installation.all_output().contains(&site.key), "a key was logged");
}

#[tokio::test]
async fn what_icinga_finds_is_its_components_until_the_key_is_revoked() {
    let site = Site::build(Installation::on_sqlite()).await;
    let lies = site.lies();
    let icinga = Icinga::start(&site.destination(&lies)).unwrap();
    let load = "dummy_value{metric=\"load\"}";
    for selector in [load, "dummy_reachable", "icinga_value{service=\"itself\",metric=\"uptime\"}"] {
        site.assert_it_is_berlins(selector, || icinga.output()).await;
    }
    site.assert_that_nothing_is_paris_s().await;
    // It counts time in seconds: taken for another unit, its points would not be of now.
    let found = site.store.query(load).await.unwrap();
    let values: Vec<_> = found.iter().map(|series| &series["value"][1]).collect();
    assert_eq!(values, [&json!(Icinga::LOAD.to_string())], "{found:?}");
    assert!(!icinga.output().contains("key_revoked"), "{}", icinga.output());

    site.revoke_berlins_key().await;
    // It logs why it was refused.
    until("a refusal", || icinga.output().contains("key_revoked")).unwrap();
    assert!(!site.installation.all_output().contains(&site.key), "a key was logged");
}
