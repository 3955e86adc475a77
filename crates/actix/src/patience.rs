//! How long something is waited for that is nearly always there at the second look, microseconds later. A timer for each
//! would cost a request more than the digest of its key, so all who wait on one thread share one, which beats once a second.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::mem;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use slab::Slab;

const BEAT: Duration = Duration::from_secs(1);

thread_local! {
    static WAITING: RefCell<Waiting> = RefCell::default();
}

/// Those who wait on one thread.
#[derive(Default)]
struct Waiting {
    /// How often the timer has beaten; it does so only while somebody waits.
    beats: u64,
    is_beating: bool,
    waiters: Slab<Waiter>,
}

struct Waiter {
    last_beat: u64,
    waker: Waker,
}

/// Waits for at least a number of seconds from the first look on, and on an idle thread for about one more at the most.
pub(crate) struct Patience {
    seconds: u32,
    seat: Option<Seat>,
}

impl Patience {
    pub(crate) const fn of_seconds(seconds: u32) -> Self {
        Self { seconds, seat: None }
    }

    /// Whether it has come to its end. If not, whoever asks is woken when it has.
    pub(crate) fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        start_beating();
        if let Some(seat) = &self.seat {
            return seat.poll(context.waker());
        }
        self.seat = Some(Seat::take(self.seconds, context.waker()));
        Poll::Pending
    }
}

/// A place among those who wait on this thread, which is given up when it is dropped.
struct Seat {
    key: usize,
    /// On another thread the key would be somebody else's.
    _of_this_thread: PhantomData<*const ()>,
}

impl Seat {
    fn take(seconds: u32, waker: &Waker) -> Self {
        WAITING.with_borrow_mut(|Waiting { beats, waiters, .. }| {
            // The first beat may come at once.
            let last_beat = *beats + u64::from(seconds) + 1;
            let key = waiters.insert(Waiter { last_beat, waker: waker.clone() });
            Self { key, _of_this_thread: PhantomData }
        })
    }

    fn poll(&self, waker: &Waker) -> Poll<()> {
        WAITING.with_borrow_mut(|Waiting { beats, waiters, .. }| match waiters.get_mut(self.key) {
            Some(waiter) if *beats < waiter.last_beat => {
                waiter.waker.clone_from(waker);
                Poll::Pending
            }
            _ => Poll::Ready(()),
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Fails when the thread ends, and with it all who wait.
        let _ = WAITING.try_with(|waiting| waiting.borrow_mut().waiters.try_remove(self.key));
    }
}

fn start_beating() {
    let was_beating = WAITING.with_borrow_mut(|waiting| mem::replace(&mut waiting.is_beating, true));
    if !was_beating {
        // What is refused is dropped at once, and says so.
        actix_web::rt::spawn(beat(Beating));
    }
}

/// Beats until nobody waits any more.
async fn beat(_beating: Beating) {
    loop {
        tokio::time::sleep(BEAT).await;
        let is_anybody_waiting = WAITING.with_borrow_mut(|Waiting { beats, waiters, .. }| {
            *beats += 1;
            let due = waiters.iter().filter(|(_, waiter)| *beats >= waiter.last_beat);
            due.for_each(|(_, waiter)| waiter.waker.wake_by_ref());
            !waiters.is_empty()
        });
        if !is_anybody_waiting {
            return;
        }
    }
}

/// Says that nothing beats any more when it is dropped, be it because its runtime ends.
struct Beating;

impl Drop for Beating {
    fn drop(&mut self) {
        let _ = WAITING.try_with(|waiting| waiting.borrow_mut().is_beating = false);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use actix_web::rt::System;
    use stratora_clock::{BootStopwatch, Stopwatch as _};

    use super::*;

    async fn spent(seconds: u32) -> Duration {
        let (begun, mut patience) = (BootStopwatch.elapsed(), Patience::of_seconds(seconds));
        poll_fn(|context| patience.poll(context)).await;
        BootStopwatch.elapsed().saturating_sub(begun)
    }

    async fn look(patience: &mut Patience) -> Poll<()> {
        poll_fn(|context| Poll::Ready(patience.poll(context))).await
    }

    #[actix_web::test]
    async fn it_ends_after_its_seconds_whenever_between_two_beats_it_begins() {
        let one = async {
            tokio::time::sleep(BEAT / 2).await;
            spent(1).await
        };
        let (_, one) = futures_util::future::join(spent(0), one).await;
        assert!(one >= Duration::from_secs(1), "{one:?}");
    }

    #[actix_web::test]
    async fn who_is_served_leaves_no_trace() {
        let mut patience = Patience::of_seconds(60);
        for _ in 0..3 {
            assert!(look(&mut patience).await.is_pending());
        }
        assert_eq!(WAITING.with_borrow(|waiting| (waiting.waiters.len(), waiting.is_beating)), (1, true));
        drop(patience);
        assert!(WAITING.with_borrow(|waiting| waiting.waiters.is_empty()));
        let stopped = async {
            while WAITING.with_borrow(|waiting| waiting.is_beating) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), stopped).await.unwrap();
    }

    #[test]
    fn a_runtime_that_ends_leaves_the_next_on_its_thread_to_beat_for_itself() {
        let mut patience = Patience::of_seconds(0);
        assert!(System::new().block_on(look(&mut patience)).is_pending());
        System::new().block_on(spent(0));
        System::new().block_on(async { poll_fn(|context| patience.poll(context)).await });
    }
}
