//! The program and the model side by side: both are told the same, judge the same frames, and must remember the same.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::{Result, bail, ensure};

use crate::abi::Config;
use crate::hook::{Hook, Kind, Settings};
use crate::model::{Frame, Model};
use crate::roster::{Known, Roster};
use crate::verdict::Verdict;

/// Both sides, and the time on their clock.
pub struct Duel {
    pub hook: Hook,
    pub model: Model,
    roster: Roster,
    now: u64,
}

impl Duel {
    /// Loads a program that is to be tested on a CPU, and makes a model of it.
    pub fn new(object: &[u8], kind: Kind, cpu: usize, seed: u64, sampling: bool) -> Result<Self> {
        let hook = Hook::load(object, kind, Settings { seed, sampling, testing: true }, cpu)?;
        Ok(Duel { hook, model: Model::new(seed, sampling), roster: Roster::new(), now: 0 })
    }

    /// Lets another configuration count, and replaces the peers. Debts stay with the numbers of peers.
    pub fn apply(&mut self, config: &Config, peers: &[Known]) -> Result<()> {
        self.hook.set_config(config)?;
        *self.model.config = *config;
        self.roster.set(peers)?;
        self.hook.set_peers(&self.roster)?;
        self.model.peers = peers.iter().map(|known| (known.address.halves(), *known)).collect();
        Ok(())
    }

    /// Lets time pass, in steps.
    pub fn wait(&mut self, steps: u64) -> Result<()> {
        if steps > 0 {
            self.now += steps;
            self.hook.set_clock(self.now)?;
        }
        Ok(())
    }

    /// Lets both judge a frame; who disagree are an error that shows all that matters.
    pub fn judge(&mut self, frame: Frame<'_>) -> Result<Verdict> {
        let report = self.hook.run(frame)?;
        let expected = self.judge_by_model(frame);
        if report == expected.report() {
            return Ok(expected);
        }
        bail!(self.disagreement(frame, report, expected))
    }

    /// Lets only the model judge a frame that the program has judged.
    pub fn judge_by_model(&mut self, frame: Frame<'_>) -> Verdict {
        self.model.judge(frame, self.now)
    }

    fn disagreement(&self, frame: Frame<'_>, report: u32, expected: Verdict) -> String {
        let program = Verdict::parse(report).map_or(format!("no verdict: {report:#x}"), |verdict| verdict.to_string());
        let mut text = format!("the verdicts differ\n  program: {program}\n  model:   {expected}\n");
        let class = Verdict::parse(report).map_or(expected.class, |verdict| verdict.class);
        for class in if class == expected.class { vec![class] } else { vec![class, expected.class] } {
            let policy = self.model.config.policies.get(usize::from(class));
            let _ = writeln!(text, "  policy of class {class}: {policy:?}");
            let due = self.model.state.due.get(usize::from(class));
            let _ = writeln!(text, "  due within its ceilings: {due:?}");
        }
        let config = &self.model.config;
        let local4: BTreeSet<_> = config.local4.iter().map(|address| address.to_le_bytes()).collect();
        let local6: BTreeSet<_> = config.local6.iter().map(|address| (address.network, address.host)).collect();
        let _ = writeln!(text, "  addresses: {local4:?} {local6:x?}, drop_fragments: {}", config.drop_fragments);
        let _ = writeln!(text, "  time: {}, bytes in reach: {}, {:?}", self.now, frame.reach(), frame.parts());
        let hex: String = frame.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = write!(text, "  frame of {} bytes: {hex}", frame.bytes().len());
        text
    }

    /// Compares the samples that came since the last time.
    pub fn compare_samples(&mut self) -> Result<()> {
        while let Some(expected) = self.model.samples.pop_front() {
            let sample = self.hook.sample();
            ensure!(sample == Some(expected), "the samples differ\n  program: {sample:?}\n  model:   {expected:?}");
        }
        let sample = self.hook.sample();
        ensure!(sample.is_none(), "the program sampled what the model did not: {sample:?}");
        Ok(())
    }

    /// Compares counters and what is due within the ceilings.
    pub fn compare_state(&self) -> Result<()> {
        let state = self.hook.state()?;
        for (class, (ours, theirs)) in self.model.state.counters.iter().zip(&state.counters).enumerate() {
            for (reason, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                ensure!(
                    ours == theirs,
                    "counters of class {class}, reason {reason}: program {theirs:?}, model {ours:?}"
                );
            }
        }
        ensure!(state == *self.model.state, "what is due within the ceilings, or when a sample was made, differs");
        Ok(())
    }

    /// Compares what peers and others owe.
    pub fn compare_debts(&self) -> Result<()> {
        let dues = self.hook.dues()?;
        for (number, (ours, theirs)) in self.model.dues.of.iter().zip(&dues.of).enumerate() {
            ensure!(ours == theirs, "dues of peer {number} differ\n  program: {theirs:?}\n  model:   {ours:?}");
        }
        let sketch = self.hook.sketch()?;
        for (row, (ours, theirs)) in self.model.sketch.rows.iter().zip(&sketch.due).enumerate() {
            let cell = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs);
            ensure!(cell.is_none(), "cell {cell:?} of row {row} of the sketch differs");
        }
        Ok(())
    }
}
