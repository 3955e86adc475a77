//! What every store of configurations must do.
#![expect(clippy::unwrap_used, reason = "a store that fails its contract ends the test")]

use std::sync::Arc;

use stratora_audit::testing::verify_chain;
use stratora_audit::{Action, AuditLog};
use stratora_token::MacKey;

use super::fleet::{Fleet, at, event, new_id};
use crate::{ComponentId, ConfigStore, ETagKey, KeyStore, MissingComponent, Report, ReportStatus, StoredConfig};

/// Runs the contract on an empty store, within a runtime of several threads. The log is the one that the store writes to.
///
/// # Panics
/// When the store does not fulfil it.
pub async fn config_store_contract<S: KeyStore + ConfigStore + AuditLog>(store: Arc<S>) {
    let fleet = Fleet { store };
    a_configuration_reads_back_with_its_tag(&fleet).await;
    the_last_report_is_kept(&fleet).await;
    what_no_component_has_is_missing(&fleet).await;
    a_deleted_component_has_neither(&fleet).await;
    a_body_and_its_tag_are_read_together(&fleet).await;
    verify_chain(fleet.store.as_ref()).await;
}

fn stored(component: ComponentId, body: &str) -> StoredConfig {
    let etag = ETagKey::new(MacKey::from_bytes([9; 32])).tag(component, body);
    StoredConfig { body: body.to_owned(), etag }
}

fn report(status: ReportStatus, message: &str) -> Report {
    Report { config_hash: "sha256:0af5".to_owned(), status, message: message.to_owned(), at: at(10) }
}

impl<S: KeyStore + ConfigStore + AuditLog> Fleet<S> {
    async fn put_config(&self, id: ComponentId, config: StoredConfig) -> Result<(), MissingComponent> {
        let event = event(Action::ConfigSet).with("etag", config.etag.as_str());
        self.all_or_nothing(event.clone(), self.store.put_config(id, config, event)).await
    }

    async fn put_report(&self, id: ComponentId, report: Report) -> Result<(), MissingComponent> {
        let event = event(Action::ConfigReport).with("status", report.status.as_str());
        self.all_or_nothing(event.clone(), self.store.put_report(id, report, event)).await
    }

    async fn config(&self, id: ComponentId) -> Option<StoredConfig> {
        self.store.config(id).await.unwrap()
    }
}

async fn a_configuration_reads_back_with_its_tag<S: KeyStore + ConfigStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, key) = fleet.enroll("configured").await;
    let (other, other_key) = fleet.enroll("not configured").await;
    assert_eq!((fleet.config(id).await, fleet.key(&key).await.config_etag), (None, None));
    let long = format!("# {}\n", "ü".repeat(500_000));
    for body in ["interval = \"10s\"\r\n# 'quoted' \\ ☃\n", "", &long] {
        let config = stored(id, body);
        fleet.put_config(id, config.clone()).await.unwrap();
        assert_eq!(fleet.key(&key).await.config_etag, Some(config.etag));
        assert_eq!(fleet.config(id).await, Some(config));
    }
    assert_eq!((fleet.config(other).await, fleet.key(&other_key).await.config_etag), (None, None));
}

async fn the_last_report_is_kept<S: KeyStore + ConfigStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, _) = fleet.enroll("reports").await;
    let (other, _) = fleet.enroll("does not report").await;
    assert_eq!(fleet.store.report(id).await.unwrap(), None);
    for (status, message) in [
        (ReportStatus::Applied, ""),
        (ReportStatus::ValidationError, "line 3:\n\t'x' ☃"),
        (ReportStatus::RolledBack, "no answer"),
    ] {
        let report = report(status, message);
        fleet.put_report(id, report.clone()).await.unwrap();
        assert_eq!(fleet.store.report(id).await.unwrap(), Some(report));
    }
    assert_eq!(fleet.store.report(other).await.unwrap(), None);
}

async fn what_no_component_has_is_missing<S: KeyStore + ConfigStore + AuditLog>(fleet: &Fleet<S>) {
    let id = new_id();
    assert_eq!(fleet.config(id).await, None);
    assert_eq!(fleet.store.report(id).await.unwrap(), None);
    assert!(matches!(fleet.put_config(id, stored(id, "a = 1")).await, Err(MissingComponent::Missing)));
    let refused = fleet.put_report(id, report(ReportStatus::Applied, "")).await;
    assert!(matches!(refused, Err(MissingComponent::Missing)));
    assert_eq!(fleet.config(id).await, None);
    assert_eq!(fleet.store.report(id).await.unwrap(), None);
}

async fn a_deleted_component_has_neither<S: KeyStore + ConfigStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, _) = fleet.enroll("configured and deleted").await;
    fleet.put_config(id, stored(id, "a = 1")).await.unwrap();
    fleet.put_report(id, report(ReportStatus::Applied, "")).await.unwrap();
    fleet.delete(id).await.unwrap();
    assert_eq!(fleet.config(id).await, None);
    assert_eq!(fleet.store.report(id).await.unwrap(), None);
}

async fn a_body_and_its_tag_are_read_together<S: KeyStore + ConfigStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, _) = fleet.enroll("configured while it is read").await;
    fleet.put_config(id, stored(id, "n = 0")).await.unwrap();
    let store = Arc::clone(&fleet.store);
    let writer = tokio::spawn(async move {
        for number in 1..=50 {
            let config = stored(id, &format!("n = {number}"));
            store.put_config(id, config, event(Action::ConfigSet)).await.unwrap();
        }
    });
    while !writer.is_finished() {
        let config = fleet.store.config(id).await.unwrap().unwrap();
        assert_eq!(config, stored(id, &config.body));
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    assert_eq!(fleet.config(id).await, Some(stored(id, "n = 50")));
}
