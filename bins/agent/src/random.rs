//! Randomness. The agent depends on none of the crates that provide it to the server.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// 256 random bits as 43 characters of base64url.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn word() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    #[expect(clippy::disallowed_methods, reason = "the one place of this program that reads randomness")]
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A time between nothing and `most`, each as likely as any other: full jitter. Without randomness it is the most.
pub fn up_to(most: Duration) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "the one place of this program that reads randomness")]
    let random = getrandom::u32();
    random.map_or(most, |random| most.mul_f64(f64::from(random) / f64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_what_a_server_takes_and_never_the_same() {
        let (one, other) = (word().unwrap(), word().unwrap());
        assert!(crate::secret::is_random_part(&one) && one != other);
    }

    #[test]
    fn jitter_is_full_it_reaches_low_and_high_and_stays_below_its_most() {
        let drawn: Vec<_> = (0..500).map(|_| up_to(Duration::from_secs(10))).collect();
        assert!(drawn.iter().all(|time| *time <= Duration::from_secs(10)));
        assert!(drawn.iter().any(|time| *time < Duration::from_secs(2)));
        assert!(drawn.iter().any(|time| *time > Duration::from_secs(8)));
    }
}
