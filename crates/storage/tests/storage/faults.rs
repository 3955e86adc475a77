//! Every operation that changes something, cut off before each of its statements: it happens wholly or not at all.

use std::pin::Pin;
use std::time::Duration;

use stratora_audit::{Action, AuditLog as _};
use stratora_auth::{
    AccountChange, AccountStore, BrakeStore, Bucket, ClientKey, LimitStore, NewPassword, Proof, Role, SessionStore,
    quotas,
};
use stratora_clock::Timestamp;
use stratora_keys::{
    Allowance, Call, ComponentUpdate, ConfigStore as _, ETag, EnrollmentPolicy, EnrollmentStore, FleetRotationStore,
    Grace, Hostname, IdempotencyKey, KeyStore, NewComponent, NewEnrollmentToken, NewFleetRotation, NewKey, Offer,
    Report, ReportStatus, RotationState, Sighting, Standing, StoredConfig, WavePlan,
};
use stratora_storage::Storage;
use stratora_token::Digest;

use crate::support::fixtures::{
    account, at, call, component, enrollment_token, event, id, key, password, proof, session, stranger, username,
};
use crate::support::{Database, faults, on_both_databases};

on_both_databases!(no_operation_is_ever_half_done);

type Running = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// An operation that can be tried again until it succeeds.
struct Operation {
    name: &'static str,
    run: Box<dyn Fn(Storage) -> Running>,
}

/// An operation of that name, from an expression that gives a result.
macro_rules! operation {
    ($name:literal, |$storage:ident| $call:expr) => {
        Operation {
            name: $name,
            run: Box::new(move |$storage| {
                Box::pin(async move { $call.await.map(|_| ()).map_err(|error| format!("{error:?}")) })
            }),
        }
    };
}

async fn no_operation_is_ever_half_done(database: Database) {
    for operation in operations() {
        let before = database.snapshot().await;
        let mut statement = 0;
        loop {
            statement += 1;
            faults::die_before(&database.url, statement);
            let result = (operation.run)(database.storage.clone()).await;
            faults::revive(&database.url);
            let after = database.snapshot().await;
            if result.is_ok() {
                assert_ne!(after, before, "{}", operation.name);
                break;
            }
            assert_eq!(after, before, "{} before statement {statement}", operation.name);
            // The pool replaces what died.
            database.storage.ping().await.unwrap();
        }
        assert!(statement > 3, "{} was never cut", operation.name);
    }
}

fn operations() -> Vec<Operation> {
    let mut operations = on_accounts();
    operations.extend(on_components());
    operations.extend(on_enrollment());
    operations
}

fn on_accounts() -> Vec<Operation> {
    let client = ClientKey::from("192.0.2.7".parse::<std::net::IpAddr>().unwrap());
    let far: Timestamp = at(1_000_000);
    vec![
        operation!("append", |s| s.append(event(Action::RateLimit))),
        operation!("admit", |s| s.admit(&Bucket { quota: &quotas::LOGIN, client }, at(0))),
        operation!("count an attempt", |s| s.attempt(&stranger("ada"), at(0))),
        operation!("create an account", |s| AccountStore::create(&s, account(1, "ada"), event(Action::UserCreate))),
        operation!("open", |s| s.open(
            session(1, id(1)),
            Proof::Password { verified: password('a'), upgrade: Some(password('b')) },
            &stranger("ada"),
            event(Action::SignIn),
        )),
        operation!("touch", |s| s.touch(&[(id(1), at(60))])),
        operation!("open another", |s| s.open(session(2, id(1)), proof('b'), &stranger("ada"), event(Action::SignIn))),
        operation!("end", |s| SessionStore::end(&s, id(1), id(2), event(Action::SessionEnd))),
        operation!("change the password", |s| s.change_password(
            id(1),
            &password('b'),
            password('c'),
            session(3, id(1)),
            event(Action::PasswordChange),
        )),
        operation!("change the role", |s| AccountStore::update(
            &s,
            id(1),
            AccountChange { role: Some(Role::Viewer), ..AccountChange::default() },
            event(Action::UserUpdate),
        )),
        operation!("open a third", |s| s.open(session(4, id(1)), proof('c'), &stranger("ada"), event(Action::SignIn))),
        operation!("end all", |s| s.end_all(id(1), None, event(Action::SessionEndAll))),
        operation!("count another attempt", |s| s.attempt(&stranger("ada"), at(0))),
        operation!("reset the password", |s| s.reset_password(
            id(1),
            NewPassword { hash: password('d'), must_change: true, expires_at: None },
            event(Action::PasswordReset),
        )),
        operation!("open a fourth", |s| s.open(session(5, id(1)), proof('d'), &stranger("ada"), event(Action::SignIn))),
        operation!("purge sessions", |s| SessionStore::purge(&s, far)),
        operation!("attempt once more", |s| s.attempt(&stranger("ada"), at(0))),
        operation!("clear", |s| s.clear(&username("ada"))),
        operation!("attempt a last time", |s| s.attempt(&stranger("ada"), at(0))),
        operation!("purge counters", |s| BrakeStore::purge(&s, far)),
        operation!("purge windows", |s| LimitStore::purge(&s, far)),
        operation!("delete an account", |s| AccountStore::delete(&s, id(1), event(Action::UserDelete))),
    ]
}

