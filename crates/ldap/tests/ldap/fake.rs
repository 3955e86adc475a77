//! A directory that notes every byte that it is sent, and answers as a test wants it to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The operations (RFC 4511 §4.2, §4.5).
pub(crate) const BIND: u8 = 0x60;
pub(crate) const SEARCH: u8 = 0x63;

/// Messages without their number.
type Answers = Vec<Vec<u8>>;

/// A request: its operation and its content.
type Request = (u8, Vec<u8>);

/// Makes the answers to a request: to its operation, and to how many of that kind there were before on any connection.
/// Without one it hangs up.
type Script = dyn Fn(u8, usize) -> Answers + Send + Sync;

pub(crate) struct FakeDirectory {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl FakeDirectory {
    /// Answers until the process ends.
    pub(crate) fn start(script: impl Fn(u8, usize) -> Answers + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::default();
        let (noted, script): (_, Arc<Script>) = (Arc::clone(&requests), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (noted, script) = (Arc::clone(&noted), Arc::clone(&script));
                std::thread::spawn(move || converse(stream, &noted, &*script));
            }
        });
        Self { port, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    /// The contents of all requests of that operation so far.
    pub(crate) fn requests(&self, operation: u8) -> Vec<Vec<u8>> {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|(of, _)| *of == operation).map(|(_, request)| request.clone()).collect()
    }
}

fn converse(mut stream: TcpStream, noted: &Mutex<Vec<Request>>, script: &Script) -> Option<()> {
    loop {
        let (_, message) = read_element(&mut stream)?;
        let mut rest = message.as_slice();
        let (_, id) = read_element(&mut rest)?;
        let (operation, request) = read_element(&mut rest)?;
        let before = {
            let mut noted = noted.lock().unwrap();
            noted.push((operation, request));
            noted.iter().filter(|(of, _)| *of == operation).count() - 1
        };
        let answers = script(operation, before);
        if answers.is_empty() {
            return None;
        }
        let id = element(0x02, &[id]);
        for answer in answers {
            let message = element(0x30, &[id.clone(), answer]);
            stream.write_all(&message).ok()?;
        }
    }
}

fn read_element(from: &mut impl Read) -> Option<(u8, Vec<u8>)> {
    let mut header = [0; 2];
    from.read_exact(&mut header).ok()?;
    let [tag, mut length] = header.map(usize::from);
    if length > 0x80 {
        let mut bytes = vec![0; length - 0x80];
        from.read_exact(&mut bytes).ok()?;
        length = bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    }
    let mut content = vec![0; length];
    from.read_exact(&mut content).ok()?;
    Some((u8::try_from(tag).ok()?, content))
}

/// An element of BER.
pub(crate) fn element(tag: u8, contents: &[Vec<u8>]) -> Vec<u8> {
    let content = contents.concat();
    let [.., low] = content.len().to_be_bytes();
    let length = if content.len() < 0x80 {
        vec![low]
    } else {
        [&[0x84][..], &u32::try_from(content.len()).unwrap().to_be_bytes()].concat()
    };
    [vec![tag], length, content].concat()
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    element(0x04, &[text.as_bytes().to_vec()])
}

/// The answer to a bind (`0x61`) or the end of a search (`0x65`), with a text that must not be shown.
pub(crate) fn result(operation: u8, code: u8) -> Vec<u8> {
    element(operation, &[element(0x0a, &[vec![code]]), text(""), text("<b>what the directory wrote</b>")])
}

pub(crate) fn bound(code: u8) -> Answers {
    vec![result(0x61, code)]
}

/// These entries, and the end of the search.
pub(crate) fn found(entries: &[Vec<u8>]) -> Answers {
    [entries, &[result(0x65, 0)]].concat()
}

/// An entry of a search with attributes and one value each.
pub(crate) fn entry(name: &str, attributes: &[(&str, &str)]) -> Vec<u8> {
    let attribute = |(name, value): &(&str, &str)| element(0x30, &[text(name), element(0x31, &[text(value)])]);
    let attributes: Vec<_> = attributes.iter().map(attribute).collect();
    element(0x64, &[text(name), element(0x30, &attributes)])
}
