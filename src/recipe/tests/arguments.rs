//! Recipes of kind `arguments`.

use super::*;

/// A sound recipe up to its arguments.
const HEAD: &str = "//- recipes/x.toml\nkind = 'arguments'\nprogram = 'agave-validator'\nversion = '4.1.2'\n";

fn lines(project: &Project, name: &str) -> String {
    match &project.units[name].build {
        Build::Arguments(Arguments { lines }) => lines.join(" "),
        other => panic!("{other:?}"),
    }
}

#[test]
fn lines_in_the_order_of_names() {
    let project = sound(&format!(
        "{HEAD}
[arguments]
identity = '${{keys}}/id.json'
entrypoint = ['a.org:1', 'b.org:2']
hard-fork = [1, 2]
rpc-port = 8899
ledger = '/l'
no-voting = true
private-rpc = false
debug-key = []
[vars]
keys = '/keys'
//- recipes/y.toml
extends = 'x'
[arguments]
entrypoint = ['c.org:3']
private-rpc = true
ledger = '/other'
[vars]
keys = '/more'
"
    ));
    let end = "--no-voting";
    assert_eq!(
        lines(&project, "x"),
        format!(
            "--entrypoint a.org:1 --entrypoint b.org:2 --hard-fork 1 --hard-fork 2 --identity /keys/id.json --ledger /l {end} --rpc-port 8899"
        )
    );
    assert_eq!(
        lines(&project, "y"),
        format!(
            "--entrypoint a.org:1 --entrypoint b.org:2 --entrypoint c.org:3 --hard-fork 1 --hard-fork 2 --identity /more/id.json --ledger /other {end} --private-rpc --rpc-port 8899"
        )
    );
    let unit = &project.units["x"];
    assert_eq!((unit.outputs(), unit.build.kind(), unit.toolroot()), (vec![Name::constant("out")], "arguments", None));
}

#[test]
fn mistakes_stand_at_their_places() {
    check(
        &format!(
            "{HEAD}
[arguments]
identity = '/id.json'
ledger = '/l'
no-votin = true
accounts = ['/a', '/s']
snapshots = '/s'
rpc-max-requests-per-second = 9
rpc-port = 1.5
known-validator = ['x']
"
        ),
        &[
            "recipes/x.toml:8 agave-validator 4.1 has no argument `no-votin`",
            "did you mean `no-voting`?",
            "recipes/x.toml:9 `accounts` and `snapshots` are both `/s`",
            "give each a folder of its own: in both the program makes one named `snapshots`",
            "recipes/x.toml:11 agave-validator 4.1 has no argument `rpc-max-requests-per-second`",
            "leave it out: what stands before the node must limit rates",
            "recipes/x.toml:12 invalid type: floating point `1.5`",
            "write a text, a whole number, `true`, or a list of texts",
            "recipes/x.toml:13 `known-validator` takes an address, not `x`",
            "write all of its 32 bytes in base58",
        ],
    );
}

#[test]
fn a_mistake_of_two_arguments_shows_both() {
    let text = format!(
        "{HEAD}[arguments]\nidentity = '/i'\nledger = '/l'\nrpc-port = 8899\ndynamic-port-range = '8000-10000'\n"
    );
    let errors = read(&text, Target::default()).expect_err("a clash");
    let expected = "\
error: `rpc-port` is 8899, which `dynamic-port-range` 8000-10000 has too
 --> recipes/x.toml:7:12
  |
7 | rpc-port = 8899
  |            ^^^^
  |
 ::: recipes/x.toml:8:1
  |
8 | dynamic-port-range = '8000-10000'
  | ------------------ the other one
  |
  = help: any service takes any port of the range: move one of them
";
    assert_eq!(drawn(&errors), expected);
}

#[test]
fn programs_and_versions() {
    let recipe = |program: &str, version: &str, rest: &str| {
        format!(
            "//- recipes/x.toml\nkind = 'arguments'\nprogram = '{program}'\nversion = '{version}'\n\
             arguments = {{ identity = '/i', ledger = '/l' }}\n{rest}"
        )
    };
    check(
        &recipe("agave-validator", "1.18.23", ""),
        &["recipes/x.toml:2 in 1.18 there is no `agave-validator`", "there it is called `solana-validator`"],
    );
    check(
        &recipe("agave-validater", "4.1.2", ""),
        &["recipes/x.toml:2 the arguments of `agave-validater` are not known", "did you mean `agave-validator`?"],
    );
    check(
        &recipe("agave-validator", "4.9.0", ""),
        &[
            "recipes/x.toml:3 what 4.9.0 takes is not known",
            "the versions known here: 1.18, 2.0, 2.1, 2.2, 2.3, 3.0, 3.1, 4.0, 4.1, 4.2, 4.3, 4.4",
        ],
    );
    check(
        &recipe("agave-validator", "4.1.2", "tests.a.steps = ['true']"),
        &["recipes/x.toml:5 the test `a` has no `toolroot`", "add `toolroot = …`: the unit is built in none"],
    );
    check(
        "//- recipes/x.toml\nkind = 'arguments'\n",
        &[
            "recipes/x.toml:1 `x`, a recipe of kind `arguments`, has no `arguments`",
            "add `arguments = …`",
            "recipes/x.toml:1 `x`, a recipe of kind `arguments`, has no `program`",
            "add `program = …`",
            "recipes/x.toml:1 `x`, a recipe of kind `arguments`, has no `version`",
            "add `version = …`",
        ],
    );
}
