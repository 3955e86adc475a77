//! What every store of components and keys must do: the contract as a whole, and its part about components.
#![expect(clippy::unwrap_used, reason = "a store that fails its contract ends the test")]

use std::sync::Arc;
use std::time::Duration;

use newtype_uuid::TypedUuid;
use stratora_audit::testing::verify_chain;
use stratora_audit::{Action, AuditLog};
use stratora_port::{Limit, PageRequest};
use stratora_token::{OsEntropy, Secret};

use super::fleet::{Fleet, at, component_named, event, key_made_at, name, new_id, sighting};
use super::{key_life, key_races, own_rotation};
use crate::{
    ChangeComponentError, Component, ComponentFilter, ComponentKind, ComponentUpdate, FirstUse, Grace, Hostname,
    KeyRecord, KeyState, KeyStore, MissingComponent, NewComponent, Refusal, Sighting, Standing, Status, Version,
};

/// Runs the contract on an empty store, within a runtime of several threads. The log is the one that the store writes to.
///
/// # Panics
/// When the store does not fulfil it.
pub async fn key_store_contract<S: KeyStore + AuditLog>(store: Arc<S>) {
    let fleet = Fleet { store };
    pages_lead_by_name_through_what_each_filter_finds(&fleet).await;
    a_component_and_its_key_read_back_as_they_were_created(&fleet).await;
    a_name_belongs_to_one_component(&fleet).await;
    an_update_changes_what_it_names(&fleet).await;
    only_a_pending_component_is_approved(&fleet).await;
    a_deleted_component_leaves_nothing_behind(&fleet).await;
    what_is_not_there_is_missing(&fleet).await;
    sightings_never_move_back(&fleet).await;
    key_life::contract(&fleet).await;
    key_races::contract(&fleet).await;
    own_rotation::contract(&fleet).await;
    verify_chain(fleet.store.as_ref()).await;
}

async fn pages_lead_by_name_through_what_each_filter_finds<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let now = at(1_000);
    let seen = |ago: Duration| Some(now.minus(ago));
    let limit = Status::OFFLINE_AFTER;
    let (just, too_long_ago) = (seen(limit), seen(limit + Duration::from_micros(1)));
    // In the order of their bytes, which is the order of pages.
    let described = [
        ("50% _off", ComponentKind::Agent, Standing::Active, None, None),
        ("Berlin", ComponentKind::Agent, Standing::Active, just, Some("db-1.example.com")),
        ("a\\b", ComponentKind::Collector, Standing::Active, too_long_ago, None),
        ("berlin", ComponentKind::Collector, Standing::Pending, just, None),
        ("pending", ComponentKind::Agent, Standing::Pending, too_long_ago, None),
        ("revoked", ComponentKind::Agent, Standing::Revoked, just, None),
        ("ÖSTERREICH", ComponentKind::Agent, Standing::Active, just, Some("host_1")),
    ];
    let mut prefix_of_the_last = String::new();
    for (text, kind, standing, seen_at, hostname) in described.iter().rev() {
        let hostname = hostname.map(|hostname| Hostname::parse(hostname).unwrap());
        let new = NewComponent { kind: *kind, standing: *standing, hostname, ..component_named(text) };
        let id = new.id;
        prefix_of_the_last = fleet.create(new).await.unwrap().key_prefix.to_string();
        if let Some(seen_at) = seen_at {
            fleet.see(&[sighting(id, *seen_at)]).await;
        }
    }

    let kind = |kind| ComponentFilter { kind: Some(kind), ..ComponentFilter::default() };
    let status = |status| ComponentFilter { status: Some(status), ..ComponentFilter::default() };
    let text = |text: &str| ComponentFilter { text: Some(text.to_owned()), ..ComponentFilter::default() };
    let all = described.map(|(text, ..)| text);
    let cases: [(ComponentFilter, &[&str]); 16] = [
        (ComponentFilter::default(), &all),
        (kind(ComponentKind::Collector), &["a\\b", "berlin"]),
        (status(Status::Active), &["50% _off", "Berlin", "ÖSTERREICH"]),
        (status(Status::Offline), &["a\\b"]),
        (status(Status::Pending), &["berlin", "pending"]),
        (status(Status::Revoked), &["revoked"]),
        (text("BERL"), &["Berlin", "berlin"]),
        (text("öster"), &["ÖSTERREICH"]),
        (text("DB-1.example"), &["Berlin"]),
        (text("% _O"), &["50% _off"]),
        (text("5%f"), &[]),
        (text("a\\B"), &["a\\b"]),
        (text("ost_1"), &["ÖSTERREICH"]),
        (text("b-_.example"), &[]),
        (text("SK_stra_"), &all),
        (
            ComponentFilter { kind: Some(ComponentKind::Agent), status: Some(Status::Active), ..text("berl") },
            &["Berlin"],
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(names_on_pages(fleet, &filter, Limit::default()).await, expected, "{filter:?}");
        assert_eq!(names_on_pages(fleet, &filter, Limit::new(2).unwrap()).await, expected, "{filter:?}, by twos");
    }
    let found = names_on_pages(fleet, &text(&prefix_of_the_last), Limit::default()).await;
    assert!(found.contains(&"50% _off".to_owned()), "{found:?}");
}

