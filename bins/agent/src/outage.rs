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
    which: String,
    what: String,
    since: Instant,
    said: Instant,
}

impl Outage {
    /// It is in trouble. Said unless it was said already.
    pub fn begin(&mut self, what: &str) {
        self.begin_as(what, what);
    }

    /// The same, for what is told in other words each time: `which` says whether it is the same.
    pub fn begin_as(&mut self, which: &str, what: &str) {
        if self.is_news(which, what, clock::instant()) {
            warn!("{what}");
        }
    }

    /// The same, for what does not end unless somebody does something.
    pub fn begin_for_good(&mut self, what: &str) {
        if self.is_news(what, what, clock::instant()) {
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

    fn is_news(&mut self, which: &str, what: &str, now: Instant) -> bool {
        let (which, what) = (which.to_owned(), what.to_owned());
        let before = self.trouble.take();
        let since = before.as_ref().map_or(now, |trouble| trouble.since);
        let said = before.filter(|trouble| trouble.which == which).map(|trouble| trouble.said);
        let said = said.filter(|said| now.duration_since(*said) < AGAIN);
        self.trouble = Some(Trouble { which, what, since, said: said.unwrap_or(now) });
        said.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_is_said_once_and_again_after_hours() {
        let (mut outage, start) = (Outage::default(), clock::instant());
        assert!(outage.is_news("away", "away", start));
        assert!(!outage.is_news("away", "away", start + Duration::from_hours(5)));
        assert!(outage.is_news("away", "away", start + Duration::from_hours(6)));
        assert!(!outage.is_news("away", "away", start + Duration::from_hours(7)));
    }

    #[test]
    fn another_trouble_is_news() {
        let (mut outage, start) = (Outage::default(), clock::instant());
        assert!(outage.is_news("away", "away", start) && outage.is_news("ill", "ill", start));
        assert_eq!(outage.trouble(), Some("ill"));
    }

    #[test]
    fn the_same_trouble_in_other_words_is_no_news_but_the_words_are_kept() {
        let (mut outage, start) = (Outage::default(), clock::instant());
        assert!(outage.is_news("ill", "it coughs", start) && !outage.is_news("ill", "it sneezes", start));
        assert_eq!(outage.trouble(), Some("it sneezes"));
    }
}
