//! The arguments of a program, one a line, as a file.

use super::Error;
use crate::store::{Output, Store};

/// The file with `lines`.
///
/// # Errors
/// Where the store fails.
pub fn assemble(store: &Store, lines: &[String]) -> Result<Output, Error> {
    let blob = store.put(text(lines).as_bytes())?;
    Ok(Output::File { blob, executable: false })
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_ends() {
        assert_eq!(text(&["--a".to_owned(), "1".to_owned()]), "--a\n1\n");
        assert_eq!(text(&[]), "");
    }
}
