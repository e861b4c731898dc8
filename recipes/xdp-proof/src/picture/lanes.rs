//! Rates over the same time, a lane for each kind, and what was found.

use std::fmt::Write;

use super::{MARGIN, Picture, WIDTH, line, rect, text};

/// All that such a picture shows, from top to bottom.
pub struct Lanes {
    pub title: String,
    pub words: Vec<String>,
    /// The parts of the time; the last one's end is the end of all.
    pub spans: Vec<Span>,
    pub lanes: Vec<Lane>,
    pub events: Vec<Event>,
    pub findings: Vec<Finding>,
}

/// Two rates over time, in as many equal parts of it as there are numbers.
pub struct Lane {
    pub title: String,
    pub notes: [String; 2],
    /// A colour of the style.
    pub tone: &'static str,
    pub offered: Vec<f64>,
    pub delivered: Vec<f64>,
}

/// A part of the time, with a name.
pub struct Span {
    pub name: String,
    pub from: f64,
    pub to: f64,
}

/// What happened at a time.
pub struct Event {
    pub at: f64,
    pub name: String,
}

/// What was wanted, and what was found.
pub struct Finding {
    pub what: String,
    pub want: String,
    pub got: String,
    pub holds: bool,
}

const STYLE: &str = include_str!("lanes.css");
/// Where time begins and ends.
const LEFT: f64 = 220.0;
const RIGHT: f64 = WIDTH - MARGIN;
const LANE: f64 = 64.0;
const GAP: f64 = 20.0;
const ROW: f64 = 20.0;
/// Where the columns of findings begin.
const GOT: f64 = 452.0;
const WANT: f64 = 660.0;

/// Draws them.
pub fn draw(all: &Lanes) -> Picture {
    let mut elements = text(MARGIN, 36.0, "title", &all.title);
    let mut y = 36.0;
    for words in &all.words {
        y += 19.0;
        elements += &text(MARGIN, y, "soft", words);
    }
    let top = y + 48.0;
    let bottom = top + (LANE + GAP) * all.lanes.len() as f64 - GAP;
    elements += &spans(all, top, bottom);
    for (number, lane) in all.lanes.iter().enumerate() {
        elements += &draw_lane(lane, top + (LANE + GAP) * number as f64);
    }
    elements += &times(all, bottom);
    elements += &events(all, top, bottom);
    let end = bottom + 68.0 + ROW * all.findings.len() as f64;
    elements += &findings(&all.findings, bottom + 88.0);
    Picture { title: all.title.clone(), height: end + 36.0, style: STYLE, elements }
}

impl Lanes {
    fn x(&self, at: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * at / self.seconds()
    }

    fn seconds(&self) -> f64 {
        self.spans.last().map_or(1.0, |span| span.to)
    }
}

fn spans(all: &Lanes, top: f64, bottom: f64) -> String {
    let draw = |(number, span): (usize, &Span)| {
        let (from, to) = (all.x(span.from), all.x(span.to));
        let name = text((from + to) / 2.0, top - 18.0, "head middle", &span.name);
        let band = rect(from, top - 34.0, to - from, bottom - top + 34.0, "band");
        if number % 2 == 1 { band + &name } else { name }
    };
    all.spans.iter().enumerate().map(draw).collect()
}

fn draw_lane(lane: &Lane, top: f64) -> String {
    let most = lane.offered.iter().chain(&lane.delivered).copied().fold(1.0, f64::max);
    let middle = top + LANE / 2.0;
    let mut drawn = text(MARGIN, middle - 12.0, "head", &lane.title);
    for (note, y) in lane.notes.iter().zip([middle + 6.0, middle + 22.0]) {
        drawn += &text(MARGIN, y, "soft", note);
    }
    drawn += &text(LEFT - 6.0, top + 9.0, "soft right", &format!("{}/s", short(most)));
    drawn += &text(LEFT - 6.0, top + LANE, "soft right", "0");
    drawn += &area(&lane.offered, most, top, &format!("{} offered", lane.tone));
    drawn += &area(&lane.delivered, most, top, lane.tone);
    drawn + &line((LEFT, top + LANE), (RIGHT, top + LANE), "axis")
}

/// Steps above the lane's floor.
fn area(rates: &[f64], most: f64, top: f64, class: &str) -> String {
    let (floor, width) = (top + LANE, (RIGHT - LEFT) / rates.len() as f64);
    let mut path = format!("M{LEFT:.1} {floor:.1}");
    for (number, rate) in rates.iter().enumerate() {
        let _ = write!(path, "V{:.1}H{:.1}", floor - LANE * rate / most, LEFT + width * (number + 1) as f64);
    }
    format!("<path class=\"{class}\" d=\"{path}V{floor:.1}Z\"/>\n")
}

fn times(all: &Lanes, bottom: f64) -> String {
    let times = (0..).map(|number| f64::from(number) * 5.0).take_while(|time| *time <= all.seconds());
    times.map(|time| text(all.x(time), bottom + 18.0, "soft middle", &format!("{time:.0} s"))).collect()
}

/// A flag at each, and what they mean below.
fn events(all: &Lanes, top: f64, bottom: f64) -> String {
    let mut drawn = String::new();
    for (number, event) in (1..).zip(&all.events) {
        let x = all.x(event.at);
        drawn += &line((x, top), (x, bottom), "event");
        let _ = writeln!(drawn, "<circle class=\"flag\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"8\"/>", top - 4.0);
        drawn += &text(x, top, "flagged", &number.to_string());
    }
    let meanings = (1..).zip(&all.events).map(|(number, event)| format!("{number}: {}", event.name));
    drawn + &text(RIGHT, bottom + 38.0, "soft right", &meanings.collect::<Vec<_>>().join(" · "))
}

fn findings(findings: &[Finding], top: f64) -> String {
    let mut drawn = text(GOT, top - ROW, "soft", "measured") + &text(WANT, top - ROW, "soft", "has to be");
    for (number, finding) in findings.iter().enumerate() {
        let y = top + ROW * number as f64;
        let (mark, class) = if finding.holds { ("✓", "good") } else { ("✗", "bad") };
        drawn += &text(MARGIN, y, class, mark);
        drawn += &text(MARGIN + 20.0, y, "", &finding.what);
        drawn += &text(GOT, y, if finding.holds { "number" } else { "bad" }, &finding.got);
        drawn += &text(WANT, y, "soft", &finding.want);
    }
    drawn
}

/// A rate in few characters.
fn short(rate: f64) -> String {
    match rate {
        _ if rate >= 1e6 => format!("{:.1} M", rate / 1e6),
        _ if rate >= 1e4 => format!("{:.0} k", rate / 1e3),
        _ => format!("{rate:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_fill_the_lane_from_its_floor_to_its_top() {
        let drawn = area(&[0.0, 50.0, 100.0], 100.0, 10.0, "known");
        let (floor, half) = (10.0 + LANE, 10.0 + LANE / 2.0);
        assert!(drawn.contains(&format!("V{floor:.1}H")), "{drawn}");
        assert!(drawn.contains(&format!("V{half:.1}H")) && drawn.contains(&format!("V10.0H{RIGHT:.1}")), "{drawn}");
    }

    #[test]
    fn rates_are_short() {
        for (rate, words) in [(300.0, "300"), (20_300.0, "20 k"), (10_555_378.0, "10.6 M")] {
            assert_eq!(short(rate), words);
        }
    }
}
