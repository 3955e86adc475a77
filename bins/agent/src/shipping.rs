//! Brings metrics to the server, or to the buffer.

use std::time::{Duration, Instant};

use tracing::warn;

use crate::agent::Agent;
use crate::backoff::Backoff;
use crate::client::{Client, Failure, Request};
use crate::clock;
use crate::heartbeat;
use crate::metrics::Sampler;
use crate::outage::Outage;
use crate::standing::{Connection, Standing};

/// How often it is said how much was dropped, at most.
const SAY_DROPS_EVERY: Duration = Duration::from_mins(1);

/// Reads this host again and again.
pub async fn sample(agent: &Agent, sampler: &mut Sampler) {
    let mut ticks = tokio::time::interval(agent.options.interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    // The first tick is at once, and CPU usage is that of the time between two readings.
    ticks.tick().await;
    let mut disk = Outage::default();
    let mut drops = Drops::default();
    loop {
        ticks.tick().await;
        let lines = sampler.sample();
        agent.buffer.borrow_mut().push(&lines);
        let buffer = agent.buffer.borrow();
        let why = match buffer.trouble() {
            None => {
                disk.end("metrics can be buffered on disk");
                "the oldest first"
            }
            Some(trouble) => {
                disk.begin(&format!("metrics cannot be buffered on disk: {trouble}"));
                "since they could not be buffered"
            }
        };
        drops.say(buffer.dropped(), why);
        drop(buffer);
        agent.fresh.notify_one();
    }
}

/// Sends what there is, again and again.
pub async fn ship(agent: &Agent, client: &Client, connection: &Connection) {
    let mut backoff = Backoff::new(agent.options.interval);
    let mut outage = Outage::default();
    let mut failures = 0_u32;
    loop {
        agent.fresh.notified().await;
        while connection.is_good() {
            let Some(batch) = agent.buffer.borrow_mut().to_send() else { break };
            let key = connection.identity().map(|identity| identity.preferred().clone());
            let request = Request::post("/api/v1/ingest/influx".to_owned())
                .key(key.as_ref())
                .body("text/plain; charset=utf-8", batch.lines);
            match judge(client.send(request).await.map(|answer| answer.status.as_u16())) {
                Outcome::Taken => {
                    agent.buffer.borrow_mut().sent();
                    agent.status.borrow_mut().metrics_sent(clock::now());
                    backoff.reset();
                    failures = 0;
                    outage.end("metrics are taken");
                }
                Outcome::NeverTaken(why) => {
                    let dropped = agent.buffer.borrow_mut().reject();
                    warn!("{why}; {dropped} lines of metrics are dropped, since they would be refused for ever");
                }
                Outcome::NotNow(failure) => {
                    agent.buffer.borrow_mut().give_back();
                    failures += 1;
                    if !heartbeat::says(&failure, failures) {
                        outage.begin_as(&failure.trouble(), &format!("metrics are kept for later: {failure}"));
                    }
                    agent.status.borrow_mut().metrics_trouble(Some(&failure.to_string()));
                    tokio::time::sleep(backoff.after_failure(failure.retry_after())).await;
                }
            }
        }
        if !connection.is_good() {
            // Everything that comes meanwhile goes to disk.
            connection.until(|standing| *standing == Standing::Good).await;
            agent.fresh.notify_one();
        }
    }
}

enum Outcome {
    Taken,
    NeverTaken(Failure),
    NotNow(Failure),
}

fn judge(answer: Result<u16, Failure>) -> Outcome {
    match answer {
        Ok(204) => Outcome::Taken,
        Ok(status) => {
            let what = format!("the answer ({status}) to metrics is not what a Stratora server answers");
            Outcome::NotNow(Failure::Strange { status, what, retry_after: None })
        }
        Err(failure) if matches!(failure.reason(), Some((400 | 413 | 415 | 422, _))) => Outcome::NeverTaken(failure),
        Err(failure) => Outcome::NotNow(failure),
    }
}

/// Says how much was dropped: at once, and then not more than once a minute.
#[derive(Default)]
struct Drops {
    said: u64,
    when: Option<Instant>,
    /// Of what was not said yet, why the first of it was dropped.
    why: Option<&'static str>,
}

impl Drops {
    fn say(&mut self, dropped: u64, why: &'static str) {
        if let Some((lines, why)) = self.news(dropped, why, clock::instant()) {
            warn!("{lines} lines of metrics were dropped, {why}; {dropped} since the start");
        }
    }

    /// What to say now, if anything: how many lines, and why.
    fn news(&mut self, dropped: u64, why: &'static str, now: Instant) -> Option<(u64, &'static str)> {
        let lines = dropped.saturating_sub(self.said);
        if lines == 0 {
            self.why = None;
            return None;
        }
        // By the time that it is said, the disk may be well again.
        let why = *self.why.get_or_insert(why);
        if self.when.is_some_and(|when| now.duration_since(when) < SAY_DROPS_EVERY) {
            return None;
        }
        (self.said, self.when, self.why) = (dropped, Some(now), None);
        Some((lines, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> Result<u16, Failure> {
        Err(Failure::Refused { status, reason: "reason".to_owned(), retry_after: None })
    }

    #[test]
    fn only_what_will_never_be_taken_is_given_up() {
        assert!(matches!(judge(Ok(204)), Outcome::Taken));
        for status in [400, 413, 422] {
            assert!(matches!(judge(refused(status)), Outcome::NeverTaken(_)), "{status}");
        }
        for status in [401, 403, 404, 429, 500, 503] {
            assert!(matches!(judge(refused(status)), Outcome::NotNow(_)), "{status}");
        }
    }

    #[test]
    fn what_was_dropped_is_said_at_once_and_then_once_a_minute_with_the_reason_that_it_had_then() {
        let (mut drops, start) = (Drops::default(), clock::instant());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(drops.news(0, "full", start), None);
        assert_eq!(drops.news(3, "full", start), Some((3, "full")));
        assert_eq!(drops.news(5, "full", after(10)), None);
        assert_eq!(drops.news(5, "old", after(59)), None, "not yet, but the disk is well again");
        assert_eq!(drops.news(5, "old", after(60)), Some((2, "full")));
        assert_eq!(drops.news(5, "old", after(120)), None, "that was said");
        assert_eq!(drops.news(9, "old", after(130)), Some((4, "old")), "and is over");
    }

    #[test]
    fn a_page_that_says_200_has_taken_nothing() {
        assert!(matches!(judge(Ok(200)), Outcome::NotNow(_)));
    }
}
