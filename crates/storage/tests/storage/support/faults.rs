//! A database that dies at a chosen statement and stays dead until it is revived: everything it is asked panics.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, Once, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

/// Statements left until death, by database.
static LEFT: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(Mutex::default);
static INSTALL: Once = Once::new();

/// Watches one connection.
#[derive(Default)]
struct Watcher {
    url: String,
}

impl Instrumentation for Watcher {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => url.clone_into(&mut self.url),
            InstrumentationEvent::StartQuery { .. } => {
                let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(left) = left.get_mut(self.url.as_str()) {
                    *left = left.saturating_sub(1);
                    assert!(*left > 0, "the database died");
                }
            }
            _ => {}
        }
    }
}

/// Lets connections that are made from now on die. Before the database is connected to.
pub(crate) fn allow() {
    INSTALL.call_once(|| {
        set_default_instrumentation(|| Some(Box::<Watcher>::default())).unwrap();
    });
}

/// The database at `url` dies before its `statement`th statement from now.
pub(crate) fn die_before(url: &str, statement: u32) {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner).insert(file_or_url(url), statement);
}

/// It is back.
pub(crate) fn revive(url: &str) {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner).remove(&file_or_url(url));
}

/// What diesel is given to connect to.
fn file_or_url(url: &str) -> String {
    url.strip_prefix("sqlite:").unwrap_or(url).to_owned()
}
