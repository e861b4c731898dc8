//! Blocks of PEM files: RFC 7468, with any text around them.

/// One block of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// What it says it is: `CERTIFICATE`.
    pub label: &'a str,
    /// All of it, with its first and its last line.
    pub text: &'a str,
}

/// The blocks of a file that are complete, in their order.
pub fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    text.match_indices("-----BEGIN ").filter_map(|(start, begin)| {
        let rest = &text[start..];
        let label = rest[begin.len()..].split_once("-----")?.0;
        let end = format!("-----END {label}-----");
        let length = rest.find(&end)? + end.len();
        Some(Block { label, text: &rest[..length] })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_among_text() {
        let one = "-----BEGIN A B-----\nMA==\n-----END A B-----";
        let text = format!("# words\n{one}\nmore\r\n-----BEGIN C-----\r\nMA==\r\n-----END C-----\n-----BEGIN D-----\n");
        let labels: Vec<_> = blocks(&text).map(|block| block.label).collect();
        assert_eq!(labels, ["A B", "C"]);
        assert_eq!(blocks(&text).next(), Some(Block { label: "A B", text: one }));
        assert_eq!(blocks("none").count(), 0);
    }
}
