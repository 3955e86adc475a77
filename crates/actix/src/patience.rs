//! How long something is waited for that is nearly always there at the second look, microseconds later. A timer for each
//! would cost a request more than the digest of its key, so all who wait on one thread share one, which beats once a second.

use std::cell::RefCell;
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
    wakers: Slab<Waker>,
}

/// Waits for a number of seconds, or one more at the most. They begin with the first look.
pub(crate) struct Patience {
    seconds: u32,
    seat: Option<Seat>,
}

impl Patience {
    pub(crate) const fn of_seconds(seconds: u32) -> Self {
        Self { seconds, seat: None }
    }

    /// Whether it has come to its end. If not, whoever asks is woken within the second, to look again.
    pub(crate) fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        let seat = self.seat.get_or_insert_with(|| Seat::take(self.seconds, context.waker()));
        seat.poll(context.waker())
    }
}

/// A place among those who wait, which is given up when it is dropped.
struct Seat {
    key: usize,
    last_beat: u64,
}

impl Seat {
    fn take(seconds: u32, waker: &Waker) -> Self {
        WAITING.with_borrow_mut(|waiting| {
            if !waiting.is_beating {
                actix_web::rt::spawn(beat());
                waiting.is_beating = true;
            }
            // The first beat may come at once.
            let last_beat = waiting.beats + u64::from(seconds) + 1;
            Self { key: waiting.wakers.insert(waker.clone()), last_beat }
        })
    }

    fn poll(&self, waker: &Waker) -> Poll<()> {
        WAITING.with_borrow_mut(|waiting| {
            if waiting.beats >= self.last_beat {
                return Poll::Ready(());
            }
            if let Some(known) = waiting.wakers.get_mut(self.key) {
                known.clone_from(waker);
            }
            Poll::Pending
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Fails when the thread ends, and with it all who wait.
        let _ = WAITING.try_with(|waiting| waiting.borrow_mut().wakers.try_remove(self.key));
    }
}

/// Beats until nobody waits any more.
async fn beat() {
    let _beating = Beating;
    loop {
        tokio::time::sleep(BEAT).await;
        let is_anybody_waiting = WAITING.with_borrow_mut(|waiting| {
            waiting.beats += 1;
            waiting.wakers.iter().for_each(|(_, waker)| waker.wake_by_ref());
            !waiting.wakers.is_empty()
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

    use stratora_clock::{BootStopwatch, Stopwatch as _};

    use super::*;

    async fn spent(seconds: u32) -> Duration {
        let (begun, mut patience) = (BootStopwatch.elapsed(), Patience::of_seconds(seconds));
        poll_fn(|context| patience.poll(context)).await;
        BootStopwatch.elapsed().saturating_sub(begun)
    }

    #[actix_web::test]
    async fn it_ends_after_its_seconds_and_not_before() {
        let both = futures_util::future::join(spent(0), async {
            tokio::time::sleep(BEAT / 2).await;
            spent(1).await
        });
        let (none, one) = both.await;
        assert!((Duration::ZERO..Duration::from_secs(10)).contains(&none), "{none:?}");
        assert!((Duration::from_secs(1)..Duration::from_secs(10)).contains(&one), "{one:?}");
    }

    #[actix_web::test]
    async fn who_is_served_leaves_no_trace_and_who_comes_later_is_waited_for_again() {
        for _ in 0..2 {
            let mut patience = Patience::of_seconds(60);
            for _ in 0..3 {
                assert!(poll_fn(|context| Poll::Ready(patience.poll(context))).await.is_pending());
            }
            assert_eq!(WAITING.with_borrow(|waiting| (waiting.wakers.len(), waiting.is_beating)), (1, true));
            drop(patience);
            assert!(WAITING.with_borrow(|waiting| waiting.wakers.is_empty()));
            while WAITING.with_borrow(|waiting| waiting.is_beating) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
