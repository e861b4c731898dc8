//! Kconfig files, read line by line.

use super::{Definition, Expression, Kconfig};

/// The architecture whose files are read.
const ARCHITECTURE: &str = "x86";

/// Files are named by files at most so many deep: Linux has 8.
const MAX_DEPTH: usize = 32;

/// Why Kconfig files could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Failed<E> {
    /// What gives the files failed.
    #[error(transparent)]
    File(E),
    /// A file is not there.
    #[error("there is no `{0}`")]
    Gone(String),
    /// Files name each other.
    #[error("`{0}` is named by too many files, one in the other")]
    Deep(String),
}

/// What surrounds a symbol's definition.
#[derive(Clone, Debug, Default)]
struct Around {
    depends: Vec<Expression>,
    visible: Vec<Expression>,
    choice: Option<usize>,
}

/// What the attributes that follow belong to.
#[derive(Clone, Debug, PartialEq)]
enum Subject {
    Nothing,
    Symbol(String),
    Around,
}

struct Parser<'f, E> {
    file: &'f mut dyn FnMut(&str) -> Result<Option<String>, E>,
    kconfig: Kconfig,
    /// From the outermost to the innermost, each with what those around it say.
    around: Vec<Around>,
    subject: Subject,
    choices: usize,
}

pub(super) fn read<E>(file: &mut dyn FnMut(&str) -> Result<Option<String>, E>) -> Result<Kconfig, Failed<E>> {
    let mut parser = Parser {
        file,
        kconfig: Kconfig::default(),
        around: vec![Around::default()],
        subject: Subject::Nothing,
        choices: 0,
    };
    parser.file("Kconfig", 0)?;
    Ok(parser.kconfig)
}

