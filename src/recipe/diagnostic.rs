//! Errors with their places: file, line, caret, what is wrong, what to do next.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::text::{File, Span, Texts};
use crate::path::RelPath;
use crate::words::nearest;

/// At most so many errors are told at once: one missing quote can make an error of every line behind it.
const MAX_TOLD: usize = 100;

/// An error with its place.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    title: String,
    marks: Vec<Mark>,
    help: Option<String>,
}

/// A span of one file, and what to say about it.
#[derive(Clone, Debug)]
struct Mark {
    file: Arc<File>,
    span: Span,
    label: String,
}

impl Diagnostic {
    /// An error without a place in a text, such as a file that can't be read; `title` names the file.
    pub(crate) fn bare(title: String) -> Self {
        Self { title, marks: Vec::new(), help: None }
    }

    /// An error that came out after the recipes were read, at the place of a text in quotes: the
    /// first in the file `path` (of content `text`) after the word `after`, or else the first.
    /// Nothing if it stands in another file, as after `extends`.
    #[must_use]
    pub fn at_text(path: RelPath, text: String, after: &str, quoted: &str, title: String) -> Option<Self> {
        let find = |from: usize| {
            let places =
                ['"', '\''].into_iter().filter_map(|quote| text[from..].find(&format!("{quote}{quoted}{quote}")));
            places.min().map(|at| from + at)
        };
        let start = find(text.find(after).unwrap_or_default()).or_else(|| find(0))?;
        let span = start..start + quoted.len() + 2;
        let texts = Texts::new([(path, text)]);
        Some(Fault::new(span, title).locate(&texts))
    }

    /// The file at fault, relative to the project; nothing if it could not be read.
    #[must_use]
    pub fn file(&self) -> Option<&RelPath> {
        self.marks.first().map(|mark| &mark.file.path)
    }

    /// The line at fault, from 1.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        let mark = self.marks.first()?;
        Some(1 + mark.file.text.as_bytes()[..mark.span.start].iter().filter(|byte| **byte == b'\n').count())
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The drawing, several lines without a newline at the end; with terminal colours if `color`.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let mut group = Group::with_title(Level::ERROR.primary_title(&self.title));
        for (index, mark) in self.marks.iter().enumerate() {
            let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let label = Some(mark.label.as_str()).filter(|label| !label.is_empty());
            let annotation = kind.span(mark.span.clone()).label(label);
            group =
                group.element(Snippet::source(&mark.file.text).path(mark.file.path.as_str()).annotation(annotation));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostic {}

/// An error whose places are still positions in the laid-out texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    title: String,
    marks: Vec<(Span, String)>,
    help: Option<String>,
}

impl Fault {
    pub(crate) fn new(span: Span, title: impl Into<String>) -> Self {
        Self { title: title.into(), marks: vec![(span, String::new())], help: None }
    }

    /// Says something beside the caret.
    pub(crate) fn label(mut self, text: impl Into<String>) -> Self {
        self.marks[0].1 = text.into();
        self
    }

    /// Points at a second place.
    pub(crate) fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.marks.push((span, text.into()));
        self
    }

    /// Says what to do next.
    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Says "did you mean", if one of `known` is close to `word`, and `otherwise` if not.
    pub(crate) fn suggest<'a>(
        self,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
        otherwise: impl Into<String>,
    ) -> Self {
        match nearest(word, known) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self.help(otherwise),
        }
    }

    fn locate(self, texts: &Texts) -> Diagnostic {
        let mark = |(span, label): (Span, String)| {
            let (file, span) = texts.locate(&span);
            let whole = |at: &usize| file.text.is_char_boundary(*at);
            let start = (0..=span.start).rev().find(whole).unwrap_or_default();
            let end = (span.end.max(start)..file.text.len()).find(whole).unwrap_or(file.text.len());
            Mark { file, span: start..end, label }
        };
        Diagnostic { title: self.title, marks: self.marks.into_iter().map(mark).collect(), help: self.help }
    }
}

/// Every fault once, in the order of files and lines; behind the first [`MAX_TOLD`] only how many there are.
pub(crate) fn locate(mut faults: Vec<Fault>, texts: &Texts) -> Vec<Diagnostic> {
    faults.sort_by(|a, b| (a.marks[0].0.start, &a.title).cmp(&(b.marks[0].0.start, &b.title)));
    faults.dedup();
    let untold = faults.len().saturating_sub(MAX_TOLD);
    let more = (untold > 0).then(|| Diagnostic::bare(format!("errors that are not shown here: {untold}")));
    faults.into_iter().take(MAX_TOLD).map(|fault| fault.locate(texts)).chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawing() {
        let path = RelPath::new("recipes/hello.toml").expect("clean");
        let texts = Texts::new([(path, "kind = \"cmd\"\nsteps = 1\n".to_owned())]);
        let fault = Fault::new(21..22, "`steps` must be a list").label("a number").help("write `[\"…\"]`");
        let drawn = &locate(vec![fault.clone(), fault], &texts)[..];
        assert_eq!(drawn.len(), 1);
        assert_eq!((drawn[0].line(), drawn[0].title()), (Some(2), "`steps` must be a list"));
        let expected = "error: `steps` must be a list
 --> recipes/hello.toml:2:9
  |
2 | steps = 1
  |         ^ a number
  |
  = help: write `[\"…\"]`";
        assert_eq!(drawn[0].to_string(), expected);
        assert!(drawn[0].render(true).contains("\x1b["));
    }

    #[test]
    fn a_text_is_found_again() {
        let path = RelPath::new("recipes/x.toml").expect("clean");
        let text = "[sources]\na = { path = ['*.c'] }\nb = { path = [\"*.c\"] }\n";
        let line = |after: &str, quoted: &str| {
            let found = Diagnostic::at_text(path.clone(), text.to_owned(), after, quoted, "x".to_owned());
            found.and_then(|found| found.line())
        };
        assert_eq!(
            [line("\nb", "*.c"), line("\na", "*.c"), line("gone", "*.c"), line("a", "*.h")],
            [Some(3), Some(2), Some(2), None]
        );
    }

    #[test]
    fn spans_outside_the_text_are_cut() {
        let path = RelPath::new("a").expect("clean");
        let texts = Texts::new([(path, "ü".to_owned())]);
        for span in [0..0, 0..1, 1..2, 2..2, 1..9] {
            locate(vec![Fault::new(span, "x")], &texts)[0].to_string();
        }
    }

    #[test]
    fn only_so_many_are_told() {
        let path = RelPath::new("a").expect("clean");
        let texts = Texts::new([(path, "x".repeat(200))]);
        let told = |count: usize| locate((0..count).map(|at| Fault::new(at..at, "x")).collect(), &texts);
        assert_eq!(told(MAX_TOLD).len(), MAX_TOLD);
        let many = told(MAX_TOLD + 7);
        assert_eq!(many.len(), MAX_TOLD + 1);
        assert_eq!(many[MAX_TOLD].to_string(), "error: errors that are not shown here: 7");
    }
}
