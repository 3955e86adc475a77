//! Components that come in by themselves.

use stratora_audit::Event;
use stratora_hashing::HashingError;

use super::*;
use crate::{
    Allowance, ApproveError, Call, ChangeComponentError, Description, Enrollment, EnrollmentPolicy, EnrollmentSecret,
    Hostname, NewTokenRequest, RefusedRegistration, Registered, RegistrationError, Standing, Validity, Version,
};

fn enrollment(site: &Site) -> Enrollment {
    Enrollment::new(Arc::clone(&site.keys), site.store.clone(), EnrollmentPolicy::default())
}

async fn token(enrollment: &Enrollment, allowance: Allowance) -> EnrollmentSecret {
    let description = Description::parse("rack 7").unwrap();
    let request = NewTokenRequest { description, allowance, validity: Validity::default() };
    enrollment.create_token(request, &administrator()).await.unwrap().1
}

fn call(site: &Site, token: &EnrollmentSecret, hostname: &str) -> Call {
    Call {
        token: token.digest(),
        hostname: Hostname::parse(hostname).unwrap(),
        kind: ComponentKind::Agent,
        version: Version::parse("1.2.3").unwrap(),
        repeat: None,
        proof: None,
        origin: Origin { actor: Actor::anonymous(), ..administrator() },
        at: site.now(),
    }
}

fn last(site: &Site) -> Event {
    site.store.log().events().last().unwrap().clone()
}

#[tokio::test]
async fn a_component_that_comes_in_by_itself_is_let_in_with_its_key() {
    let site = Site::new();
    let enrollment = enrollment(&site);
    let token = token(&enrollment, Allowance::Once).await;
    assert_eq!(last(&site).resource.unwrap().name, "rack 7");
    let Registered { component, key, .. } = enrollment.register(&call(&site, &token, "db1")).await.unwrap();
    assert_eq!((component.name.as_str(), component.standing), ("db1", Standing::Active));
    assert_eq!(site.authenticate(&key).await.unwrap().component(), component.id);
    assert_eq!(site.actions(), [Action::EnrollmentTokenCreate, Action::ComponentRegister, Action::KeyFirstUse]);
    let written = format!("{:?}", site.store.log().events());
    for secret in [&*token.expose(), &*key.expose()] {
        assert!(!written.contains(secret), "{written}");
    }
}

#[tokio::test]
async fn a_key_that_a_registration_ends_is_refused_by_the_next_request() {
    let site = Site::new();
    let enrollment = enrollment(&site);
    let token = token(&enrollment, Allowance::Unlimited).await;
    let first = enrollment.register(&call(&site, &token, "db1")).await.unwrap();
    let proof = site.authenticate(&first.key).await.unwrap().key();
    let proven = Call { proof: Some(proof), ..call(&site, &token, "db1") };
    let second = enrollment.register(&proven).await.unwrap();
    assert_eq!(second.component.id, first.component.id);
    assert_eq!(site.refusal(&first.key).await, Refusal::Rotated);
    assert!(site.authenticate(&second.key).await.is_ok());
}

#[tokio::test]
async fn who_is_given_no_key_costs_no_hash() {
    let site = Site::new();
    let enrollment = enrollment(&site);
    let token = token(&enrollment, Allowance::Unlimited).await;
    enrollment.register(&call(&site, &token, "db1")).await.unwrap();
    let _taken = site.fill_the_pool();
    let unknown = EnrollmentSecret::generate(site.entropy.as_ref()).unwrap();
    for (token, hostname) in [(&unknown, "db2"), (&token, "db1")] {
        let refused = enrollment.register(&call(&site, token, hostname)).await;
        assert!(matches!(refused, Err(RegistrationError::Refused(_))), "{refused:?}");
    }
    let busy = enrollment.register(&call(&site, &token, "db2")).await;
    assert!(matches!(busy, Err(RegistrationError::Busy(_))), "{busy:?}");
}

