//! What bcrypt is given. bcrypt reads 72 bytes and, in many implementations, stops at a NUL: two different inputs would
//! then share a hash. Such inputs do not get this far.

use std::fmt;

use zeroize::Zeroizing;

/// The most that bcrypt reads.
const MAX_BYTES: usize = 72;

/// At most 72 bytes without NUL. Redacted in logs, wiped when dropped.
#[derive(Clone)]
pub struct Preimage(Zeroizing<Vec<u8>>);

/// bcrypt would not read the input whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("longer than {MAX_BYTES} bytes, or with a NUL inside")]
pub struct Unsuitable;

impl Preimage {
    /// # Errors
    /// [`Unsuitable`] when bcrypt would not read all of `bytes`.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, Unsuitable> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.len() > MAX_BYTES || bytes.contains(&0) { Err(Unsuitable) } else { Ok(Self(bytes)) }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Preimage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preimage(…)")
    }
}
