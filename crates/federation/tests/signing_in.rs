//! Signing in through a provider, from the first click to the session, with whatever can come in between.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails says so by a panic")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use newtype_uuid::GenericUuid as _;
use stratora_audit::{Action, Origin, Outcome};
use stratora_auth::{
    AccountStore as _, AuthSource, ClientContext, NewAccount, Role, SessionTimeouts, SignedIn, Username,
};
use stratora_clock::{Clock as _, ManualClock};
use stratora_federation::testing::{MemoryFederation, ScriptedRelyingParty};
use stratora_federation::{
    CallbackParameters, Claims, ClientId, ClientSecret, Domain, Federation, FederationParts, FlowError, Issuer,
    NewProvider, Provider, ProviderError, ProviderName, ProviderStore as _, ProviderUpdate, Providers, Refused,
    RefusedCode, RoleMapping, Started, StepOutcome,
};
use stratora_sealing::{KeyVersion, Keyring, SealingKey, SealingKeys};
use stratora_token::Secret;
use stratora_token::testing::BreakableEntropy;

/// An installation with one provider.
struct House {
    store: Arc<MemoryFederation>,
    provider: Provider,
    relying_party: Arc<ScriptedRelyingParty>,
    clock: Arc<ManualClock>,
    entropy: Arc<BreakableEntropy>,
    federation: Arc<Federation>,
    providers: Providers,
}

fn keyring(versions: &[u8]) -> Keyring {
    let key = |version: &u8| (KeyVersion(u32::from(*version)), SealingKey::from_bytes([*version; 32]));
    SealingKeys::new(versions.iter().map(key).collect::<BTreeMap<_, _>>()).unwrap().into()
}

fn new_provider(name: &str, issuer: &str) -> NewProvider {
    NewProvider {
        name: ProviderName::parse(name).unwrap(),
        issuer: Issuer::parse(issuer).unwrap(),
        client_id: ClientId::parse("stratora").unwrap(),
    }
}

fn with_secret(text: &str) -> ProviderUpdate {
    ProviderUpdate { secret: Some(Some(ClientSecret::parse(text).unwrap())), ..ProviderUpdate::default() }
}

fn grace() -> Claims {
    Claims {
        subject: "1".to_owned(),
        preferred_username: Some("grace".to_owned()),
        name: Some("Grace Hopper".to_owned()),
        email: Some("grace@example.com".to_owned()),
        email_verified: true,
        groups: ["ops".to_owned()].into(),
    }
}

fn client() -> ClientContext {
    let actor = stratora_audit::Actor::anonymous();
    let origin = Origin { actor, client: Some("192.0.2.7".parse().unwrap()), request_id: None };
    ClientContext { origin, user_agent: "Mozilla/5.0".to_owned(), device: None }
}

impl House {
    async fn new() -> Self {
        Self::with(keyring(&[1]), true).await
    }

    async fn with(keyring: Keyring, keeps_cookies: bool) -> Self {
        let store = Arc::new(MemoryFederation::default());
        let relying_party = Arc::new(ScriptedRelyingParty::default());
        let (clock, entropy) = (Arc::new(ManualClock::default()), Arc::new(BreakableEntropy::default()));
        let parts = FederationParts {
            providers: store.clone(),
            transactions: store.clone(),
            identities: store.clone(),
            attempts: store.clone(),
            relying_party: relying_party.clone(),
            sealing: Arc::new(keyring),
            clock: clock.clone(),
            entropy: entropy.clone(),
            timeouts: SessionTimeouts::default(),
            keeps_cookies,
        };
        let (federation, providers) = (Arc::new(Federation::new(parts.clone())), Providers::new(parts));
        let new = new_provider("One", "https://one.example.com");
        let provider = providers.create(new, with_secret("hunter2"), &Origin::system()).await.unwrap();
        relying_party.says(grace(), Some("sid 1"));
        Self { store, provider, relying_party, clock, entropy, federation, providers }
    }

    async fn start(&self) -> Started {
        self.federation.start(Some(self.provider.id), &client()).await.unwrap()
    }

    async fn finish(&self, parameters: CallbackParameters, binding: Option<Secret>) -> Result<SignedIn, Refused> {
        self.federation.finish(parameters, binding, &client()).await
    }

    async fn sign_in(&self) -> Result<SignedIn, Refused> {
        let started = self.start().await;
        self.finish(returning(&started), Some(started.binding)).await
    }

    async fn set(&self, update: ProviderUpdate) {
        self.providers.update(self.provider.id, update, &Origin::system()).await.unwrap();
    }

