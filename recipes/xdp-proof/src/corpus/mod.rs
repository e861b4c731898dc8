//! Frames by hand, at least one for every branch of the guard, with the verdict and the counter that they should get.

pub mod build;
mod ipv4;
mod ipv6;
mod joined;
mod link;
pub mod node;
mod senders;
mod tcp;
mod udp;

use anyhow::{Context, Result, ensure};

use crate::abi::{Counter, State};
use crate::duel::Duel;
use crate::hook::{Hook, Kind, Settings};
use crate::model::{Frame, Joined};
use crate::roster::Roster;
use crate::verdict::{Reason, Verdict};

/// Nobody owes anything after this time.
const PAUSE: u64 = 1 << 32;

/// A frame, and what is to become of it.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub frame: Vec<u8>,
    pub verdict: Verdict,
    /// Whether pieces of UDP datagrams are dropped.
    pub drop_fragments: bool,
    /// How many bytes are in reach where that is not up to the kernel.
    pub reach: Option<usize>,
    /// Whether only the bytes in reach are counted, as nothing asks for the others.
    pub in_reach: bool,
    /// What it was put together of, and how many packets it counts for.
    pub joined: Option<(Joined, u64)>,
}

impl Case {
    /// What drops is enforced, but in the class that is only watched.
    fn new(name: impl Into<String>, frame: Vec<u8>, reason: Reason, class: u8, tier: u8) -> Self {
        let enforced = reason.drops() && class != node::INITIAL;
        let verdict = Verdict { reason, class, tier, enforced };
        Case { name: name.into(), frame, verdict, drop_fragments: true, reach: None, in_reach: false, joined: None }
    }

    /// A frame that nothing is known about but why it ends.
    fn bare(name: impl Into<String>, frame: Vec<u8>, reason: Reason) -> Self {
        Case::new(name, frame, reason, 0, 0)
    }

    fn parts(&self) -> Option<Joined> {
        self.joined.map(|(parts, _)| parts)
    }

    fn with_reach(self, reach: usize) -> Self {
        Case { reach: Some(reach), ..self }
    }

    fn joined(self, segments: u16, bytes: u16, packets: u64) -> Self {
        Case { joined: Some((Joined { segments, bytes }, packets)), ..self }
    }

    fn keeping_fragments(self) -> Self {
        Case { drop_fragments: false, ..self }
    }
}

/// All frames.
pub fn cases() -> Vec<Case> {
    [link::cases(), ipv4::cases(), ipv6::cases(), udp::cases(), tcp::cases(), senders::cases(), joined::cases()]
        .concat()
}

/// Runs all frames that the kernel takes at this hook, and returns them.
pub fn run(object: &[u8], kind: Kind, cpu: usize) -> Result<Vec<Case>> {
    let mut duel = Duel::new(object, kind, cpu, 7, true)?;
    let cases: Vec<Case> = cases().into_iter().filter(|case| can_run(case, &duel.hook)).collect();
    for drop_fragments in [false, true] {
        duel.apply(&node::config(drop_fragments), &node::peers())?;
        for case in cases.iter().filter(|case| case.drop_fragments == drop_fragments) {
            judge(&mut duel, case).with_context(|| format!("corpus, {kind:?}: {}", case.name))?;
        }
    }
    duel.compare_debts().with_context(|| format!("corpus, {kind:?}: debts after all frames"))?;
    run_unsampled(object, kind, cpu)?;
    Ok(cases)
}

/// Runs a frame that is dropped where no samples are wanted.
fn run_unsampled(object: &[u8], kind: Kind, cpu: usize) -> Result<()> {
    let mut duel = Duel::new(object, kind, cpu, 7, false)?;
    duel.apply(&node::config(true), &node::peers())?;
    let case = Case::new("a frame without a sample", senders::beyond_ceiling(), Reason::Ceiling, node::CLOSED, 0);
    judge(&mut duel, &case).with_context(|| format!("corpus, {kind:?}: {}", case.name))
}

/// Whether the kernel runs a case at a hook.
fn can_run(case: &Case, hook: &Hook) -> bool {
    let can_be = case.joined.is_none() || hook.joins();
    can_be && if case.reach.is_some() { hook.splits() } else { hook.takes(&case.frame) }
}

/// Runs the same frames as on a node, where the program says only whether they pass.
pub fn run_untested(object: &[u8], kind: Kind, cpu: usize) -> Result<()> {
    let settings = Settings { seed: 7, sampling: true, testing: false };
    let mut hook = Hook::load(object, kind, settings, cpu)?;
    let mut roster = Roster::new();
    roster.set(&node::peers())?;
    hook.set_peers(&roster)?;
    for case in &cases() {
        if !can_run(case, &hook) {
            continue;
        }
        hook.set_config(&node::config(case.drop_fragments))?;
        let action = hook.run(Frame::new(&case.frame, case.frame.len()).joined(case.parts()))?;
        let expected = kind.action(case.verdict.enforced);
        ensure!(action == expected, "{kind:?}: {} returns {action}; right is {expected}", case.name);
    }
    Ok(())
}

fn judge(duel: &mut Duel, case: &Case) -> Result<()> {
    duel.wait(PAUSE)?;
    let before = duel.hook.state()?;
    let frame = case.reach.map_or(duel.hook.frame(&case.frame), |reach| Frame::new(&case.frame, reach));
    let frame = frame.joined(case.parts());
    let report = duel.hook.run(frame)?;
    let got = Verdict::parse(report);
    let text = got.map_or(format!("{report:#x}"), |verdict| verdict.to_string());
    ensure!(got == Some(case.verdict), "the program says {text}; right is {}", case.verdict);
    let length = if case.in_reach { frame.reach() } else { case.frame.len() };
    let counted = counted(&before, &duel.hook.state()?);
    let packets = case.joined.map_or(1, |(_, packets)| packets);
    let expected = (case.verdict.class, case.verdict.reason as u8, Counter { packets, bytes: length as u64 });
    ensure!(counted == [expected], "class, reason and counter are {counted:?}; right is {expected:?}");
    duel.judge_by_model(frame);
    duel.compare_state()?;
    duel.compare_samples()
}

/// Which counters of which class and reason grew, and by how much.
fn counted(before: &State, after: &State) -> Vec<(u8, u8, Counter)> {
    let mut grown = Vec::new();
    for (class, (before, after)) in before.counters.iter().zip(&after.counters).enumerate() {
        for (reason, (before, after)) in before.iter().zip(after).enumerate().filter(|(_, (old, new))| old != new) {
            let [packets, bytes] = [after.packets - before.packets, after.bytes - before.bytes];
            grown.push((class as u8, reason as u8, Counter { packets, bytes }));
        }
    }
    grown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_different() {
        let cases = cases();
        let names: std::collections::BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
        assert_eq!(names.len(), cases.len());
    }

    #[test]
    fn the_model_agrees_with_what_was_written_by_hand() {
        for case in cases().iter().filter(|case| !case.in_reach) {
            let mut model = crate::model::Model::new(7, true);
            *model.config = *node::config(case.drop_fragments);
            model.peers.extend(node::peers().iter().map(|known| (known.address.halves(), *known)));
            let reach = case.reach.unwrap_or(3520);
            assert_eq!(
                model.judge(Frame::new(&case.frame, reach).joined(case.parts()), 1),
                case.verdict,
                "{}",
                case.name
            );
        }
    }
}
