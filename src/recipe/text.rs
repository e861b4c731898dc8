//! The texts of all files, laid end to end, so that one number names any place in the project.
//!
//! A value that was merged from several files keeps a span that says which file it came from.

use std::ops::Range;
use std::sync::Arc;

use crate::path::RelPath;

/// A place in the laid-out texts.
pub(crate) type Span = Range<usize>;

/// One file as it was read.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: RelPath,
    pub(crate) text: String,
}

/// All files, each with the position at which it starts; one position between two files belongs to the end of the
/// first.
pub(crate) struct Texts(Vec<(usize, Arc<File>)>);

impl Texts {
    pub(crate) fn new(files: impl IntoIterator<Item = (RelPath, String)>) -> Self {
        let mut start = 0;
        let lay = |(path, text): (RelPath, String)| {
            let file = (start, Arc::new(File { path, text }));
            start += file.1.text.len() + 1;
            file
        };
        Self(files.into_iter().map(lay).collect())
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = (usize, &File)> {
        self.0.iter().map(|(start, file)| (*start, &**file))
    }

    /// The file in which `span` starts, and the span within it.
    pub(crate) fn locate(&self, span: &Span) -> (Arc<File>, Span) {
        let index = self.0.partition_point(|(start, _)| *start <= span.start);
        let (start, file) = &self.0[index.checked_sub(1).expect("BUG: a span before the first file")];
        (Arc::clone(file), span.start - start..span.end.max(span.start) - start)
    }

    /// Where `needle` stands in `span`; all of `span` if it is written otherwise there (with escapes).
    pub(crate) fn find(&self, span: &Span, needle: &str) -> Span {
        let (file, within) = self.locate(span);
        let found = file.text.get(within).and_then(|text| text.find(needle));
        found.map_or(span.clone(), |offset| span.start + offset..span.start + offset + needle.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_name_files() {
        let path = |text| RelPath::new(text).expect("clean");
        let texts = Texts::new([(path("a"), "12".to_owned()), (path("b"), String::new()), (path("c"), "345".to_owned())]);
        for (span, file, within) in [(0..1, "a", 0..1), (2..2, "a", 2..2), (3..3, "b", 0..0), (4..6, "c", 0..2)] {
            let (found, place) = texts.locate(&span);
            assert_eq!((found.path.as_str(), place), (file, within));
        }
        assert_eq!(texts.find(&(4..7), "5"), 6..7);
        assert_eq!(texts.find(&(4..7), "x"), 4..7);
    }
}
