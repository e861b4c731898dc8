//! `--help`: what each verb is for is said in short lines.

use crate::support::Forge;

/// The longest paragraph on what a verb is for.
const LONGEST: usize = 120;

/// The paragraphs before the usage.
fn about(forge: &Forge, verb: &str) -> Vec<String> {
    let help = forge.run(&[verb, "--help"]).success().stdout;
    let (about, _) = help.split_once("\n\nUsage: ").expect("a usage");
    about.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect()
}

#[test]
fn verbs_that_explain_are_explained_in_short_lines() {
    let forge = Forge::new();
    for verb in ["plan", "why", "why-changed", "push", "load"] {
        let about = about(&forge, verb);
        assert!(about.len() > 2 && about.iter().all(|paragraph| paragraph.len() < LONGEST), "{verb}: {about:#?}");
    }
}
