//! A sealed secret, as it is stored.

use uuid::Uuid;

use crate::KeyVersion;

/// 96 bits, which GCM is made for (NIST SP 800-38D §8.2).
pub(crate) const NONCE: usize = 12;
/// The first byte of everything that is stored in this form.
const FORM: u8 = 1;
/// The form, the key's version and the nonce.
const HEAD: usize = 1 + 4 + NONCE;

/// Where a sealed secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// In which table.
    pub table: &'a str,
    /// In which of its columns.
    pub column: &'a str,
    /// In which row.
    pub row: Uuid,
}

impl Place<'_> {
    /// What the seal is tied to besides the secret. No two places share it: each part is preceded by its length.
    pub(crate) fn associated(&self, KeyVersion(version): KeyVersion) -> Vec<u8> {
        let parts: [&[u8]; 4] =
            [self.table.as_bytes(), self.column.as_bytes(), self.row.as_bytes(), &version.to_be_bytes()];
        parts.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes()[..], part].concat()).collect()
    }
}

/// A secret that only the installation's key opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    version: KeyVersion,
    nonce: [u8; NONCE],
    text: Vec<u8>,
}

/// It cannot be opened: it was changed, it is in another place than it was sealed for, or its key is gone. Which of them is
/// said to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed secret cannot be opened")]
pub struct CannotOpen;

/// The bytes are no sealed secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a sealed secret")]
pub struct MalformedSealed;

impl Sealed {
    pub(crate) const fn new(version: KeyVersion, nonce: [u8; NONCE], text: Vec<u8>) -> Self {
        Self { version, nonce, text }
    }

    /// Under which key.
    pub const fn version(&self) -> KeyVersion {
        self.version
    }

    pub(crate) const fn nonce(&self) -> [u8; NONCE] {
        self.nonce
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// As it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[FORM][..], &self.version.0.to_be_bytes(), &self.nonce, &self.text].concat()
    }

    /// One that was stored earlier.
    ///
    /// # Errors
    /// [`MalformedSealed`] when the bytes have another form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MalformedSealed> {
        let (head, text) = bytes.split_first_chunk::<HEAD>().ok_or(MalformedSealed)?;
        let [FORM, a, b, c, d, nonce @ ..] = *head else { return Err(MalformedSealed) };
        Ok(Self { version: KeyVersion(u32::from_be_bytes([a, b, c, d])), nonce, text: text.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_too_short_or_of_another_form_is_refused() {
        for bytes in [&[][..], &[FORM; HEAD - 1], &[2; HEAD + 16]] {
            assert_eq!(Sealed::from_bytes(bytes), Err(MalformedSealed));
        }
    }

    proptest! {
        #[test]
        fn it_reads_back(version: u32, nonce: [u8; NONCE], text: Vec<u8>) {
            let sealed = Sealed::new(KeyVersion(version), nonce, text);
            prop_assert_eq!(Sealed::from_bytes(&sealed.to_bytes()), Ok(sealed));
        }
    }
}