impl<E> Parser<'_, E> {
    fn file(&mut self, path: &str, depth: usize) -> Result<(), Failed<E>> {
        if depth > MAX_DEPTH {
            return Err(Failed::Deep(path.to_owned()));
        }
        let text = (self.file)(path).map_err(Failed::File)?.ok_or_else(|| Failed::Gone(path.to_owned()))?;
        for line in statements(&text) {
            let (word, rest) = line.split_once(|c: char| c.is_whitespace() || c == '"').unwrap_or((&line, ""));
            let rest = if line[word.len()..].starts_with('"') { &line[word.len()..] } else { rest.trim() };
            if ["source", "rsource", "osource", "orsource"].contains(&word) {
                self.source(path, word, rest, depth)?;
            } else {
                self.statement(word, rest);
            }
        }
        Ok(())
    }

    /// Another file; `r` is relative to this one, `o` need not be there.
    fn source(&mut self, from: &str, word: &str, rest: &str, depth: usize) -> Result<(), Failed<E>> {
        let named = rest.trim_matches('"').replace("$(srctree)/", "");
        let named = named.replace("$(SRCARCH)", ARCHITECTURE).replace("$(HEADER_ARCH)", ARCHITECTURE);
        let folder = from.rsplit_once('/').filter(|_| word.ends_with("rsource")).map(|(folder, _)| folder);
        let path = folder.map_or(named.clone(), |folder| format!("{folder}/{named}"));
        self.subject = Subject::Nothing;
        match self.file(&path, depth + 1) {
            Err(Failed::Gone(gone)) if word.starts_with('o') && gone == path => Ok(()),
            result => result,
        }
    }

    fn statement(&mut self, word: &str, rest: &str) {
        match word {
            "config" | "menuconfig" => self.symbol(rest),
            "menu" => self.open(None),
            "choice" => {
                self.choices += 1;
                self.open(Some(self.choices));
            }
            "if" => {
                self.open(None);
                self.inner().depends.extend(parts(rest));
            }
            "endmenu" | "endchoice" | "endif" => {
                self.around.truncate(self.around.len().saturating_sub(1).max(1));
                self.subject = Subject::Nothing;
            }
            "comment" | "mainmenu" => self.subject = Subject::Nothing,
            _ => self.attribute(word, rest),
        }
    }

    fn symbol(&mut self, name: &str) {
        let around = self.inner().clone();
        let definition = Definition { depends: around.depends, choice: around.choice, ..Definition::default() };
        self.kconfig.symbols.entry(name.to_owned()).or_default().definitions.push(definition);
        self.subject = Subject::Symbol(name.to_owned());
    }

    fn open(&mut self, choice: Option<usize>) {
        let outer = self.inner().clone();
        self.around.push(Around { choice: choice.or(outer.choice), ..outer });
        self.subject = Subject::Around;
    }

    fn inner(&mut self) -> &mut Around {
        self.around.last_mut().expect("BUG: nothing surrounds a statement")
    }

    fn attribute(&mut self, word: &str, rest: &str) {
        match self.subject.clone() {
            Subject::Nothing => {}
            Subject::Around => match word {
                "depends" => self.inner().depends.extend(parts(after("on", rest))),
                "visible" => self.inner().visible.extend(parts(after("if", rest))),
                // Whether a choice can be made.
                "prompt" | "bool" | "tristate" => {
                    self.inner().visible.extend(condition(rest).1.map_or(Vec::new(), Expression::parts));
                }
                _ => {}
            },
            Subject::Symbol(name) => self.of_symbol(&name, word, rest),
        }
    }

    fn of_symbol(&mut self, name: &str, word: &str, rest: &str) {
        if word == "select" {
            let (target, condition) = condition(rest);
            let target = self.kconfig.symbols.entry(target.trim().to_owned()).or_default();
            target.selected.push((name.to_owned(), condition));
            return;
        }
        let visible = self.inner().visible.clone();
        let symbol = self.kconfig.symbols.get_mut(name).expect("BUG: attributes of no symbol");
        let definition = symbol.definitions.last_mut().expect("BUG: attributes of no definition");
        match word {
            "depends" => definition.depends.extend(parts(after("on", rest))),
            "range" => definition.range = Some(rest.to_owned()),
            "bool" | "tristate" | "string" | "int" | "hex" | "prompt" => {
                definition.is_bool |= word == "bool";
                if rest.starts_with(['"', '\'']) {
                    let (_, condition) = condition(rest);
                    definition.prompt =
                        Some(visible.into_iter().chain(condition.map_or(Vec::new(), Expression::parts)).collect());
                }
            }
            "def_bool" => definition.is_bool = true,
            _ => {}
        }
    }
}

/// What stands after a word.
fn after<'t>(word: &str, text: &'t str) -> &'t str {
    text.strip_prefix(word).unwrap_or(text)
}

/// The parts of a condition; none of what is no expression.
fn parts(text: &str) -> Vec<Expression> {
    Expression::read(text).map_or(Vec::new(), Expression::parts)
}

/// What stands before ` if `, outside quotes, and the condition after it.
fn condition(text: &str) -> (&str, Option<Expression>) {
    let mut quote = None;
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (None, '"' | '\'') => quote = Some(char),
            (Some(open), _) if open == char => quote = None,
            (None, 'i') if at > 0 && text[at..].starts_with("if") => {
                let bounded = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || c == '(' || c == '"');
                if bounded(text[..at].chars().last()) && bounded(text[at + 2..].chars().next()) {
                    return (&text[..at], Expression::read(&text[at + 2..]));
                }
            }
            _ => {}
        }
    }
    (text, None)
}

/// The statements of a file: lines that go on joined, without comments, empty lines and helps.
fn statements(text: &str) -> Vec<String> {
    let (mut found, mut lines) = (Vec::new(), text.lines().peekable());
    while let Some(line) = lines.next() {
        let mut statement = without_comment(line).trim().to_owned();
        while statement.ends_with('\\') {
            statement.pop();
            statement.push_str(lines.next().map_or("", without_comment).trim());
        }
        if ["help", "---help---"].contains(&statement.as_str()) {
            let mut first = None;
            while let Some(next) = lines.peek() {
                let depth = depth(next);
                if !next.trim().is_empty() && depth < *first.get_or_insert(depth.max(1)) {
                    break;
                }
                lines.next();
            }
        } else if !statement.is_empty() {
            found.push(statement);
        }
    }
    found
}

