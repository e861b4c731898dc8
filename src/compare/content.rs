//! Two contents: which reader is theirs.

use super::bytes::Bytes;
use super::difference::{Place, What};
use super::format::Format;
use super::parts::Mark;
use super::{Walk, json, text};

impl Walk<'_> {
    /// Compares two contents that lie `depth` containers deep; `marks` name ranges of the first.
    pub(super) fn content(&mut self, place: &Place, sides: [&[u8]; 2], depth: usize, marks: &[Mark]) {
        if sides[0] == sides[1] {
            return;
        }
        match sides.map(Format::of) {
            [Some(one), Some(two)] if one == two => self.container(place, one, sides, depth),
            [None, None] => self.plain(place, sides, marks),
            formats => {
                let [one, two] = formats.map(|format| format.map_or("no container", Format::name));
                self.bytes(place, sides, marks, Some(format!("want looks like {one}, got like {two}")));
            }
        }
    }

    fn container(&mut self, place: &Place, format: Format, sides: [&[u8]; 2], depth: usize) {
        let name = format.name();
        if depth >= self.limits.depth {
            let note = format!("containers are nested deeper than {depth}, so forge did not look into this {name}");
            return self.bytes(place, sides, &[], Some(note));
        }
        match (format.open(sides[0], self.limits), format.open(sides[1], self.limits)) {
            (Ok(one), Ok(two)) => {
                let before = self.found.count();
                self.parts(place, [one, two], depth);
                if self.found.count() == before {
                    let note = format!("all that forge reads of the {name} is alike: it differs in between");
                    self.bytes(place, sides, &[], Some(note));
                }
            }
            (Err(why), _) => self.bytes(place, sides, &[], Some(format!("want can't be read as {name}: {why}"))),
            (_, Err(why)) => self.bytes(place, sides, &[], Some(format!("got can't be read as {name}: {why}"))),
        }
    }

    /// JSON, text or bytes.
    fn plain(&mut self, place: &Place, sides: [&[u8]; 2], marks: &[Mark]) {
        let Some([one, two]) = text::both(sides) else { return self.bytes(place, sides, marks, None) };
        let before = self.found.count();
        if let Some([want, got]) = json::both([one, two]) {
            self.json(place, &want, &got);
            if self.found.count() == before {
                let note = "the JSON values are alike: spaces, the order of keys or the spelling differ";
                self.add_noted(place, text::differ(one, two), Some(note.to_owned()));
            }
        } else {
            let turned = text::turned(one, two).then(|| "both have the same lines, in another order".to_owned());
            self.add_noted(place, text::differ(one, two), turned);
        }
    }

    /// Compares bytes that are not equal.
    pub(super) fn bytes(&mut self, place: &Place, sides: [&[u8]; 2], marks: &[Mark], note: Option<String>) {
        let mut bytes = Bytes::of(sides[0], sides[1]);
        let here = |mark: &&Mark| mark.range.contains(&bytes.offset);
        bytes.symbol = marks.iter().find(here).map(|mark| mark.name.clone());
        self.add_noted(place, What::Bytes(bytes), note);
    }
}
