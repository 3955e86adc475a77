//! Every way that a call can go, without a store.

use newtype_uuid::TypedUuid;
use stratora_token::{OsEntropy, Secret};
use uuid::Uuid;

use super::*;
use crate::{Allowance, Description};

const DAY: Duration = Duration::from_hours(24);

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH.plus(DAY * 1000)
}

fn component(number: u128) -> ComponentId {
    TypedUuid::from_untyped_uuid(Uuid::from_u128(number))
}

fn token_id() -> EnrollmentTokenId {
    TypedUuid::from_untyped_uuid(Uuid::from_u128(77))
}

fn token() -> EnrollmentToken {
    EnrollmentToken {
        id: token_id(),
        description: Description::default(),
        allowance: Allowance::UpTo(3),
        uses: 0,
        created_at: now(),
        expires_at: Some(now().plus(DAY)),
        last_used_at: None,
    }
}

fn key(letter: &str) -> IdempotencyKey {
    IdempotencyKey::parse(letter.repeat(43).as_bytes()).unwrap()
}

fn call() -> Call {
    let origin = Origin { client: Some("192.0.2.7".parse().unwrap()), ..Origin::system() };
    Call {
        token: Secret::generate(&OsEntropy).unwrap().digest(),
        hostname: Hostname::parse("db1.example.com").unwrap(),
        kind: ComponentKind::Agent,
        version: Version::parse("1.0").unwrap(),
        repeat: None,
        proof: None,
        origin,
        at: now(),
    }
}

fn from(address: &str) -> Call {
    let origin = Origin { client: Some(address.parse().unwrap()), ..Origin::system() };
    Call { origin, ..call() }
}

fn host(number: u128, standing: Standing) -> Host {
    let component = Component {
        id: component(number),
        name: Name::parse("db1.example.com").unwrap(),
        hostname: Some(call().hostname),
        kind: ComponentKind::Agent,
        standing,
        key_prefix: KeyPrefix::parse("sk_stra_abcd").unwrap(),
        key_created_at: now().minus(DAY * 100),
        last_seen_at: Some(now()),
        last_seen_ip: None,
        version: None,
        created_at: now().minus(DAY * 100),
        revoked_at: None,
        rotation_requested_at: None,
    };
    Host { component, request: None, issued: None }
}

fn with(hosts: Vec<Host>) -> Situation {
    Situation { token: Some(token()), hosts, ..Situation::default() }
}

fn taken(name: &str, hostname: Option<&str>) -> TakenName {
    TakenName { name: name.to_owned(), hostname: hostname.map(str::to_owned) }
}

fn decided(call: &Call, situation: &Situation) -> Result<Admission, RefusedRegistration> {
    decide(call, situation, EnrollmentPolicy::default())
}

fn exists(number: u128, is_news: bool) -> Result<Admission, RefusedRegistration> {
    Err(RefusedRegistration::Exists { component: component(number), is_news })
}

fn in_place(number: u128, ground: Ground) -> Admission {
    Admission::InPlace { component: component(number), ground }
}

fn new(name: &str, standing: Standing) -> Admission {
    Admission::New { name: Name::parse(name).unwrap(), standing }
}

#[test]
fn a_new_host_gets_its_own_name_and_is_let_in_unless_everybody_needs_approval() {
    assert_eq!(decided(&call(), &with(vec![])), Ok(new("db1.example.com", Standing::Active)));
    let strict = EnrollmentPolicy { require_approval: true, offline_takeover_after: None };
    assert_eq!(decide(&call(), &with(vec![]), strict), Ok(new("db1.example.com", Standing::Pending)));
}

