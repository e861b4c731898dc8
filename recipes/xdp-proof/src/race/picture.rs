//! A race's report as a picture.

use super::{Line, Report, Verified};
use crate::picture::Picture;
use crate::picture::bars::{Bar, Group, draw as draw_bars};
use crate::words::number;

/// Bars of the ratios by what they are ratios to.
pub fn draw(report: &Report) -> Picture {
    let Report { machine, rounds, verified, .. } = report;
    let verified: Vec<String> = verified.iter().map(verified_words).collect();
    let words = [
        format!(
            "Time per packet as a ratio within the same round: median of {rounds} rounds; thin lines go from p10 to p90."
        ),
        "A thick line is the bar that the ratio may not exceed; what is grey has none.".into(),
        format!("{machine}, on one of them. 5,000 peers, 5,000 addresses in xdp-filter."),
        format!("The verifier looks at {}.", verified.join(" and ")),
    ];
    draw_bars("What the guard costs", &words, "per packet", &groups(&report.lines))
}

fn verified_words(one: &Verified) -> String {
    let Verified { program, instructions, bar } = one;
    let [instructions, bar] = [instructions, bar].map(|count| number(f64::from(*count)));
    format!("{instructions} instructions of {program} (bar: {bar})")
}

/// Lines of the same unit stand together, in the order of the first of them.
fn groups(all: &[Line]) -> Vec<Group> {
    let mut groups: Vec<(String, Vec<&Line>)> = Vec::new();
    for line in all {
        let title = title(line);
        match groups.iter_mut().find(|(other, _)| *other == title) {
            Some((_, lines)) => lines.push(line),
            None => groups.push((title, vec![line])),
        }
    }
    let group = |(title, lines): (String, Vec<&Line>)| {
        let bars = lines.iter().map(|line| bar(line)).collect();
        Group { title, scale: scale(all, lines[0].is_to_filter()), bars }
    };
    groups.into_iter().map(group).collect()
}

fn title(line: &Line) -> String {
    let unit = if line.is_to_filter() { "Times Debian's xdp-filter" } else { "Times an empty program" };
    format!("{unit}{}", if line.hardened { ", hardened kernel (bpf_jit_harden=2)" } else { "" })
}

fn bar(line: &Line) -> Bar {
    let Line { case, nanoseconds, ratio, bar, .. } = line;
    let note = format!("{:.1} ns", nanoseconds.median);
    Bar { label: (*case).into(), value: ratio.median, spread: (ratio.p10, ratio.p90), limit: *bar, note }
}

/// The end of the scale of all groups of a unit.
fn scale(all: &[Line], to_filter: bool) -> f64 {
    let same = all.iter().filter(|line| line.is_to_filter() == to_filter);
    same.map(|line| line.ratio.p90.max(line.bar.unwrap_or(0.0))).fold(0.0, f64::max) * 1.03
}