/// The names on all pages of that size.
async fn names_on_pages<S: KeyStore + AuditLog>(
    fleet: &Fleet<S>,
    filter: &ComponentFilter,
    limit: Limit,
) -> Vec<String> {
    let mut names = Vec::new();
    let mut totals = Vec::new();
    let mut request = PageRequest { limit, after: None };
    loop {
        let page = KeyStore::page(fleet.store.as_ref(), filter, at(1_000), &request).await.unwrap();
        assert!(page.items.len() <= limit.get());
        names.extend(page.items.iter().map(|component| component.name.to_string()));
        totals.push(page.total);
        request.after = page.next;
        if request.after.is_none() {
            break;
        }
    }
    assert!(totals.iter().all(|total| *total == names.len() as u64), "{totals:?}");
    names
}

async fn a_component_and_its_key_read_back_as_they_were_created<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let new = NewComponent {
        hostname: Some(Hostname::parse("created.example.com").unwrap()),
        kind: ComponentKind::Collector,
        standing: Standing::Pending,
        ..component_named("created <b>'\";--")
    };
    let (id, key) = (new.id, new.key.clone());
    let expected = Component {
        id,
        name: new.name.clone(),
        hostname: new.hostname.clone(),
        kind: new.kind,
        standing: new.standing,
        key_prefix: key.prefix.clone(),
        key_created_at: key.created_at,
        rotation_requested_at: None,
        last_seen_at: None,
        last_seen_ip: None,
        version: None,
        created_at: key.created_at,
        revoked_at: None,
    };
    assert_eq!(fleet.create(new).await.unwrap(), expected);
    assert_eq!(fleet.component(id).await, expected);
    let record = KeyRecord {
        key_id: key.id,
        state: KeyState::Live,
        used: false,
        created_at: key.created_at,
        rotation_requested: false,
        component_id: id,
        name: expected.name,
        kind: expected.kind,
        standing: expected.standing,
        config_etag: None,
    };
    assert_eq!(fleet.key(&key).await, record);
    let stranger = Secret::generate(&OsEntropy).unwrap().digest();
    assert_eq!(fleet.store.find_key(&stranger).await.unwrap(), None);
}

async fn a_name_belongs_to_one_component<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    fleet.enroll("taken").await;
    let second = component_named("taken");
    let (id, digest) = (second.id, second.key.digest);
    assert!(matches!(fleet.create(second).await, Err(ChangeComponentError::NameTaken)));
    assert_eq!(fleet.store.find(id).await.unwrap(), None);
    assert_eq!(fleet.store.find_key(&digest).await.unwrap(), None);

    let (other, _) = fleet.enroll("not taken").await;
    let rename = |text| ComponentUpdate { name: Some(name(text)), hostname: None };
    assert!(matches!(fleet.update(other, rename("taken")).await, Err(ChangeComponentError::NameTaken)));
    assert_eq!(fleet.component(other).await.name, name("not taken"));
    fleet.update(other, rename("not taken")).await.unwrap();
    fleet.update(other, rename("not taken either")).await.unwrap();
    fleet.enroll("not taken").await;
}

async fn an_update_changes_what_it_names<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, _) = fleet.enroll("before").await;
    let created = fleet.component(id).await;
    let hostname = Hostname::parse("after.example.com").unwrap();
    let update = ComponentUpdate { name: None, hostname: Some(Some(hostname.clone())) };
    let expected = Component { hostname: Some(hostname), ..created };
    assert_eq!(fleet.update(id, update).await.unwrap(), expected);

    let update = ComponentUpdate { name: Some(name("after")), hostname: None };
    let expected = Component { name: name("after"), ..expected };
    assert_eq!(fleet.update(id, update).await.unwrap(), expected);

    let update = ComponentUpdate { name: None, hostname: Some(None) };
    let expected = Component { hostname: None, ..expected };
    assert_eq!(fleet.update(id, update).await.unwrap(), expected);
    assert_eq!(fleet.update(id, ComponentUpdate::default()).await.unwrap(), expected);
    assert_eq!(fleet.component(id).await, expected);
}

