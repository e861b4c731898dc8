//! Recipes of kind `machine`.

use super::*;
use crate::talos::machine::Line;

const SOUND: &str = "\
//- images/x.toml
kind = 'machine'
version = '${version}.3'
vars.version = '1.10'
[sources]
config = { path = ['*.yaml'], folder = 'deploy/talos' }
schema = { url = 'https://example.org/v${version}.json' }
";

#[test]
fn a_sound_one() {
    let unit = &sound(SOUND).units["x"];
    let folder = RelPath::new("deploy/talos").expect("clean");
    assert_eq!(unit.build, Build::Machine(Machine { line: Line::new(1, 10), folder: folder.clone() }));
    assert_eq!((unit.outputs(), unit.build.kind(), unit.toolroot()), (vec![Name::constant("out")], "machine", None));
    let expected = Source::Path { directory: folder, include: vec!["*.yaml".to_owned()], exclude: Vec::new() };
    assert_eq!(unit.sources["config"], expected);
}

#[test]
fn what_is_not_sound_is_told() {
    for (from, to, expected) in [
        (
            "'1.10'",
            "'1.11'",
            &[
                "images/x.toml:2 how Talos 1.11.3 is configured is not known",
                "the versions known here: 1.10, 1.13, 1.14",
            ][..],
        ),
        (
            "config = { path = ['*.yaml'], folder = 'deploy/talos' }",
            "config = { url = 'https://example.org/x' }",
            &["images/x.toml:5 `config` are files of this repository", "write `path = [\"…\"]`"],
        ),
        (
            "folder = 'deploy/talos'",
            "folder = '../talos'",
            &[
                "images/x.toml:5 `../talos` has the component `..`, which could lead outside",
                "write a path such as `src/main.c`, which leads down only",
            ],
        ),
        (
            "folder = 'deploy/talos'",
            "folder = 'deplo/talos'",
            &["images/x.toml:5 no source stands in `deplo`", "did you mean `deploy`?"],
        ),
        (
            "folder = 'deploy/talos'",
            "folder = 'src'",
            &[
                "images/x.toml:5 no source stands in `src`",
                "name a folder of recipes/, kernel/, bpf/, extensions/, images/, charts/, deploy/",
            ],
        ),
        (
            "schema =",
            "shema =",
            &[
                "images/x.toml:1 `x`, a recipe of kind `machine`, has no `sources.schema`",
                "add `sources.schema = …`",
                "images/x.toml:6 a machine's configuration is not made from a source `shema`",
                "there are `config` and `schema`",
            ],
        ),
    ] {
        check(&SOUND.replace(from, to), expected);
    }
}

#[test]
fn a_folder_belongs_to_paths() {
    check(
        "//- recipes/x.toml\ntoolroot = 'gcc'\nsteps = ['true']\nsources.a = { url = 'https://example.org/a', folder = 'b' }\n",
        &["recipes/x.toml:3 `folder` has no meaning for a `url` source", "beside `url` may stand `unpack`, `strip`"],
    );
}
