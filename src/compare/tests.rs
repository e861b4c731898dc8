//! Two literal inputs and what is said of them.

use std::io::Write as _;

use proptest::prelude::*;

use super::{Limits, contents};

/// What is said of two contents, without the newline at the end.
fn said(one: impl AsRef<[u8]>, two: impl AsRef<[u8]>) -> String {
    said_within(&Limits::default(), one, two)
}

fn said_within(limits: &Limits, one: impl AsRef<[u8]>, two: impl AsRef<[u8]>) -> String {
    contents(one.as_ref(), two.as_ref(), limits).to_string().trim_end().to_owned()
}

fn gzip(content: &[u8], mtime: u32, level: u32) -> Vec<u8> {
    let mut encoder = flate2::GzBuilder::new().mtime(mtime).write(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(content).expect("in memory");
    encoder.finish().expect("in memory")
}

fn tar(members: &[(&str, u64, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, mtime, text) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(*mtime);
        builder.append_data(&mut header, name, text.as_bytes()).expect("in memory");
    }
    builder.into_inner().expect("in memory")
}

#[test]
fn bytes() {
    assert_eq!(said("", ""), "");
    assert_eq!(
        said("a\0b", "a\0cd"),
        ".: differs at byte 0x2; want has 3 bytes, got 4
    want 6100 62  a.b
    got  6100 6364  a.cd"
    );
    assert_eq!(
        said("\x01\x02\0\x04GCC: (Debian 14.2)\0", "\x01\x02\0\x04GCC; (Debian 14.3)\0"),
        ".: differs at byte 0x7 of 0x17 (2 bytes differ)
    want … 0447 4343 3a20 2844 6562 6961 6e20 3134 …  .GCC: (Debian 14
    got  … 0447 4343 3b20 2844 6562 6961 6e20 3134 …  .GCC; (Debian 14
    looks like a text: \"GCC: (Debian 14.2)\" and \"GCC; (Debian 14.3)\""
    );
    assert_eq!(
        said(b"\0\0\0\0\x8a\x50\x27\x69\0", b"\0\0\0\0\x8b\x50\x27\x69\0"),
        ".: differs at byte 0x4 of 0x9 (one byte differs)
    want 0000 0000 8a50 2769 00  .....P'i.
    got  0000 0000 8b50 2769 00  .....P'i.
    looks like a time: 1764184202 = 2025-11-26T19:10:02Z and 1764184203 = 2025-11-26T19:10:03Z"
    );
}

#[test]
fn texts() {
    for (one, two, want) in [
        ("a\nb\nc\n", "a\nX\nc\n", "line 2 differs\n    want b\n    got  X"),
        ("a\nb\nc\n", "X\nb\nY\n", "line 1 differs (2 lines differ)\n    want a\n    got  X"),
        ("a\n", "a\nb", "line 2 differs\n    want (an empty line)\n    got  b"),
        ("a", "a\n", "line 2 differs; one text has more lines\n    want (the text ends)\n    got  (an empty line)"),
        (
            "a\nb\nc\n",
            "b\na\nc\n",
            "line 1 differs (2 lines differ)\n    want a\n    got  b\n    both have the same lines, in another order",
        ),
        ("a\r\n", "a\n", "line 1 differs\n    want a\\r\n    got  a"),
        (
            "int main; // 6.18.0-12\n",
            "int main; // 6.12.1\n",
            "line 1 differs\n    want int main; // 6.18.0-12\n    got  int main; // 6.12.1\n    \
             looks like a release or version: 6.18.0-12 and 6.12.1",
        ),
    ] {
        assert_eq!(said(one, two), format!(".: {want}"));
    }
    let long = |middle: &str| format!("{}{middle}{}", "a".repeat(300), "z".repeat(300));
    let (before, behind) = ("a".repeat(40), "z".repeat(59));
    assert_eq!(
        said(long("1"), long("2")),
        format!(".: line 1 differs\n    want …{before}1{behind}…\n    got  …{before}2{behind}…")
    );
}

#[test]
fn json_by_values() {
    assert_eq!(
        said(r#"{"a": [1, {"b/c": "x"}], "d": 1}"#, r#"{"a": [1, {"b/c": "y"}], "e": null}"#),
        r#". → /a/1/b~1c: the value differs
    want "x"
    got  "y"
. → /d: only in want: 1
. → /e: only in got: null"#
    );
    assert_eq!(
        said(r#"["/build/a"]"#, r#"["/tmp/b"]"#),
        r#". → /0: the value differs
    want "/build/a"
    got  "/tmp/b"
    looks like a path: /build/a and /tmp/b"#
    );
    assert_eq!(
        said(r#"[1, "b", "c"]"#, r#"[1, "c", "b"]"#),
        ".: the order of elements differs, first at no. 2\n    want \"b\"\n    got  \"c\""
    );
    assert_eq!(
        said(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#),
        r#".: line 1 differs
    want {"a":1,"b":2}
    got  {"b":2,"a":1}
    the JSON values are alike: spaces, the order of keys or the spelling differ"#
    );
}

#[test]
fn tar_members() {
    let plain = tar(&[("a", 0, "x"), ("b", 0, "y")]);
    assert_eq!(
        said(&plain, tar(&[("a", 1_764_185_545, "x"), ("b", 0, "z")])),
        ". → a: the mtime differs
    want 0 = 1970-01-01T00:00:00Z
    got  1764185545 = 2025-11-26T19:32:25Z
. → b: line 1 differs
    want y
    got  z"
    );
    assert_eq!(
        said(&plain, tar(&[("b", 0, "y"), ("a", 0, "x")])),
        ".: the order of members differs, first at no. 1\n    want a\n    got  b"
    );
    assert_eq!(
        said(&plain, tar(&[("a", 0, "x"), ("c", 0, "")])),
        ". → b: only in want: a member\n. → c: only in got: a member"
    );
    let same_name = tar(&[("a", 0, "x"), ("a", 0, "y")]);
    assert_eq!(
        said(&same_name, tar(&[("a", 0, "x"), ("a", 0, "z")])),
        ". → a (no. 2): line 1 differs\n    want y\n    got  z"
    );
}

#[test]
fn a_fact_of_many_members_is_told_once() {
    let all = |mtime| tar(&["a", "b", "c", "d"].map(|name| (name, mtime, "")));
    assert_eq!(
        said(all(0), all(1)),
        ".: the mtime differs in 4 members, first in `a`
    want 0 = 1970-01-01T00:00:00Z
    got  1 = 1970-01-01T00:00:01Z"
    );
}

#[test]
fn compressed_contents() {
    let text = "a text of some length, a text of some length".repeat(9);
    assert_eq!(
        said(gzip(b"x", 0, 6), gzip(b"x", 1, 6)),
        ".: the gzip mtime differs\n    want 0 = 1970-01-01T00:00:00Z\n    got  1 = 1970-01-01T00:00:01Z"
    );
    assert_eq!(said(gzip(b"x", 0, 6), gzip(b"y", 0, 6)), ". → (gunzip): line 1 differs\n    want x\n    got  y");
    let other = said(
        liblzma::encode_all(text.as_bytes(), 0).expect("xz"),
        liblzma::encode_all(text.as_bytes(), 9).expect("xz"),
    );
    assert!(
        other.ends_with("\n    what is compressed is alike: the compressor, its version or its settings differ"),
        "{other}"
    );
    let nested = |text: &str| zstd::encode_all(&gzip(&tar(&[("a", 0, text)]), 0, 6)[..], 1).expect("zstd");
    assert_eq!(said(nested("x"), nested("y")), ". → (unzstd) → (gunzip) → a: line 1 differs\n    want x\n    got  y");
}

#[test]
fn limits_are_named_where_they_end_the_look_inside() {
    let nested = |text: &str| gzip(&gzip(&gzip(text.as_bytes(), 0, 6), 0, 6), 0, 6);
    for (limits, want) in [
        (Limits { depth: 2, ..Limits::default() }, "nested deeper than 2, so forge did not look into this gzip"),
        (Limits { unpacked: 60, ..Limits::default() }, "compared without unpacking: "),
    ] {
        let said = said_within(&limits, nested("x"), nested("y"));
        assert!(said.contains(want), "{said}");
    }
    let many = |text| tar(&["a", "b", "c"].map(|name| (name, 0, text)));
    let said = said_within(&Limits { members: 2, ..Limits::default() }, many("x"), many("y"));
    assert!(said.ends_with("want can't be read as tar: it has more than 2 members"), "{said}");
    let said = said_within(&Limits { differences: 1, ..Limits::default() }, many("x"), many("y"));
    assert_eq!(said, ". → a: line 1 differs\n    want x\n    got  y\nand 2 more differences");
}

#[test]
fn what_is_broken_is_compared_by_bytes() {
    let sound = tar(&[("a", 0, "x")]);
    let mut broken = sound.clone();
    broken[0] = b'b';
    let said = said(&sound, &broken);
    assert!(said.starts_with(".: differs at byte 0x0 of 0x800 (one byte differs)\n"), "{said}");
    assert!(said.contains("\n    got can't be read as tar: "), "{said}");
}

proptest! {
    #[test]
    fn broken_containers_give_differences_and_no_panic(changes: Vec<(usize, u8)>, format in 0usize..4) {
        let tar = tar(&[("a", 0, "x"), ("b", 0, "y")]);
        let sound = match format {
            0 => tar,
            1 => gzip(&tar, 0, 6),
            2 => zstd::encode_all(&tar[..], 1).expect("zstd"),
            _ => br#"{"a":[1,2,{"b":"c"}]}"#.to_vec(),
        };
        let mut changed = sound.clone();
        for (at, byte) in changes {
            let at = at % sound.len();
            changed[at] = byte;
        }
        prop_assert_eq!(contents(&sound, &changed, &Limits::default()).is_same(), sound == changed);
    }
}
