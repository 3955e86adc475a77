//! Sweeps over the headers of an answer.

use crate::Answer;

/// Holds that `answer` carries each of the headers exactly once and with that value; others may be there too.
///
/// # Panics
/// With all that differ, when some do.
#[track_caller]
pub fn assert_header_set(answer: &Answer, expected: &[(&str, &str)]) {
    let differing: Vec<_> = expected
        .iter()
        .map(|(name, value)| (name, value, answer.all(name)))
        .filter(|(_, value, found)| found != &[**value])
        .map(|(name, value, found)| format!("\n{name}: {found:?} instead of once {value:?}"))
        .collect();
    assert!(differing.is_empty(), "of the headers of a {}:{}", answer.status, differing.concat());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Answer { status: 200, headers, body: bytes::Bytes::new() }
    }

    #[test]
    fn each_once_with_its_value_is_right_whatever_else_is_there() {
        assert_header_set(&answer(&[("a", "1"), ("b", "2"), ("c", "3")]), &[("B", "2"), ("a", "1")]);
    }

    #[test]
    #[should_panic = "a: [] instead of once \"1\"\nb: [\"2\", \"2\"] instead of once \"2\"\nc: [\"4\"] instead of once \"3\""]
    fn missing_doubled_and_different_ones_are_told_together() {
        let answer = answer(&[("b", "2"), ("b", "2"), ("c", "4"), ("d", "5")]);
        assert_header_set(&answer, &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "5")]);
    }
}
