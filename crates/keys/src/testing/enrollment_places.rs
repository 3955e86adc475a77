//! What every store of enrollment tokens must do when somebody asks for the place of a component: who is given it by an
//! approval, who by a key, and what ends both.
#![expect(clippy::unwrap_used, reason = "a store that fails its contract ends the test")]

use std::time::Duration;

use super::enrollment::{POLICY, Store, from, repeatable};
use super::enrollment_contract::exists;
use super::fleet::{Fleet, at};
use crate::{
    Admission, Allowance, ApproveRequestError, Call, ComponentKind, EnrollmentPolicy, Grace, Ground, KeyState, Refusal,
    RefusedRegistration, Spent, Standing,
};

pub(super) async fn contract<S: Store>(fleet: &Fleet<S>) {
    an_approval_lets_the_same_call_in_once(fleet).await;
    a_revoked_component_comes_back_with_an_approval(fleet).await;
    an_approval_lets_in_whoever_asks_and_not_whoever_waits(fleet).await;
    a_revocation_is_undone_by_no_approval_from_before(fleet).await;
    only_the_request_that_was_seen_is_approved(fleet).await;
    whoever_holds_the_key_keeps_the_place_with_a_new_one(fleet).await;
    a_key_with_a_deadline_proves_nothing(fleet).await;
    a_host_that_was_renamed_stays_the_component_that_it_was(fleet).await;
}

async fn an_approval_lets_the_same_call_in_once<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::UpTo(3)).await;
    let first = fleet.admitted(&token.call("approved", 5)).await;
    let id = first.component.id;
    let none = fleet.approve_request(id, None, 6).await;
    assert!(matches!(none, Err(ApproveRequestError::Missing)), "{none:?}");
    fleet.refused(&token.call("approved", 6)).await;
    assert_eq!(fleet.approve_request(id, None, 7).await.unwrap(), first.component);
    assert_eq!(fleet.request_for(id).await.unwrap().request.approved_at, Some(at(7)));
    let second = fleet.admitted(&token.call("approved", 8)).await;
    assert_eq!(second.admission, Admission::InPlace { component: id, ground: Ground::Approval });
    assert_eq!((second.component.id, second.component.name), (id, first.component.name));
    assert_eq!(fleet.state(&first.key).await, KeyState::Rotated);
    assert_eq!(fleet.authorize(&second.key, at(9)).await, Ok(()));
    assert!(fleet.request_for(id).await.is_none());
    assert!(exists(fleet.refused(&token.call("approved", 9)).await));
    assert_eq!(fleet.uses(&token).await, 2);
}

async fn a_revoked_component_comes_back_with_an_approval<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::Unlimited).await;
    let first = fleet.admitted(&token.call("revoked", 5)).await;
    let id = first.component.id;
    fleet.revoke(id, at(6)).await.unwrap();
    fleet.refused(&token.call("revoked", 7)).await;
    fleet.approve_request(id, None, 8).await.unwrap();
    assert_eq!(fleet.component(id).await.standing, Standing::Revoked, "until it comes");
    let second = fleet.admitted(&token.call("revoked", 9)).await;
    assert_eq!((second.component.standing, second.component.revoked_at), (Standing::Active, None));
    assert_eq!(fleet.state(&first.key).await, KeyState::Revoked);
    assert_eq!(fleet.authorize(&second.key, at(10)).await, Ok(()));
}

