//! What was seen of the objects that are shipped, in a file beside them: one fact a line; `#` begins a comment.
//!
//! ```text
//! verdicts solana_xdp <sha256>    of all frames that each kernel can be given, one after the other (see `vector`)
//! tag solana_xdp <hex>            as the kernel has it of the program's instructions; until Linux 6.17
//! tag solana_xdp <hex>            and from 6.18 on, which takes another hash
//! ```

use anyhow::{Result, ensure};

/// The facts that are expected.
pub struct Record(Vec<String>);

impl Record {
    /// The facts of a file's text.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        Record(lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
    }

    /// Whether a fact is among those expected.
    pub fn check(&self, fact: &str) -> Result<()> {
        let kind = fact.rsplit_once(' ').map_or(fact, |(kind, _)| kind);
        let known: Vec<&String> = self.0.iter().filter(|line| line.starts_with(kind)).collect();
        ensure!(
            self.0.iter().any(|line| line == fact),
            "what is recorded is another:\n  want one of {known:?}\n  got  {fact}\n  \
             where the guard was changed, write that into the record"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_has_a_line() {
        let record = Record::parse("# what was seen\ntag a 00ff  # of old kernels\ntag a 11ff\n\nverdicts a 77\n");
        for fact in ["tag a 00ff", "tag a 11ff", "verdicts a 77"] {
            record.check(fact).unwrap();
        }
        let error = record.check("tag a 22ff").unwrap_err().to_string();
        assert!(error.contains("tag a 00ff") && error.contains("tag a 11ff") && !error.contains("verdicts"), "{error}");
        assert!(record.check("tag b 00ff").is_err());
    }
}
