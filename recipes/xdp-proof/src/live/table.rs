//! A test's report as people read it.

use std::fmt::{Display, Formatter, Result};

use super::findings::Finding;
use super::report::Report;

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        writeln!(out, "{}", self.machine)?;
        writeln!(out, "{:52} {:>20}  {:28}", "", "wanted", "")?;
        self.findings.iter().try_for_each(|finding| writeln!(out, "{finding}"))
    }
}

impl Display for Finding {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let Finding { what, want, got, holds } = self;
        write!(out, "{what:52} {want:>20}  {got:28}  {}", if *holds { "ok" } else { "MISSED" })
    }
}
