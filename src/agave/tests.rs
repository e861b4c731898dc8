//! Tests of lists of arguments: what comes of them, and what is said about wrong ones.

use super::*;

/// Parts of a mistake's title and of its help.
type Told<'a> = (&'a str, &'a str);
/// A line, some arguments, and what is told.
type Case = ((u64, u64), &'static str, Told<'static>);

fn texts(texts: &[&str]) -> Value {
    Value::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// `name` or `name=value,value`; `!name` is one that does not stand.
fn parsed(text: &str) -> Wanted<'_> {
    match (text.strip_prefix('!'), text.split_once('=')) {
        (Some(name), _) => Wanted { name, value: Value::Off },
        (None, Some((name, values))) => Wanted { name, value: texts(&values.split(';').collect::<Vec<_>>()) },
        (None, None) => Wanted { name: text, value: Value::On },
    }
}

/// The lines of `text`, or each mistake and its help.
fn judged(program: Program, line: Line, text: &str) -> Result<Vec<String>, Vec<(String, String)>> {
    let wanted: Vec<Wanted<'_>> = text.split(' ').map(parsed).collect();
    let help = |help: Help| match help {
        Help::Do(help) => help,
        Help::Name(names) => format!("{} names", names.len()),
    };
    lines(program, line, &wanted)
        .map_err(|mistakes| mistakes.into_iter().map(|one| (one.title, help(one.help))).collect())
}

