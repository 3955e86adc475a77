//! Creating, rotating, revoking, restoring: what administrators do.

use std::time::Duration;

use stratora_audit::{Action, ResourceKind};
use stratora_port::PageRequest;

use super::{Site, administrator, nobody, request};
use crate::{
    ChangeComponentError, ComponentFilter, ComponentKind, ComponentUpdate, Grace, Hostname, IssueKeyError, KeyStore,
    MissingComponent, Name, NewComponentRequest, Refusal, Standing,
};

#[tokio::test]
async fn a_created_component_is_let_in_with_its_key() {
    let site = Site::new();
    let hostname = Some(Hostname::parse("db-1.example.com").unwrap());
    let request = NewComponentRequest { hostname: hostname.clone(), ..request("Berlin") };
    let (component, key) = site.keys.create(request, &administrator()).await.unwrap();
    assert_eq!((component.name.as_str(), component.kind), ("Berlin", ComponentKind::Collector));
    assert_eq!((component.standing, component.hostname.clone()), (Standing::Active, hostname));
    assert_eq!((component.key_prefix.clone(), component.created_at), (key.prefix(), site.now()));
    assert_eq!(site.keys.find(component.id).await.unwrap(), Some(component.clone()));
    assert_eq!(site.authenticate(&key).await.unwrap().component(), component.id);
}

#[tokio::test]
async fn a_rotated_key_is_refused_by_the_next_request() {
    let site = Site::new();
    let (component, old) = site.create("Berlin").await;
    site.authenticate(&old).await.unwrap();
    let new = site.rotate(component.id, Grace::None).await;
    assert_eq!(site.refusal(&old).await, Refusal::Rotated);
    assert!(site.authenticate(&new).await.is_ok());
}

#[tokio::test]
async fn a_revoked_key_is_refused_by_the_next_request() {
    let site = Site::new();
    let (component, old) = site.create("Berlin").await;
    let new = site.rotate(component.id, site.own(&old).await).await;
    site.authenticate(&old).await.unwrap();
    site.keys.revoke(component.id, &administrator()).await.unwrap();
    assert_eq!(site.refusal(&old).await, Refusal::Revoked);
    assert_eq!(site.refusal(&new).await, Refusal::Revoked);
}

#[tokio::test]
async fn only_a_restoration_gives_a_revoked_component_a_key() {
    let site = Site::new();
    let (component, old) = site.create("Berlin").await;
    let id = component.id;
    let early = site.keys.restore(id, &administrator()).await;
    assert!(matches!(wrong_standing(early), Standing::Active));
    site.keys.revoke(id, &administrator()).await.unwrap();
    let refused = site.keys.rotate(id, Grace::None, &administrator()).await;
    assert!(matches!(wrong_standing(refused), Standing::Revoked));
    let (restored, new) = site.keys.restore(id, &administrator()).await.unwrap();
    assert_eq!((restored.standing, restored.key_prefix), (Standing::Active, new.prefix()));
    assert_eq!(site.refusal(&old).await, Refusal::Revoked);
    assert!(site.authenticate(&new).await.is_ok());
}