    /// The last record says that it ended so, at that step.
    fn ended_at(&self, check: &str) -> bool {
        let attempt = self.store.recorded().pop().unwrap();
        let last = attempt.steps.last().unwrap();
        last.outcome == StepOutcome::Failed && last.check == check
    }
}

/// What a browser brings back.
fn returning(started: &Started) -> CallbackParameters {
    let state = started.location.split_once("state=").unwrap().1;
    CallbackParameters {
        states: vec![state.to_owned()],
        codes: vec!["code".to_owned().into()],
        ..CallbackParameters::default()
    }
}

fn code_of(refused: Result<SignedIn, Refused>) -> RefusedCode {
    match refused {
        Err(Refused::Recorded { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whoever_a_provider_vouches_for_gets_an_account_and_a_session_to_be_confirmed() {
    let house = House::new().await;
    let signed_in = house.sign_in().await.unwrap();
    let account = &signed_in.account;
    assert_eq!((account.username.as_str(), account.role, account.source), ("grace", Role::Viewer, AuthSource::Oidc));
    assert!(account.password.is_none());
    assert_eq!(house.relying_party.secrets(), [Some("hunter2".to_owned())]);
    let attempt = house.store.recorded().pop().unwrap();
    assert_eq!((&*attempt.code, attempt.username.as_deref()), ("signed_in", Some("grace")));
    assert!(attempt.steps.iter().all(|step| step.outcome == StepOutcome::Passed));
    let events = house.store.events();
    let [.., made, signed] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((made.action, signed.action, signed.outcome), (Action::UserCreate, Action::SignIn, Outcome::Success));
    assert_eq!(signed.details["reference"], attempt.reference.as_str());
    let again = house.sign_in().await.unwrap();
    assert_eq!(again.account.id, signed_in.account.id);
}

#[tokio::test]
async fn a_return_that_was_not_started_here_ends_on_the_sign_in_page() {
    let house = House::new().await;
    let started = house.start().await;
    let with_states = |states: &[&str]| CallbackParameters {
        states: states.iter().map(|state| (*state).to_owned()).collect(),
        ..returning(&started)
    };
    let own = returning(&started).states.remove(0);
    let unknown = Secret::generate(&*house.entropy).unwrap().expose().to_string();
    for states in [&[][..], &["", ""], &["x"], &[&own, &own], &[&unknown], &[&own, "x"]] {
        let refused = house.finish(with_states(states), Some(started.binding.clone())).await;
        assert_eq!(code_of(refused), RefusedCode::StateInvalid, "{states:?}");
        assert!(house.ended_at("state"));
    }
    assert_eq!(house.relying_party.exchanges(), 0, "nobody was asked");
    assert!(house.finish(returning(&started), Some(started.binding)).await.is_ok(), "the right one still works");
}

#[tokio::test]
async fn a_sign_in_is_used_once_and_not_after_ten_minutes() {
    let house = House::new().await;
    let started = house.start().await;
    house.finish(returning(&started), Some(started.binding.clone())).await.unwrap();
    let again = house.finish(returning(&started), Some(started.binding)).await;
    assert_eq!(code_of(again), RefusedCode::StateInvalid);
    let slow = house.start().await;
    house.clock.advance(Duration::from_mins(10));
    assert_eq!(code_of(house.finish(returning(&slow), Some(slow.binding)).await), RefusedCode::StateInvalid);
    assert!(house.ended_at("time"));
    let quick = house.start().await;
    house.clock.advance(Duration::from_mins(10) - Duration::from_micros(1));
    assert!(house.finish(returning(&quick), Some(quick.binding)).await.is_ok());
}

#[tokio::test]
async fn of_fifty_returns_at_once_one_gets_a_session() {
    let house = Arc::new(House::new().await);
    let started = house.start().await;
    let returns: Vec<_> = (0..50)
        .map(|_| {
            let (house, parameters, binding) = (Arc::clone(&house), returning(&started), started.binding.clone());
            tokio::spawn(async move { house.finish(parameters, Some(binding)).await.is_ok() })
        })
        .collect();
    let mut sessions = 0;
    for arrival in returns {
        sessions += usize::from(arrival.await.unwrap());
    }
    assert_eq!((sessions, house.relying_party.exchanges()), (1, 1));
}

#[tokio::test]
async fn another_browser_cannot_end_a_sign_in_and_burns_it() {
    let house = House::new().await;
    for binding in [None, Some(Secret::generate(&*house.entropy).unwrap()), Some(house.start().await.binding)] {
        let started = house.start().await;
        let refused = house.finish(returning(&started), binding).await;
        assert_eq!(code_of(refused), RefusedCode::BrowserMismatch);
        assert!(house.ended_at("cookie"));
        let late = house.finish(returning(&started), Some(started.binding)).await;
        assert_eq!(code_of(late), RefusedCode::StateInvalid, "it is burnt");
    }
    assert_eq!(house.relying_party.exchanges(), 0);
}

#[tokio::test]
async fn what_a_provider_refuses_is_said_in_our_words() {
    let house = House::new().await;
    for errors in [&["access_denied"][..], &["<script>alert(1)</script>\r\nSet-Cookie: a=b"], &["a", "b"]] {
        let started = house.start().await;
        let errors = errors.iter().map(|error| (*error).to_owned()).collect();
        let parameters = CallbackParameters { codes: Vec::new(), errors, ..returning(&started) };
        let refused = house.finish(parameters, Some(started.binding)).await;
        assert_eq!(code_of(refused), RefusedCode::ProviderRefused);
        let text = format!("{:?}", house.store.recorded().pop().unwrap().steps);
        assert!(!text.contains("script") && !text.contains("Set-Cookie"), "{text}");
    }
    for codes in [0, 2] {
        let started = house.start().await;
        let codes = (0..codes).map(|_| "code".to_owned().into()).collect();
        let refused = house.finish(CallbackParameters { codes, ..returning(&started) }, Some(started.binding)).await;
        assert_eq!(code_of(refused), RefusedCode::ResponseInvalid);
    }
    let started = house.start().await;
    let issuers = vec!["https://one.example.com".to_owned(); 2];
    let twice = house.finish(CallbackParameters { issuers, ..returning(&started) }, Some(started.binding)).await;
    assert_eq!(code_of(twice), RefusedCode::ResponseInvalid);
}

#[tokio::test]
async fn a_provider_that_is_gone_or_turned_off_signs_nobody_in() {
    let house = House::new().await;
    let started = house.start().await;
    house.set(ProviderUpdate { enabled: Some(false), ..ProviderUpdate::default() }).await;
    assert!(house.federation.enabled().await.unwrap().is_empty());
    let refused = house.federation.start(Some(house.provider.id), &client()).await;
    assert!(matches!(refused, Err(Refused::Recorded { code: RefusedCode::ProviderUnknown, .. })));
    let late = house.finish(returning(&started), Some(started.binding)).await;
    assert_eq!(code_of(late), RefusedCode::ProviderUnknown);
    let nobody = house.federation.start(None, &client()).await;
    assert!(matches!(nobody, Err(Refused::Recorded { code: RefusedCode::ProviderUnknown, .. })));
}

#[tokio::test]
async fn what_is_not_proved_opens_nothing_and_the_record_says_why() {
    let house = House::new().await;
    for (is_unavailable, code) in [(true, RefusedCode::ProviderUnavailable), (false, RefusedCode::TokenInvalid)] {
        let started = house.start().await;
        let advice = "set the clock".to_owned();
        house.relying_party.fails(Some(FlowError { check: "time", is_unavailable, advice }));
        assert_eq!(code_of(house.finish(returning(&started), Some(started.binding)).await), code);
        assert!(house.ended_at("time"));
        assert_eq!(house.store.recorded().pop().unwrap().steps.last().unwrap().note.as_deref(), Some("set the clock"));
        house.relying_party.fails(None);
    }
    assert!(house.store.accounts.is_empty().await.unwrap());
}

#[tokio::test]
async fn a_provider_is_spoken_to_where_it_first_was() {
    let house = House::new().await;
    house.start().await;
    let pinned = house.store.find(house.provider.id).await.unwrap().unwrap().settings.endpoints.unwrap();
    assert_eq!(pinned.token, "https://one.example.com/token");
    house.relying_party.is_at(Some("https://elsewhere.example.com"));
    house.start().await;
    let still = house.store.find(house.provider.id).await.unwrap().unwrap().settings.endpoints;
    assert_eq!(still, Some(pinned), "what the metadata says later changes nothing by itself");
    assert!(house.providers.test(house.provider.id, &Origin::system()).await.unwrap().is_good());
    let tested = house.store.find(house.provider.id).await.unwrap().unwrap().settings.endpoints.unwrap();
    assert_eq!(tested.token, "https://elsewhere.example.com/token", "an administrator has looked");
}

#[tokio::test]
async fn no_provider_gets_to_see_what_is_for_another() {
    let house = House::new().await;
    house.start().await;
    let evil = new_provider("Evil", "https://evil.example.com");
    let evil = house.providers.create(evil, with_secret("evil"), &Origin::system()).await.unwrap();
    house.relying_party.is_at(Some("https://one.example.com"));
    let refused = house.federation.start(Some(evil.id), &client()).await;
    assert!(matches!(refused, Err(Refused::Recorded { code: RefusedCode::ProviderUnavailable, .. })));
    assert!(house.ended_at("endpoints"));
    assert!(!house.providers.test(evil.id, &Origin::system()).await.unwrap().is_good());
    let other =
        ProviderUpdate { issuer: Some(Issuer::parse("https://two.example.com").unwrap()), ..ProviderUpdate::default() };
    let moved = house.providers.update(house.provider.id, other, &Origin::system()).await;
    assert!(matches!(moved, Err(ProviderError::Setting(refused)) if refused.field == "client_secret"));
}

#[tokio::test]
async fn groups_decide_the_role_at_every_sign_in() {
    let house = House::new().await;
    let mapping =
        RoleMapping { group: stratora_federation::GroupName::parse("ops").unwrap(), role: Role::Operator, priority: 0 };
    house.set(ProviderUpdate { role_mappings: Some(vec![mapping]), ..ProviderUpdate::default() }).await;
    assert_eq!(house.sign_in().await.unwrap().account.role, Role::Operator);
    house.relying_party.says(Claims { groups: [].into(), ..grace() }, None);
    let demoted = house.sign_in().await.unwrap();
    assert_eq!(demoted.account.role, Role::Viewer);
    let stored = house.store.accounts.find(demoted.account.id).await.unwrap().unwrap();
    assert_eq!(stored.role, Role::Viewer);
}

fn account(number: u128, name: &str, source: AuthSource, role: Role) -> NewAccount {
    NewAccount {
        id: stratora_auth::UserId::from_untyped_uuid(uuid::Uuid::from_u128(number)),
        username: Username::parse(name).unwrap(),
        display_name: String::new(),
        email: Some("grace@example.com".to_owned()),
        role,
        source,
        password: None,
        built_in: false,
        created_at: ManualClock::default().now(),
    }
}

#[tokio::test]
async fn nobody_comes_to_an_account_by_a_name_or_a_mail_address_alone() {
    let house = House::new().await;
    let event = || Origin::system().event(house.clock.now(), Action::UserCreate);
    let local = account(7, "grace", AuthSource::Local, Role::Admin);
    house.store.accounts.create(local, event()).await.unwrap();
    let signed_in = house.sign_in().await.unwrap();
    assert_eq!(signed_in.account.username.as_str(), "grace-2");
    let linking = ProviderUpdate {
        link_verified_email: Some(true),
        verified_domains: Some([Domain::parse("example.com").unwrap()].into()),
        ..ProviderUpdate::default()
    };
    house.set(linking).await;
    house.relying_party.says(Claims { subject: "2".to_owned(), ..grace() }, None);
    assert_eq!(house.sign_in().await.unwrap().account.username.as_str(), "grace-3", "a local account is never linked");
    let in_directory = account(8, "hopper", AuthSource::Ldap, Role::Viewer);
    house.store.accounts.create(in_directory, event()).await.unwrap();
    house.relying_party.says(Claims { subject: "3".to_owned(), ..grace() }, None);
    // The two before are vouched for with the same address by now: it is not clear who is meant.
    assert_eq!(house.sign_in().await.unwrap().account.username.as_str(), "grace-4");
}

#[tokio::test]
async fn an_account_of_the_directory_is_linked_where_the_policy_says_so() {
    let house = House::new().await;
    let in_directory = account(8, "hopper", AuthSource::Ldap, Role::Viewer);
    let event = Origin::system().event(house.clock.now(), Action::UserCreate);
    house.store.accounts.create(in_directory, event).await.unwrap();
    house
        .set(ProviderUpdate {
            link_verified_email: Some(true),
            verified_domains: Some([Domain::parse("example.com").unwrap()].into()),
            auto_provision: Some(false),
            ..ProviderUpdate::default()
        })
        .await;
    assert_eq!(house.sign_in().await.unwrap().account.username.as_str(), "hopper");
    let claimed = Claims { email: Some("victim@example.com".to_owned()), email_verified: false, ..grace() };
    house.relying_party.says(claimed, None);
    let linked = house.sign_in().await.unwrap().account.id;
    let stored = house.store.accounts.find(linked).await.unwrap().unwrap();
    assert_eq!(stored.email.as_deref(), Some("grace@example.com"), "a provider does not change the directory's word");
    house.relying_party.says(Claims { subject: "9".to_owned(), email_verified: false, ..grace() }, None);
    assert_eq!(code_of(house.sign_in().await), RefusedCode::NotProvisioned);
}

#[tokio::test]
async fn a_trial_says_what_a_sign_in_would_do_and_does_nothing() {
    let house = House::new().await;
    let tried = house.providers.dry_run(&house.provider, &grace()).await.unwrap();
    assert_eq!((tried.decision, tried.username.as_deref()), ("provision", Some("grace")));
    assert!(house.store.accounts.is_empty().await.unwrap());
    house.sign_in().await.unwrap();
    let tried = house.providers.dry_run(&house.provider, &grace()).await.unwrap();
    assert_eq!((tried.decision, tried.username.as_deref()), ("sign_in", Some("grace")));
}

#[tokio::test]
async fn a_provider_ends_the_sessions_that_came_from_it() {
    let house = House::new().await;
    let signed_in = house.sign_in().await.unwrap();
    let url = house.federation.end_session_url(signed_in.session.id).await.unwrap();
    assert_eq!(url.as_deref(), Some("https://one.example.com/logout"));
    assert_eq!(house.federation.back_channel(house.provider.id, "token", &client()).await.unwrap(), 1);
    assert_eq!(house.federation.back_channel(house.provider.id, "token", &client()).await.unwrap(), 0);
    let advice = "it is signed by somebody else".to_owned();
    house.relying_party.fails(Some(FlowError { check: "signature", is_unavailable: false, advice }));
    assert!(house.federation.back_channel(house.provider.id, "token", &client()).await.is_err());
}

#[tokio::test]
async fn a_secret_is_stored_sealed_and_sealed_anew_under_a_new_key() {
    let house = House::with(keyring(&[1, 2]), true).await;
    let stored = house.store.find(house.provider.id).await.unwrap().unwrap().secret.unwrap();
    assert_eq!(stored.version(), KeyVersion(2));
    assert!(!stored.to_bytes().windows(7).any(|bytes| bytes == b"hunter2"));
    assert_eq!(house.providers.reseal(&Origin::system()).await.unwrap(), 0);
    let old = House::with(keyring(&[1]), true).await;
    let before = old.store.find(old.provider.id).await.unwrap().unwrap();
    let mut moved = house.store.find(house.provider.id).await.unwrap().unwrap();
    moved.secret = before.secret;
    let event = Origin::system().event(house.clock.now(), Action::ProviderUpdate);
    let current = house.store.find(house.provider.id).await.unwrap().unwrap();
    house.store.replace(&current, moved, event).await.unwrap();
    assert!(house.providers.reseal(&Origin::system()).await.is_err(), "the secret of another row opens nowhere else");
    assert_eq!(code_of(house.sign_in().await), RefusedCode::ProviderUnavailable);
    assert!(house.ended_at("client_secret"));
}

#[tokio::test]
async fn where_browsers_keep_no_cookies_nobody_is_sent_out() {
    let house = House::with(keyring(&[1]), false).await;
    let refused = house.federation.start(Some(house.provider.id), &client()).await;
    assert!(matches!(refused, Err(Refused::Recorded { code: RefusedCode::ProviderUnavailable, .. })));
    assert!(house.ended_at("external_url"));
    assert!(!house.providers.test(house.provider.id, &Origin::system()).await.unwrap().is_good());
}

#[tokio::test]
async fn without_randomness_nothing_is_started() {
    let house = House::new().await;
    house.entropy.break_down();
    assert!(matches!(house.federation.start(Some(house.provider.id), &client()).await, Err(Refused::Entropy(_))));
}

#[tokio::test]
async fn a_public_client_has_no_secret_and_any_other_has_one() {
    let house = House::new().await;
    let public =
        ProviderUpdate { client_auth: Some(stratora_federation::ClientAuth::None), ..ProviderUpdate::default() };
    let new = || new_provider("Public", "https://public.example.com");
    let create = async |update| house.providers.create(new(), update, &Origin::system()).await;
    let both = ProviderUpdate { client_auth: public.client_auth, ..with_secret("x") };
    for update in [ProviderUpdate::default(), both] {
        assert!(
            matches!(create(update).await, Err(ProviderError::Setting(refused)) if refused.field == "client_secret")
        );
    }
    assert!(create(public.clone()).await.is_ok());
    assert!(matches!(create(public).await, Err(ProviderError::NameTaken)));
}
