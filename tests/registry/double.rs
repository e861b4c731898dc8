//! A registry in memory that misbehaves as it is told to. It listens on loopback and writes down what it is asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use forge::digest::Digest;

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It answers this, with more headers.
    Status(u16, &'static str),
    /// It hangs up before it answers, and does nothing.
    Deaf,
    /// It takes what it is sent, and never says a word.
    Stall,
    /// It does what it was asked, and hangs up.
    Mute,
    /// It keeps so many bytes of the body, and hangs up.
    Cut(usize),
    /// It sends so many bytes of the answer, and hangs up.
    Short(usize),
    /// It answers with other bytes, or under another digest.
    Lie,
}

#[derive(Default)]
struct State {
    /// By repository and digest.
    blobs: BTreeMap<(String, String), Vec<u8>>,
    uploads: BTreeMap<String, Vec<u8>>,
    /// By repository and tag or digest.
    manifests: BTreeMap<(String, String), (String, Vec<u8>)>,
    /// What goes wrong with requests that contain a text, and how often.
    faults: Vec<(String, usize, Fault)>,
    log: Vec<String>,
    /// Wants tokens.
    guarded: bool,
}

/// The registry; its threads end with the test process.
#[derive(Clone)]
pub struct Double {
    /// `host:port`.
    pub host: String,
    state: Arc<Mutex<State>>,
}

/// A request.
struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// Status, headers, body.
type Reply = (u16, String, Vec<u8>);

impl Double {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let double = Self { host: listener.local_addr().unwrap().to_string(), state: Arc::default() };
        let accepting = double.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let double = accepting.clone();
                // A client that hangs up is what some tests are about.
                thread::spawn(move || drop(double.serve(&stream)));
            }
        });
        double
    }

    /// Fails the next `times` requests whose line contains `on`.
    pub fn fail(&self, on: &str, times: usize, fault: Fault) -> &Self {
        self.state.lock().unwrap().faults.push((on.to_owned(), times, fault));
        self
    }

    /// Wants a token with the right scope from now on.
    pub fn guard(&self) -> &Self {
        self.state.lock().unwrap().guarded = true;
        self
    }

    /// The lines of all requests.
    pub fn log(&self) -> Vec<String> {
        self.state.lock().unwrap().log.clone()
    }

    /// How many requests contain a text.
    pub fn count(&self, text: &str) -> usize {
        self.log().iter().filter(|line| line.contains(text)).count()
    }

    /// The digest that a tag names.
    pub fn tag(&self, repository: &str, tag: &str) -> Option<Digest> {
        let state = self.state.lock().unwrap();
        state.manifests.get(&(repository.to_owned(), tag.to_owned())).map(|(_, bytes)| Digest::of(bytes))
    }

    /// The bytes of a blob.
    pub fn blob(&self, repository: &str, digest: &Digest) -> Option<Vec<u8>> {
        self.state.lock().unwrap().blobs.get(&(repository.to_owned(), digest.to_string())).cloned()
    }

    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let Some(mut request) = head(&mut reader) else { return Ok(()) };
        let fault = self.fault(&request);
        if let Some(Fault::Status(code, headers)) = fault {
            io_drain(&mut reader, &request);
            return send(stream, &request, &(code, headers.to_owned(), Vec::new()), None);
        }
        let length = request.headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let most = if let Some(Fault::Cut(most)) = fault { most.min(length) } else { length };
        request.body.resize(most, 0);
        reader.read_exact(&mut request.body)?;
        if let Some(Fault::Deaf) = fault {
            return Ok(());
        }
        if let Some(Fault::Stall) = fault {
            // Until the client hangs up.
            return reader.read(&mut [0]).map(drop);
        }
        let (code, mut headers, mut body) = self.answer(&request);
        match fault {
            Some(Fault::Cut(_) | Fault::Mute) => return Ok(()),
            Some(Fault::Lie) => {
                body.iter_mut().for_each(|byte| *byte ^= 1);
                headers = format!("Docker-Content-Digest: {}\r\n", Digest::of(b"another")) + &without_digest(&headers);
            }
            _ => {}
        }
        let short = if let Some(Fault::Short(most)) = fault { Some(most) } else { None };
        send(stream, &request, &(code, headers, body), short)
    }

    fn fault(&self, request: &Request) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        let query = if request.query.contains_key("mount") { " mount" } else { "" };
        let line = format!("{} {}{query}", request.method, request.path);
        state.log.push(line.clone());
        let (_, left, fault) = state.faults.iter_mut().find(|(on, left, _)| *left > 0 && line.contains(on.as_str()))?;
        *left -= 1;
        Some(fault.clone())
    }

    fn answer(&self, request: &Request) -> Reply {
        let state = &mut *self.state.lock().unwrap();
        if request.path == "/token" {
            return (200, String::new(), format!("{{\"token\":\"{}\"}}", request.query["scope"]).into_bytes());
        }
        let path = request.path.trim_start_matches("/v2/").to_owned();
        let kind = ["/blobs/uploads/", "/blobs/", "/manifests/"].into_iter().find(|kind| path.contains(kind));
        let (repository, name) = kind.and_then(|kind| path.split_once(kind)).unwrap_or((&path, ""));
        if state.guarded && !allowed(request, repository) {
            let challenge =
                format!("Www-Authenticate: Bearer realm=\"http://{}/token\",service=\"double\"\r\n", self.host);
            return (401, challenge, Vec::new());
        }
        let place = (repository.to_owned(), name.to_owned());
        match kind {
            Some("/blobs/uploads/") => upload(state, request, &place),
            Some("/blobs/") => match state.blobs.get(&place) {
                Some(bytes) => ranged(request, bytes, name),
                None => (404, String::new(), Vec::new()),
            },
            Some(_) => manifest(state, request, place),
            None => (200, String::new(), b"{}".to_vec()),
        }
    }
}

