//! A test's report as a picture.

use super::findings::Finding;
use super::report::{Lane, Report};
use super::schedule::Deed;
use crate::picture::Picture;
use crate::picture::lanes::{self, Event, Lanes, Span};
use crate::words::number;

/// A lane for each kind of sender, over the parts of the test.
pub fn draw(report: &Report) -> Picture {
    let phases = report.phases.iter();
    let events = report.done.iter();
    let findings = report.findings.iter();
    lanes::draw(&Lanes {
        title: "What reaches the node".into(),
        words: vec![
            "Packets a second by sender: light is what was sent, dark is what reached the node's socket.".into(),
            format!("{}; all packets come in on one of them.", report.machine),
        ],
        lanes: report.lanes.iter().map(|lane| draw_lane(lane, report.part)).collect(),
        spans: phases.map(|(name, from, to)| Span { name: (*name).into(), from: *from, to: *to }).collect(),
        events: events.map(|done| Event { at: done.at, name: words(done.deed).into() }).collect(),
        findings: findings.map(draw_finding).collect(),
    })
}

fn draw_lane(lane: &Lane, part: f64) -> lanes::Lane {
    let total = |rates: &[f64]| number(rates.iter().sum::<f64>() * part);
    lanes::Lane {
        title: lane.kind.words().into(),
        notes: [format!("sent {}", total(&lane.offered)), format!("arrived {}", total(&lane.delivered))],
        tone: lane.kind.tone(),
        offered: lane.offered.clone(),
        delivered: lane.delivered.clone(),
    }
}

fn draw_finding(finding: &Finding) -> lanes::Finding {
    let Finding { what, want, got, holds } = finding.clone();
    lanes::Finding { what: what.into(), want, got, holds }
}

fn words(deed: Deed) -> &'static str {
    match deed {
        Deed::Kill => "agent killed",
        Deed::Upgrade => "upgrade",
        Deed::Rollback => "rollback",
    }
}