fn wrong_standing<T: std::fmt::Debug>(result: Result<T, IssueKeyError>) -> Standing {
    match result {
        Err(IssueKeyError::Component(ChangeComponentError::WrongStanding { standing })) => standing,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whoever_holds_a_leaked_key_ends_it() {
    let site = Site::new();
    let (component, key) = site.create("Berlin").await;
    assert!(site.keys.report_leak(&key, &administrator()).await.unwrap());
    assert!(!site.keys.report_leak(&key, &administrator()).await.unwrap());
    assert_eq!(site.refusal(&key).await, Refusal::Revoked);
    assert_eq!(site.keys.find(component.id).await.unwrap().unwrap().standing, Standing::Revoked);
    assert_eq!(site.actions(), [Action::ComponentCreate, Action::KeyLeakReport]);
    let reported = site.store.log().events().pop().unwrap().resource.unwrap();
    assert_eq!((reported.kind, reported.name), (ResourceKind::Key, key.prefix().to_string()));
}

#[tokio::test]
async fn a_full_pool_refuses_at_once_and_nothing_has_happened() {
    let site = Site::new();
    let (component, key) = site.create("Berlin").await;
    let (revoked, _) = site.create("Hamburg").await;
    site.keys.revoke(revoked.id, &administrator()).await.unwrap();
    let before = site.store.log().events();
    let places = site.fill_the_pool();
    for refused in [
        site.keys.create(request("Bremen"), &administrator()).await,
        site.keys.rotate(component.id, Grace::None, &administrator()).await,
        site.keys.restore(revoked.id, &administrator()).await,
    ] {
        assert!(matches!(refused, Err(IssueKeyError::Busy(busy)) if busy.retry_after > Duration::ZERO));
    }
    assert_eq!(site.store.log().events(), before);
    drop(places);
    assert!(site.authenticate(&key).await.is_ok());
    site.create("Bremen").await;
}

#[tokio::test]
async fn a_refused_request_gives_its_place_back() {
    let site = Site::new();
    site.create("Berlin").await;
    for _ in 0..5 {
        let refused = site.keys.create(request("Berlin"), &administrator()).await;
        assert!(matches!(refused, Err(IssueKeyError::Component(ChangeComponentError::NameTaken))), "{refused:?}");
        let refused = site.keys.rotate(nobody(), Grace::None, &administrator()).await;
        assert!(matches!(refused, Err(IssueKeyError::Component(ChangeComponentError::Missing))), "{refused:?}");
    }
    assert_eq!(site.fill_the_pool().len(), 2);
}

#[tokio::test]
async fn without_randomness_there_is_no_key() {
    let site = Site::new();
    let (component, key) = site.create("Berlin").await;
    site.entropy.break_down();
    let created = site.keys.create(request("Bremen"), &administrator()).await;
    let rotated = site.keys.rotate(component.id, Grace::None, &administrator()).await;
    for refused in [created, rotated] {
        assert!(matches!(refused, Err(IssueKeyError::Entropy(_))), "{refused:?}");
    }
    assert_eq!(site.actions(), [Action::ComponentCreate]);
    assert!(site.authenticate(&key).await.is_ok());
}

#[tokio::test]
async fn without_its_entry_in_the_log_nothing_happens() {
    let site = Site::new();
    let (component, key) = site.create("Berlin").await;
    site.authenticate(&key).await.unwrap();
    let (by, id) = (administrator(), component.id);
    site.store.log().break_down();
    assert!(site.keys.create(request("Bremen"), &by).await.is_err());
    assert!(site.keys.rotate(id, Grace::None, &by).await.is_err());
    assert!(matches!(site.keys.revoke(id, &by).await, Err(MissingComponent::Store(_))));
    assert!(matches!(site.keys.delete(id, &by).await, Err(MissingComponent::Store(_))));
    let update = ComponentUpdate { name: Some(Name::parse("Bremen").unwrap()), hostname: None };
    assert!(matches!(site.keys.update(id, update, &by).await, Err(ChangeComponentError::Store(_))));
    assert!(site.keys.report_leak(&key, &by).await.is_err());
    site.store.log().mend();
    assert_eq!(KeyStore::find(site.store.as_ref(), id).await.unwrap(), Some(component));
    assert!(site.authenticate(&key).await.is_ok());
    let all = site.keys.page(&ComponentFilter::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(all.total, 1);
}

#[tokio::test]
async fn without_the_store_nothing_is_said_to_have_happened() {
    let site = Site::new();
    let (component, key) = site.create("Berlin").await;
    let (by, id) = (administrator(), component.id);
    site.store.break_down();
    let unavailable = |error| matches!(error, IssueKeyError::Component(ChangeComponentError::Store(_)));
    assert!(unavailable(site.keys.create(request("Bremen"), &by).await.unwrap_err()));
    assert!(unavailable(site.keys.rotate(id, Grace::None, &by).await.unwrap_err()));
    assert!(unavailable(site.keys.restore(id, &by).await.unwrap_err()));
    assert!(matches!(site.keys.revoke(id, &by).await, Err(MissingComponent::Store(_))));
    assert!(matches!(site.keys.delete(id, &by).await, Err(MissingComponent::Store(_))));
    assert!(matches!(site.keys.approve(id, &by).await, Err(ChangeComponentError::Store(_))));
    assert!(site.keys.report_leak(&key, &by).await.is_err());
    assert!(site.keys.find(id).await.is_err());
    assert!(site.keys.page(&ComponentFilter::default(), &PageRequest::default()).await.is_err());
}

#[tokio::test]
async fn everything_is_written_down_and_no_key_is() {
    let site = Site::new();
    let by = administrator();
    let (component, first) = site.create("Berlin").await;
    let id = component.id;
    let second = site.rotate(id, Grace::None).await;
    let third = site.rotate(id, Grace::For(Duration::from_mins(5))).await;
    let fourth = site.rotate(id, Grace::For(Duration::from_mins(1))).await;
    site.authenticate(&fourth).await.unwrap();
    let hostname = Hostname::parse("db-1.example.com").unwrap();
    let update = ComponentUpdate { name: Some(Name::parse("Bremen").unwrap()), hostname: Some(Some(hostname)) };
    site.keys.update(id, update, &by).await.unwrap();
    site.keys.revoke(id, &by).await.unwrap();
    let (_, fifth) = site.keys.restore(id, &by).await.unwrap();
    site.keys.delete(id, &by).await.unwrap();

    let events = site.store.log().events();
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            let details: Vec<_> = event.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
            (event.action, event.resource.as_ref().unwrap().name.as_str(), details.join(" "))
        })
        .collect();
    let prefixes = [&first, &second, &third, &fourth, &fifth].map(|key| format!("key_prefix={}", key.prefix()));
    assert_eq!(
        told,
        [
            (Action::ComponentCreate, "Berlin", format!("{} kind=collector", prefixes[0])),
            (Action::ComponentRotate, "Berlin", format!("grace=none {}", prefixes[1])),
            (Action::ComponentRotate, "Berlin", format!("grace=300 s {}", prefixes[2])),
            (Action::ComponentRotate, "Berlin", format!("grace=60 s {}", prefixes[3])),
            (Action::KeyFirstUse, "Berlin", format!("component={id}")),
            (Action::ComponentUpdate, "Berlin", "hostname=db-1.example.com name=Bremen".to_owned()),
            (Action::ComponentRevoke, "Bremen", String::new()),
            (Action::ComponentRestore, "Bremen", prefixes[4].clone()),
            (Action::ComponentDelete, "Bremen", String::new()),
        ]
    );
    for event in events.iter().filter(|event| event.action != Action::KeyFirstUse) {
        assert_eq!((&event.actor, event.client, event.request_id), (&by.actor, by.client, by.request_id));
        assert_eq!(event.at, site.now());
    }
    let written = format!("{events:?}");
    for key in [first, second, third, fourth, fifth] {
        assert!(!written.contains(&key.expose()[12..]));
    }
}
