//! From the events of the parser to nodes.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::{Entry, Map, Node, Place, Value, scalar};

/// Nothing that people write is as deep.
const DEPTH: usize = 64;

/// Why a text can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Where.
    pub at: Place,
    /// What is wrong, in one line.
    pub title: String,
    /// What to do.
    pub help: String,
}

/// The documents of `text`, whose places say `file`; empty ones are left out.
///
/// # Errors
/// The first mistake.
pub fn read(text: &str, file: usize) -> Result<Vec<Node>, Error> {
    let mut reader = Reader { parser: Parser::new_from_str(text), bytes: Bytes::of(text), file };
    let mut documents = Vec::new();
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => return Ok(documents),
            Event::DocumentStart(_) => {
                let document = reader.node(reader.place(span), DEPTH)?;
                documents.extend((document.value != Value::Null).then_some(document));
            }
            _ => {}
        }
    }
}

/// From a number of characters to one of bytes.
struct Bytes {
    /// Where each character starts; nothing where each is one byte.
    starts: Option<Vec<usize>>,
    len: usize,
}

impl Bytes {
    fn of(text: &str) -> Self {
        let starts = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self { starts, len: text.len() }
    }

    fn at(&self, index: usize) -> usize {
        match &self.starts {
            Some(starts) => starts.get(index).copied().unwrap_or(self.len),
            None => index.min(self.len),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    bytes: Bytes,
    file: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Error> {
        let end = Ok((Event::StreamEnd, Span::default()));
        self.parser.next_event().unwrap_or(end).map_err(|error| self.syntax(&error))
    }

    fn place(&self, span: Span) -> Place {
        let [start, end] = [span.start, span.end].map(|mark| self.bytes.at(mark.index()));
        Place { file: self.file, start, end: end.max(start) }
    }

    fn syntax(&self, error: &ScanError) -> Error {
        let start = self.bytes.at(error.marker().index());
        let at = Place { file: self.file, start, end: start };
        Error { at, title: format!("not YAML: {}", error.info()), help: "see https://yaml.org/spec/1.2.2".to_owned() }
    }

    /// The next value; `key` stands before it.
    fn node(&mut self, key: Place, depth: usize) -> Result<Node, Error> {
        let (event, span) = self.next()?;
        self.value(event, span, key, depth)
    }

    fn value(&mut self, event: Event<'a>, span: Span, key: Place, depth: usize) -> Result<Node, Error> {
        let at = self.place(span);
        let wrong = |title: &str, help: &str| Err(Error { at, title: title.to_owned(), help: help.to_owned() });
        match event {
            Event::Alias(_) => wrong("an alias", "write out what it stands for"),
            Event::Scalar(_, _, 1.., _) | Event::SequenceStart(1.., _) | Event::MappingStart(1.., _) => {
                wrong("an anchor", "drop it, and write out its value where it is used")
            }
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                wrong("a tag", "drop it; a text that looks like a number stands in quotes")
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if depth == 0 => {
                wrong("so deep that it can't be meant", "write it with fewer levels")
            }
            Event::Scalar(text, ScalarStyle::Plain, ..) => match scalar::plain(&text) {
                Some(value) => Ok(Node { value, at: if text.is_empty() { key } else { at } }),
                None => {
                    let title = format!("readers of YAML differ on what `{}` is", text.escape_debug());
                    wrong(&title, "write a text in quotes, `true` or `false`, or a plain decimal number")
                }
            },
            Event::Scalar(text, ..) => Ok(Node::text(at, text)),
            Event::SequenceStart(..) => Ok(Node::list(key, self.items(depth)?)),
            Event::MappingStart(..) => Ok(Node { value: Value::Map(self.entries(depth)?), at: key }),
            _ => wrong("a value is missing", "write one"),
        }
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Node>, Error> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(items);
            }
            let at = self.place(span);
            items.push(self.value(event, span, at, depth - 1)?);
        }
    }

    fn entries(&mut self, depth: usize) -> Result<Map, Error> {
        let mut map = Map::default();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(map);
            }
            let at = self.place(span);
            let key = match event {
                Event::Scalar(text, _, 0, None) => text.into_owned(),
                _ => {
                    return Err(Error {
                        at,
                        title: "a key that is no text".to_owned(),
                        help: "write a word".to_owned(),
                    });
                }
            };
            if map.entry(&key).is_some() {
                let title = format!("`{}` stands twice", key.escape_debug());
                return Err(Error { at, title, help: "keep one of them".to_owned() });
            }
            let node = self.node(at, depth - 1)?;
            map.insert(Entry { key, at, node });
        }
    }
}
