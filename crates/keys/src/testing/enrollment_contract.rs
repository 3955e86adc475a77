//! What every store of enrollment tokens must do, besides what it must about the places of components that are there, and
//! when calls run side by side.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a store that fails its contract ends the test")]

use std::sync::Arc;
use std::time::Duration;

use stratora_audit::testing::verify_chain;
use stratora_audit::{Action, AuditLog};
use stratora_port::{Limit, PageRequest};

use super::enrollment::{POLICY, Store, from, new_token, repeatable};
use super::fleet::{Fleet, at, component_named, event};
use super::{enrollment_places, enrollment_races};
use crate::{
    Admission, Allowance, Call, ComponentKind, EnrollmentPolicy, EnrollmentStore, Grace, Ground, KeyState, KeyStore,
    MissingRequest, MissingToken, RefusedRegistration, RegisterError, Spent, Standing,
};

/// Runs the contract on an empty store, within a runtime of several threads. The log is the one that the store writes to.
///
/// # Panics
/// When the store does not fulfil it.
pub async fn enrollment_store_contract<S: EnrollmentStore + KeyStore + AuditLog>(store: Arc<S>) {
    let fleet = Fleet { store };
    tokens_are_listed_the_newest_first_and_without_their_value(&fleet).await;
    a_token_admits_as_many_as_it_may_and_refusals_leave_no_trace(&fleet).await;
    a_deleted_token_is_unknown(&fleet).await;
    nothing_is_given_away_without_an_offer(&fleet).await;
    a_component_that_comes_in_by_itself_reads_back(&fleet).await;
    a_name_that_is_taken_leads_to_another_one(&fleet).await;
    a_known_host_is_written_down_once_and_costs_no_use(&fleet).await;
    enrollment_places::contract(&fleet).await;
    a_component_that_is_gone_is_replaced_where_that_is_allowed(&fleet).await;
    the_same_call_is_answered_again_until_its_key_was_used(&fleet).await;
    an_answer_in_place_is_repeated_too(&fleet).await;
    what_others_do_to_the_key_ends_the_repetition(&fleet).await;
    a_request_is_put_aside_and_goes_with_its_component(&fleet).await;
    enrollment_races::contract(&fleet).await;
    what_is_over_is_forgotten_after_a_while(&fleet).await;
    verify_chain(fleet.store.as_ref()).await;
}

pub(super) fn exists(refused: RefusedRegistration) -> bool {
    match refused {
        RefusedRegistration::Exists { is_news, .. } => is_news,
        other => panic!("{other}"),
    }
}

async fn tokens_are_listed_the_newest_first_and_without_their_value<S: Store>(fleet: &Fleet<S>) {
    let mut made = Vec::new();
    for (seconds, allowance) in [(1, Allowance::Once), (3, Allowance::UpTo(7)), (2, Allowance::Unlimited)] {
        let (mut new, _) = new_token(allowance, at(seconds));
        if allowance == Allowance::Unlimited {
            new.token.expires_at = None;
        }
        made.push(new.token.clone());
        let created = event(Action::EnrollmentTokenCreate);
        fleet.all_or_nothing(created.clone(), fleet.store.create_token(new, created)).await.unwrap();
    }
    made.sort_by_key(|token| std::cmp::Reverse(token.created_at));
    let (newest, oldest) = made.split_at(2);
    let mut page = PageRequest { limit: Limit::new(2).unwrap(), after: None };
    let first = fleet.store.tokens(&page).await.unwrap();
    assert_eq!((first.items.as_slice(), first.total), (newest, 3));
    page.after = first.next;
    let second = fleet.store.tokens(&page).await.unwrap();
    assert_eq!((second.items.as_slice(), second.next), (oldest, None));
    for token in made {
        assert_eq!(fleet.store.find_token(token.id).await.unwrap().as_ref(), Some(&token));
        let deleted = event(Action::EnrollmentTokenDelete);
        fleet.all_or_nothing(deleted.clone(), fleet.store.delete_token(token.id, deleted)).await.unwrap();
        let again = fleet.store.delete_token(token.id, event(Action::EnrollmentTokenDelete)).await;
        assert!(matches!(again, Err(MissingToken::Missing)));
        assert_eq!(fleet.store.find_token(token.id).await.unwrap(), None);
    }
}

async fn a_token_admits_as_many_as_it_may_and_refusals_leave_no_trace<S: Store>(fleet: &Fleet<S>) {
    for (allowance, uses) in [(Allowance::Once, 1), (Allowance::UpTo(2), 2)] {
        let token = fleet.token(allowance).await;
        for number in 0..uses {
            fleet.admitted(&token.call(&format!("counted-{uses}-{number}"), 5)).await;
        }
        let late = token.call(&format!("counted-{uses}-late"), 6);
        assert_eq!(fleet.refused(&late).await, RefusedRegistration::Spent(Spent::Used));
        let stored = fleet.store.find_token(token.id).await.unwrap().unwrap();
        assert_eq!((stored.uses, stored.last_used_at), (uses, Some(at(5))));
    }
    let token = fleet.token(Allowance::Unlimited).await;
    let expired = token.call("too-late", 24 * 60 * 60);
    assert_eq!(fleet.refused(&expired).await, RefusedRegistration::Spent(Spent::Expired));
    let (_, unknown) = new_token(Allowance::Once, at(0));
    let unknown = Call { token: unknown.digest(), ..expired };
    assert_eq!(fleet.refused(&unknown).await, RefusedRegistration::UnknownToken);
    fleet.admitted(&token.call("just-in-time", 24 * 60 * 60 - 1)).await;
}

