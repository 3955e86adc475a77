//! Fails fast while the directory is away, so that nobody waits for what did not answer a moment ago.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stratora_clock::Timestamp;

/// After how many outages in a row it opens: one may be a lost packet.
const OUTAGES: u32 = 3;

/// For how long nobody asks. Short, since a directory that was restarted is back in seconds, and nobody can sign in through it
/// until somebody has asked.
const PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(crate) struct Circuit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    outages: u32,
    paused_until: Option<Timestamp>,
}

impl Circuit {
    /// Whether the directory may be asked. After a pause, one may; the others when that one was answered.
    pub(crate) fn admits(&self, now: Timestamp) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.paused_until {
            Some(until) if now < until => false,
            Some(_) => {
                state.paused_until = Some(now.plus(PAUSE));
                true
            }
            None => true,
        }
    }

    /// It answered, whatever it said.
    pub(crate) fn answered(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    /// It did not.
    pub(crate) fn did_not_answer(&self, now: Timestamp) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.outages = state.outages.saturating_add(1);
        if state.outages >= OUTAGES {
            state.paused_until = Some(now.plus(PAUSE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn open() -> Circuit {
        let circuit = Circuit::default();
        (0..OUTAGES).for_each(|_| circuit.did_not_answer(NOW));
        circuit
    }

    #[test]
    fn a_few_outages_in_a_row_open_it_and_single_ones_do_not() {
        let circuit = Circuit::default();
        for _ in 0..10 {
            circuit.did_not_answer(NOW);
            circuit.did_not_answer(NOW);
            circuit.answered();
        }
        assert!(circuit.admits(NOW));
        assert!(!open().admits(NOW));
    }

    #[test]
    fn after_the_pause_one_asks_and_an_answer_lets_all_in() {
        let (circuit, later) = (open(), NOW.plus(PAUSE));
        assert!(circuit.admits(later));
        assert!(!circuit.admits(later));
        circuit.answered();
        assert!(circuit.admits(later) && circuit.admits(later));
    }

    #[test]
    fn one_who_asks_in_vain_or_never_returns_costs_another_pause() {
        let (circuit, later) = (open(), NOW.plus(PAUSE));
        assert!(circuit.admits(later));
        circuit.did_not_answer(later);
        assert!(!circuit.admits(later));
        let much_later = later.plus(PAUSE);
        assert!(circuit.admits(much_later));
        assert!(circuit.admits(much_later.plus(PAUSE)), "the one before has never returned");
    }
}
