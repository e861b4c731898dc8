//! What an output is made of, folder by folder, cut down to what a picture can show.

use serde::Serialize;

use super::Size;
use crate::words;

/// What is smaller than this part of the whole is shown together with its like: about what fills
/// a square of 20 pixels on a large screen.
const PARTS: u64 = 2000;

/// One output of a unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chart {
    /// The unit.
    pub unit: String,
    /// The output's name.
    pub output: String,
    /// What it holds.
    pub root: Folder,
}

/// A folder, or a file if nothing is inside.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Folder {
    /// Its name.
    pub name: String,
    /// Of all files in it.
    #[serde(flatten)]
    pub size: Size,
    /// What is in it, the biggest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<Folder>,
}

impl Folder {
    /// A file.
    pub fn file(name: impl Into<String>, bytes: u64) -> Self {
        Self { name: name.into(), size: Size { bytes, files: 1 }, inside: Vec::new() }
    }

    /// A folder that holds `inside`.
    pub fn holding(name: impl Into<String>, inside: Vec<Self>) -> Self {
        let mut folder = Self { name: name.into(), size: total(&inside), inside };
        folder.inside.sort_by(|a, b| b.size.bytes.cmp(&a.size.bytes).then_with(|| a.name.cmp(&b.name)));
        folder
    }

    /// Without what is too small to be seen: what a folder has of that is summed up in one entry.
    #[must_use]
    pub fn visible(self) -> Self {
        let least = self.size.bytes / PARTS;
        self.cut(least)
    }

    fn cut(self, least: u64) -> Self {
        let (shown, small): (Vec<_>, Vec<_>) = self.inside.into_iter().partition(|entry| entry.size.bytes > least);
        let mut inside: Vec<_> = shown.into_iter().map(|entry| entry.cut(least)).collect();
        if !small.is_empty() {
            let size = total(&small);
            let name = words::count(usize::try_from(size.files).unwrap_or(usize::MAX), "small file");
            inside.push(Self { name, size, inside: Vec::new() });
        }
        Self { inside, ..self }
    }
}

fn total(folders: &[Folder]) -> Size {
    folders.iter().map(|folder| folder.size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_add_up_and_are_sorted() {
        let folder = Folder::holding("bin", vec![Folder::file("a", 1), Folder::file("c", 5), Folder::file("b", 5)]);
        assert_eq!(folder.size, Size { bytes: 11, files: 3 });
        assert_eq!(folder.inside.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["b", "c", "a"]);
    }

    #[test]
    fn what_is_small_is_summed_up_and_nothing_is_lost() {
        let small = (0..50).map(|number| Folder::file(format!("s{number}"), 10));
        let inner = Folder::holding("inner", small.chain([Folder::file("big", 100_000)]).collect());
        let whole = Folder::holding("", vec![inner, Folder::file("one", 1)]);
        let shown = whole.clone().visible();
        assert_eq!(shown.size, whole.size);
        assert_eq!(shown.inside[0].inside.len(), 2);
        assert_eq!(
            shown.inside[0].inside[1],
            Folder { name: "50 small files".to_owned(), size: Size { bytes: 500, files: 50 }, inside: vec![] }
        );
        assert_eq!(shown.inside[1].name, "1 small file");
        fn adds_up(folder: &Folder) -> bool {
            folder.inside.is_empty() || (total(&folder.inside) == folder.size && folder.inside.iter().all(adds_up))
        }
        assert!(adds_up(&shown));
    }
}