/// The stranger was there first, with the host's name; the host comes, and is approved.
async fn an_approval_lets_in_whoever_asks_and_not_whoever_waits<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::UpTo(2)).await;
    let strict = EnrollmentPolicy { require_approval: true, ..POLICY };
    let strangers = |seconds| {
        let call = Call { repeat: Some(repeatable("a stranger")), ..token.call("claimed", seconds) };
        from(call, "203.0.113.66")
    };
    let stranger = fleet.try_with(strict, &strangers(5)).await.unwrap();
    let id = stranger.component.id;
    let own = |seconds| Call { repeat: Some(repeatable("the host")), ..token.call("claimed", seconds) };
    assert!(exists(fleet.refused(&own(6)).await));
    let waiting = fleet.request_for(id).await.unwrap();
    assert_eq!(waiting.component.standing, Standing::Pending);
    assert_eq!(waiting.request.client, Some("192.0.2.7".parse().unwrap()));
    let approved = fleet.approve_request(id, Some(at(6)), 7).await.unwrap();
    assert_eq!(approved.standing, Standing::Pending, "until it comes");
    assert_eq!(fleet.authorize(&stranger.key, at(7)).await, Err(Refusal::NotApproved));

    let again = fleet.try_with(strict, &strangers(8)).await.unwrap();
    assert_eq!(again.admission, Admission::Again { component: id, was_new: true });
    assert_eq!(again.component.standing, Standing::Pending, "to repeat the call lets nobody in");
    let host = fleet.try_with(strict, &own(9)).await.unwrap();
    assert_eq!(host.admission, Admission::InPlace { component: id, ground: Ground::Approval });
    assert_eq!((host.component.id, host.component.standing), (id, Standing::Active));
    assert_eq!(fleet.authorize(&host.key, at(10)).await, Ok(()));
    for key in [&stranger.key, &again.key] {
        assert_eq!(fleet.authorize(key, at(10)).await, Err(Refusal::Rotated));
    }
    assert_eq!(fleet.refused(&strangers(11)).await, RefusedRegistration::Spent(Spent::Used));
    assert!(fleet.request_for(id).await.is_none());
}

async fn a_revocation_is_undone_by_no_approval_from_before<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::Unlimited).await;
    for how in ["revoked-after-an-approval", "leaked-after-an-approval", "revoked-twice"] {
        let first = fleet.admitted(&token.call(how, 5)).await;
        let id = first.component.id;
        if how == "revoked-twice" {
            fleet.revoke(id, at(5)).await.unwrap();
        }
        fleet.refused(&token.call(how, 6)).await;
        fleet.approve_request(id, None, 7).await.unwrap();
        if how == "leaked-after-an-approval" {
            assert!(fleet.report_leak(&first.key.digest, at(8)).await);
        } else {
            fleet.revoke(id, at(8)).await.unwrap();
        }
        assert!(fleet.request_for(id).await.is_none(), "{how}");
        assert!(exists(fleet.refused(&token.call(how, 9)).await), "{how}: it has to be approved anew");
        let revoked = fleet.component(id).await;
        assert_eq!((revoked.standing, revoked.key_prefix), (Standing::Revoked, first.key.prefix), "{how}");
        fleet.approve_request(id, Some(at(9)), 10).await.unwrap();
        fleet.admitted(&token.call(how, 11)).await;
    }
}

async fn only_the_request_that_was_seen_is_approved<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::Unlimited).await;
    let id = fleet.admitted(&token.call("seen", 5)).await.component.id;
    fleet.refused(&token.call("seen", 6)).await;
    let seen = fleet.request_for(id).await.unwrap().request.requested_at;
    fleet.refused(&from(token.call("seen", 7), "198.51.100.9")).await;
    let approved = fleet.approve_request(id, Some(seen), 8).await;
    assert!(matches!(approved, Err(ApproveRequestError::Changed)), "{approved:?}");
    assert!(!exists(fleet.refused(&from(token.call("seen", 9), "198.51.100.9")).await));
    fleet.approve_request(id, Some(at(7)), 10).await.unwrap();
    let other = fleet.token(Allowance::Unlimited).await;
    assert!(!exists(fleet.refused(&other.call("seen", 11)).await), "another token neither gets in nor in the way");
    fleet.admitted(&from(token.call("seen", 12), "198.51.100.9")).await;
}

