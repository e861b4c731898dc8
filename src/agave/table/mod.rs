//! The arguments of all lines. A name has several rows where lines take it in different ways.

mod absent;
mod accounts;
mod ledger;
mod network;
mod node;
mod rpc;
mod test_validator;

use super::argument::Argument;
use super::{Line, Program};
pub(super) use absent::advice;

/// What a program's arguments stand in.
fn rows(program: Program) -> impl Iterator<Item = &'static Argument> {
    let rows: &[&'static [Argument]] = match program {
        Program::Validator => &[accounts::ROWS, ledger::ROWS, network::ROWS, node::ROWS, rpc::ROWS],
        Program::TestValidator => &[test_validator::ROWS],
    };
    rows.iter().copied().flatten()
}

/// What the table knows of a name in a line.
pub(super) enum Found {
    /// The line takes it.
    Taken(&'static Argument),
    /// It takes it, but should not be given it.
    Deprecated(&'static Argument),
    /// Only older lines take it.
    Gone(&'static Argument),
    /// Only newer lines take it.
    New(&'static Argument),
}

/// What the table knows of the argument `name`.
pub(super) fn find(program: Program, line: Line, name: &str) -> Option<Found> {
    let mut last = None;
    for row in rows(program).filter(|row| row.name == name) {
        if row.is_taken(line) {
            return Some(if line < row.deprecated { Found::Taken(row) } else { Found::Deprecated(row) });
        }
        last = Some(if line < row.since { Found::New(row) } else { Found::Gone(row) });
        if line < row.since {
            break;
        }
    }
    last
}

/// The arguments that one may give to a program in a line.
pub(super) fn names(program: Program, line: Line) -> Vec<&'static str> {
    let taken = rows(program).filter(|row| row.is_taken(line) && line < row.deprecated);
    taken.map(|row| row.name).collect()
}

/// What each program must be told.
pub(super) fn required(program: Program) -> &'static [(&'static str, &'static str)] {
    const LEDGER: (&str, &str) =
        ("ledger", "without it the ledger stands in whatever folder the program is started in");
    match program {
        Program::Validator => &[("identity", "add the path of the node's key"), LEDGER],
        Program::TestValidator => &[LEDGER],
    }
}

#[cfg(test)]
mod tests;