#[test]
fn who_asks_for_a_strangers_name_gets_another_one_and_waits() {
    let situation = |taken| Situation { taken, ..with(vec![]) };
    for strangers in [None, Some("web1")] {
        let situation = situation(vec![taken("db1.example.com", strangers), taken("db1.example.com-2", None)]);
        assert_eq!(decided(&call(), &situation), Ok(new("db1.example.com-3", Standing::Pending)));
    }
    let own = situation(vec![taken("db1.example.com", Some("db1.example.com"))]);
    assert_eq!(decided(&call(), &own), Ok(new("db1.example.com-2", Standing::Active)), "another kind on the same host");
    let all = situation(names_for(&call().hostname).map(|name| taken(name.as_str(), None)).collect());
    assert_eq!(decided(&call(), &all), Err(RefusedRegistration::NoName));
}

#[test]
fn names_of_the_longest_host_names_are_names() {
    let label = "a".repeat(62);
    let names: Vec<_> = names_for(&Hostname::parse(format!("{label}.{label}.{label}")).unwrap()).collect();
    assert_eq!(names.len(), 100);
    assert!(names.iter().all(|name| name.as_str().len() <= 100));
}

#[test]
fn without_a_good_token_nothing_else_is_told() {
    let unknown = Situation { token: None, ..with(vec![host(1, Standing::Active)]) };
    assert_eq!(decided(&call(), &unknown), Err(RefusedRegistration::UnknownToken));
    let used = EnrollmentToken { uses: 3, ..token() };
    let used = Situation { token: Some(used), ..with(vec![host(1, Standing::Active)]) };
    assert_eq!(decided(&call(), &used), Err(RefusedRegistration::Spent(Spent::Used)));
    let expired = Situation { token: Some(token()), ..with(vec![]) };
    let late = Call { at: now().plus(DAY), ..call() };
    assert_eq!(decided(&late, &expired), Err(RefusedRegistration::Spent(Spent::Expired)));
}

#[test]
fn a_known_host_is_not_taken_over_by_whoever_says_to_be_it() {
    for standing in [Standing::Active, Standing::Pending, Standing::Revoked] {
        assert_eq!(decided(&call(), &with(vec![host(1, standing)])), exists(1, true));
    }
    let several = with(vec![host(1, Standing::Revoked), host(2, Standing::Active), host(3, Standing::Active)]);
    assert_eq!(decided(&call(), &several), exists(2, true), "an active one, the first of them");
}

#[test]
fn the_holder_of_a_good_key_of_an_active_component_keeps_its_place() {
    let proven = |number, state, standing| Situation {
        proof: Some(ProvenKey { component: component(number), state }),
        ..with(vec![host(1, standing)])
    };
    for state in [KeyState::Live, KeyState::Grace { until: None }] {
        assert_eq!(decided(&call(), &proven(1, state, Standing::Active)), Ok(in_place(1, Ground::Proof)));
    }
    let handed_over = KeyState::Grace { until: Some(now().plus(DAY)) };
    for state in [KeyState::Rotated, KeyState::Revoked, KeyState::Corrupt, handed_over] {
        assert_eq!(decided(&call(), &proven(1, state, Standing::Active)), exists(1, true));
    }
    assert_eq!(decided(&call(), &proven(2, KeyState::Live, Standing::Active)), exists(1, true), "somebody else's key");
    for standing in [Standing::Pending, Standing::Revoked] {
        assert_eq!(decided(&call(), &proven(1, KeyState::Live, standing)), exists(1, true));
    }
}

#[test]
fn a_host_that_was_renamed_stays_the_component_that_it_proves_to_be() {
    let renamed = |standing, state| Situation {
        proof: Some(ProvenKey { component: component(1), state }),
        renamed: Some(host(1, standing)),
        ..with(vec![])
    };
    assert_eq!(decided(&call(), &renamed(Standing::Active, KeyState::Live)), Ok(in_place(1, Ground::Proof)));
    let newcomer = Ok(new("db1.example.com", Standing::Active));
    assert_eq!(decided(&call(), &renamed(Standing::Active, KeyState::Rotated)), newcomer);
    assert_eq!(decided(&call(), &renamed(Standing::Revoked, KeyState::Live)), newcomer);
    let situation = renamed(Standing::Active, KeyState::Live);
    assert!(situation.component(component(1)).is_some() && situation.component(component(2)).is_none());
}

