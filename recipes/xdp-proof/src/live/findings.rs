//! What has to hold, and whether it does.

use serde::Serialize;

use super::schedule::{FLOOD, HEAVY, ORPHANED, PHASES, begin, end};
use super::senders::Kind;
use super::traffic::Traffic;
use super::{CEILING, LIMIT};
use crate::words::number;

/// Something that has to hold.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub what: &'static str,
    pub want: String,
    pub got: String,
    pub holds: bool,
}

/// What a flood has to be at least, in packets a second.
const FLOOD_BAR: f64 = 1e6;
/// How far a limit may be missed.
const TOLERANCE: f64 = 0.02;
/// How long an unknown sender may miss packets after a flood, in seconds.
const RECOVERY: f64 = 1.0;

/// All that has to hold.
pub(super) fn findings(traffic: &Traffic) -> Vec<Finding> {
    vec![
        flood(traffic),
        seen(traffic),
        known(traffic),
        heavy(traffic),
        counted(traffic),
        recovery(traffic),
        orphaned(traffic),
        swapped(traffic),
        overrun(traffic),
    ]
}

/// Packets of the first flood.
fn flooded(traffic: &Traffic) -> f64 {
    let bursts = traffic.bursts.iter().filter(|burst| burst.from < end(FLOOD));
    bursts.map(|burst| f64::from(burst.packets)).sum()
}

fn flood(traffic: &Traffic) -> Finding {
    let rate = flooded(traffic) / PHASES[FLOOD].seconds;
    let holds = rate >= FLOOD_BAR;
    let got = if holds { number(rate) } else { format!("this machine offers no more than {}", number(rate)) };
    Finding { what: "invented packets a second", want: format!("at least {}", number(FLOOD_BAR)), got, holds }
}

/// The guard has to have met what was sent: it can't be judged by what is lost on the way to it.
fn seen(traffic: &Traffic) -> Finding {
    let reasons = ["unknown", "ceiling", "source_limit"];
    let ((from, before), (to, after)) = (&traffic.told.before, &traffic.told.after);
    let (lost, arrived) = traffic.sent(Kind::Unknown);
    let of_the_other = lost.iter().chain(&arrived).filter(|at| (from..to).contains(at)).count();
    let met = (after.packets(&reasons) - before.packets(&reasons)) as f64 - of_the_other as f64;
    let part = met / flooded(traffic) * 100.0;
    Finding {
        what: "of them met the guard",
        want: "all but 0.1 %".into(),
        got: format!("{} ({part:.2} %)", number(met)),
        holds: part >= 99.9,
    }
}

fn known(traffic: &Traffic) -> Finding {
    let (lost, arrived) = traffic.sent(Kind::Known);
    let sent = lost.len() + arrived.len();
    let got = format!("{} of {}", lost.len(), number(sent as f64));
    Finding { what: "packets of known peers lost", want: "0".into(), got, holds: lost.is_empty() && sent >= 1000 }
}

fn heavy(traffic: &Traffic) -> Finding {
    let (lost, arrived) = traffic.sent(Kind::Heavy);
    let sent = lost.len() + arrived.len();
    let limit = f64::from(LIMIT.rate);
    let most = limit * (PHASES[HEAVY].seconds + f64::from(LIMIT.burst_ms) / 1000.0);
    let got = arrived.len() as f64;
    Finding {
        what: "packets of a heavy sender passed",
        want: format!("{} ± {:.0} %", number(most), TOLERANCE * 100.0),
        got: format!("{} of {}", number(got), number(sent as f64)),
        holds: (got / most - 1.0).abs() <= TOLERANCE,
    }
}

/// The guard's own count of what it took from the heavy sender: nobody else was above that limit before the flood.
fn counted(traffic: &Traffic) -> Finding {
    let lost = traffic.sent(Kind::Heavy).0.len() as u64;
    let counted = traffic.told.before.1.packets(&["source_limit"]);
    Finding {
        what: "of its others the guard counted",
        want: number(lost as f64),
        got: number(counted as f64),
        holds: counted == lost,
    }
}

fn recovery(traffic: &Traffic) -> Finding {
    let (lost, _) = traffic.sent(Kind::Unknown);
    let after = |phase: usize| {
        let until = if phase + 1 < PHASES.len() { end(phase + 1) } else { f64::MAX };
        let late = lost.iter().filter(|at| (end(phase)..until).contains(*at)).map(|at| at - end(phase));
        late.fold(0.0, f64::max)
    };
    let longest = after(FLOOD).max(after(ORPHANED));
    Finding {
        what: "an unknown sender misses packets after a flood",
        want: format!("for {RECOVERY} s at most"),
        got: format!("for {longest:.2} s"),
        holds: longest <= RECOVERY,
    }
}

/// Between the agent's death and the first new program.
fn orphaned(traffic: &Traffic) -> Finding {
    let [killed, upgraded] = [0, 1].map(|number| traffic.told.done.get(number).map_or(0.0, |done| done.at));
    let passed = traffic.arrivals.spoofed.iter().filter(|at| (killed..upgraded).contains(*at)).count();
    let rate = passed as f64 / (upgraded - killed);
    Finding {
        what: "invented packets a second pass without the agent",
        want: format!("{} at most", number(f64::from(CEILING))),
        got: number(rate),
        holds: rate > 0.0 && rate <= f64::from(CEILING) * (1.0 + TOLERANCE),
    }
}

