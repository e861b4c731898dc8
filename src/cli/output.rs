//! The two streams: data to stdout, words to stderr.
//!
//! A reader that went away is no reason to fail: what can't be written is dropped.

use std::io::{self, Write as _};

use serde::Serialize;

/// Prints a line of data.
pub fn data(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Prints rows of data with their columns aligned.
pub fn table<const N: usize>(rows: &[[String; N]]) {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    for row in rows {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        data(cells.join("  ").trim_end());
    }
}

/// Prints raw data.
pub fn raw(bytes: &[u8]) {
    let _ = io::stdout().lock().write_all(bytes);
}

/// Prints one JSON object on a line.
pub fn json(value: &impl Serialize) {
    data(&serde_json::to_string(value).expect("BUG: plain data"));
}

/// Prints words for people.
pub fn words(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Lines of a recipe, set off from words.
pub fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
