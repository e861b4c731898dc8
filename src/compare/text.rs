//! Two texts by lines.

use memchr::memchr;

use super::difference::What;
use super::look::look;

/// Characters of a line that are shown before the place.
const BEFORE: usize = 40;

/// Characters of a line that are shown.
const SHOWN: usize = 100;

/// Both sides as text: UTF-8 without NUL.
pub(super) fn both(sides: [&[u8]; 2]) -> Option<[&str; 2]> {
    let text = |bytes| if memchr(0, bytes).is_none() { str::from_utf8(bytes).ok() } else { None };
    Some([text(sides[0])?, text(sides[1])?])
}

/// How two texts that are not equal differ.
pub(super) fn differ(one: &str, two: &str) -> What {
    let [mut ones, mut twos] = [one, two].map(|text| text.split('\n'));
    let mut number = 0;
    let (want, got) = loop {
        number += 1;
        match (ones.next(), twos.next()) {
            (None, None) => break (None, None),
            (want, got) if want != got => break (want, got),
            _ => {}
        }
    };
    let differing = 1 + ones.clone().zip(twos.clone()).filter(|(want, got)| want != got).count();
    let count = (ones.count() == twos.count() && want.is_some() && got.is_some()).then_some(differing);
    let at = place(want.unwrap_or_default(), got.unwrap_or_default());
    let shown = |line: Option<&str>| line.map(|line| window(line, at));
    let meaning = want.zip(got).and_then(|(want, got)| look(want.as_bytes(), got.as_bytes(), at));
    What::Line { number, count, want: shown(want), got: shown(got), meaning }
}

/// Whether two texts that are not equal have the same lines in another order.
pub(super) fn turned(one: &str, two: &str) -> bool {
    let sorted = |text: &'_ str| {
        let mut lines: Vec<_> = text.split('\n').map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    one.len() == two.len() && sorted(one) == sorted(two)
}

/// Both texts around the place where they differ.
pub(super) fn windows(one: &str, two: &str) -> [String; 2] {
    let at = place(one, two);
    [window(one, at), window(two, at)]
}

/// The first byte that differs.
pub(super) fn place(one: &str, two: &str) -> usize {
    one.bytes().zip(two.bytes()).take_while(|(one, two)| one == two).count()
}

/// The text around a byte, on one line, cut with `…` and with control characters escaped.
fn window(text: &str, at: usize) -> String {
    let before = text.char_indices().take_while(|(index, _)| *index < at).count();
    let from = if text.chars().nth(SHOWN).is_some() { before.saturating_sub(BEFORE) } else { 0 };
    let mut out = String::from(if from > 0 { "…" } else { "" });
    for character in text.chars().skip(from).take(SHOWN) {
        match character {
            '\t' => out.push('\t'),
            character if character.is_control() => out.extend(character.escape_default()),
            character => out.push(character),
        }
    }
    out + if text.chars().nth(from + SHOWN).is_some() { "…" } else { "" }
}