#[test]
fn only_an_approval_lets_in_who_was_not() {
    assert!(in_place(1, Ground::Approval).lets_in());
    let others = [
        in_place(1, Ground::Proof),
        in_place(1, Ground::Offline),
        new("db1", Standing::Pending),
        Admission::Again { component: component(1), was_new: true },
        Admission::Again { component: component(1), was_new: false },
    ];
    assert!(others.iter().all(|admission| !admission.lets_in()));
}

fn asked(by: &Call, approved_at: Option<Timestamp>, standing: Standing) -> Situation {
    let request = Reenrollment { approved_at, ..Reenrollment::of(by, token_id()) };
    with(vec![Host { request: Some(request), ..host(1, standing) }])
}

#[test]
fn an_approval_is_good_for_a_day_and_for_components_of_any_standing() {
    for standing in [Standing::Active, Standing::Pending, Standing::Revoked] {
        assert_eq!(decided(&call(), &asked(&call(), Some(now()), standing)), Ok(in_place(1, Ground::Approval)));
    }
    let micro = Duration::from_micros(1);
    let almost = asked(&call(), Some(now().minus(DAY).plus(micro)), Standing::Active);
    assert_eq!(decided(&call(), &almost), Ok(in_place(1, Ground::Approval)));
    let over = asked(&call(), Some(now().minus(DAY)), Standing::Active);
    assert_eq!(decided(&call(), &over), exists(1, true), "has to be approved anew");
}

#[test]
fn an_approval_is_for_the_token_that_was_asked_with() {
    let mut other = asked(&call(), Some(now()), Standing::Active);
    other.token = Some(EnrollmentToken { id: TypedUuid::nil(), ..token() });
    assert_eq!(decided(&call(), &other), exists(1, false), "which does not void the approval either");
}

#[test]
fn an_approval_of_a_call_with_an_idempotency_key_is_for_whoever_has_that_or_asks_from_there() {
    let approved = asked(&Call { repeat: Some(key("a")), ..call() }, Some(now()), Standing::Active);
    let with_key = |letter: &str, address| Call { repeat: Some(key(letter)), ..from(address) };
    assert_eq!(decided(&with_key("a", "198.51.100.9"), &approved), Ok(in_place(1, Ground::Approval)));
    assert_eq!(decided(&with_key("b", "192.0.2.7"), &approved), Ok(in_place(1, Ground::Approval)));
    assert_eq!(decided(&with_key("b", "198.51.100.9"), &approved), exists(1, false));
    assert_eq!(decided(&from("198.51.100.9"), &approved), exists(1, false));
    let without = asked(&call(), Some(now()), Standing::Active);
    assert_eq!(decided(&from("198.51.100.9"), &without), Ok(in_place(1, Ground::Approval)));
}

#[test]
fn a_request_is_written_down_again_only_when_somebody_else_makes_it() {
    let waiting = asked(&call(), None, Standing::Active);
    assert_eq!(decided(&call(), &waiting), exists(1, false));
    assert_eq!(decided(&from("198.51.100.9"), &waiting), exists(1, true));
}

#[test]
fn a_component_that_is_gone_for_long_is_replaced_only_where_the_settings_say_so() {
    let policy = EnrollmentPolicy { require_approval: false, offline_takeover_after: Some(DAY) };
    let unseen_since = |last_seen_at, key_created_at, standing| {
        let mut host = host(1, standing);
        (host.component.last_seen_at, host.component.key_created_at) = (last_seen_at, key_created_at);
        with(vec![host])
    };
    let (long_ago, just) = (now().minus(DAY + Duration::from_micros(1)), now().minus(DAY));
    let gone = unseen_since(Some(long_ago), long_ago, Standing::Active);
    assert_eq!(decide(&call(), &gone, policy), Ok(in_place(1, Ground::Offline)));
    assert_eq!(decided(&call(), &gone), exists(1, true), "not by default");
    for (seen, made) in [(Some(just), long_ago), (Some(long_ago), just), (None, just)] {
        assert_eq!(decide(&call(), &unseen_since(seen, made, Standing::Active), policy), exists(1, true));
    }
    assert_eq!(
        decide(&call(), &unseen_since(None, long_ago, Standing::Active), policy),
        Ok(in_place(1, Ground::Offline))
    );
    for standing in [Standing::Revoked, Standing::Pending] {
        assert_eq!(decide(&call(), &unseen_since(Some(long_ago), long_ago, standing), policy), exists(1, true));
    }
}

