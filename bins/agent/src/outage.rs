//! Saying once what is wrong, and once that it is over.

use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use crate::clock;

/// What lasts is said again after this time, for those who look into the last hours only.
const AGAIN: Duration = Duration::from_hours(6);

/// Something that may be in trouble.
#[derive(Debug, Default)]
pub struct Outage {
    trouble: Option<Trouble>,
}

#[derive(Debug)]
struct Trouble {
    what: String,
    since: Instant,
    said: Instant,
}

impl Outage {
    /// It is in trouble. Said unless it was said already.
    pub fn begin(&mut self, what: &str) {
        if self.is_news(what, clock::instant()) {
            warn!("{what}");
        }
    }

    /// The same, for what does not end unless somebody does something.
    pub fn begin_for_good(&mut self, what: &str) {
        if self.is_news(what, clock::instant()) {
            error!("{what}");
        }
    }

    /// It is well. Said if it was not before.
    pub fn end(&mut self, what: &str) {
        if let Some(trouble) = self.trouble.take() {
            info!("{what} again, after {} s", clock::instant().duration_since(trouble.since).as_secs());
        }
    }

    /// What is wrong now.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_ref().map(|trouble| trouble.what.as_str())
    }

    fn is_news(&mut self, what: &str, now: Instant) -> bool {
        match &mut self.trouble {
            Some(trouble) if trouble.what == what && now.duration_since(trouble.said) < AGAIN => false,
            Some(trouble) => {
                what.clone_into(&mut trouble.what);
                trouble.said = now;
                true
            }
            None => {
                self.trouble = Some(Trouble { what: what.to_owned(), since: now, said: now });
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_is_said_once_and_again_after_hours() {
        let (mut outage, start) = (Outage::default(), clock::instant());
        assert!(outage.is_news("away", start));
        assert!(!outage.is_news("away", start + Duration::from_hours(5)));
        assert!(outage.is_news("away", start + Duration::from_hours(6)));
        assert!(!outage.is_news("away", start + Duration::from_hours(7)));
    }

    #[test]
    fn another_trouble_is_news() {
        let (mut outage, start) = (Outage::default(), clock::instant());
        assert!(outage.is_news("away", start) && outage.is_news("ill", start));
        assert_eq!(outage.trouble(), Some("ill"));
    }
}