async fn a_deleted_token_is_unknown<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::Unlimited).await;
    let call = Call { repeat: Some(repeatable("of a deleted token")), ..token.call("deleted-token", 5) };
    fleet.admitted(&call).await;
    fleet.store.delete_token(token.id, event(Action::EnrollmentTokenDelete)).await.unwrap();
    assert_eq!(fleet.refused(&call).await, RefusedRegistration::UnknownToken, "not even once more");
}

async fn nothing_is_given_away_without_an_offer<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::Once).await;
    let (asked, written) = fleet.watch(fleet.store.register(&token.call("unoffered", 5), POLICY, None)).await;
    assert!(matches!(asked, Err(RegisterError::OfferNeeded)), "{asked:?}");
    assert_eq!((written, fleet.uses(&token).await), (vec![], 0));
}

async fn a_component_that_comes_in_by_itself_reads_back<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::Unlimited).await;
    let call = token.call("newcomer.example.com", 5);
    let agent = fleet.admitted(&call).await;
    let component = &agent.component;
    assert_eq!(component.name.as_str(), "newcomer.example.com");
    assert_eq!((component.hostname.as_ref(), component.kind), (Some(&call.hostname), ComponentKind::Agent));
    assert_eq!((component.standing, component.created_at), (Standing::Active, at(5)));
    assert_eq!(fleet.authorize(&agent.key, at(6)).await, Ok(()));
    let collector = fleet.admitted(&Call { kind: ComponentKind::Collector, ..call }).await.component;
    assert_eq!((collector.name.as_str(), collector.standing), ("newcomer.example.com-2", Standing::Active));
    let strict = EnrollmentPolicy { require_approval: true, ..POLICY };
    let waiting = fleet.try_with(strict, &token.call("waits", 5)).await.unwrap();
    assert_eq!(waiting.component.standing, Standing::Pending);
}

async fn a_name_that_is_taken_leads_to_another_one<S: Store>(fleet: &Fleet<S>) {
    fleet.create(component_named("namesake")).await.unwrap();
    let token = fleet.token(Allowance::Once).await;
    let component = fleet.admitted(&token.call("namesake", 5)).await.component;
    assert_eq!((component.name.as_str(), component.standing), ("namesake-2", Standing::Pending));
}

async fn a_known_host_is_written_down_once_and_costs_no_use<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::UpTo(2)).await;
    let first = fleet.admitted(&token.call("known", 5)).await;
    let id = first.component.id;
    assert!(exists(fleet.refused(&token.call("known", 6)).await));
    assert!(!exists(fleet.refused(&token.call("known", 7)).await), "nobody else asks");
    let waiting = fleet.request_for(id).await.unwrap();
    assert_eq!(waiting.component, first.component);
    let request = waiting.request;
    assert_eq!((request.token, request.requested_at, request.approved_at), (token.id, at(6), None));
    assert_eq!((request.client, request.version.as_str()), (Some("192.0.2.7".parse().unwrap()), "1.2.3"));
    assert!(exists(fleet.refused(&from(token.call("known", 8), "198.51.100.9")).await));
    let request = fleet.request_for(id).await.unwrap().request;
    assert_eq!((request.client, request.requested_at), (Some("198.51.100.9".parse().unwrap()), at(8)));
    assert_eq!(fleet.uses(&token).await, 1);
    assert_eq!(fleet.state(&first.key).await, KeyState::Live, "its key is as good as before");
}

async fn a_component_that_is_gone_is_replaced_where_that_is_allowed<S: Store>(fleet: &Fleet<S>) {
    let policy = EnrollmentPolicy { offline_takeover_after: Some(Duration::from_mins(10)), ..POLICY };
    let token = fleet.token(Allowance::Unlimited).await;
    let first = fleet.admitted(&token.call("gone", 5)).await;
    let just = token.call("gone", 5 + 600);
    assert!(matches!(
        fleet.try_with(policy, &just).await,
        Err(RegisterError::Refused(RefusedRegistration::Exists { .. }))
    ));
    let second = fleet.try_with(policy, &token.call("gone", 6 + 600)).await.unwrap();
    assert_eq!(second.admission, Admission::InPlace { component: first.component.id, ground: Ground::Offline });
    assert_eq!(fleet.state(&first.key).await, KeyState::Rotated);
}

