//! The verdicts of the same frames on every kernel, as one digest: frames by hand, and random ones of a fixed seed, all
//! as far in reach as the kernel puts them there by itself.

use anyhow::Result;
use sha2::{Digest, Sha256};

use crate::corpus::Case;
use crate::duel::Duel;
use crate::generate::Traffic;
use crate::hook::Kind;

const SEED: u64 = 6;
/// Random frames, and how many of them come under one configuration.
const FRAMES: usize = 16 * TURN;
const TURN: usize = 1024;

/// The digest of the program's verdicts: of frames by hand, which it has judged, and of random ones. Each is the model's
/// as well.
pub fn run(cases: &[Case], object: &[u8], kind: Kind, cpu: usize) -> Result<String> {
    let mut digest = Sha256::new();
    for case in cases.iter().filter(|case| case.reach.is_none()) {
        digest.update(case.verdict.report().to_le_bytes());
    }
    random(&mut Duel::new(object, kind, cpu, SEED, false)?, &mut digest)?;
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn random(duel: &mut Duel, digest: &mut Sha256) -> Result<()> {
    let mut traffic = Traffic::new(SEED);
    let mut frame = Vec::new();
    for packet in 0..FRAMES {
        if packet % TURN == 0 {
            traffic.turn();
            duel.wait(traffic.pause())?;
            duel.apply(&traffic.config, &traffic.peers)?;
        }
        traffic.frame(&mut frame);
        while !duel.hook.takes(&frame) {
            traffic.frame(&mut frame);
        }
        duel.wait(traffic.wait())?;
        let joined = if duel.hook.joins() { traffic.joined() } else { None };
        let verdict = duel.judge(duel.hook.frame(&frame).joined(joined))?;
        digest.update(verdict.report().to_le_bytes());
    }
    Ok(())
}
