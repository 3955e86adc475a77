//! Futures of requests, which live on the heap.

use std::pin::Pin;

/// Like [`Box::pin`], but makes room first, so that the future is made where it is to stay: those of requests are a thousand
/// bytes, which would be moved there otherwise.
pub(crate) fn pin_in_place<F>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::into_pin(Box::write(Box::new_uninit(), make()))
}
