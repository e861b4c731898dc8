//! What is attached, and what it counted.

use std::os::fd::AsFd;

use serde::Serialize;

use super::site::Folders;
use crate::abi::{Counters, MALFORMED, reason_name};
use crate::bpf::kernel;
use crate::failure::{During, Failure};
use crate::host::pins::Attached;
use crate::host::record::Record;

/// What is attached to an interface.
#[derive(Debug, Serialize)]
pub struct Status {
    /// Its name.
    pub interface: String,
    /// `xdp` or `tcx`.
    pub hook: &'static str,
    /// The id of the program.
    pub program: u32,
    /// Of its instructions, in hexadecimal.
    pub tag: String,
    /// Jiffies in a second; none where nothing is kept about the program.
    pub hertz: Option<u64>,
    /// Peers by tier; the first are in gossip.
    pub peers: [usize; 3],
    /// What was counted.
    pub counts: Vec<Count>,
}

/// Packets of a class with a verdict.
#[derive(Debug, Serialize)]
pub struct Count {
    /// The name of the class.
    pub class: String,
    /// Why it passed or not.
    pub reason: &'static str,
    /// What became of it.
    pub verdict: &'static str,
    /// Frames.
    pub packets: u64,
    /// Of whole frames.
    pub bytes: u64,
}

impl Status {
    /// What is attached to an interface; none where nothing is.
    pub fn of(folders: &Folders, interface: &str) -> Result<Option<Self>, Failure> {
        loop {
            let Some(attached) = folders.pins(interface).attached()? else { return Ok(None) };
            let told = Self::tell(folders, interface, &attached);
            // A program that was replaced meanwhile takes its maps along.
            let now = folders.pins(interface).attached()?.map(|now| now.info.program);
            if told.is_ok() || now == Some(attached.info.program) {
                return told.map(Some);
            }
        }
    }

    fn tell(folders: &Folders, interface: &str, attached: &Attached) -> Result<Self, Failure> {
        let program = kernel::program(attached.program()?.as_fd()).during(|| "asking for the program".into())?;
        let record = Record::read(&folders.run, interface, program.id);
        let maps = attached.maps()?;
        let mut peers = [0; 3];
        for tier in maps.tiers()?.into_values() {
            peers[usize::from(tier).clamp(1, 3) - 1] += 1;
        }
        Ok(Self {
            interface: interface.into(),
            hook: attached.info.hook.map_or("other", |hook| hook.name()),
            program: program.id,
            tag: hex(&program.tag),
            hertz: record.as_ref().map(|record| record.hertz),
            peers,
            counts: counts(&maps.counters()?, record.as_ref()),
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let Self { interface, hook, program, tag, hertz, peers, counts } = self;
        let hertz = hertz.map_or("unknown".into(), |hertz| hertz.to_string());
        let [gossip, staked, top] = peers;
        let mut text = format!(
            "{interface}: {hook}, program {program}, tag {tag}, {hertz} jiffies a second\n\
             peers: {gossip} gossip, {staked} staked, {top} top"
        );
        for Count { class, reason, verdict, packets, bytes } in counts {
            text += &format!("\n{class:<16} {reason:<14} {verdict:<9} {packets:>14} packets {bytes:>16} bytes");
        }
        text
    }
}

/// Counters that are not 0.
pub fn counts(counters: &Counters, record: Option<&Record>) -> Vec<Count> {
    let mut counts = Vec::new();
    for (number, reasons) in counters.iter().enumerate() {
        let class = record.map_or_else(|| number.to_string(), |record| record.class(number));
        let enforced = record.is_some_and(|record| record.enforced.contains(&number));
        for (reason, counter) in reasons.iter().enumerate().filter(|(_, counter)| counter.packets != 0) {
            let verdict = match (reason < MALFORMED, enforced) {
                (true, _) => "passed",
                (false, true) => "dropped",
                (false, false) => "observed",
            };
            let (class, reason) = (class.clone(), reason_name(reason));
            counts.push(Count { class, reason, verdict, packets: counter.packets, bytes: counter.bytes });
        }
    }
    counts
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::Counter;

    #[test]
    fn tells_what_became_of_what_was_counted() {
        let mut counters = Counters::default();
        for (class, reason) in [(1, 4), (1, 9), (2, 9)] {
            counters[class][reason] = Counter { packets: 1, bytes: 60 };
        }
        let classes = ["none", "a", "b"].map(String::from).into();
        let record = Record { program: 1, hertz: 250, samples: false, classes, enforced: vec![2] };
        let counts = counts(&counters, Some(&record));
        let told: Vec<_> = counts.iter().map(|count| (&*count.class, count.reason, count.verdict)).collect();
        let expect = [("a", "peer", "passed"), ("a", "source_port", "observed"), ("b", "source_port", "dropped")];
        assert_eq!(told, expect);
    }
}
