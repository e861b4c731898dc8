//! Folders and files, and the clusters that they lie in.

use std::collections::BTreeMap;
use std::io;

use super::entry::{self, Entry};
use super::{END, Error, File, LABEL};

/// A folder.
#[derive(Default)]
pub(super) struct Folder<'a> {
    children: BTreeMap<&'a str, Node<'a>>,
    place: Place,
}

enum Node<'a> {
    Folder(Folder<'a>),
    File(&'a [u8], Place),
}

/// Clusters that follow each other.
#[derive(Clone, Copy, Default)]
struct Place {
    first: u32,
    count: u32,
}

impl<'a> Folder<'a> {
    /// The root with `files`.
    pub(super) fn of(files: &[File<'a>]) -> Result<Self, Error> {
        let mut root = Self::default();
        for file in files {
            root.add(file.path, file)?;
        }
        Ok(root)
    }

    fn add(&mut self, rest: &'a str, file: &File<'a>) -> Result<(), Error> {
        let twice = || Error::Name(file.path.to_owned(), "it is there already, or a file where a folder has to be");
        let (name, rest) = rest.split_once('/').map_or((rest, None), |(name, rest)| (name, Some(rest)));
        entry::check(name)?;
        if self.children.keys().any(|other| *other != name && other.eq_ignore_ascii_case(name)) {
            return Err(Error::Name(file.path.to_owned(), "another differs from it in case alone"));
        }
        let Some(rest) = rest else {
            if u32::try_from(file.data.len()).is_err() {
                return Err(Error::Name(file.path.to_owned(), "a file has less than 4 GiB"));
            }
            let before = self.children.insert(name, Node::File(file.data, Place::default()));
            return before.map_or(Ok(()), |_| Err(twice()));
        };
        match self.children.entry(name).or_insert_with(|| Node::Folder(Folder::default())) {
            Node::Folder(folder) => folder.add(rest, file),
            Node::File(..) => Err(twice()),
        }
    }

    /// Gives all their clusters of so many bytes; how many there are.
    pub(super) fn place(&mut self, cluster: u64) -> u64 {
        let mut next = 2;
        self.take(true, cluster, &mut next);
        next - 2
    }

    fn take(&mut self, root: bool, cluster: u64, next: &mut u64) {
        let entries = self.children.keys().map(|name| entry::count(name)).sum::<usize>() + if root { 1 } else { 2 };
        self.place = Place::take(entries as u64 * entry::SIZE as u64, cluster, next);
        for node in self.children.values_mut() {
            match node {
                Node::Folder(folder) => folder.take(false, cluster, next),
                Node::File([], _) => {}
                Node::File(data, place) => *place = Place::take(data.len() as u64, cluster, next),
            }
        }
    }

    /// The table of clusters: the first two say what medium it is, and that it was left in order.
    pub(super) fn table(&self) -> Vec<u32> {
        let mut table = vec![0x0fff_fff8, END];
        self.chain(&mut table);
        table
    }

    fn chain(&self, table: &mut Vec<u32>) {
        self.place.chain(table);
        for node in self.children.values() {
            match node {
                Node::Folder(folder) => folder.chain(table),
                Node::File(_, place) => place.chain(table),
            }
        }
    }

    /// Tells `put` what begins in which cluster.
    pub(super) fn contents(&self, put: &mut dyn FnMut(u32, &[u8]) -> io::Result<()>) -> io::Result<()> {
        let label = Entry { short: *LABEL, attributes: entry::VOLUME, first: 0, size: 0 }.bytes();
        self.write(label.to_vec(), 0, put)
    }

    fn write(&self, head: Vec<u8>, place: u32, put: &mut dyn FnMut(u32, &[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut bytes = head;
        let mut taken = Vec::new();
        for (name, node) in &self.children {
            let (attributes, first, size) = match node {
                Node::Folder(folder) => (entry::FOLDER, folder.place.first, 0),
                Node::File(data, place) => (0, place.first, u32::try_from(data.len()).expect("BUG: it was looked at")),
            };
            bytes.extend(entry::named(name, attributes, first, size, &mut taken));
        }
        put(self.place.first, &bytes)?;
        for node in self.children.values() {
            match node {
                Node::Folder(folder) => {
                    folder.write(entry::dots(folder.place.first, place), folder.place.first, put)?
                }
                Node::File([], _) => {}
                Node::File(data, place) => put(place.first, data)?,
            }
        }
        Ok(())
    }
}

impl Place {
    /// The next clusters for so many bytes.
    fn take(bytes: u64, cluster: u64, next: &mut u64) -> Self {
        let count = bytes.div_ceil(cluster);
        // What is too large for the numbers is too large for the partition, which is looked at next.
        let short = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let place = Self { first: short(*next), count: short(count) };
        *next += count;
        place
    }

    fn chain(self, table: &mut Vec<u32>) {
        table.extend((1..self.count).map(|step| self.first + step));
        table.extend((self.count > 0).then_some(END));
    }
}
