//! A race's report as people read it.

use std::fmt::{Display, Formatter, Result};

use super::{Line, Report, Verified};

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let Report { machine, rounds, noise, lines, verified } = self;
        writeln!(out, "{machine}; {rounds} rounds, the empty program's p90 is {noise:.2} of its p10")?;
        writeln!(out, "{:24} {:>6}  {:32} {:>5} {:>11}  {:>5}", "", "ns", "against", "ratio", "p10-p90", "bar")?;
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        verified.iter().try_for_each(|verified| writeln!(out, "{verified}"))
    }
}

impl Display for Line {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let Line { case, against, hardened, nanoseconds, ratio, bar } = self;
        let against = format!("{against}{}", if *hardened { ", jit_harden=2" } else { "" });
        let spread = format!("{:.2}-{:.2}", ratio.p10, ratio.p90);
        let (nanoseconds, ratio) = (nanoseconds.median, ratio.median);
        write!(out, "{case:24} {nanoseconds:6.1}  {against:32} {ratio:5.2} {spread:>11}")?;
        match bar {
            Some(bar) => write!(out, "  {bar:5.2}  {}", word(self.is_missed())),
            None => Ok(()),
        }
    }
}

impl Display for Verified {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let Verified { program, instructions, bar } = self;
        let missed = word(instructions > bar);
        write!(out, "{program:24} {instructions:6}  verified instructions {:>31}  {missed}", bar)
    }
}

fn word(is_missed: bool) -> &'static str {
    if is_missed { "MISSED" } else { "ok" }
}
