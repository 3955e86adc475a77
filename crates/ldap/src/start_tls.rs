//! Asking for TLS on a plain connection (RFC 4511 §4.14). What comes back is written by anybody on the way, so it is read here,
//! strictly and to a bound, before a general parser of LDAP sees a byte.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::ber::Element;
use crate::failure::Trouble;

/// Message 1, an extended request with the name of the operation.
const REQUEST: &[u8; 31] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// The longest answer that is read. Real ones have a few dozen bytes.
const MAX_ANSWER: usize = 4096;

/// Asks; afterwards the other side waits for the handshake.
pub(crate) async fn start_tls(stream: &mut TcpStream) -> Result<(), Trouble> {
    stream.write_all(REQUEST).await.map_err(|_| Trouble::Broken)?;
    let (mut answer, mut chunk) = (Vec::new(), [0; 512]);
    loop {
        let length = stream.read(&mut chunk).await.map_err(|_| Trouble::Broken)?;
        answer.extend_from_slice(chunk.get(..length).unwrap_or_default());
        match read(&answer) {
            Answer::Code(0) => return Ok(()),
            Answer::Code(_) => return Err(Trouble::NoStartTls),
            Answer::Incomplete if length > 0 && answer.len() <= MAX_ANSWER => {}
            Answer::Incomplete | Answer::Garbled => return Err(Trouble::Broken),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Incomplete,
    Garbled,
    Code(u8),
}

/// Reads an extended response to message 1. What follows it was not said under TLS and must not be taken for that.
fn read(bytes: &[u8]) -> Answer {
    let message = match Element::read_message(bytes, MAX_ANSWER) {
        Element::Whole { content, rest: [], .. } => content,
        Element::Incomplete => return Answer::Incomplete,
        Element::Whole { .. } | Element::Other => return Answer::Garbled,
    };
    let within = |bytes, tag| Element::read(bytes, MAX_ANSWER).tagged(tag);
    let code = || {
        let (id, rest) = within(message, 0x02)?;
        let (response, _controls) = within(rest, 0x78)?;
        match (id, within(response, 0x0a)?.0) {
            ([1], [code]) => Some(*code),
            _ => None,
        }
    };
    code().map_or(Answer::Garbled, Answer::Code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const YES: &[u8] = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00";
    const YES_OF_ACTIVE_DIRECTORY: &[u8] =
        b"\x30\x84\x00\x00\x00\x10\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00";

    #[test]
    fn an_answer_is_read_in_either_spelling_and_only_whole() {
        for answer in [YES, YES_OF_ACTIVE_DIRECTORY] {
            assert_eq!(read(answer), Answer::Code(0));
            for length in 0..answer.len() {
                assert_eq!(read(&answer[..length]), Answer::Incomplete, "{length}");
            }
        }
        let no = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00";
        assert_eq!(read(no), Answer::Code(52));
    }

    #[test]
    fn what_somebody_on_the_way_adds_before_the_handshake_is_refused() {
        let injected = [YES, b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"].concat();
        assert_eq!(read(&injected), Answer::Garbled);
    }

    #[test]
    fn what_is_no_answer_is_refused_at_once() {
        for bytes in [
            &b"HTTP/1.1 400 Bad Request"[..],
            b"\x16\x03\x01\x00\x00",
            b"\x30\x80",
            b"\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\x0c\x02\x01\x02\x78\x07\x0a\x01\x00\x04\x00\x04\x00",
            b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
            b"\x30\x00",
        ] {
            assert_eq!(read(bytes), Answer::Garbled, "{bytes:02x?}");
        }
    }

    #[test]
    fn the_request_is_what_the_standard_says() {
        let (message, rest) = Element::read(REQUEST, 64).tagged(0x30).unwrap();
        assert_eq!((&message[..3], rest), (&b"\x02\x01\x01"[..], &b""[..]));
        let (operation, _) = Element::read(&message[3..], 64).tagged(0x77).unwrap();
        assert_eq!(Element::read(operation, 64).tagged(0x80).unwrap().0, b"1.3.6.1.4.1.1466.20037");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _answer = read(&bytes);
        }
    }
}