fn on_components() -> Vec<Operation> {
    let pending = || NewComponent { standing: Standing::Pending, ..component(1, "berlin") };
    let leaked: &'static NewKey = Box::leak(Box::new(key(4)));
    let leaked_digest = leaked.digest;
    let etag = || ETag::parse("0123456789abcdef0123456789abcdef").unwrap();
    vec![
        operation!("create a component", |s| KeyStore::create(&s, pending(), event(Action::ComponentCreate))),
        operation!("approve", |s| s.approve(id(1), event(Action::ComponentApprove))),
        operation!("rotate", |s| s.rotate(
            id(1),
            key(2),
            Grace::For(Duration::from_mins(1)),
            event(Action::ComponentRotate),
        )),
        operation!("use first", |s| s.first_use(id(2), at(1), event(Action::KeyFirstUse))),
        operation!("rotate again", |s| s.rotate(
            id(1),
            key(3),
            Grace::UntilFirstUse(id(2)),
            event(Action::ComponentRotate),
        )),
        operation!("request a rotation", |s| s.request_rotation(id(1), at(1), event(Action::RotationRequest))),
        operation!("mark corrupt", |s| s.mark_corrupt(id(3), event(Action::KeyCorrupt))),
        operation!("revoke", |s| s.revoke(id(1), at(2), event(Action::ComponentRevoke))),
        operation!("restore", |s| s.restore(id(1), leaked.clone(), event(Action::ComponentRestore))),
        operation!("be seen", |s| {
            let seen = Sighting { component: id(1), at: at(5), client: None, hostname: None, version: None };
            async move { s.record_sightings(&[seen]).await }
        }),
        operation!("start a rotation of the fleet", |s| s.start(
            NewFleetRotation { id: id(7), plan: WavePlan::DEFAULT, started_by: "ada".to_owned(), started_at: at(100) },
            at(5),
            event(Action::FleetRotationStart),
        )),
        operation!("begin a wave", |s| s.begin_wave(id(7), 0, at(5), at(101))),
        operation!("ask in a wave", |s| s.ask(id(7), id(1), at(102), event(Action::RotationRequest))),
        operation!("end a rotation of the fleet", |s| FleetRotationStore::end(
            &s,
            id(7),
            RotationState::Stopped,
            Some("enough".to_owned()),
            at(103),
            event(Action::FleetRotationEnd),
        )),
        operation!("report a leak", |s| s.report_leak(&leaked_digest, at(3), event(Action::KeyLeakReport))),
        operation!("update", |s| KeyStore::update(
            &s,
            id(1),
            ComponentUpdate { hostname: Some(Some(Hostname::parse("db-1").unwrap())), ..ComponentUpdate::default() },
            event(Action::ComponentUpdate),
        )),
        operation!("record a sighting", |s| {
            let seen = Sighting { component: id(1), at: at(9), client: None, hostname: None, version: None };
            async move { s.record_sightings(&[seen]).await }
        }),
        operation!("set a configuration", |s| s.put_config(
            id(1),
            StoredConfig { body: "a = 1".to_owned(), etag: etag() },
            event(Action::ConfigSet),
        )),
        operation!("take a report", |s| s.put_report(
            id(1),
            Report { config_hash: "x".to_owned(), status: ReportStatus::Applied, message: String::new(), at: at(9) },
            event(Action::ConfigReport),
        )),
        operation!("delete a component", |s| KeyStore::delete(&s, id(1), event(Action::ComponentDelete))),
    ]
}

fn on_enrollment() -> Vec<Operation> {
    let secret = Digest::of(b"the token");
    let policy = EnrollmentPolicy::default();
    let token = move || NewEnrollmentToken { digest: secret, token: enrollment_token(1, Allowance::UpTo(2)) };
    let call =
        move |repeat: &str| Call { repeat: IdempotencyKey::parse(repeat.as_bytes()).ok(), ..call(secret, "db1") };
    let offer = |number| Offer { component: id(9), key: key(number) };
    let (first, second) = ("first-0123456789-first", "second-0123456789-second");
    vec![
        operation!("create a token", |s| s.create_token(token(), event(Action::EnrollmentTokenCreate))),
        operation!("register", |s| s.register(&call(first), policy, Some(&offer(91)))),
        operation!("register again", |s| s.register(&call(first), policy, Some(&offer(92)))),
        operation!("ask for a place", |s| s.register(&call(second), policy, None)),
        operation!("approve a request", |s| s.approve_request(id(9), None, event(Action::ComponentApprove))),
        operation!("register in place", |s| s.register(&call(second), policy, Some(&offer(93)))),
        operation!("create another token", |s| {
            let new = NewEnrollmentToken { digest: Digest::of(b"other"), token: enrollment_token(2, Allowance::Once) };
            s.create_token(new, event(Action::EnrollmentTokenCreate))
        }),
        operation!("ask for the place again", |s| {
            let other = Call { token: Digest::of(b"other"), ..call(first) };
            async move { s.register(&other, policy, None).await }
        }),
        operation!("put a request aside", |s| s.dismiss_request(id(9), event(Action::EnrollmentRequestDismiss))),
        operation!("delete a token", |s| s.delete_token(id(2), event(Action::EnrollmentTokenDelete))),
        operation!("purge enrollment", |s| EnrollmentStore::purge(&s, at(1_000_000))),
    ]
}
