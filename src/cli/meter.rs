//! One line for many transfers: how many are over, and how many bytes came.
//!
//! On a terminal it moves; elsewhere a plain line is printed now and then.

use std::io::{self, IsTerminal as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output;
use crate::words;

/// How often there is a plain line.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// How often the line moves while nothing comes.
const TICK: Duration = Duration::from_millis(120);

/// Counts transfers of several threads.
pub struct Meter {
    verb: &'static str,
    bar: ProgressBar,
    told: Mutex<Instant>,
}

impl Meter {
    /// A line on `items` transfers; `verb` says what they are: `copying`.
    pub fn new(verb: &'static str, items: usize) -> Self {
        let bar = if io::stderr().is_terminal() { ProgressBar::new(items as u64) } else { ProgressBar::hidden() };
        bar.set_length(items as u64);
        let style = ProgressStyle::with_template("{elapsed_precise} {pos}/{len} {wide_msg}");
        bar.set_style(style.expect("BUG: a good template"));
        bar.enable_steady_tick(TICK);
        Self { verb, bar, told: Mutex::new(Instant::now()) }
    }

    /// The transfer called `name` has `got` bytes of `total`, where that is known.
    pub fn transferred(&self, name: &str, got: u64, total: Option<u64>) {
        let of = total.map(|total| format!(" of {}", words::size(total))).unwrap_or_default();
        let line = format!("{} {name}: {}{of}", self.verb, words::size(got));
        self.bar.set_message(line.clone());
        let Ok(mut told) = self.told.lock() else { return };
        if self.bar.is_hidden() && told.elapsed() >= PLAIN_EVERY {
            *told = Instant::now();
            output::words(&format!(
                "{line}; {} of {} done",
                self.bar.position(),
                self.bar.length().unwrap_or_default()
            ));
        }
    }

    /// One transfer is over.
    pub fn over(&self) {
        self.bar.inc(1);
    }

    /// Prints while the line is out of the way.
    pub fn suspended(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
