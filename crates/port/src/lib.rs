//! What every storage port of this workspace speaks: pages of a list, and the ways in which a store can fail. The ports
//! themselves stand in the crates that call them.

mod error;
mod paging;

pub use error::{Cause, StoreError};
pub use paging::{Cursor, DEFAULT_LIMIT, InvalidPaging, Limit, MAX_LIMIT, Page, PageRequest};