/// How far a line is indented, a tab to the next eighth column.
fn depth(line: &str) -> usize {
    let blank = line.chars().take_while(|c| c.is_whitespace());
    blank.fold(0, |depth, c| if c == '\t' { depth / 8 * 8 + 8 } else { depth + 1 })
}

fn without_comment(line: &str) -> &str {
    let mut quote = None;
    for (at, char) in line.char_indices() {
        match (quote, char) {
            (None, '#') => return &line[..at],
            (None, '"' | '\'') => quote = Some(char),
            (Some(open), _) if open == char => quote = None,
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: &str = r#"
mainmenu "Linux"

source "arch/$(SRCARCH)/Kconfig"

menu "Devices"
	depends on BUS # of any kind
	visible if EXPERT || \
		DEBUG

config DISK
	tristate "Disk if you like" if ADVANCED && !SMALL
	depends on BLOCK
	select CORE if FAST
	default m
	help
	  config NOT_A_SYMBOL

	    bool "nor this"
	  depends on nothing

config CORE
	bool
	range 1 4

if NET
choice
	prompt "Queue"
config FQ
	bool "fair"
config FIFO
	bool "plain"
endchoice
endif
endmenu

config DISK
	tristate
"#;

    fn kconfig() -> Kconfig {
        let mut file = |path: &str| -> Result<Option<String>, std::convert::Infallible> {
            Ok(match path {
                "Kconfig" => Some(TOP.to_owned()),
                "arch/x86/Kconfig" => Some("osource \"none\"\nrsource \"Kconfig.cpu\"\n".to_owned()),
                "arch/x86/Kconfig.cpu" => Some("config X86\n\tdef_bool y\n".to_owned()),
                _ => None,
            })
        };
        read(&mut file).expect("all there")
    }

    fn words(parts: &[Expression]) -> Vec<String> {
        parts.iter().map(Expression::to_string).collect()
    }

    #[test]
    fn symbols_with_all_that_is_said_of_them() {
        let kconfig = kconfig();
        let names: Vec<_> = kconfig.symbols.keys().map(String::as_str).collect();
        assert_eq!(names, ["CORE", "DISK", "FIFO", "FQ", "X86"]);
        let [disk, core, fq] = ["DISK", "CORE", "FQ"].map(|name| &kconfig.symbols[name]);
        assert_eq!(disk.definitions.len(), 2);
        assert_eq!(words(&disk.definitions[0].depends), ["BUS", "BLOCK"]);
        let prompt = disk.definitions[0].prompt.as_ref().expect("a prompt");
        assert_eq!(words(prompt), ["EXPERT || DEBUG", "ADVANCED", "!SMALL"]);
        assert!(!disk.definitions[0].is_bool && disk.definitions[1].prompt.is_none());
        assert_eq!(core.selected, [("DISK".to_owned(), Expression::read("FAST"))]);
        assert!(!core.has_prompt() && core.definitions[0].range.as_deref() == Some("1 4"));
        assert_eq!(words(&fq.definitions[0].depends), ["BUS", "NET"]);
        assert_eq!(kconfig.rivals("FQ").collect::<Vec<_>>(), ["FIFO"]);
        assert_eq!(kconfig.rivals("CORE").count(), 0);
    }

    #[test]
    fn files_that_are_not_there_or_never_end() {
        let mut gone = |path: &str| -> Result<Option<String>, String> {
            Ok((path == "Kconfig").then(|| "source \"a\"".to_owned()))
        };
        assert_eq!(read(&mut gone).expect_err("gone").to_string(), "there is no `a`");
        let mut round = |_: &str| -> Result<Option<String>, String> { Ok(Some("source \"Kconfig\"".to_owned())) };
        assert!(matches!(read(&mut round), Err(Failed::Deep(_))));
    }
}