async fn whoever_holds_the_key_keeps_the_place_with_a_new_one<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::UpTo(3)).await;
    let first = fleet.admitted(&token.call("proven", 5)).await;
    let stranger = fleet.admitted(&token.call("stranger", 5)).await;
    let with_key = |key: &crate::NewKey, seconds| Call { proof: Some(key.id), ..token.call("proven", seconds) };
    assert!(exists(fleet.refused(&with_key(&stranger.key, 6)).await));
    let second = fleet.admitted(&with_key(&first.key, 7)).await;
    let id = first.component.id;
    assert_eq!(second.admission, Admission::InPlace { component: id, ground: Ground::Proof });
    assert_eq!(fleet.state(&first.key).await, KeyState::Rotated);
    assert!(fleet.request_for(id).await.is_none(), "nobody has to be let in any more");
    assert_eq!(fleet.uses(&token).await, 3);
    assert_eq!(fleet.refused(&with_key(&second.key, 8)).await, RefusedRegistration::Spent(Spent::Used));
    let more = fleet.token(Allowance::Unlimited).await;
    let old = Call { proof: Some(first.key.id), ..more.call("proven", 9) };
    assert!(exists(fleet.refused(&old).await), "a key that was replaced proves nothing");
    let third = fleet.rotated(id, at(10), Grace::UntilFirstUse(second.key.id)).await;
    let in_grace = Call { proof: Some(second.key.id), ..more.call("proven", 11) };
    fleet.admitted(&in_grace).await;
    for ended in [&second.key, &third] {
        assert_eq!(fleet.state(ended).await, KeyState::Rotated);
    }
}

async fn a_key_with_a_deadline_proves_nothing<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::Unlimited).await;
    let first = fleet.admitted(&token.call("handed-over", 5)).await;
    let id = first.component.id;
    let live = fleet.rotated(id, at(6), Grace::For(Duration::from_mins(1))).await;
    let old = Call { proof: Some(first.key.id), ..token.call("handed-over", 7) };
    assert!(exists(fleet.refused(&old).await), "or it would outlive its deadline");
    assert_eq!(fleet.state(&live).await, KeyState::Live);
    assert_eq!(fleet.state(&first.key).await, KeyState::Grace { until: Some(at(66)) });
    fleet.admitted(&Call { proof: Some(live.id), ..token.call("handed-over", 8) }).await;
}

async fn a_host_that_was_renamed_stays_the_component_that_it_was<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::Unlimited).await;
    let first = fleet.admitted(&token.call("maiden-name", 5)).await;
    let id = first.component.id;
    let proven = |hostname, key: &crate::NewKey, seconds| Call {
        proof: Some(key.id),
        repeat: Some(repeatable("renamed")),
        ..token.call(hostname, seconds)
    };
    let second = fleet.admitted(&proven("married-name", &first.key, 6)).await;
    assert_eq!(second.admission, Admission::InPlace { component: id, ground: Ground::Proof });
    let hostname = second.component.hostname.as_ref().map(ToString::to_string);
    assert_eq!((hostname.as_deref(), &second.component.name), (Some("married-name"), &first.component.name));
    assert_eq!(fleet.state(&first.key).await, KeyState::Rotated);
    assert_eq!(fleet.authorize(&second.key, at(7)).await, Ok(()));

    // The answer was lost, and the key that proved it has ended with it.
    let third = fleet.admitted(&proven("married-name", &first.key, 8)).await;
    assert_eq!(third.admission, Admission::Again { component: id, was_new: false });

    // The name of another component is not had by proving to be this one, nor is this one by being of another kind.
    let other = fleet.admitted(&token.call("name-of-another", 9)).await;
    let of_another = Call { repeat: None, ..proven("name-of-another", &third.key, 10) };
    assert_eq!(
        fleet.refused(&of_another).await,
        RefusedRegistration::Exists { component: other.component.id, is_news: true }
    );
    let collector = Call { kind: ComponentKind::Collector, repeat: None, ..proven("third-name", &third.key, 11) };
    assert!(matches!(fleet.admitted(&collector).await.admission, Admission::New { .. }));
    fleet.revoke(id, at(12)).await.unwrap();
    let revoked = Call { repeat: None, ..proven("fourth-name", &third.key, 13) };
    assert!(matches!(fleet.admitted(&revoked).await.admission, Admission::New { .. }), "its key proves nothing now");
}
