//! Packets that were dropped, or would have been: a line of JSON each.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use super::frame::Flow;
use super::{Shared, look};
use crate::abi::{Sample, reason_name};
use crate::bpf::maps;
use crate::host::record::Record;

/// The program wakes nobody, as that would cost more than the packet.
const PAUSE: Duration = Duration::from_millis(200);

/// Hands the lines to `print` until it fails, in a thread of its own.
pub fn follow(shared: Arc<Mutex<Shared>>, print: impl Fn(&str) -> std::io::Result<()> + Send + 'static) {
    std::thread::spawn(move || {
        while drain(&shared, &print).is_ok() {
            std::thread::sleep(PAUSE);
        }
    });
}

/// Follows the ring buffer of one program, until another one is attached.
fn drain(shared: &Mutex<Shared>, print: impl Fn(&str) -> std::io::Result<()>) -> std::io::Result<()> {
    let folder: PathBuf = look(shared).folder.clone();
    let Ok(mut ring) = maps::samples(&folder) else { return Ok(()) };
    while look(shared).folder == folder {
        let record = look(shared).record.clone();
        while let Some(item) = ring.next() {
            if let Some(sample) = Sample::of(&item) {
                print(&line(&sample, &record))?;
            }
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

fn line(sample: &Sample, record: &Record) -> String {
    let Flow { source, destination, protocol, source_port, port } = Flow::of(&sample.head);
    json!({
        "nanoseconds": sample.nanoseconds,
        "source": source,
        "source_port": source_port,
        "destination": destination,
        "port": port,
        "length": sample.length,
        "protocol": protocol,
        "class": record.class(usize::from(sample.class)),
        "tier": sample.tier,
        "reason": reason_name(usize::from(sample.reason)),
        "dropped": sample.enforced,
    })
    .to_string()
}
