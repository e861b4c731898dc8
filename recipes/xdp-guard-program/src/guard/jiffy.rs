//! How many jiffies a second has. No file says it for sure: `getconf CLK_TCK` is what the kernel tells user space,
//! whatever its own is, and its config is not always there. The program's own clock is read instead, twice. As each
//! reading takes its time, a pair says only between which rates the true one is: time goes by until one is left.

use std::time::{Duration, Instant};

use super::trial::Trial;
use crate::failure::Failure;

/// What kernels of x86-64 and arm64 can be built with.
const RATES: [u64; 4] = [100, 250, 300, 1000];
/// By how much a reading may lag behind the true number, as where a CPU that slept wakes up.
const LAG: u64 = 2;
const PAUSE: Duration = Duration::from_millis(20);
const TIME_MAX: Duration = Duration::from_secs(30);

/// The program's clock, read at some time from `from` to `to`.
#[derive(Clone, Copy)]
struct Reading {
    from: Duration,
    to: Duration,
    jiffies: u64,
}

/// Jiffies in a second.
pub fn measure(trial: &Trial) -> Result<u64, Failure> {
    let start = Instant::now();
    let read = || {
        let from = start.elapsed();
        trial.jiffies().map(|jiffies| Reading { from, to: start.elapsed(), jiffies })
    };
    let first = read()?;
    loop {
        std::thread::sleep(PAUSE);
        let left = possible(first, read()?);
        match left[..] {
            [rate] => return Ok(rate),
            [] => return Err(failed("the program's clock runs at no rate that a kernel has", &left)),
            _ if start.elapsed() > TIME_MAX => return Err(failed("this machine is too busy: try again", &left)),
            _ => {}
        }
    }
}

fn failed(why: &str, left: &[u64]) -> Failure {
    Failure::Environment(format!(
        "how long a jiffy is can't be measured: {why}\n  want one of {RATES:?} in a second\n  got  {left:?}"
    ))
}

/// The rates that a pair of readings allows.
fn possible(first: Reading, last: Reading) -> Vec<u64> {
    let jiffies = last.jiffies.saturating_sub(first.jiffies);
    let longest = (last.to - first.from).as_secs_f64();
    let shortest = last.from.saturating_sub(first.to).as_secs_f64();
    let fits = |rate: &u64| {
        let (least, most) = (shortest * *rate as f64, longest * *rate as f64);
        (jiffies + LAG) as f64 >= least && (jiffies.saturating_sub(LAG)) as f64 <= most
    };
    RATES.into_iter().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_one_rate_when_enough_time_went_by() {
        let reading =
            |from, to, jiffies| Reading { from: Duration::from_millis(from), to: Duration::from_millis(to), jiffies };
        let first = reading(0, 1, 1000);
        for (last, expect) in [
            (reading(20, 21, 1005), vec![250, 300]),
            (reading(200, 201, 1050), vec![250]),
            (reading(200, 201, 1060), vec![300]),
            (reading(200, 201, 1020), vec![100]),
            (reading(200, 201, 1200), vec![1000]),
            (reading(200, 300, 1060), vec![250, 300]),
            (reading(1000, 1001, 1000), vec![]),
        ] {
            assert_eq!(possible(first, last), expect, "{} {}", last.from.as_millis(), last.jiffies);
        }
    }
}
