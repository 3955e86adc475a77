//! When components were last seen.

use std::net::IpAddr;
use std::time::Duration;

use newtype_uuid::{GenericUuid as _, TypedUuid};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use stratora_port::PageRequest;
use uuid::Uuid;

use super::{Site, address};
use crate::{Component, ComponentFilter, ComponentId, Hostname, KeyStore, Sighting, Status, Version};

impl Site {
    async fn stored(&self, id: ComponentId) -> Component {
        KeyStore::find(self.store.as_ref(), id).await.unwrap().unwrap()
    }

    fn heartbeat(&self, component: ComponentId) -> Sighting {
        Sighting {
            component,
            at: self.now(),
            client: Some(address()),
            hostname: Some(Hostname::parse("db-1.example.com").unwrap()),
            version: Some(Version::parse("1.2.3").unwrap()),
        }
    }
}

#[tokio::test]
async fn a_request_shows_at_once_and_is_stored_with_the_next_batch() {
    let site = Site::new();
    let (component, key) = site.create("Berlin").await;
    site.clock.advance(Duration::from_secs(5));
    site.authenticate(&key).await.unwrap();
    assert_eq!(site.stored(component.id).await, component);
    let expected = Component { last_seen_at: Some(site.now()), last_seen_ip: Some(address()), ..component };
    assert_eq!(site.keys.find(expected.id).await.unwrap(), Some(expected.clone()));
    let page = site.keys.page(&ComponentFilter::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(page.items.as_slice(), std::slice::from_ref(&expected));

    site.keys.flush().await.unwrap();
    assert_eq!(site.stored(expected.id).await, expected);
    assert_eq!(site.keys.find(expected.id).await.unwrap(), Some(expected));
}

#[tokio::test]
async fn what_a_heartbeat_reports_outlives_later_requests_that_report_nothing() {
    let site = Site::new();
    let (component, key) = site.create("Berlin").await;
    let heartbeat = site.heartbeat(component.id);
    site.keys.sighted(heartbeat.clone());
    site.clock.advance(Duration::from_secs(1));
    site.authenticate(&key).await.unwrap();
    let expected = Component {
        last_seen_at: Some(site.now()),
        last_seen_ip: Some(address()),
        hostname: heartbeat.hostname,
        version: heartbeat.version,
        ..component
    };
    assert_eq!(site.keys.find(expected.id).await.unwrap(), Some(expected.clone()));
    site.keys.flush().await.unwrap();
    assert_eq!(site.stored(expected.id).await, expected);
}

#[tokio::test]
async fn sightings_that_arrive_late_move_nothing_back() {
    let site = Site::new();
    let (component, _) = site.create("Berlin").await;
    let late = site.heartbeat(component.id);
    site.clock.advance(Duration::from_secs(1));
    let latest = Sighting { client: Some("192.0.2.8".parse().unwrap()), ..site.heartbeat(component.id) };
    site.keys.sighted(latest.clone());
    site.keys.sighted(late.clone());
    site.keys.flush().await.unwrap();
    site.keys.sighted(late);
    let shown = site.keys.find(component.id).await.unwrap().unwrap();
    assert_eq!((shown.last_seen_at, shown.last_seen_ip), (Some(latest.at), latest.client));
    site.keys.flush().await.unwrap();
    assert_eq!(site.stored(component.id).await, shown);
}

#[tokio::test]
async fn a_batch_that_was_not_stored_is_kept_for_the_next() {
    let site = Site::new();
    let (component, _) = site.create("Berlin").await;
    let (other, _) = site.create("Bremen").await;
    site.keys.sighted(site.heartbeat(component.id));
    site.keys.sighted(site.heartbeat(other.id));
    site.store.break_down();
    assert!(site.keys.flush().await.is_err());
    let first_seen = site.now();
    site.clock.advance(Duration::from_secs(1));
    site.keys.sighted(Sighting { hostname: None, version: None, ..site.heartbeat(component.id) });
    site.store.mend();
    site.keys.flush().await.unwrap();
    let stored = site.stored(component.id).await;
    assert_eq!((stored.last_seen_at, stored.version.unwrap().as_str()), (Some(site.now()), "1.2.3"));
    assert_eq!(site.stored(other.id).await.last_seen_at, Some(first_seen));
}

#[tokio::test]
async fn many_are_stored_in_parts_and_what_was_not_stored_is_kept() {
    let site = Site::new();
    let kept = || site.keys.sightings.len();
    for number in 0..2_500 {
        site.keys.sighted(site.heartbeat(TypedUuid::from_untyped_uuid(Uuid::from_u128(number))));
    }
    site.store.break_down_after(1);
    assert!(site.keys.flush().await.is_err());
    assert_eq!(kept(), 1_500, "the first thousand is stored");
    site.store.break_down_after(2);
    site.keys.flush().await.unwrap();
    assert_eq!(kept(), 0);
}

#[tokio::test]
async fn a_component_is_offline_when_it_was_not_seen_for_half_a_minute() {
    let site = Site::new();
    let (component, key) = site.create("Berlin").await;
    assert_eq!(component.status(site.now()), Status::Active);
    site.authenticate(&key).await.unwrap();
    site.keys.flush().await.unwrap();
    site.clock.advance(Status::OFFLINE_AFTER);
    assert_eq!(site.stored(component.id).await.status(site.now()), Status::Active);
    site.clock.advance(Duration::from_micros(1));
    assert_eq!(site.stored(component.id).await.status(site.now()), Status::Offline);
    let offline = ComponentFilter { status: Some(Status::Offline), ..ComponentFilter::default() };
    assert_eq!(site.keys.page(&offline, &PageRequest::default()).await.unwrap().total, 1);
}

proptest! {
    #[test]
    fn of_each_thing_that_is_reported_the_last_word_counts(
        said in vec((option::of(0_u8..3), option::of(0_u8..3), option::of(0_u8..3)), 1..6),
    ) {
        let site = Site::new();
        let component = TypedUuid::from_untyped_uuid(Uuid::from_u128(1));
        let mut expected = None;
        for (client, hostname, version) in said {
            site.clock.advance(Duration::from_secs(1));
            let sighting = Sighting {
                component,
                at: site.now(),
                client: client.map(|number| IpAddr::from([192, 0, 2, number])),
                hostname: hostname.map(|number| Hostname::parse(format!("db-{number}")).unwrap()),
                version: version.map(|number| Version::parse(format!("1.{number}")).unwrap()),
            };
            site.keys.sighted(sighting.clone());
            let Sighting { client, hostname, version, .. } = expected.unwrap_or_else(|| sighting.clone());
            expected = Some(Sighting {
                client: sighting.client.or(client),
                hostname: sighting.hostname.or(hostname),
                version: sighting.version.or(version),
                ..sighting
            });
        }
        let part = site.keys.sightings.parts().next().unwrap();
        let (_, seen) = part.entries().first().unwrap();
        prop_assert_eq!(Some(seen.of(component)), expected);
    }
}
