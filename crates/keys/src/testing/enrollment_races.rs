//! What every store of enrollment tokens must do when calls run side by side.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a store that fails its contract ends the test")]

use std::collections::HashSet;
use std::sync::Arc;

use super::enrollment::{Admitted, POLICY, Store, offer, repeatable};
use super::fleet::{Fleet, at};
use super::key_races::side_by_side;
use crate::{Admission, Allowance, Answer, Call, Ground, KeyState, RefusedRegistration, RegisterError, Spent};

/// How many calls run side by side.
const CALLS: u64 = 200;

/// How a call ended.
enum End {
    Admitted(Box<Admitted>),
    Exists,
    Refused(RefusedRegistration),
}

pub(super) async fn contract<S: Store>(fleet: &Fleet<S>) {
    a_token_admits_exactly_as_many_of_many_as_it_may(fleet).await;
    many_of_one_host_end_in_one_component(fleet).await;
    an_approval_is_used_by_one_of_many(fleet).await;
    repetitions_side_by_side_leave_one_live_key(fleet).await;
}

/// What each call leads to, decided anew as often as another one is faster, as the service does.
async fn all<S: Store>(fleet: &Fleet<S>, calls: Vec<Call>) -> Vec<End> {
    let calls = Arc::new(calls);
    side_by_side(calls.len() as u64, |number| {
        let (store, calls) = (Arc::clone(&fleet.store), Arc::clone(&calls));
        async move {
            let call = calls.get(usize::try_from(number).unwrap()).unwrap();
            let offer = offer(call.at);
            for _ in 0..10 {
                match store.register(call, POLICY, Some(&offer)).await {
                    Ok(Answer::Admitted { admission, component }) => {
                        return End::Admitted(Box::new(Admitted { component: *component, admission, key: offer.key }));
                    }
                    Ok(Answer::Exists { .. }) => return End::Exists,
                    Err(RegisterError::Refused(refused)) => return End::Refused(refused),
                    Err(RegisterError::Raced) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            panic!("others were faster each time");
        }
    })
    .await
}

fn admitted(ends: &[End]) -> Vec<&Admitted> {
    let mut admitted = Vec::new();
    for end in ends {
        if let End::Admitted(one) = end {
            admitted.push(one.as_ref());
        }
    }
    admitted
}

async fn a_token_admits_exactly_as_many_of_many_as_it_may<S: Store>(fleet: &Fleet<S>) {
    for (allowance, may) in [(Allowance::Once, 1), (Allowance::UpTo(10), 10)] {
        let token = fleet.token(allowance).await;
        let calls = (0..CALLS).map(|number| token.call(&format!("raced-{may}-{number}"), 5)).collect();
        let ends = all(fleet, calls).await;
        assert_eq!(admitted(&ends).len(), may);
        let used = |end: &&End| matches!(end, End::Refused(RefusedRegistration::Spent(Spent::Used)));
        assert_eq!(ends.iter().filter(used).count(), usize::try_from(CALLS).unwrap() - may);
        assert_eq!(fleet.uses(&token).await as usize, may);
    }
}

async fn many_of_one_host_end_in_one_component<S: Store>(fleet: &Fleet<S>) {
    let (one, other) = (fleet.token(Allowance::Unlimited).await, fleet.token(Allowance::Unlimited).await);
    let calls = (0..CALLS / 4).flat_map(|_| [&one, &other].map(|token| token.call("one-host", 5))).collect();
    let ends = all(fleet, calls).await;
    assert_eq!(admitted(&ends).len(), 1);
    assert!(ends.iter().all(|end| matches!(end, End::Admitted(_) | End::Exists)));
    assert_eq!(fleet.uses(&one).await + fleet.uses(&other).await, 1);
}

async fn an_approval_is_used_by_one_of_many<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::Unlimited).await;
    let id = fleet.admitted(&token.call("approved-for-one", 5)).await.component.id;
    fleet.refused(&token.call("approved-for-one", 6)).await;
    fleet.approve_request(id, None, 7).await.unwrap();
    let ends = all(fleet, (0..CALLS / 4).map(|_| token.call("approved-for-one", 8)).collect()).await;
    let [one] = admitted(&ends)[..] else { panic!("{} were let in", admitted(&ends).len()) };
    assert_eq!(one.admission, Admission::InPlace { component: id, ground: Ground::Approval });
    assert_eq!(fleet.authorize(&one.key, at(9)).await, Ok(()));
}

async fn repetitions_side_by_side_leave_one_live_key<S: Store>(fleet: &Fleet<S>) {
    let token = fleet.token(Allowance::Once).await;
    let call = Call { repeat: Some(repeatable("by many")), ..token.call("repeated-by-many", 5) };
    let ends = all(fleet, vec![call; 50]).await;
    let all_of_them = admitted(&ends);
    assert_eq!(all_of_them.len(), 50);
    assert_eq!(all_of_them.iter().map(|admitted| admitted.component.id).collect::<HashSet<_>>().len(), 1);
    assert_eq!(fleet.uses(&token).await, 1);
    let mut live = 0;
    for admitted in all_of_them {
        live += usize::from(fleet.state(&admitted.key).await == KeyState::Live);
    }
    assert_eq!(live, 1);
}