#[test]
fn the_same_call_is_answered_again_until_its_key_was_used_even_when_the_token_is_used_up() {
    let issued = |is_untouched, was_new| Issued { token: token_id(), repeat: key("a").digest(), was_new, is_untouched };
    let situation = |issued, uses| {
        let host = Host { issued: Some(issued), ..host(1, Standing::Active) };
        Situation { token: Some(EnrollmentToken { uses, ..token() }), ..with(vec![host]) }
    };
    let repeated = Call { repeat: Some(key("a")), at: now().plus(DAY * 2), ..call() };
    for was_new in [true, false] {
        let again = Ok(Admission::Again { component: component(1), was_new });
        assert_eq!(decided(&repeated, &situation(issued(true, was_new), 3)), again);
    }
    let refused = Err(RefusedRegistration::Spent(Spent::Used));
    assert_eq!(decided(&repeated, &situation(issued(false, true), 3)), refused, "the key was used");
    let other = Call { repeat: Some(key("b")), ..call() };
    assert_eq!(decided(&other, &situation(issued(true, true), 3)), refused, "another call");
    assert_eq!(decided(&call(), &situation(issued(true, true), 3)), refused, "a call that cannot be told from others");
    assert_eq!(decided(&other, &situation(issued(true, true), 1)), exists(1, true));
    let of_another_token = Issued { token: TypedUuid::nil(), ..issued(true, true) };
    assert_eq!(decided(&repeated, &situation(of_another_token, 3)), refused);
}

#[test]
fn a_call_whose_key_was_used_or_replaced_takes_no_place_of_a_component_that_is_gone() {
    let policy = EnrollmentPolicy { require_approval: false, offline_takeover_after: Some(DAY) };
    let situation = |is_untouched, token| {
        let mut gone = host(1, Standing::Active);
        gone.component.last_seen_at = None;
        gone.issued = Some(Issued { token, repeat: key("a").digest(), was_new: true, is_untouched });
        with(vec![gone])
    };
    let call = |letter| Call { repeat: Some(key(letter)), ..call() };
    let offline = Ok(in_place(1, Ground::Offline));
    assert_eq!(decide(&call("a"), &situation(false, token_id()), policy), exists(1, true));
    assert_eq!(decide(&call("b"), &situation(false, token_id()), policy), offline, "a host that was set up anew");
    assert_eq!(decide(&call("a"), &situation(false, TypedUuid::nil()), policy), offline, "with another token too");
    let again = Ok(Admission::Again { component: component(1), was_new: true });
    assert_eq!(decide(&call("a"), &situation(true, token_id()), policy), again, "its answer was lost");

    let request = Reenrollment { approved_at: Some(now()), ..Reenrollment::of(&call("a"), token_id()) };
    let mut approved = situation(false, token_id());
    approved.hosts[0].request = Some(request);
    assert_eq!(decide(&call("a"), &approved, policy), Ok(in_place(1, Ground::Approval)), "an administrator decides");
    let proof = Some(ProvenKey { component: component(1), state: KeyState::Live });
    let proven = Situation { proof, ..situation(false, token_id()) };
    assert_eq!(decide(&call("a"), &proven, policy), Ok(in_place(1, Ground::Proof)), "it has the present key");
}
