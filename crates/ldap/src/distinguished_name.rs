//! Distinguished names (RFC 4514), compared as directories compare them: by what they mean, not by how they are spelled.

use std::iter::Peekable;
use std::str::Chars;

/// A name in one spelling: types and values in lower case, nothing escaped, white space single. Not for sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DistinguishedName(Vec<Vec<(String, String)>>);

impl DistinguishedName {
    /// Reads a name; `None` when the text is none. Values in hexadecimal (`#04…`) and in quotes are not taken: no group or
    /// person has such a name, and they would be a second spelling of another.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.chars().peekable();
        let (mut name, mut part) = (Vec::new(), Vec::new());
        loop {
            let attribute = attribute_type(&mut rest)?;
            let (value, separator) = value(&mut rest)?;
            part.push((attribute, value));
            if separator != Some('+') {
                part.sort_unstable();
                name.push(std::mem::take(&mut part));
            }
            if separator.is_none() {
                return Some(Self(name));
            }
        }
    }

    /// Whether a value, rather than the type of one, holds `text`.
    pub(crate) fn has_value_with(&self, text: &str) -> bool {
        self.0.iter().flatten().any(|(_, value)| value.contains(text))
    }
}

/// All before the `=`.
fn attribute_type(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut attribute = String::new();
    loop {
        match rest.next()? {
            '=' => break,
            other => attribute.push(other),
        }
    }
    let attribute = attribute.trim_matches(' ').to_ascii_lowercase();
    is_attribute(&attribute).then_some(attribute)
}

/// Whether a text is the name of an attribute, or its number (RFC 4512 §1.4).
pub(crate) fn is_attribute(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
}

/// A value, and what separates it from the next.
fn value(rest: &mut Peekable<Chars<'_>>) -> Option<(String, Option<char>)> {
    while rest.next_if_eq(&' ').is_some() {}
    if rest.peek() == Some(&'#') {
        return None;
    }
    let mut bytes = Vec::new();
    let separator = loop {
        let character = match rest.next() {
            separator @ (None | Some(',' | '+')) => break separator,
            Some('"' | ';' | '<' | '>' | '\0') => return None,
            Some('\\') => match rest.next()? {
                special if " \"#+,;<=>\\".contains(special) => special,
                first => {
                    let byte = first.to_digit(16)? * 16 + rest.next()?.to_digit(16)?;
                    bytes.push(u8::try_from(byte).ok()?);
                    continue;
                }
            },
            Some(other) => other,
        };
        bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    };
    let value = String::from_utf8(bytes).ok()?.to_lowercase();
    // Directories take a run of spaces for one, and those at the ends for none (RFC 4518 §2.6.1).
    let value = value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    Some((value, separator))
}

#[cfg(test)]
mod tests {
    use ldap3::dn_escape;
    use proptest::prelude::*;

    use super::*;

    fn same(one: &str, other: &str) -> bool {
        match (DistinguishedName::parse(one), DistinguishedName::parse(other)) {
            (Some(one), Some(other)) => one == other,
            _ => panic!("{one:?} or {other:?} is no name"),
        }
    }

    #[test]
    fn spellings_of_one_name_are_one_name() {
        let name = "cn=Ops\\, Berlin,ou=Groups,dc=example,dc=com";
        for spelling in [
            "CN=ops\\, berlin, OU=groups, DC=Example, DC=COM",
            "cn = Ops\\2C  Berlin ,ou=Groups,dc=example,dc=com",
            "cn=\\20Ops\\2c\\20Berlin\\20,ou=Groups,dc=example,dc=com",
        ] {
            assert!(same(name, spelling), "{spelling}");
        }
        assert!(same("cn=Jos\\c3\\a9+uid=1,dc=a", "uid=1+CN=JOSÉ,dc=a"));
    }

    #[test]
    fn a_separator_within_a_value_separates_nothing() {
        assert!(!same("cn=admins\\,ou=groups,dc=a", "cn=admins,ou=groups,dc=a"));
        assert!(!same("cn=a\\+sn=b", "cn=a+sn=b"));
        assert!(!same("cn=admins,dc=a", "cn=admins,dc=a,dc=b"));
        assert!(!same("cn=ad mins", "cn=admins"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            "admins",
            "cn",
            "=a",
            "cn=a,",
            "cn=a,,dc=b",
            "cn=a;dc=b",
            "cn=\"a\"",
            "cn=#0401",
            "cn=a\\",
            "cn=a\\z",
            "cn=a\\c3",
            "c n=a",
            "cn=a\0",
            "cn=<a>",
        ] {
            assert_eq!(DistinguishedName::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn an_escaped_value_is_read_back_whole(value in "\\PC{0,12}|[ ,+\"\\\\<>;=#*()a]{0,8}") {
            let name = DistinguishedName::parse(&format!("uid={},dc=a", dn_escape(value.as_str()))).unwrap();
            let folded = value.to_lowercase();
            let folded = folded.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(name.0, [[("uid".to_owned(), folded)], [("dc".to_owned(), "a".to_owned())]]);
        }

        #[test]
        fn no_text_is_read_as_a_name_and_then_not_equal_to_itself(text in ".{0,40}") {
            prop_assert_eq!(DistinguishedName::parse(&text), DistinguishedName::parse(&text));
        }
    }
}
