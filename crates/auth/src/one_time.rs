//! One-time passwords: what an account starts with, and gets when its owner is locked out. Spent by the change that they
//! force, and at an end after a day.

use std::fmt;
use std::time::Duration;

use stratora_token::{Entropy, EntropyError};
use zeroize::Zeroizing;

use crate::Password;

/// Letters and digits that are hard to take for one another: a power of two of them, so that no byte is favoured.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
/// Five groups of five characters at 5 bits each: 125 bits (ASVS 6.4.1, 6.5.2).
const GROUPS: usize = 5;
const GROUP: usize = 5;

/// How long a one-time password works: the most that ASVS 6.4.1 leaves room for.
pub(crate) const LIFETIME: Duration = Duration::from_hours(24);

/// A password that the server made. Redacted in logs, wiped when dropped.
#[derive(Clone)]
pub struct OneTimePassword(Zeroizing<String>);

impl OneTimePassword {
    /// A new one.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut random = Zeroizing::new([0; GROUPS * GROUP]);
        entropy.fill(random.as_mut_slice())?;
        let mut text = Zeroizing::new(String::with_capacity(GROUPS * (GROUP + 1)));
        for (index, byte) in random.iter().enumerate() {
            if index > 0 && index % GROUP == 0 {
                text.push('-');
            }
            let letter = ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'a');
            text.push(char::from(letter));
        }
        Ok(Self(text))
    }

    /// The text, to be handed to the account's owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn to_password(&self) -> Password {
        Password::parse(&self.0).unwrap_or_else(|_| unreachable!("letters, digits and hyphens"))
    }
}

impl fmt::Debug for OneTimePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimePassword(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use stratora_token::OsEntropy;

    use super::*;

    #[test]
    fn one_time_passwords_differ_and_can_be_typed() {
        let made: HashSet<_> =
            (0..1000).map(|_| OneTimePassword::generate(&OsEntropy).unwrap().expose().to_owned()).collect();
        assert_eq!(made.len(), 1000);
        for password in made {
            assert_eq!(password.len(), 29);
            assert!(password.bytes().all(|byte| byte == b'-' || ALPHABET.contains(&byte)));
        }
    }
}
