//! The record of a sign-in, step by step: what an administrator needs to see why somebody cannot get in. It holds no secret
//! and nothing that a provider or a browser wrote, but for a username once it is proved.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use stratora_clock::Timestamp;
use stratora_token::{Entropy, EntropyError};

use crate::{ProviderId, ProviderName};

/// What the sign-in page shows, so that an administrator finds the record: eight letters and digits that are not mistaken
/// for each other (Crockford's base 32).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(String);

impl Reference {
    /// A new one.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes)?;
        let letter = |byte: &u8| LETTERS.get(usize::from(byte & 31)).map(|letter| char::from(*letter));
        Ok(Self(bytes.iter().filter_map(letter).collect()))
    }

    /// The reference that reads so, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_one = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
        is_one.then(|| Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is looked at, such as `state` or `nonce`.
pub type Check = Cow<'static, str>;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// Well.
    Passed,
    /// Here the sign-in ended.
    Failed,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What was looked at.
    pub check: Check,
    /// How it ended.
    pub outcome: StepOutcome,
    /// What else an administrator should know, in our words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Step {
    /// A step that ended well.
    pub fn passed(check: impl Into<Check>) -> Self {
        Self { check: check.into(), outcome: StepOutcome::Passed, note: None }
    }

    /// The step at which it ended.
    pub fn failed(check: impl Into<Check>, note: impl Into<String>) -> Self {
        Self { check: check.into(), outcome: StepOutcome::Failed, note: Some(note.into()) }
    }

    /// The same step with a note.
    #[must_use]
    pub fn noting(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }
}

/// A sign-in, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What it is found by.
    pub reference: Reference,
    /// At which provider, if it is known.
    pub provider: Option<(ProviderId, ProviderName)>,
    /// When.
    pub at: Timestamp,
    /// From which address.
    pub client: Option<IpAddr>,
    /// `signed_in`, or the code that the sign-in page showed.
    pub code: Cow<'static, str>,
    /// Who, if that was proved.
    pub username: Option<String>,
    /// What was looked at, in order.
    pub steps: Vec<Step>,
}

/// Which attempts are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttemptFilter {
    /// The one with this reference.
    pub reference: Option<Reference>,
    /// Those at this provider.
    pub provider: Option<ProviderId>,
}

#[cfg(test)]
mod tests {
    use stratora_token::OsEntropy;

    use super::*;

    #[test]
    fn a_reference_reads_back() {
        for _ in 0..100 {
            let reference = Reference::generate(&OsEntropy).unwrap();
            assert_eq!(Reference::parse(reference.as_str()), Some(reference));
        }
        for text in ["", "ABCDEFG", "ABCDEFGHJ", "abcdefgh", "ABCD EFG", "<img>123"] {
            assert_eq!(Reference::parse(text), None, "{text}");
        }
    }

    #[test]
    fn steps_read_back() {
        let steps = [Step::passed("state"), Step::failed("nonce", "it is another one").noting("ours")];
        let text = serde_json::to_string(&steps).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Step>>(&text).unwrap(), steps);
    }
}
