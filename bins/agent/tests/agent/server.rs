//! The server of components as it is reached: its sockets, and how it misbehaves when it is told to.

use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::book::{Book, Instead, Kind, Moment, new_token};
use crate::http::{Answer, Request};

/// The server, as threads of the test.
#[derive(Clone)]
pub(crate) struct Server {
    book: Arc<Mutex<Book>>,
    /// Who is killed.
    agent: Arc<AtomicI32>,
    port: u16,
}

impl Server {
    /// Over plain HTTP.
    pub(crate) fn start() -> Self {
        Self::listen(|server, stream| server.serve(stream.try_clone().unwrap(), stream))
    }

    /// Over whatever `wrap` makes of a connection.
    pub(crate) fn start_with<S: Read + Write>(wrap: impl Fn(TcpStream) -> S + Send + Sync + 'static) -> Self {
        Self::listen(move |server, stream| {
            let stream = std::rc::Rc::new(std::cell::RefCell::new(wrap(stream)));
            server.serve(Shared(std::rc::Rc::clone(&stream)), Shared(stream));
        })
    }

    fn listen(serve: impl Fn(&Self, TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { book: Arc::default(), agent: Arc::default(), port };
        let (accepting, serve) = (server.clone(), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (server, serve) = (accepting.clone(), Arc::clone(&serve));
                std::thread::spawn(move || serve(&server, stream));
            }
        });
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    /// Makes a token that is good once.
    pub(crate) fn token(&self) -> String {
        let token = new_token();
        self.book().tokens.insert(token.clone(), false);
        token
    }

    /// Makes a component. Returns its identifier and its key.
    pub(crate) fn component(&self) -> (String, String) {
        self.book().add_component()
    }

    /// The next requests of this kind are dealt with like this.
    pub(crate) fn script(&self, kind: Kind, instead: impl IntoIterator<Item = Instead>) {
        self.book().script.entry(kind).or_default().extend(instead);
    }

    /// Every request of this kind is dealt with like this.
    pub(crate) fn always(&self, kind: Kind, answer: Answer) {
        self.always_in_turn(kind, [answer]);
    }

    /// Every request of this kind is answered with one of these, one after the other and over again.
    pub(crate) fn always_in_turn(&self, kind: Kind, answers: impl IntoIterator<Item = Answer>) {
        self.book().always.insert(kind, answers.into_iter().map(Instead::Answer).collect());
    }

    /// Whom to kill when the moment comes.
    pub(crate) fn kill(&self, agent: Pid) {
        self.agent.store(agent.as_raw_nonzero().get(), Ordering::SeqCst);
    }

    fn strike(&self) {
        // It may be quicker to ask than its test is to say who it is.
        let agent = loop {
            if let Some(agent) = Pid::from_raw(self.agent.swap(0, Ordering::SeqCst)) {
                break agent;
            }
            std::thread::yield_now();
        };
        kill_process(agent, Signal::KILL).unwrap();
    }

    fn serve(&self, reader: impl Read, mut writer: impl Write) {
        let mut reader = BufReader::new(reader);
        while let Some(request) = Request::read(&mut reader) {
            let kind = match request.path.as_str() {
                "/api/v1/components/register" => Kind::Register,
                "/api/v1/ingest/influx" => Kind::Ingest,
                path if path.starts_with("/api/v1/agents/heartbeat/") => Kind::Heartbeat,
                path if path.ends_with("/rotate") => Kind::Rotate,
                path if path.ends_with("/config") => Kind::Config,
                path if path.ends_with("/report") => Kind::Report,
                path => panic!("{} {path}: the agent asks for what there is not", request.method),
            };
            let (instead, moment) = {
                let mut book = self.book();
                (book.instead(kind), book.moment_to_kill(kind))
            };
            if moment == Some(Moment::Received) {
                return self.strike();
            }
            let answer = match &instead {
                Some(Instead::Answer(answer)) => answer.clone(),
                Some(Instead::Silence) => {
                    self.book().requests.push((kind, 0));
                    std::thread::sleep(Duration::from_mins(1));
                    return;
                }
                Some(Instead::Close) => return self.book().requests.push((kind, 0)),
                Some(Instead::HalfAnAnswer | Instead::Endless) | None => self.book().answer(kind, &request),
            };
            self.book().requests.push((kind, answer.status));
            while self.book().hold == Some(kind) {
                std::thread::sleep(Duration::from_millis(1));
            }
            match moment {
                Some(Moment::Done) => return self.strike(),
                Some(Moment::Half) => {
                    answer.send_half(&mut writer);
                    return self.strike();
                }
                _ => {}
            }
            match instead {
                Some(Instead::HalfAnAnswer) => return answer.send_half(&mut writer),
                Some(Instead::Endless) => {
                    let _sent = writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
                    while writer.write_all(&[b' '; 8192]).is_ok() {}
                    return;
                }
                _ => {}
            }
            if answer.send(&mut writer).is_err() {
                return;
            }
            if let Some(Moment::Answered(after)) = moment {
                // Below what sleeping can do.
                let start = stratora_agent::clock::instant();
                while start.elapsed() < after {
                    std::hint::spin_loop();
                }
                return self.strike();
            }
        }
    }
}

/// A stream that is read and written by turns.
struct Shared<S>(std::rc::Rc<std::cell::RefCell<S>>);

impl<S: Read> Read for Shared<S> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

impl<S: Write> Write for Shared<S> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(buffer)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.borrow_mut().flush()
    }
}