fn swapped(traffic: &Traffic) -> Finding {
    let tags = &traffic.told.tags;
    let swaps = tags.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let (lost, _) = traffic.sent(Kind::Known);
    let lost = lost.iter().filter(|at| **at >= begin(ORPHANED)).count();
    Finding {
        what: "packets of known peers lost to upgrade and rollback",
        want: "0 in 3".into(),
        got: format!("{lost} in {swaps}"),
        holds: lost == 0 && swaps == 3,
    }
}

/// What the test itself loses says nothing of the guard.
fn overrun(traffic: &Traffic) -> Finding {
    let (before, behind) = (traffic.lost, traffic.arrivals.overrun);
    Finding {
        what: "packets lost before and behind the guard",
        want: "0 and 0".into(),
        got: format!("{before} and {behind}"),
        holds: before + behind == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::receiver::Arrivals;
    use super::super::schedule::{DEEDS, length};
    use super::super::senders::Sender;
    use super::super::traffic::{Done, Told};
    use super::*;
    use crate::live::agent::Status;
    use crate::live::flood::Burst;

    fn status(reason: &str, packets: u64) -> Status {
        let count = serde_json::json!({ "class": "gossip", "reason": reason, "packets": packets });
        serde_json::from_value(serde_json::json!({ "tag": "a", "counts": [count] })).unwrap()
    }

    /// As it should be: of the heavy sender the first 5,200 packets arrive, of all others everything.
    fn right() -> Traffic {
        let every = |seconds: f64, from: f64, to: f64| {
            let times = (0..).map(move |number| from + f64::from(number) * seconds);
            times.take_while(move |at| *at < to).collect::<Vec<f64>>()
        };
        let sent: Vec<Vec<f64>> = Sender::ALL
            .iter()
            .map(|sender| match sender.kind {
                Kind::Heavy => every(0.0005, begin(HEAVY), end(HEAVY)),
                _ => every(0.01, 0.0, length()),
            })
            .collect();
        let numbers = sent.iter().map(|sent| (0..sent.len().min(5200) as u64).collect()).collect();
        let lost = sent.last().map_or(0, |sent| sent.len() as u64 - 5200);
        let (from, to) = (begin(FLOOD), end(FLOOD));
        let tags = ["a", "a", "b", "a", "b"].map(String::from).into();
        let done = DEEDS.iter().map(|(at, deed)| Done { deed: *deed, at: begin(ORPHANED) + at }).collect();
        Traffic {
            sent,
            bursts: vec![Burst { from, to, packets: 6_000_000 }],
            arrivals: Arrivals { numbers, spoofed: every(0.0001, 0.0, length()), overrun: 0 },
            told: Told {
                before: (from, status("source_limit", lost)),
                after: (from, status("ceiling", 6_000_000 + lost)),
                tags,
                done,
            },
            lost: 0,
        }
    }

    type Change<'a> = &'a dyn Fn(&mut Traffic);

    fn missed(traffic: &Traffic) -> Vec<&'static str> {
        findings(traffic).into_iter().filter(|finding| !finding.holds).map(|finding| finding.what).collect()
    }

    #[test]
    fn what_is_right_holds() {
        assert_eq!(missed(&right()), [""; 0]);
    }

    #[test]
    fn whatever_is_wrong_is_missed() {
        let wrong = |change: Change| {
            let mut traffic = right();
            change(&mut traffic);
            missed(&traffic)
        };
        let lose = |traffic: &mut Traffic, sender: usize, after: f64| {
            let number = traffic.sent[sender].iter().position(|at| *at > after).unwrap() as u64;
            traffic.arrivals.numbers[sender].retain(|other| *other != number);
        };
        let cases: [(Change, &[&str]); 8] = [
            (&|traffic| traffic.bursts[0].packets = 4_000_000, &["invented packets a second"]),
            (&|traffic| traffic.told.after.1 = status("ceiling", 5_900_000), &["of them met the guard"]),
            (&|traffic| lose(traffic, 1, 1.0), &["packets of known peers lost"]),
            (&|traffic| traffic.told.before.1 = status("source_limit", 7), &["of its others the guard counted"]),
            (&|traffic| lose(traffic, 2, end(FLOOD) + 1.1), &["an unknown sender misses packets after a flood"]),
            (&|traffic| lose(traffic, 2, end(FLOOD) + 0.5), &[]),
            (&|traffic| traffic.arrivals.spoofed.clear(), &["invented packets a second pass without the agent"]),
            (&|traffic| traffic.arrivals.overrun = 1, &["packets lost before and behind the guard"]),
        ];
        for (change, expect) in cases {
            assert_eq!(wrong(change), expect);
        }
        let tags = wrong(&|traffic| traffic.told.tags = vec!["a".into(); 5]);
        assert_eq!(tags, ["packets of known peers lost to upgrade and rollback"]);
    }
}
