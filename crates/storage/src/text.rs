//! Text and numbers on their way between rows and domain types.

use std::net::IpAddr;

use stratora_port::{Limit, StoreError};

/// A `LIKE` pattern with `\` as its escape: `text` anywhere, in lower case, its own `%`, `_` and `\` standing for themselves.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.to_lowercase().chars().filter(|c| *c != '\0') {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// One row more than a page holds tells that there is another page.
pub(crate) fn overfull(limit: Limit) -> i64 {
    i64::try_from(limit.get()).map_or(i64::MAX, |limit| limit.saturating_add(1))
}

/// A stored count.
pub(crate) fn count(count: i64) -> Result<u64, StoreError> {
    u64::try_from(count).map_err(|error| StoreError::corrupt("count", error))
}

/// A stored IP address.
pub(crate) fn address(stored: Option<String>) -> Result<Option<IpAddr>, StoreError> {
    stored.map(|text| text.parse()).transpose().map_err(|error| StoreError::corrupt("address", error))
}

/// A stored `what` is none of the values that it may have.
pub(crate) fn unreadable(what: &'static str) -> StoreError {
    StoreError::corrupt(what, "not one of the known values")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_in_a_search_stand_for_themselves() {
        assert_eq!(containing("50%_A\\b"), "%50\\%\\_a\\\\b%");
    }
}