async fn only_a_pending_component_is_approved<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let new = NewComponent { standing: Standing::Pending, ..component_named("waits") };
    let (id, key) = (new.id, new.key.clone());
    fleet.create(new).await.unwrap();
    assert_eq!(fleet.authorize(&key, at(1)).await, Err(Refusal::NotApproved));
    assert_eq!(fleet.approve(id).await.unwrap().standing, Standing::Active);
    assert_eq!(fleet.authorize(&key, at(1)).await, Ok(()));
    for standing in [Standing::Active, Standing::Revoked] {
        let refused = fleet.approve(id).await;
        assert!(matches!(refused, Err(ChangeComponentError::WrongStanding { standing: s }) if s == standing));
        fleet.revoke(id, at(2)).await.unwrap();
    }
}

async fn a_deleted_component_leaves_nothing_behind<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, old) = fleet.enroll("deleted").await;
    let new = fleet.rotated(id, at(1), Grace::UntilFirstUse(old.id)).await;
    fleet.delete(id).await.unwrap();
    assert_eq!(fleet.store.find(id).await.unwrap(), None);
    for key in [&old, &new] {
        assert_eq!(fleet.store.find_key(&key.digest).await.unwrap(), None);
        assert!(fleet.first_use(key, at(2)).await.is_none());
        assert!(!fleet.report_leak(&key.digest, at(2)).await);
    }
    fleet.see(&[sighting(id, at(3))]).await;
    assert!(matches!(fleet.delete(id).await, Err(MissingComponent::Missing)));
    fleet.enroll("deleted").await;
}

async fn what_is_not_there_is_missing<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, key) = (new_id(), key_made_at(at(1)));
    assert_eq!(fleet.store.find(id).await.unwrap(), None);
    assert!(matches!(fleet.revoke(id, at(1)).await, Err(MissingComponent::Missing)));
    assert!(matches!(fleet.delete(id).await, Err(MissingComponent::Missing)));
    let changes = [
        fleet.rotate(id, &key, Grace::None).await,
        fleet.restore(id, &key).await,
        fleet.request_rotation(id, at(1)).await,
        fleet.approve(id).await,
        fleet.update(id, ComponentUpdate { name: Some(name("taken")), hostname: None }).await,
    ];
    for change in changes {
        assert!(matches!(change, Err(ChangeComponentError::Missing)), "{change:?}");
    }
    assert_eq!(fleet.store.find_key(&key.digest).await.unwrap(), None);
    let unknown = fleet.store.first_use(new_id(), at(1), event(Action::KeyFirstUse)).await;
    assert!(matches!(unknown.unwrap(), FirstUse::Ended));
}

async fn sightings_never_move_back<S: KeyStore + AuditLog>(fleet: &Fleet<S>) {
    let (id, key) = fleet.enroll("seen").await;
    let (other, _) = fleet.enroll("seen too").await;
    let created = fleet.component(id).await;
    let (hostname, version) = (Hostname::parse("seen.example.com").unwrap(), Version::parse("1.2.3").unwrap());
    let full = Sighting {
        client: Some("2001:db8::1".parse().unwrap()),
        hostname: Some(hostname.clone()),
        version: Some(version.clone()),
        ..sighting(id, at(10))
    };
    let expected = Component {
        last_seen_at: Some(full.at),
        last_seen_ip: full.client,
        hostname: Some(hostname),
        version: Some(version),
        ..created
    };
    let gone = sighting(TypedUuid::nil(), at(10));
    fleet.see(&[gone, full.clone(), sighting(other, at(11))]).await;
    assert_eq!(fleet.component(id).await, expected);
    assert_eq!(fleet.component(other).await.last_seen_at, Some(at(11)));

    // What came earlier changes nothing, whatever it says.
    let version = Version::parse("0.9").unwrap();
    fleet.see(&[Sighting { version: Some(version), ..sighting(id, at(9)) }]).await;
    assert_eq!(fleet.component(id).await, expected);

    // What a later one does not report stays as it was.
    fleet.see(&[sighting(id, at(12))]).await;
    let later = sighting(id, at(12));
    let expected = Component { last_seen_at: Some(later.at), last_seen_ip: later.client, ..expected };
    assert_eq!(fleet.component(id).await, expected);

    // The latest of a batch counts, in whichever order it comes.
    fleet.see(&[sighting(id, at(14)), sighting(id, at(13))]).await;
    assert_eq!(fleet.component(id).await.last_seen_at, Some(at(14)));
    assert!(!fleet.key(&key).await.used, "a sighting is no use of a key");
    fleet.see(&[]).await;
}
