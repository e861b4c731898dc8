//! Jupiter's swap API with fixed prices: the flags, endpoints and forms of the real one, for tests of charts,
//! gateways and failover.
//!
//! | endpoint | answer |
//! |---|---|
//! | `GET /quote` | a [`quote::Quote`], or 400 with `error` and `errorCode` |
//! | `POST /swap` | `swapTransaction`, which no cluster takes |
//! | `POST /swap-instructions` | `swapInstruction`, which does nothing |
//! | `GET /program-id-to-label` | the label of the one market |
//! | `GET /metrics` on the port for Prometheus | requests by path |

mod options;
mod quote;
mod server;

use clap::Parser as _;
use tiny_http::Server;

use options::Options;
use server::Count;

fn main() {
    let options = Options::parse();
    let count = Count::default();
    let listen = |port: u16| {
        Server::http((options.host.as_str(), port)).unwrap_or_else(|error| {
            eprintln!("error: {}:{port}: {error}", options.host);
            std::process::exit(1)
        })
    };
    let (api, metrics) = (listen(options.port), options.metrics_port.map(listen));
    println!("listening on {}:{}", options.host, options.port);
    std::thread::scope(|scope| {
        for _ in 0..options.webserver_thread_count.max(1) {
            scope.spawn(|| server::serve(&api, |request| server::api(request, &count)));
        }
        if let Some(metrics) = &metrics {
            scope.spawn(|| server::serve(metrics, |_| server::metrics(&count)));
        }
    });
}
