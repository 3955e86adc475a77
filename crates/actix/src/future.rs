//! Futures of requests, which live on the heap.

use std::pin::Pin;

/// Like [`Box::pin`], but makes room first, so that the compiler can make the future where it is to stay: those of requests take
/// about a thousand bytes, which it moved there otherwise.
pub(crate) fn pin_in_place<F>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::into_pin(Box::write(Box::new_uninit(), make()))
}
