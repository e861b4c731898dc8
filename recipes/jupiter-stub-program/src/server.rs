//! Requests and their answers.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::sync::Mutex;

use serde::Serialize;
use serde_json::{Value, json};
use tiny_http::{Header, Method, Request, Response, Server};

use crate::quote::{AMM, Quote, labels};

/// The largest body of a request.
const BODY: u64 = 1 << 20;

pub type Answer = Response<Cursor<Vec<u8>>>;

/// How many requests each path had, by status.
#[derive(Debug, Default)]
pub struct Count(Mutex<BTreeMap<(String, u16), u64>>);

/// Answers requests until the process ends.
pub fn serve(server: &Server, answer: impl Fn(&mut Request) -> Answer) {
    for mut request in server.incoming_requests() {
        let answer = answer(&mut request);
        // Who went away needs no answer.
        let _ = request.respond(answer);
    }
}

/// The answer of the API.
pub fn api(request: &mut Request, count: &Count) -> Answer {
    let url = request.url().to_owned();
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    let query: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let (status, body) = match (request.method(), path) {
        (Method::Get, "/quote") => match Quote::of(&query) {
            Ok(quote) => (200, value(&quote)),
            Err(refusal) => (400, value(&refusal)),
        },
        (Method::Get, "/program-id-to-label") => (200, value(&labels())),
        (Method::Post, "/swap") => swap(request, json!({ "swapTransaction": "AQ==", "lastValidBlockHeight": 0 })),
        (Method::Post, "/swap-instructions") => {
            swap(request, json!({ "swapInstruction": { "programId": AMM, "accounts": [], "data": "" } }))
        }
        _ => (404, json!({ "error": "not found" })),
    };
    let known = if status == 404 { "other" } else { path };
    *count.0.lock().expect("a thread panicked").entry((known.to_owned(), status)).or_default() += 1;
    answer(status, body.to_string(), "application/json")
}

/// What Prometheus reads.
pub fn metrics(count: &Count) -> Answer {
    let counts = count.0.lock().expect("a thread panicked");
    let line = |((path, status), count): (&(String, u16), &u64)| {
        format!("http_requests_total{{path=\"{path}\",status=\"{status}\"}} {count}\n")
    };
    let lines: String = counts.iter().map(line).collect();
    answer(200, format!("# TYPE http_requests_total counter\n{lines}"), "text/plain; version=0.0.4")
}

/// The answer to a request that carries a quote and the key of a user.
fn swap(request: &mut Request, good: Value) -> (u16, Value) {
    let mut body = Vec::new();
    let read = request.as_reader().take(BODY).read_to_end(&mut body);
    let body: Value = read.ok().and_then(|_| serde_json::from_slice(&body).ok()).unwrap_or_default();
    let quote = serde_json::from_value::<Quote>(body["quoteResponse"].clone());
    if quote.is_err() || !body["userPublicKey"].is_string() {
        return (
            400,
            json!({ "error": "quoteResponse and userPublicKey are needed", "errorCode": "INVALID_PARAMETER" }),
        );
    }
    (200, good)
}

fn value(document: &impl Serialize) -> Value {
    serde_json::to_value(document).expect("plain data")
}

fn answer(status: u16, body: String, kind: &str) -> Answer {
    let kind = Header::from_bytes("Content-Type", kind).expect("a plain header");
    Response::from_data(body).with_status_code(status).with_header(kind)
}