/// Whether the token is for this repository, and for writing where that is asked.
fn allowed(request: &Request, repository: &str) -> bool {
    let rights = if request.method == "GET" || request.method == "HEAD" { "pull" } else { "pull,push" };
    let token = request.headers.get("authorization").map(String::as_str).unwrap_or_default();
    let mount = request.query.get("from").map(|from| format!("repository:{from}:pull"));
    !repository.is_empty()
        && token.contains(&format!("repository:{repository}:{rights}"))
        && mount.is_none_or(|scope| token.contains(&scope))
}

fn upload(state: &mut State, request: &Request, (repository, id): &(String, String)) -> Reply {
    let goes_on = |id: &str, size: usize| {
        let range = if size == 0 { "0-0".to_owned() } else { format!("0-{}", size - 1) };
        format!("Location: /v2/{repository}/blobs/uploads/{id}\r\nRange: {range}\r\n")
    };
    if request.method == "POST" {
        if let (Some(digest), Some(from)) = (request.query.get("mount"), request.query.get("from"))
            && let Some(bytes) = state.blobs.get(&(from.clone(), digest.clone())).cloned()
        {
            state.blobs.insert((repository.clone(), digest.clone()), bytes);
            return (201, format!("Location: /v2/{repository}/blobs/{digest}\r\n"), Vec::new());
        }
        let id = format!("u{}", state.log.len());
        state.uploads.insert(id.clone(), Vec::new());
        return (202, goes_on(&id, 0), Vec::new());
    }
    let Some(bytes) = state.uploads.get_mut(id) else { return (404, String::new(), Vec::new()) };
    match request.method.as_str() {
        "GET" => (204, goes_on(id, bytes.len()), Vec::new()),
        "PATCH" => {
            let first = request.headers.get("content-range").map_or("0", |range| range.split('-').next().unwrap());
            if first != bytes.len().to_string() {
                return (416, goes_on(id, bytes.len()), Vec::new());
            }
            bytes.extend(&request.body);
            (202, goes_on(id, bytes.len()), Vec::new())
        }
        _ => {
            let (digest, bytes) = (request.query["digest"].clone(), state.uploads.remove(id).unwrap());
            if Digest::of(&bytes).to_string() != digest {
                return (
                    400,
                    String::new(),
                    br#"{"errors":[{"code":"DIGEST_INVALID","message":"other bytes"}]}"#.to_vec(),
                );
            }
            state.blobs.insert((repository.clone(), digest.clone()), bytes);
            (
                201,
                format!("Location: /v2/{repository}/blobs/{digest}\r\nDocker-Content-Digest: {digest}\r\n"),
                Vec::new(),
            )
        }
    }
}

