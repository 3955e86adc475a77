//! Cursor paging: every list that can grow is read a page at a time, from a cursor that says where the last page ended.
//! A cursor stays right while rows come and go, which an offset does not.

use std::num::NonZeroU16;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How many items a page may hold at the most; a larger page would let one request read a table.
pub const MAX_LIMIT: u16 = 200;
/// How many items a page holds when the caller does not say.
pub const DEFAULT_LIMIT: u16 = 50;

/// A page size from 1 to [`MAX_LIMIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(NonZeroU16);

impl Limit {
    /// # Errors
    /// [`InvalidPaging::Limit`] for anything but 1 to [`MAX_LIMIT`].
    pub fn new(limit: u16) -> Result<Self, InvalidPaging> {
        match NonZeroU16::new(limit) {
            Some(limit) if limit.get() <= MAX_LIMIT => Ok(Self(limit)),
            _ => Err(InvalidPaging::Limit),
        }
    }

    /// The number of items.
    pub const fn get(self) -> usize {
        self.0.get() as usize
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(NonZeroU16::new(DEFAULT_LIMIT).unwrap_or(NonZeroU16::MIN))
    }
}

/// The sort key of the last item of a page, opaque to callers. Its text form is base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Marks the place after the item whose sort key is `key`.
    pub fn after(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The sort key that the cursor was made from. Whoever reads it parses it: it came from outside.
    pub fn key(&self) -> &str {
        &self.0
    }

    /// # Errors
    /// [`InvalidPaging::Cursor`] when the text is not one of ours.
    pub fn parse(text: &str) -> Result<Self, InvalidPaging> {
        // Our own sort keys are far shorter.
        if text.len() > 512 {
            return Err(InvalidPaging::Cursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidPaging::Cursor)?;
        let key = String::from_utf8(bytes).map_err(|_| InvalidPaging::Cursor)?;
        if key.is_empty() || key.contains(char::is_control) {
            return Err(InvalidPaging::Cursor);
        }
        Ok(Self(key))
    }

    /// The form that callers send back.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0)
    }
}

/// Which page of a list is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// The size of the page.
    pub limit: Limit,
    /// Where the page before ended; `None` asks for the first.
    pub after: Option<Cursor>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, at most as many as asked for.
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<Cursor>,
    /// How many items the filter matches over all pages.
    pub total: u64,
}

impl<T> Page<T> {
    /// Builds a page from one item more than it may hold, which is how a reader learns that there is a next page.
    pub fn from_overfull(mut items: Vec<T>, limit: Limit, total: u64, sort_key: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit.get();
        items.truncate(limit.get());
        let next = if more { items.last().map(|last| Cursor::after(sort_key(last))) } else { None };
        Self { items, next, total }
    }

    /// The same page with every item turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(turn).collect(), next: self.next, total: self.total }
    }
}

/// Why paging parameters were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPaging {
    /// The limit is not between 1 and [`MAX_LIMIT`].
    #[error("limit must be between 1 and {MAX_LIMIT}")]
    Limit,
    /// The cursor did not come from a page of this list.
    #[error("cursor must be the next_cursor of an earlier page")]
    Cursor,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_limits_from_1_to_200_are_taken() {
        assert_eq!(Limit::new(0), Err(InvalidPaging::Limit));
        assert_eq!(Limit::new(201), Err(InvalidPaging::Limit));
        assert_eq!(Limit::new(200).unwrap().get(), 200);
        assert_eq!(Limit::default().get(), 50);
    }

    #[test]
    fn a_cursor_reads_back_and_a_made_up_one_is_refused() {
        let cursor = Cursor::after("17|b");
        assert_eq!(Cursor::parse(&cursor.encode()), Ok(cursor));
        for made_up in ["", "%%", "AA", "ab=", &"A".repeat(600)] {
            assert_eq!(Cursor::parse(made_up), Err(InvalidPaging::Cursor), "{made_up}");
        }
    }

    #[test]
    fn the_last_page_has_no_next_cursor() {
        let two = Limit::new(2).unwrap();
        let first = Page::from_overfull(vec![1, 2, 3], two, 3, ToString::to_string);
        assert_eq!((first.items, first.next), (vec![1, 2], Some(Cursor::after("2"))));
        let last = Page::from_overfull(vec![3], two, 3, ToString::to_string);
        assert_eq!((last.items, last.next), (vec![3], None));
    }
}
