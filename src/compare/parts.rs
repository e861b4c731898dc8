//! What a container is made of, whatever its format, and how two of them are compared.
//!
//! Members are matched by name; the second of the same name with the second. A fact that differs
//! in more than a few members is told once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Walk;
use super::difference::{Place, Side, What};
use super::format::packed::Packed;

/// A fact that differs in more members than this is told once.
const EACH: usize = 2;

/// Facts in the order in which they are told.
pub(super) type Fields = Vec<(&'static str, String)>;

/// A container, opened.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    /// Of the container itself.
    pub(super) fields: Fields,
    /// In the order in which they stand there.
    pub(super) members: Vec<Member<'a>>,
}

/// A member, section, segment or whatever the format calls it.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) name: String,
    pub(super) fields: Fields,
    pub(super) content: Content<'a>,
    /// Named ranges of the content.
    pub(super) marks: Vec<Mark>,
}

/// A symbol of an ELF file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) range: Range<u64>,
    pub(super) name: String,
}

/// What a member holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content<'a> {
    Bytes(&'a [u8]),
    Packed(Packed<'a>),
}

impl<'a> Member<'a> {
    pub(super) fn new(name: &[u8], fields: Fields, content: &'a [u8]) -> Self {
        let name = String::from_utf8_lossy(name).into_owned();
        Self { name, fields, content: Content::Bytes(content), marks: Vec::new() }
    }
}

/// A name, and how many members of that name stand before.
type Key<'a> = (&'a str, usize);

impl Walk<'_> {
    /// Compares two containers of the same format that lie `depth` deep.
    pub(super) fn parts(&mut self, place: &Place, sides: [Parts<'_>; 2], depth: usize) {
        let [one, two] = &sides;
        self.fields(place, &one.fields, &two.fields);
        let [ones, twos] = [keys(&one.members), keys(&two.members)];
        self.order(place, &ones, &twos);
        let [of_one, of_two] = [by_key(&ones, &one.members), by_key(&twos, &two.members)];
        let both = ones.iter().filter_map(|key| Some((*key, *of_one.get(key)?, *of_two.get(key)?)));
        let both: Vec<_> = both.collect();
        self.facts(place, &both);
        for (key, one, two) in both {
            self.contents(&place.within(&shown(key)), [one, two], depth);
        }
        let lacking = |keys: &[_], other: &BTreeMap<_, _>| -> Vec<_> {
            keys.iter().filter(|key| !other.contains_key(*key)).map(|key| place.within(&shown(*key))).collect()
        };
        lacking(&ones, &of_two).iter().for_each(|place| self.only(place, Side::Want, "a member"));
        lacking(&twos, &of_one).iter().for_each(|place| self.only(place, Side::Got, "a member"));
    }

    fn fields(&mut self, place: &Place, one: &Fields, two: &Fields) {
        for (name, want, got) in differing(one, two) {
            self.field(place, name, want, got);
        }
    }

    /// The order of the members that both sides have.
    fn order(&mut self, place: &Place, ones: &[Key<'_>], twos: &[Key<'_>]) {
        let [in_one, in_two] = [ones, twos].map(|keys| keys.iter().collect::<BTreeSet<_>>());
        let ones = ones.iter().filter(|key| in_two.contains(key));
        let twos = twos.iter().filter(|key| in_one.contains(key));
        let first = ones.zip(twos).enumerate().find(|(_, (one, two))| one != two);
        if let Some((index, (one, two))) = first {
            self.add(place, What::Order { of: "members", number: index + 1, want: shown(*one), got: shown(*two) });
        }
    }

    /// The facts of members: each, or once where many differ.
    fn facts(&mut self, place: &Place, members: &[(Key<'_>, &Member<'_>, &Member<'_>)]) {
        let mut by_name: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (key, one, two) in members {
            for (name, want, got) in differing(&one.fields, &two.fields) {
                by_name.entry(name).or_default().push((shown(*key), want, got));
            }
        }
        for (name, found) in by_name {
            match &found[..] {
                [(first, want, got), ..] if found.len() > EACH => {
                    let [name, first, want, got] = [name, first, want, got].map(str::to_owned);
                    self.add(place, What::Fields { name, count: found.len(), first, want, got });
                }
                _ => found.iter().for_each(|(key, want, got)| self.field(&place.within(key), name, want, got)),
            }
        }
    }

    fn contents(&mut self, place: &Place, members: [&Member<'_>; 2], depth: usize) {
        match members.map(|member| member.content) {
            [Content::Bytes(one), Content::Bytes(two)] => {
                self.content(place, [one, two], depth + 1, &members[0].marks);
            }
            [Content::Packed(one), Content::Packed(two)] => self.packed(place, [one, two], depth),
            [Content::Bytes(_), Content::Packed(two)] => self.add(place, packing("stored", two.name())),
            [Content::Packed(one), Content::Bytes(_)] => self.add(place, packing(one.name(), "stored")),
        }
    }
}

fn packing(want: &str, got: &str) -> What {
    What::Field { name: "the compression".to_owned(), want: want.to_owned(), got: got.to_owned() }
}

/// The facts that differ; one that only one side has counts as empty on the other.
fn differing<'a>(one: &'a Fields, two: &'a Fields) -> Vec<(&'static str, &'a str, &'a str)> {
    let value = |fields: &'a Fields, name: &str| {
        fields.iter().find(|(other, _)| *other == name).map_or("nothing", |(_, value)| value.as_str())
    };
    let extra = two.iter().filter(|(name, _)| one.iter().all(|(other, _)| other != name));
    let names = one.iter().chain(extra).map(|(name, _)| *name);
    names.map(|name| (name, value(one, name), value(two, name))).filter(|(_, want, got)| want != got).collect()
}

fn keys<'a>(members: &'a [Member<'_>]) -> Vec<Key<'a>> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let key = |member: &'a Member<'_>| {
        let count = seen.entry(&member.name).or_default();
        *count += 1;
        (member.name.as_str(), *count - 1)
    };
    members.iter().map(key).collect()
}

fn by_key<'a, 'm>(keys: &[Key<'a>], members: &'m [Member<'m>]) -> BTreeMap<Key<'a>, &'m Member<'m>> {
    keys.iter().copied().zip(members).collect()
}

/// `name`, or `name (2nd)`.
fn shown((name, before): Key<'_>) -> String {
    let name: String = name.chars().flat_map(printable).collect();
    match before {
        0 => name,
        _ => format!("{name} (no. {})", before + 1),
    }
}

fn printable(character: char) -> Vec<char> {
    if character.is_control() { character.escape_default().collect() } else { vec![character] }
}
