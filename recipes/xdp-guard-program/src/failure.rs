//! Why a verb could not be done.

use std::path::Path;
use std::process::ExitCode;

/// Whose fault it is decides the exit code.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The answer is no, as where nothing is attached.
    #[error("{0}")]
    Negative(String),
    /// What was given is wrong.
    #[error("{0}")]
    Input(String),
    /// The machine, its kernel or its network does not let it happen.
    #[error("{0}")]
    Environment(String),
}

impl Failure {
    /// What a script sees.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Negative(_) => 1,
            Self::Input(_) => 2,
            Self::Environment(_) => 3,
        })
    }
}

/// Makes a failure of the environment of an error, with what was being done.
pub trait During<T> {
    /// `what` is a gerund with its object, as in "reading /proc/stat".
    fn during(self, what: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: std::error::Error> During<T> for Result<T, E> {
    fn during(self, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::Environment(format!("{}: {}", what(), chain(&error))))
    }
}

/// An error and its causes; a cause that the error itself repeats is left out.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// The bytes of a file that was given.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::Input(format!("{}: {error}", path.display())))
}