async fn the_same_call_is_answered_again_until_its_key_was_used<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::Once).await;
    let call = |seconds| Call { repeat: Some(repeatable("the same")), ..token.call("repeated", seconds) };
    let first = fleet.admitted(&call(5)).await;
    let id = first.component.id;
    let other = Call { repeat: Some(repeatable("another")), ..call(6) };
    assert_eq!(fleet.refused(&other).await, RefusedRegistration::Spent(Spent::Used));
    let second = fleet.admitted(&call(7)).await;
    assert_eq!(second.admission, Admission::Again { component: id, was_new: true });
    assert_eq!(fleet.state(&first.key).await, KeyState::Rotated);
    let third = fleet.admitted(&call(24 * 60 * 60)).await;
    assert_eq!(fleet.uses(&token).await, 1);
    assert!(fleet.first_use(&third.key, at(9)).await.is_some());
    assert_eq!(fleet.refused(&call(10)).await, RefusedRegistration::Spent(Spent::Used));
    assert_eq!(fleet.state(&third.key).await, KeyState::Live);
}

async fn an_answer_in_place_is_repeated_too<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::Unlimited).await;
    let id = fleet.admitted(&token.call("repeated-in-place", 5)).await.component.id;
    let call = |seconds| Call { repeat: Some(repeatable("in place")), ..token.call("repeated-in-place", seconds) };
    fleet.refused(&call(6)).await;
    fleet.approve_request(id, None, 7).await.unwrap();
    let first = fleet.admitted(&call(8)).await;
    assert_eq!(first.admission, Admission::InPlace { component: id, ground: Ground::Approval });
    let second = fleet.admitted(&call(9)).await;
    assert_eq!(second.admission, Admission::Again { component: id, was_new: false });
    assert_eq!(fleet.uses(&token).await, 2);
    assert!(fleet.first_use(&second.key, at(10)).await.is_some());
    assert!(exists(fleet.refused(&call(11)).await), "from then on it is a call like any other");
}

async fn what_others_do_to_the_key_ends_the_repetition<S: Store>(fleet: &Fleet<S>) {
    let policy = EnrollmentPolicy { offline_takeover_after: Some(Duration::from_mins(10)), ..POLICY };
    let token = fleet.token(Allowance::Unlimited).await;
    for host in ["rotated-meanwhile", "revoked-meanwhile"] {
        let call = |seconds| Call { repeat: Some(repeatable(host)), ..token.call(host, seconds) };
        let id = fleet.admitted(&call(5)).await.component.id;
        if host == "rotated-meanwhile" {
            fleet.rotated(id, at(6), Grace::None).await;
        } else {
            fleet.revoke(id, at(6)).await.unwrap();
        }
        assert!(exists(fleet.refused(&call(7)).await), "{host}");
        let late = fleet.try_with(policy, &call(8 + 600)).await;
        let is_refused = matches!(late, Err(RegisterError::Refused(RefusedRegistration::Exists { .. })));
        assert!(is_refused, "{host}: takes no place of one that is not seen either");
    }
}

async fn a_request_is_put_aside_and_goes_with_its_component<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::Unlimited).await;
    let call = |seconds| Call { repeat: Some(repeatable("put aside")), ..token.call("put-aside", seconds) };
    let id = fleet.admitted(&token.call("put-aside", 5)).await.component.id;
    fleet.refused(&call(6)).await;
    fleet.approve_request(id, None, 7).await.unwrap();
    let put_aside = event(Action::EnrollmentRequestDismiss);
    fleet.all_or_nothing(put_aside.clone(), fleet.store.dismiss_request(id, put_aside)).await.unwrap();
    let again = fleet.store.dismiss_request(id, event(Action::EnrollmentRequestDismiss)).await;
    assert!(matches!(again, Err(MissingRequest::Missing)));
    assert!(exists(fleet.refused(&call(8)).await), "its approval is gone too");
    fleet.delete(id).await.unwrap();
    assert!(fleet.request_for(id).await.is_none());
    assert!(matches!(fleet.admitted(&call(9)).await.admission, Admission::New { .. }));
}

async fn what_is_over_is_forgotten_after_a_while<S: Store>(fleet: &Fleet<S>) {
    let before = fleet.store.tokens(&PageRequest::default()).await.unwrap().total;
    let used = fleet.token(Allowance::Once).await;
    let id = fleet.admitted(&used.call("purged", 50)).await.component.id;
    let asking = fleet.token(Allowance::Unlimited).await;
    fleet.refused(&asking.call("purged", 51)).await;
    let (purged, written) = fleet.watch(fleet.store.purge(at(50))).await;
    assert!(purged.unwrap() <= before && written.is_empty());
    assert!(fleet.store.find_token(used.id).await.unwrap().is_some(), "until exactly then");
    fleet.store.purge(at(52)).await.unwrap();
    assert_eq!(fleet.store.find_token(used.id).await.unwrap(), None);
    assert!(fleet.request_for(id).await.is_none());
    assert!(fleet.store.find_token(asking.id).await.unwrap().is_some(), "it is still good");
    fleet.store.purge(at(24 * 60 * 60 + 1)).await.unwrap();
    assert_eq!(fleet.store.tokens(&PageRequest::default()).await.unwrap().total, 0, "all of them end after a day");
}