/// A line of the validator with a node's folders, and what is said about it: parts of the title and of the help.
#[track_caller]
fn refused(line: (u64, u64), text: &str, expected: &[Told<'_>]) {
    let text = format!("identity=/id.json ledger=/ledger {text}");
    let told = judged(Program::Validator, Line::new(line.0, line.1), &text).expect_err("wrong");
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for ((title, help), (wanted_title, wanted_help)) in told.iter().zip(expected) {
        assert!(title.contains(wanted_title) && help.contains(wanted_help), "{told:#?}");
    }
}

#[test]
fn lines_stand_in_order() {
    let text = "entrypoint=a.org:1;b.org:2 identity=/id.json ledger=/l log=- no-voting !private-rpc rpc-niceness-adjustment=-5";
    let expected = [
        "--entrypoint",
        "a.org:1",
        "--entrypoint",
        "b.org:2",
        "--identity",
        "/id.json",
        "--ledger",
        "/l",
        "--log",
        "-",
        "--no-voting",
        "--rpc-niceness-adjustment=-5",
    ];
    assert_eq!(judged(Program::Validator, Line::new(4, 1), text), Ok(expected.map(str::to_owned).to_vec()));
    let wanted = [
        Wanted { name: "bpf-program", value: texts(&["/key.json /p.so"]) },
        Wanted { name: "ledger", value: texts(&["/l"]) },
    ];
    let made = lines(Program::TestValidator, Line::new(1, 18), &wanted).expect("sound");
    assert_eq!(made, ["--bpf-program", "/key.json", "/p.so", "--ledger", "/l"]);
}

#[test]
fn names_of_other_lines_are_refused() {
    let cases: &[Case] = &[
        ((1, 18), "rpc-max-requests-per-second=9", ("solana-validator 1.18 has no argument", "must limit rates")),
        ((4, 1), "accounts-db-skip-initial-hash-calc", ("agave-validator 4.1 has no argument", "leave it out")),
        ((3, 0), "accounts-index-memory-limit-mb=9", ("is gone since 3.0", "`accounts-index-limit` (from 4.0)")),
        ((2, 1), "accounts-index-memory-limit-mb=9", ("is deprecated since 2.1", "leave it out")),
        ((4, 3), "limit-ledger-size=200000000", ("is deprecated since 4.3", "use `limit-blockstore-size`")),
        ((4, 1), "no-xdp", ("comes with 4.2", "take version 4.2 or newer")),
        ((4, 1), "tpu-enable-udp", ("is gone since 4.0", "no UDP")),
        ((4, 1), "trusted-validator=x", ("has no argument `trusted-validator`", "use `known-validator`")),
        ((4, 1), "--no-voting", ("has no argument `--no-voting`", "without the dashes: `no-voting`")),
        ((4, 1), "no-votin", ("has no argument `no-votin`", "names")),
    ];
    for (line, text, expected) in cases {
        refused(*line, text, &[*expected]);
    }
}

#[test]
fn wrong_values_are_refused() {
    let cases: &[Case] = &[
        ((4, 1), "rpc-port=x", ("takes a port, not `x`", "from 1 to 65535")),
        ((4, 1), "rpc-port", ("`rpc-port` takes a port", "from 1 to 65535")),
        ((4, 1), "no-voting=yes", ("takes no value", "`true`")),
        ((4, 1), "rpc-port=1;2", ("may stand once, not 2 times", "keep one")),
        ((4, 1), "dynamic-port-range=8000-8020", ("at least 26 ports in 4.1, not `8000-8020`", "8000-8026")),
        ((1, 18), "dynamic-port-range=8000-8010", ("at least 14 ports", "8000-8014")),
        ((4, 1), "known-validator=7Np4", ("takes an address, not `7Np4`", "32 bytes")),
        ((4, 1), "limit-ledger-size=9", ("takes a whole number", "at least 50000000")),
        ((4, 1), "accounts-index-limit=9GB", ("takes a word, not `9GB`", "`25GB`")),
        ((4, 1), "tower=a\nb", ("takes a path, not `a\\nb`", "/data/ledger")),
    ];
    for (line, text, expected) in cases {
        refused(*line, text, &[*expected]);
    }
    assert!(judged(Program::Validator, Line::new(1, 18), "identity=/i ledger=/l limit-ledger-size").is_ok());
}

#[test]
fn arguments_that_do_not_fit_each_other() {
    let cases: &[Case] = &[
        ((4, 1), "only-known-rpc", ("requires `known-validator`", "add")),
        ((4, 2), "allow-private-addr", ("requires `no-xdp`", "add")),
        ((4, 2), "no-xdp xdp-zero-copy", ("exclude each other", "drop one")),
        ((4, 1), "accounts=/a;/b,/s/ snapshots=/s", ("`accounts` and `snapshots` are both `/s`", "of its own")),
        ((4, 1), "accounts=/ledger", ("`accounts` and `ledger` are both", "of its own")),
        (
            (4, 1),
            "rpc-port=8899 dynamic-port-range=8000-10000",
            ("`rpc-port` is 8899, which `dynamic-port-range` 8000-10000 has too", "move one of them"),
        ),
        (
            (4, 1),
            "rpc-port=7999 dynamic-port-range=8000-8050",
            ("`rpc-port` plus one, for WebSockets, is 8000", "move one of them"),
        ),
        ((4, 1), "rpc-port=8000 gossip-port=8001", ("plus one, for WebSockets, are both 8001", "move one")),
    ];
    for (line, text, expected) in cases {
        refused(*line, text, &[*expected]);
    }
    for (line, text) in
        [((2, 0), "accounts=/s snapshots=/s"), ((4, 1), "gossip-port=8001 dynamic-port-range=8000-8050")]
    {
        let text = format!("identity=/i ledger=/l {text}");
        assert!(judged(Program::Validator, Line::new(line.0, line.1), &text).is_ok(), "{text}");
    }
}

#[test]
fn what_a_program_needs() {
    let told = judged(Program::Validator, Line::new(4, 1), "no-voting !ledger").expect_err("nothing there");
    let titles: Vec<&str> = told.iter().map(|(title, _)| title.as_str()).collect();
    assert_eq!(titles, ["agave-validator 4.1 needs `identity`", "agave-validator 4.1 needs `ledger`"]);
}

#[test]
fn the_test_validator_listens_unasked() {
    let told = judged(Program::TestValidator, Line::new(4, 1), "ledger=/l dynamic-port-range=9000-9950");
    let (title, _) = &told.expect_err("the faucet's")[0];
    assert_eq!(title, "`faucet-port` is 9900, which `dynamic-port-range` 9000-9950 has too");
    let text = "bind-address=127.0.0.1 faucet-port=9900 geyser-plugin-config=/g.json gossip-port=8001 ledger=/l log reset rpc-port=8899";
    for line in LINES {
        assert!(judged(Program::TestValidator, line, text).is_ok(), "{line}");
    }
    let told = judged(Program::TestValidator, Line::new(1, 18), "ledger=/l log quiet").expect_err("both");
    assert_eq!(told[0].0, "`log` and `quiet` exclude each other");
}
