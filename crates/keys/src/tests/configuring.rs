//! Setting and pulling configurations, and what components report on them.

use stratora_audit::Action;

use super::{Site, administrator, nobody};
use crate::{ApiKey, ETag, MissingComponent, PutConfigError, ReportStatus};

impl Site {
    /// The tag that the holder of `key` is told.
    pub(super) async fn etag(&self, key: &ApiKey) -> Option<ETag> {
        self.authenticate(key).await.unwrap().config_etag()
    }
}

#[tokio::test]
async fn a_configuration_is_pulled_as_it_was_set() {
    let site = Site::new();
    let (component, key) = site.create("Berlin").await;
    let (other, other_key) = site.create("Bremen").await;
    assert_eq!(site.keys.config(component.id).await.unwrap(), None);
    let body = "# Ümlaut\r\n[agent]\ninterval = \"10s\"\n";
    site.keys.put_config(component.id, body.to_owned(), &administrator()).await.unwrap();
    let first = site.keys.config(component.id).await.unwrap().unwrap();
    assert_eq!(first.body, body);
    assert_eq!(site.etag(&key).await, Some(first.etag));

    site.keys.put_config(component.id, body.to_owned(), &administrator()).await.unwrap();
    assert_eq!(site.etag(&key).await, Some(first.etag));
    site.keys.put_config(component.id, String::new(), &administrator()).await.unwrap();
    assert_ne!(site.etag(&key).await, Some(first.etag));
    site.keys.put_config(other.id, body.to_owned(), &administrator()).await.unwrap();
    assert_ne!(site.etag(&other_key).await, Some(first.etag), "tags differ between components");
}

#[tokio::test]
async fn what_is_not_toml_is_refused_with_its_line() {
    let site = Site::new();
    let (component, _) = site.create("Berlin").await;
    let deep = format!("{} = 1", vec!["a"; 100_000].join("."));
    for (body, expected) in [
        ("x", 1),
        ("a = 1\n\nb = password\n", 3),
        ("a = 1\na = 2\n", 2),
        ("a = \"\0\"", 1),
        ("a = 1\r\n[", 2),
        (&deep, 1),
    ] {
        let refused = site.keys.put_config(component.id, body.to_owned(), &administrator()).await;
        let Err(PutConfigError::NotToml { line }) = refused else { panic!("{refused:?}") };
        assert_eq!(line, expected, "{body:.40}");
        assert!(!refused.unwrap_err().to_string().contains("password"));
    }
    assert_eq!(site.keys.config(component.id).await.unwrap(), None);
    assert_eq!(site.actions(), [Action::ComponentCreate]);
}

#[tokio::test]
async fn the_last_report_is_shown() {
    let site = Site::new();
    let (component, _) = site.create("Berlin").await;
    assert_eq!(site.keys.report(component.id).await.unwrap(), None);
    for (status, message) in [(ReportStatus::ValidationError, "line 3:\n\tünknown key"), (ReportStatus::Applied, "")] {
        let report = site.keys.new_report("0af5", status, message).unwrap();
        assert_eq!((report.at, report.message.as_str()), (site.now(), message));
        site.keys.put_report(component.id, report.clone(), &administrator()).await.unwrap();
        assert_eq!(site.keys.report(component.id).await.unwrap(), Some(report));
    }
}

#[tokio::test]
async fn a_report_that_is_too_long_or_holds_controls_is_refused() {
    let site = Site::new();
    let field = |hash: &str, message: &str| {
        site.keys.new_report(hash, ReportStatus::Applied, message).err().map(|refused| refused.field)
    };
    let (longest_hash, longest_message) = ("f".repeat(128), "ü".repeat(4096));
    assert_eq!(field(&longest_hash, &longest_message), None);
    for hash in [format!("{longest_hash}f"), "a b".to_owned(), "ü".to_owned(), "a\0".to_owned()] {
        assert_eq!(field(&hash, ""), Some("config_hash"), "{hash}");
    }
    for message in [format!("{longest_message}x"), "\0".to_owned(), "\u{1b}[2J".to_owned(), "a\rb".to_owned()] {
        assert_eq!(field("", &message), Some("message"), "{message}");
    }
}

#[tokio::test]
async fn a_component_that_is_not_there_has_no_configuration() {
    let site = Site::new();
    let put = site.keys.put_config(nobody(), String::new(), &administrator()).await;
    assert!(matches!(put, Err(PutConfigError::Component(MissingComponent::Missing))), "{put:?}");
    let report = site.keys.new_report("", ReportStatus::Applied, "").unwrap();
    let put = site.keys.put_report(nobody(), report, &administrator()).await;
    assert!(matches!(put, Err(MissingComponent::Missing)), "{put:?}");
    assert_eq!(site.keys.config(nobody()).await.unwrap(), None);
}

#[tokio::test]
async fn a_configuration_is_written_down_by_its_tag_and_not_by_its_text() {
    let site = Site::new();
    let (component, key) = site.create("Berlin").await;
    let body = "token = 'swordfish'";
    site.keys.put_config(component.id, body.to_owned(), &administrator()).await.unwrap();
    let report = site.keys.new_report("0af5", ReportStatus::RolledBack, "swordfish was refused").unwrap();
    site.keys.put_report(component.id, report, &administrator()).await.unwrap();
    let events = site.store.log().events();
    assert_eq!(site.actions(), [Action::ComponentCreate, Action::ConfigSet, Action::ConfigReport]);
    let etag = site.etag(&key).await.unwrap();
    assert_eq!((events[1].details["etag"].as_str(), events[1].details["bytes"].as_str()), (etag.as_str(), "19"));
    assert_eq!(events[2].details["status"], "rolled_back");
    assert!(!format!("{events:?}").contains("swordfish"));
}

#[tokio::test]
async fn without_its_entry_in_the_log_no_configuration_is_set() {
    let site = Site::new();
    let (component, _) = site.create("Berlin").await;
    site.store.log().break_down();
    let put = site.keys.put_config(component.id, "a = 1".to_owned(), &administrator()).await;
    assert!(matches!(put, Err(PutConfigError::Component(MissingComponent::Store(_)))), "{put:?}");
    site.store.break_down();
    assert!(site.keys.config(component.id).await.is_err());
    assert!(site.keys.report(component.id).await.is_err());
    site.store.mend();
    assert_eq!(site.keys.config(component.id).await.unwrap(), None);
}