fn manifest(state: &mut State, request: &Request, (repository, name): (String, String)) -> Reply {
    if request.method != "PUT" {
        return match state.manifests.get(&(repository, name)) {
            Some((kind, bytes)) => {
                let digest = Digest::of(bytes);
                (200, format!("Content-Type: {kind}\r\nDocker-Content-Digest: {digest}\r\n"), bytes.clone())
            }
            None => (404, String::new(), br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"none"}]}"#.to_vec()),
        };
    }
    let document: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let layers = document["layers"].as_array().unwrap().iter().chain([&document["config"]]);
    for descriptor in layers {
        let digest = descriptor["digest"].as_str().unwrap().to_owned();
        if !state.blobs.contains_key(&(repository.clone(), digest)) {
            return (404, String::new(), br#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}"#.to_vec());
        }
    }
    let digest = Digest::of(&request.body).to_string();
    let kept = (request.headers["content-type"].clone(), request.body.clone());
    state.manifests.insert((repository.clone(), digest.clone()), kept.clone());
    state.manifests.insert((repository.clone(), name), kept);
    (201, format!("Location: /v2/{repository}/manifests/{digest}\r\nDocker-Content-Digest: {digest}\r\n"), Vec::new())
}

/// A blob, or the rest of it.
fn ranged(request: &Request, bytes: &[u8], digest: &str) -> Reply {
    let digest = format!("Docker-Content-Digest: {digest}\r\n");
    let from =
        request.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    match from {
        Some(from) => {
            let range = format!("Content-Range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len());
            (206, digest + &range, bytes[from..].to_vec())
        }
        None => (200, digest, bytes.to_vec()),
    }
}

fn head(reader: &mut impl BufRead) -> Option<Request> {
    let mut lines = reader.lines().map_while(Result::ok);
    let first = lines.next()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut pairs: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let value = value.replace("%3A", ":").replace("%2C", ",").replace("%2F", "/");
        // A parameter can come many times: scopes do.
        let all = pairs.entry(name.to_owned()).or_default();
        *all = format!("{all} {value}").trim().to_owned();
    }
    let headers = lines.take_while(|line| !line.is_empty());
    let headers =
        headers.filter_map(|line| Some((line.split_once(": ")?.0.to_lowercase(), line.split_once(": ")?.1.to_owned())));
    Some(Request { method, path: path.to_owned(), query: pairs, headers: headers.collect(), body: Vec::new() })
}

/// Reads what the client sends all the same, so that it comes to read the answer.
fn io_drain(reader: &mut impl Read, request: &Request) {
    let length = request.headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let _ = std::io::copy(&mut reader.take(length), &mut std::io::sink());
}

fn without_digest(headers: &str) -> String {
    headers.split_inclusive("\r\n").filter(|line| !line.starts_with("Docker-Content-Digest")).collect()
}

fn send(mut stream: &TcpStream, request: &Request, reply: &Reply, short: Option<usize>) -> std::io::Result<()> {
    let (code, headers, body) = reply;
    let length = body.len();
    write!(stream, "HTTP/1.1 {code} Said So\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n")?;
    let most = short.unwrap_or(length).min(length);
    if request.method == "HEAD" { Ok(()) } else { stream.write_all(&body[..most]) }
}