#[tokio::test]
async fn a_failure_uses_nothing_up() {
    let site = Site::new();
    let enrollment = enrollment(&site);
    let token = token(&enrollment, Allowance::Once).await;
    site.store.break_down();
    let unavailable = enrollment.register(&call(&site, &token, "db1")).await;
    assert!(matches!(unavailable, Err(RegistrationError::Store(_))), "{unavailable:?}");
    site.store.mend();
    site.entropy.break_down();
    let failed = enrollment.register(&call(&site, &token, "db1")).await;
    assert!(
        matches!(failed, Err(RegistrationError::Entropy(_) | RegistrationError::Hashing(HashingError::Entropy(_)))),
        "{failed:?}"
    );
    site.entropy.mend();
    site.store.log().break_down();
    let unwritten = enrollment.register(&call(&site, &token, "db1")).await;
    assert!(matches!(unwritten, Err(RegistrationError::Store(_))), "{unwritten:?}");
    site.store.log().mend();
    enrollment.register(&call(&site, &token, "db1")).await.unwrap();
}

/// Somebody took the host's name first and waits; the host asks, and the administrator approves what the host asked.
#[tokio::test]
async fn the_approval_of_a_request_never_lets_in_the_component_that_waits() {
    let site = Site::new();
    let strict = EnrollmentPolicy { require_approval: true, offline_takeover_after: None };
    let enrollment = Enrollment::new(Arc::clone(&site.keys), site.store.clone(), strict);
    let token = token(&enrollment, Allowance::Unlimited).await;
    let stranger = enrollment.register(&call(&site, &token, "db1")).await.unwrap();
    let id = stranger.component.id;
    let changed = enrollment.approve(id, Some(site.now()), &administrator()).await;
    assert!(matches!(changed, Err(ApproveError::Changed)), "nobody asks: {changed:?}");
    let refused = enrollment.register(&call(&site, &token, "db1")).await;
    assert!(matches!(refused, Err(RegistrationError::Refused(RefusedRegistration::Exists { .. }))), "{refused:?}");
    let other = site.now().plus(Duration::from_secs(1));
    let changed = enrollment.approve(id, Some(other), &administrator()).await;
    assert!(matches!(changed, Err(ApproveError::Changed)), "{changed:?}");

    let approved = enrollment.approve(id, Some(site.now()), &administrator()).await.unwrap();
    assert_eq!(approved.standing, Standing::Pending);
    assert_eq!(&*last(&site).details["of"], "re-enrollment");
    assert_eq!(site.refusal(&stranger.key).await, Refusal::NotApproved);
    let host = enrollment.register(&call(&site, &token, "db1")).await.unwrap();
    assert_eq!((host.component.id, host.component.standing), (id, Standing::Active));
    assert_eq!(site.refusal(&stranger.key).await, Refusal::Rotated);
    assert!(site.authenticate(&host.key).await.is_ok());
}

#[tokio::test]
async fn an_approval_lets_a_pending_component_in_or_whoever_asks_for_a_place() {
    let site = Site::new();
    let strict = EnrollmentPolicy { require_approval: true, offline_takeover_after: None };
    let enrollment = Enrollment::new(Arc::clone(&site.keys), site.store.clone(), strict);
    let token = token(&enrollment, Allowance::Unlimited).await;
    let first = enrollment.register(&call(&site, &token, "db1")).await.unwrap();
    let id = first.component.id;
    assert_eq!(site.refusal(&first.key).await, Refusal::NotApproved);
    let approved = enrollment.approve(id, None, &administrator()).await.unwrap();
    assert_eq!(approved.standing, Standing::Active);
    assert!(site.authenticate(&first.key).await.is_ok());
    let nobody_asks = enrollment.approve(id, None, &administrator()).await;
    assert!(
        matches!(nobody_asks, Err(ApproveError::Component(ChangeComponentError::WrongStanding { .. }))),
        "{nobody_asks:?}"
    );
    let refused = enrollment.register(&call(&site, &token, "db1")).await;
    assert!(matches!(refused, Err(RegistrationError::Refused(RefusedRegistration::Exists { .. }))), "{refused:?}");
    enrollment.approve(id, None, &administrator()).await.unwrap();
    assert!(site.authenticate(&first.key).await.is_ok(), "until somebody comes");
    let second = enrollment.register(&call(&site, &token, "db1")).await.unwrap();
    assert_eq!(site.refusal(&first.key).await, Refusal::Rotated);
    assert!(site.authenticate(&second.key).await.is_ok());
    let missing = enrollment.approve(nobody(), None, &administrator()).await;
    assert!(matches!(missing, Err(ApproveError::Component(ChangeComponentError::Missing))), "{missing:?}");
}
