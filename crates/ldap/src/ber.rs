//! As much of BER (X.690 §8.1, as RFC 4511 §5.1 restricts it) as is needed to see where things end, and how deep they are.

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    Whole {
        tag: u8,
        content: &'a [u8],
        rest: &'a [u8],
    },
    Incomplete,
    /// No element, or a longer one than is read.
    Other,
}

impl<'a> Element<'a> {
    /// Reads a message of LDAP (RFC 4511 §4.1.1) of at most `most` bytes. What begins like none is seen at its first byte.
    pub(crate) fn read_message(bytes: &'a [u8], most: usize) -> Self {
        const SEQUENCE: u8 = 0x30;
        if bytes.first().is_some_and(|tag| *tag != SEQUENCE) { Self::Other } else { Self::read(bytes, most) }
    }

    /// Reads an element of a content of at most `most` bytes.
    pub(crate) fn read(bytes: &'a [u8], most: usize) -> Self {
        let (tag, length, rest) = match bytes {
            // Tags above 30, which LDAP has not.
            [tag, ..] if tag & 0x1f == 0x1f => return Self::Other,
            [] | [_] => return Self::Incomplete,
            [tag, length @ ..=0x7f, rest @ ..] => (*tag, usize::from(*length), rest),
            // Active Directory writes all lengths in four bytes.
            [tag, size @ 0x81..=0x84, rest @ ..] => {
                let Some((length, rest)) = rest.split_at_checked(usize::from(size & 0x7f)) else {
                    return Self::Incomplete;
                };
                (*tag, length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
            }
            _ => return Self::Other,
        };
        if length > most {
            return Self::Other;
        }
        match rest.split_at_checked(length) {
            Some((content, rest)) => Self::Whole { tag, content, rest },
            None => Self::Incomplete,
        }
    }

    /// Its content and what follows, if it is whole and has that tag.
    pub(crate) fn tagged(self, expected: u8) -> Option<(&'a [u8], &'a [u8])> {
        match self {
            Self::Whole { tag, content, rest } if tag == expected => Some((content, rest)),
            _ => None,
        }
    }
}

/// Whether these bytes are elements one after the other, all of them whole, and nested at most `depth` times.
pub(crate) fn is_shallow(mut bytes: &[u8], depth: usize) -> bool {
    const CONSTRUCTED: u8 = 0x20;
    while !bytes.is_empty() {
        let Element::Whole { tag, content, rest } = Element::read(bytes, bytes.len()) else { return false };
        if tag & CONSTRUCTED != 0 && (depth == 0 || !is_shallow(content, depth - 1)) {
            return false;
        }
        bytes = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_element_is_read_in_either_spelling_of_its_length() {
        for bytes in [&b"\x04\x02abc"[..], b"\x04\x81\x02abc", b"\x04\x84\x00\x00\x00\x02abc"] {
            assert_eq!(Element::read(bytes, 2), Element::Whole { tag: 4, content: b"ab", rest: b"c" });
            assert_eq!(Element::read(bytes, 1), Element::Other, "longer than is read");
            for length in 0..bytes.len() - 1 {
                assert_eq!(Element::read(&bytes[..length], 2), Element::Incomplete, "{length}");
            }
        }
        for bytes in [&b"\x30\x80"[..], b"\x30\x85\0\0\0\0\0", b"\x30\xff", b"\x1f\x01\0", b"\x30\x84\xff\xff\xff\xff"]
        {
            assert_eq!(Element::read(bytes, 1024), Element::Other, "{bytes:02x?}");
        }
    }

    #[test]
    fn depth_counts_lists_and_not_what_is_in_them() {
        assert!(is_shallow(b"\x04\x01a\x04\x01b", 0));
        assert!(is_shallow(b"\x30\x05\x31\x03\x04\x01a", 2));
        assert!(!is_shallow(b"\x30\x05\x31\x03\x04\x01a", 1));
        assert!(!is_shallow(b"\x30\x05\x31\x04\x04\x01a", 2), "longer than what it is in");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), depth in 0_usize..4) {
            let _shallow = is_shallow(&bytes, depth);
        }
    }
}
