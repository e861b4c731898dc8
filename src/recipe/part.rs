//! The recipes that some words may lead to, found without reading TOML.
//!
//! A recipe names another by the name of its file, written out; only units of a matrix have names of their own. So
//! words lead to the files of that name, to the files that the words of these files lead to, and so on, and maybe to
//! every matrix. That may be more than is needed, which costs time. It may be less only where a name is written with
//! escapes, and then the recipe that has it is at fault as long as the other one is not there.

use std::collections::HashMap;

use super::Root;
use crate::path::{Name, RelPath};

/// What a file has that may make units of other names: the word, or escapes that spell it.
const MATRIX: [&str; 4] = ["matrix", "\\u", "\\U", "\\x"];

/// The files that `texts` may lead to, in their order.
pub(super) fn part(files: &[(RelPath, String)], texts: &[&str]) -> Vec<(RelPath, String)> {
    let mut named = named(files);
    let matrices = files.iter().enumerate().filter(|(_, (_, text))| MATRIX.iter().any(|sign| text.contains(sign)));
    let mut found: Vec<bool> = vec![false; files.len()];
    let mut open: Vec<usize> = matrices.map(|(number, _)| number).collect();
    open.extend(texts.iter().flat_map(|text| lead(&mut named, text)));
    while let Some(number) = open.pop() {
        if !std::mem::replace(&mut found[number], true) {
            open.extend(lead(&mut named, &files[number].1));
        }
    }
    files.iter().zip(found).filter(|(_, found)| *found).map(|(file, _)| file.clone()).collect()
}

/// The files by the names of their recipes; two of one name are a fault, which both are needed to tell.
fn named(files: &[(RelPath, String)]) -> HashMap<Name, Vec<usize>> {
    let mut named = HashMap::<Name, Vec<usize>>::with_capacity(files.len());
    for (number, (path, _)) in files.iter().enumerate() {
        if let Some((_, name)) = Root::of(path) {
            named.entry(name).or_default().push(number);
        }
    }
    named
}

/// Takes out what the words of `text` are names of.
fn lead(named: &mut HashMap<Name, Vec<usize>>, text: &str) -> Vec<usize> {
    let apart = |letter: char| !matches!(letter, 'a'..='z' | '0'..='9' | '.' | '-');
    text.split(apart).filter_map(|word| named.remove(word)).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_to_files() {
        let files = [
            ("images/app.toml", "extends = 'base' # as ever\nsteps = ['echo no.thing']"),
            ("recipes/base.toml", "toolroot = 'box'\n[deps]\nlib='lib-2.0:dev'"),
            ("recipes/box.toml", "archive = \"debian\""),
            ("recipes/debian.toml", "kind = 'archive'"),
            ("recipes/lib-2.0/recipe.toml", "toolroot = 'box'"),
            ("recipes/many.toml", "toolroot = 'twin'\n[[matrix]]\nname = '-a'"),
            ("recipes/odd.toml", "[[\"m\\u0061trix\"]]"),
            ("recipes/other.toml", "toolroot = 'app'"),
            ("images/twin.toml", ""),
            ("recipes/twin.toml", ""),
        ];
        let files = files.map(|(path, text)| (RelPath::new(path).expect("clean"), text.to_owned()));
        let matrices = "many odd twin twin";
        for (texts, want) in [
            (&["app"][..], format!("app base box debian lib-2.0 {matrices}")),
            (&["lib-2.0:dev", "https://debian/x"], format!("box debian lib-2.0 {matrices}")),
            (&["nothing", "recipes/other/x.c"], "app base box debian lib-2.0 many odd other twin twin".to_owned()),
            (&[], matrices.to_owned()),
        ] {
            let found: Vec<_> = part(&files, texts).iter().filter_map(|(path, _)| Root::of(path)).collect();
            let names: Vec<_> = found.iter().map(|(_, name)| name.as_str()).collect();
            assert_eq!(names.join(" "), want, "{texts:?}");
        }
    }
}
