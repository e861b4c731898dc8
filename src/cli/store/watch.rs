//! One moving line for upkeep of the store, hidden where stderr is no terminal; Ctrl-C ends the work.

use std::io::{self, IsTerminal as _};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::error::CliError;
use crate::cli::session;
use crate::store;

/// The line, and Ctrl-C.
pub struct Upkeep {
    bar: ProgressBar,
    stage: Mutex<Option<store::Stage>>,
    cancel: Arc<AtomicBool>,
}

impl Upkeep {
    /// Watches for Ctrl-C from now on.
    pub fn new() -> Result<Self, CliError> {
        let bar = if io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        Ok(Self { bar, stage: Mutex::default(), cancel: session::interrupts()? })
    }

    /// Shows each step that it is told of.
    pub fn watch(&self) -> impl Fn(store::Progress) -> ControlFlow<()> + Sync + '_ {
        |store::Progress { stage, done, total }| {
            let mut shown = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
            if shown.replace(stage) != Some(stage) {
                self.bar.set_style(line(stage));
                self.bar.set_length(total);
            }
            self.bar.set_position(done);
            if self.cancel.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
}

fn line(stage: store::Stage) -> ProgressStyle {
    ProgressStyle::with_template(match stage {
        store::Stage::Mark => "{elapsed_precise} reading results {pos}/{len}",
        store::Stage::Sweep => "{elapsed_precise} removing {wide_bar} {pos}/{len}",
        store::Stage::Hash => "{elapsed_precise} hashing {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}",
    })
    .expect("BUG: a good template")
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
