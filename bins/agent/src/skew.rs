//! How far this host's clock is from the server's. Metrics carry the host's time, so people should know when it is
//! wrong.

use jiff::Timestamp;

/// From this many seconds on it is said. A minute: certificates and graphs still bear less.
const TOO_MUCH: i64 = 60;

/// Below this many seconds it is over; less than the bound, so that a clock near it does not chatter.
const FINE: i64 = 30;

/// What is known of the clock.
#[derive(Debug, Default)]
pub struct Skew {
    said: bool,
}

/// What there is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The clock is off by too much.
    Off,
    /// It is right again.
    Right,
}

impl Skew {
    /// Takes note of one comparison, in seconds by which this host is ahead. Returns what is new about it.
    pub const fn note(&mut self, ahead: i64) -> Option<News> {
        match (self.said, ahead.saturating_abs()) {
            (false, TOO_MUCH..) => {
                self.said = true;
                Some(News::Off)
            }
            (true, ..FINE) => {
                self.said = false;
                Some(News::Right)
            }
            _ => None,
        }
    }
}

/// By how many seconds this host is ahead of a server that wrote `server_time` between `sent` and `received`.
pub fn ahead(server_time: Timestamp, sent: Timestamp, received: Timestamp) -> i64 {
    let half = received.as_second().saturating_sub(sent.as_second()) / 2;
    sent.as_second().saturating_add(half).saturating_sub(server_time.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once_that_the_clock_is_off_and_once_that_it_is_right() {
        let mut skew = Skew::default();
        let news: Vec<_> = [0, 59, 60, 3600, -90, 45, -29, 0, -61].map(|ahead| skew.note(ahead)).into();
        let (off, right) = (Some(News::Off), Some(News::Right));
        assert_eq!(news, [None, None, off, None, None, None, right, None, off]);
    }

    #[test]
    fn half_the_way_of_the_request_is_taken_off() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(ahead(at(100), at(95), at(105)), 0);
        assert_eq!(ahead(at(100), at(400), at(402)), 301);
        assert_eq!(ahead(at(100), at(10), at(10)), -90);
    }
}
