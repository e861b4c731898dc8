//! A copy of the program, with maps and a config of its own, that shows whether it does what the agent means: a layout
//! that agent and program see differently would let everything pass, or forget all peers, and say nothing.

use super::packet::Datagram;
use crate::abi::{CLASSES, Config, Counters, Limit, Policy, REASON_NAMES, STEP_BITS, Tier, reason_name};
use crate::bpf::maps::{Maps, Peer};
use crate::bpf::object::Object;
use crate::bpf::program::Program;
use crate::failure::Failure;

const NODE: [u8; 4] = [192, 0, 2, 1];
const KNOWN: [u8; 4] = [198, 51, 100, 1];
/// As it is the only peer.
const KNOWN_NUMBER: u16 = 1;
const STRANGER: [u8; 4] = [203, 0, 113, 1];
const OPEN_PORT: u16 = 8001;
const SHUT_PORT: u16 = 8002;
const OPEN: u8 = 1;
const SHUT: u8 = 2;

/// A copy of the program.
pub struct Trial {
    program: Program,
    maps: Maps,
}

/// A packet, and what becomes of it.
struct Case {
    source: ([u8; 4], u16),
    port: u16,
    payload: &'static [u8],
    class: u8,
    reason: &'static str,
    drops: bool,
}

const CASES: [Case; 7] = [
    case((STRANGER, 9000), 9, b"hello", 0, "unclassed", false),
    case((STRANGER, 9000), OPEN_PORT, b"hello", OPEN, "unknown", false),
    case((KNOWN, 9000), OPEN_PORT, b"hello", OPEN, "peer", false),
    case((STRANGER, 53), OPEN_PORT, b"hello", OPEN, "source_port", true),
    case((STRANGER, 9000), OPEN_PORT, b"hi", OPEN, "length", true),
    case((STRANGER, 9000), OPEN_PORT, b"Hello", OPEN, "content", true),
    case((STRANGER, 9000), SHUT_PORT, b"hello", SHUT, "source_limit", true),
];

const fn case(
    source: ([u8; 4], u16),
    port: u16,
    payload: &'static [u8],
    class: u8,
    reason: &'static str,
    drops: bool,
) -> Case {
    Case { source, port, payload, class, reason, drops }
}

fn config() -> Config {
    let open =
        Policy { source_port_min: 1024, payload_min: 4, byte: [0xff, b'a', b'z'], enforce: true, ..Policy::OPEN };
    let shut = Policy { tiers: [Tier { each: Limit::SHUT, all: Limit::NONE }; 4], enforce: true, ..Policy::OPEN };
    let mut config = Config { locals: vec![NODE.into()], ..Config::open() };
    config.policies[usize::from(OPEN)] = open;
    config.policies[usize::from(SHUT)] = shut;
    config.udp = vec![(OPEN_PORT, OPEN), (SHUT_PORT, SHUT)];
    config
}

impl Trial {
    /// Loads the copy.
    pub fn new(object: &Object) -> Result<Self, Failure> {
        let mut program = Program::load(object, false)?;
        let mut maps = program.take_maps()?;
        maps.fill(&[(KNOWN.into(), Peer { tier: 1, due: [0; CLASSES] })].into())?;
        maps.set_config(&config())?;
        Ok(Self { program, maps })
    }

    /// The tag of the program.
    pub fn tag(&self) -> Result<[u8; 8], Failure> {
        Ok(self.program.info()?.tag)
    }

    /// Whether each packet has its verdict.
    pub fn judge(&self) -> Result<(), Failure> {
        CASES.iter().try_for_each(|case| self.try_case(case))
    }

    fn try_case(&self, case: &Case) -> Result<(), Failure> {
        let before = self.maps.counters()?;
        let frame = Datagram { source: case.source, to: (NODE, case.port), payload: case.payload }.frame();
        let drops = self.program.drops(&frame)?;
        let counted = difference(&before, &self.maps.counters()?);
        let want = vec![(usize::from(case.class), case.reason)];
        if drops == case.drops && counted == want {
            return Ok(());
        }
        Err(Failure::Environment(format!(
            "the program does not do what it should, so nothing was changed\n  \
             want {want:?}, dropped: {}\n  got  {counted:?}, dropped: {drops}",
            case.drops
        )))
    }

    /// The kernel's jiffies, as the program sees them: when the next packet of a sender without a limit is due.
    pub fn jiffies(&self) -> Result<u64, Failure> {
        let frame = Datagram { source: (KNOWN, 9000), to: (NODE, OPEN_PORT), payload: b"hello" }.frame();
        self.program.drops(&frame)?;
        Ok(self.maps.dues()?.get(KNOWN_NUMBER)[usize::from(OPEN)] >> STEP_BITS)
    }
}

/// Classes and reasons that counted a packet.
fn difference(before: &Counters, after: &Counters) -> Vec<(usize, &'static str)> {
    let all = (0..before.len()).flat_map(|class| (0..=REASON_NAMES.len()).map(move |reason| (class, reason)));
    all.filter(|(class, reason)| before[*class][*reason] != after[*class][*reason])
        .map(|(class, reason)| (class, reason_name(reason)))
        .collect()
}
