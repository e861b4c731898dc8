//! The program and the model side by side: both are told the same, judge the same frames, and must remember the same.

use std::fmt::Write;

use anyhow::{Result, bail, ensure};

use crate::abi::{Config, Limit, Peer};
use crate::hook::{Hook, Kind, Settings};
use crate::model::{Address, Frame, Model};
use crate::verdict::Verdict;

/// Both sides, and the time on their clock.
pub struct Duel {
    pub hook: Hook,
    pub model: Model,
    now: u64,
    active: u32,
}

impl Duel {
    /// Loads a program that is to be tested on a CPU, and makes a model of it.
    pub fn new(object: &[u8], kind: Kind, cpu: usize, seed: u64, sampling: Limit) -> Result<Self> {
        let hook = Hook::load(object, kind, Settings { seed, sampling, testing: true }, cpu)?;
        Ok(Duel { hook, model: Model::new(seed, sampling), now: 0, active: 0 })
    }

    /// Puts another configuration in the place that did not count, lets it count, and replaces the peers.
    pub fn apply(&mut self, config: &Config, peers: &[(Address, Peer)]) -> Result<()> {
        self.active ^= 1;
        self.hook.set_config(self.active, config)?;
        self.hook.set_active(self.active)?;
        *self.model.config = *config;
        for (address, _) in self.model.peers.drain() {
            self.hook.remove_peer(address)?;
        }
        for (address, peer) in peers {
            self.hook.insert_peer(*address, peer)?;
            self.model.peers.insert(*address, *peer);
        }
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
        let local4 = config.local4.map(u32::to_le_bytes);
        let _ =
            writeln!(text, "  addresses: {local4:?} {:x?}, drop_fragments: {}", config.local6, config.drop_fragments);
        let _ = writeln!(text, "  time: {}, bytes in reach: {}", self.now, frame.reach());
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

    /// Compares counters and what is due within the ceilings and of peers.
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
        ensure!(state == *self.model.state, "what is due within the ceilings, or of samples, differs");
        for (address, expected) in &self.model.peers {
            let peer = self.hook.peer(*address)?;
            ensure!(peer == *expected, "{address:?} differs\n  program: {peer:?}\n  model:   {expected:?}");
        }
        Ok(())
    }

    /// Compares what unknown senders owe.
    pub fn compare_sketch(&self) -> Result<()> {
        let sketch = self.hook.sketch()?;
        for (row, (ours, theirs)) in self.model.sketch.rows.iter().zip(&sketch.due).enumerate() {
            let cell = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs);
            ensure!(cell.is_none(), "cell {cell:?} of row {row} of the sketch differs");
        }
        Ok(())
    }
}
