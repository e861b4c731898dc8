//! A list of arguments, judged and written out.

use super::argument::Argument;
use super::kind::Kind;
use super::mistake::{At, Help, Mistake};
use super::table::{self, Found};
use super::{Line, Program, Value, Wanted, rules};

/// What the program is started with, an argument or a value a line, in the order of `wanted`.
///
/// # Errors
/// Every mistake in `wanted`.
pub fn lines(program: Program, line: Line, wanted: &[Wanted<'_>]) -> Result<Vec<String>, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut known = Vec::new();
    for (place, one) in wanted.iter().enumerate() {
        match row(program, line, place, one.name) {
            Ok(row) => {
                values(row, line, place, &one.value, &mut mistakes);
                known.push((place, row));
            }
            Err(mistake) => mistakes.push(mistake),
        }
    }
    mistakes.extend(rules::broken(program, line, wanted, &known));
    if mistakes.is_empty() {
        Ok(known.iter().flat_map(|(place, row)| written(row, &wanted[*place])).collect())
    } else {
        Err(mistakes)
    }
}

/// The row of an argument that may be given to the program.
fn row(program: Program, line: Line, place: usize, name: &str) -> Result<&'static Argument, Mistake> {
    let it = program.name(line);
    let wrong = |title: String, help: &str| Err(Mistake::new(At::Name(place), title, help));
    match table::find(program, line, name) {
        Some(Found::Taken(row)) => Ok(row),
        Some(Found::Deprecated(row)) => wrong(format!("`{name}` is deprecated since {}", row.deprecated), row.instead),
        Some(Found::Gone(row)) => {
            wrong(format!("`{name}` is gone since {}: {it} {line} does not start with it", row.gone), row.instead)
        }
        Some(Found::New(row)) => {
            let help = format!("leave it out, or take version {} or newer", row.since);
            wrong(format!("`{name}` comes with {}: {it} {line} does not start with it", row.since), &help)
        }
        None => Err(unknown(program, line, place, name)),
    }
}

fn unknown(program: Program, line: Line, place: usize, name: &str) -> Mistake {
    let title = format!("{} {line} has no argument `{}`", program.name(line), name.escape_debug());
    let mistake = Mistake::new(At::Name(place), title, "");
    let help = match (table::advice(program, name), name.strip_prefix("--")) {
        (Some(advice), _) => Help::Do(advice.to_owned()),
        (None, Some(bare)) => Help::Do(format!("write it without the dashes: `{bare}`")),
        (None, None) => Help::Name(table::names(program, line)),
    };
    Mistake { help, ..mistake }
}

/// Finds values that the argument does not take, or too many of them.
fn values(row: &Argument, line: Line, place: usize, value: &Value, mistakes: &mut Vec<Mistake>) {
    let name = row.name;
    let (takes, write) = row.kind.wants(line);
    let wrong = |at: At, title: String| Mistake::new(at, title, format!("write {write}"));
    match value {
        Value::On if row.kind != Kind::Switch && !row.optional => {
            mistakes.push(wrong(At::Value(place, 0), format!("`{name}` takes {takes}")));
        }
        Value::Texts(texts) if row.kind == Kind::Switch => {
            let title = format!("`{name}` takes no value");
            mistakes.extend((!texts.is_empty()).then(|| wrong(At::Value(place, 0), title)));
        }
        Value::Texts(texts) => {
            let refused = texts.iter().enumerate().filter(|(_, text)| !takes_line(row.kind, text, line));
            mistakes.extend(refused.map(|(nth, text)| {
                wrong(At::Value(place, nth), format!("`{name}` takes {takes}, not `{}`", text.escape_debug()))
            }));
            if texts.len() > 1 && !row.many {
                let title = format!("`{name}` may stand once, not {} times", texts.len());
                mistakes.push(Mistake::new(At::Value(place, 1), title, "keep one of them"));
            }
        }
        Value::On | Value::Off => {}
    }
}

/// Whether `text` is a value, and one that stands on a line.
fn takes_line(kind: Kind, text: &str, line: Line) -> bool {
    !text.contains(char::is_control) && kind.takes(text, line)
}

/// The lines of one argument.
fn written(row: &Argument, wanted: &Wanted<'_>) -> Vec<String> {
    let name = format!("--{}", row.name);
    let one = |text: &String| match row.kind {
        Kind::Several(_) => std::iter::once(name.clone()).chain(text.split(' ').map(str::to_owned)).collect(),
        // Where it stands alone the program would take it for an argument.
        _ if text.len() > 1 && text.starts_with('-') => vec![format!("{name}={text}")],
        _ => vec![name.clone(), text.clone()],
    };
    match &wanted.value {
        Value::On => vec![name],
        Value::Off => Vec::new(),
        Value::Texts(texts) => texts.iter().flat_map(one).collect(),
    }
}
