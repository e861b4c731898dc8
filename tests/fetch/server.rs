//! A small web server that can be as bad as they come. It listens on loopback and writes down what it is asked.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How one request is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// As a good server does, ranges and all.
    File(Vec<u8>),
    /// As a good server that knows no ranges.
    NoRange(Vec<u8>),
    /// Announces all, sends so many bytes, and hangs up.
    Cut(Vec<u8>, usize),
    /// Announces another length than it sends.
    Lie(Vec<u8>, u64),
    /// Sends for ever and announces nothing.
    Endless,
    /// Announces all, sends half, and says no more.
    Stall(Vec<u8>),
    /// A status and more headers.
    Status(u16, Vec<(&'static str, String)>),
    /// Claims to send from another offset than it was asked for.
    WrongRange(Vec<u8>),
}

/// A request: its path and its `Range`, if any.
pub type Request = (String, Option<String>);

#[derive(Default)]
struct State {
    replies: HashMap<String, Vec<Reply>>,
    log: Vec<Request>,
}

/// The server; its thread ends with the test process.
#[derive(Clone)]
pub struct Server {
    pub address: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let server = Self { address, state: Arc::default() };
        let accepting = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = accepting.clone();
                thread::spawn(move || server.serve(stream));
            }
        });
        server
    }

    /// Answers requests for `path` by `replies`, one each; by the last for ever.
    pub fn on(&self, path: &str, replies: impl IntoIterator<Item = Reply>) -> &Self {
        let replies = replies.into_iter().collect();
        self.state.lock().expect("sound").replies.insert(path.to_owned(), replies);
        self
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// What was asked so far.
    pub fn log(&self) -> Vec<Request> {
        self.state.lock().expect("sound").log.clone()
    }

    fn reply(&self, request: Request) -> Reply {
        let mut state = self.state.lock().expect("sound");
        let reply = match state.replies.get_mut(&request.0) {
            None => Reply::Status(404, Vec::new()),
            Some(replies) if replies.len() > 1 => replies.remove(0),
            Some(replies) => replies[0].clone(),
        };
        state.log.push(request);
        reply
    }

    /// One request a connection keeps it simple.
    fn serve(&self, stream: TcpStream) {
        let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
        let Some(first) = lines.next() else { return };
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let range = headers.iter().find_map(|line| line.to_lowercase().strip_prefix("range: ").map(str::to_owned));
        let reply = self.reply((path, range.clone()));
        // A client that hangs up is what some tests are about.
        let _ = answer(&stream, reply, range.as_deref());
    }
}

fn answer(mut stream: &TcpStream, reply: Reply, range: Option<&str>) -> std::io::Result<()> {
    match reply {
        Reply::File(body) => {
            match range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()) {
                Some(from) if from < body.len() => part(stream, &body, from, from),
                Some(_) => head(stream, "416 Range Not Satisfiable", 0, ""),
                None => whole(stream, &body),
            }
        }
        Reply::NoRange(body) => whole(stream, &body),
        Reply::WrongRange(body) => part(stream, &body, 1, 0),
        Reply::Cut(body, at) => {
            head(stream, "200 OK", body.len() as u64, "ETag: \"one\"\r\n")?;
            stream.write_all(&body[..at])
        }
        Reply::Lie(body, length) => {
            head(stream, "200 OK", length, "")?;
            stream.write_all(&body)
        }
        Reply::Endless => {
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[b'x'; 4096])?;
            }
        }
        Reply::Stall(body) => {
            head(stream, "200 OK", body.len() as u64, "")?;
            stream.write_all(&body[..body.len() / 2])?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.read(&mut [0]).map(drop)
        }
        Reply::Status(code, headers) => {
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            head(stream, &format!("{code} Said So"), 0, &headers)
        }
    }
}

fn head(mut stream: &TcpStream, status: &str, length: u64, more: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{more}\r\n")
}

fn whole(mut stream: &TcpStream, body: &[u8]) -> std::io::Result<()> {
    head(stream, "200 OK", body.len() as u64, "ETag: \"one\"\r\n")?;
    stream.write_all(body)
}

/// Says it starts at `said`, starts at `from`.
fn part(mut stream: &TcpStream, body: &[u8], from: usize, said: usize) -> std::io::Result<()> {
    let (last, total) = (body.len() - 1, body.len());
    let range = format!("Content-Range: bytes {said}-{last}/{total}\r\n");
    head(stream, "206 Partial Content", (total - from) as u64, &range)?;
    stream.write_all(&body[from..])
}
