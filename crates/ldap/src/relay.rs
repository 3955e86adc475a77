//! Between the network and the parser of LDAP, which recurses as deep as what it is sent and waits for as much as it is promised:
//! a directory must not be able to end this process. Each message is looked at here before the parser sees it.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::ber::{Element, is_shallow};

/// The longest message that is passed on: an entry with some ten thousand groups.
const MAX_MESSAGE: usize = 1024 * 1024;

/// The most that is passed on in one conversation: all groups of somebody who has as many as are read.
const MAX_IN_ALL: usize = 16 * MAX_MESSAGE;

/// How deep a message may be. The deepest that is used, an entry with its attributes and their values, has five.
const MAX_DEPTH: usize = 10;

/// What can be spoken over.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<W: AsyncRead + AsyncWrite + Send + Unpin> Wire for W {}

/// Passes on what either side says, until one has no more to say or the directory says what is not passed on.
pub(crate) async fn relay(directory: Box<dyn Wire>, parser: UnixStream) {
    let (from_directory, mut to_directory) = tokio::io::split(directory);
    let (mut from_parser, to_parser) = parser.into_split();
    tokio::select! {
        _ended = pass_messages(from_directory, to_parser) => {}
        _ended = tokio::io::copy(&mut from_parser, &mut to_directory) => {}
    }
}

async fn pass_messages(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let (mut pending, mut chunk, mut in_all) = (Vec::new(), vec![0; 16 * 1024], 0);
    loop {
        let length = from.read(&mut chunk).await?;
        in_all += length;
        if length == 0 || in_all > MAX_IN_ALL {
            return Ok(());
        }
        pending.extend_from_slice(chunk.get(..length).unwrap_or_default());
        let Some(whole) = whole_messages(&pending) else { return Err(io::ErrorKind::InvalidData.into()) };
        to.write_all(pending.get(..whole).unwrap_or_default()).await?;
        pending.drain(..whole);
    }
}

/// How many of these bytes are whole messages; `None` when there is one that must not be passed on.
fn whole_messages(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    loop {
        match Element::read_message(rest, MAX_MESSAGE) {
            Element::Whole { content, rest: behind, .. } if is_shallow(content, MAX_DEPTH) => rest = behind,
            Element::Incomplete => return bytes.len().checked_sub(rest.len()),
            Element::Whole { .. } | Element::Other => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00";

    async fn passed(said: &[u8]) -> (Vec<u8>, io::Result<()>) {
        let mut heard = Vec::new();
        let ended = pass_messages(said, &mut heard).await;
        (heard, ended)
    }

    #[tokio::test]
    async fn messages_are_passed_on_whole() {
        let two = [ANSWER, ANSWER].concat();
        assert_eq!(passed(&two).await.0, two);
        assert_eq!(passed(&two[..two.len() - 1]).await.0, ANSWER);
    }

    #[tokio::test]
    async fn nothing_is_passed_on_of_what_is_too_deep_too_long_or_no_message() {
        let nested = |depth: u8| (0..=depth).rev().flat_map(|inside| [0x30, inside * 2]).collect::<Vec<_>>();
        assert_eq!(whole_messages(&nested(10)), Some(22));
        assert_eq!(whole_messages(&nested(11)), None);
        for bytes in [&b"\x30\x84\x00\x10\x00\x01"[..], b"HTTP/1.1", b"\x04\x01a", b"\x30\x03\x04\x02a"] {
            assert!(passed(bytes).await.1.is_err(), "{bytes:02x?}");
            assert!(passed(bytes).await.0.is_empty(), "{bytes:02x?}");
        }
    }

    #[tokio::test]
    async fn a_conversation_that_does_not_end_is_ended() {
        let endless = ANSWER.repeat(MAX_IN_ALL / ANSWER.len() + 10_000);
        assert!(passed(&endless).await.0.len() <= MAX_IN_ALL);
    }
}
