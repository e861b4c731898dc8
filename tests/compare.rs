//! The comparison on what real programs write: gcc, ar, tar, gzip, xz, python's zipfile.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use forge::compare::{Limits, paths};
use tempfile::TempDir;

/// What is said of two folders, in which the same script ran with `$1` once as `one` and once as `two`.
fn said(script: &str, [one, two]: [&str; 2]) -> String {
    let folder = TempDir::new().unwrap();
    let sides = [("one", one), ("two", two)].map(|(side, word)| {
        let side = folder.path().join(side);
        fs::create_dir(&side).unwrap();
        run(&side, script, word);
        side
    });
    paths(&sides[0], &sides[1], &Limits::default()).unwrap().to_string()
}

fn run(folder: &Path, script: &str, word: &str) {
    let mut command = Command::new("/bin/sh");
    command.args(["-euc", script, "sh", word]).current_dir(folder).env("TZ", "UTC").env("LC_ALL", "C");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Expects each paragraph, whole, in this order, and no other.
fn expect(said: &str, want: &[&str]) {
    let paragraphs: Vec<_> = want.iter().map(|paragraph| format!("{paragraph}\n")).collect();
    assert_eq!(said, paragraphs.concat());
}

#[test]
fn a_tree_differs_in_names_kinds_and_modes() {
    let script = r#"
        mkdir -p d/both && echo same > d/both/same && touch "d/only-$1"
        [ "$1" = a ] && echo x > kind || ln -s x kind
        ln -s "to-$1" link
        echo x > run && [ "$1" = a ] || chmod +x run
    "#;
    expect(
        &said(script, ["a", "b"]),
        &[
            "d/only-a: only in want: a file",
            "d/only-b: only in got: a file",
            "kind: the kind differs\n    want a file\n    got  a symlink",
            "link: the target differs\n    want to-a\n    got  to-b",
            "run: the executable bit differs\n    want not executable\n    got  executable",
        ],
    );
    assert_eq!(said("mkdir a; echo x > a/b; ln -s / c; chmod -w a/b", ["", ""]), "");
}

#[test]
fn a_string_in_a_static_library_is_found_in_its_section() {
    let script = r#"
        echo 'const char path[] = PATH; int main(void) { return path[0]; }' > x.c
        gcc -DPATH="\"$1\"" -c x.c && ar Drc libx.a x.o && rm x.c x.o
    "#;
    expect(
        &said(script, ["/build/a/include", "/build/b/include"]),
        &["libx.a → x.o → .rodata: differs at byte 0x7 in `path` of 0x11 (one byte differs)
    want … 696c 642f 612f 696e 636c 7564 6500  ild/a/include.
    got  … 696c 642f 622f 696e 636c 7564 6500  ild/b/include.
    looks like a path: /build/a/include and /build/b/include"],
    );
}

#[test]
fn a_linked_program_is_read_by_sections_and_symbols() {
    let script = r#"
        echo 'int one(void) { return 1; } int two(void) { return N; } int main(void) { return two(); }' > x.c
        gcc -DN=$1 -Wl,--build-id=sha1 x.c -o x && rm x.c
    "#;
    let said = said(script, ["2", "3"]);
    assert!(said.contains("x → .text: differs at byte "), "{said}");
    assert!(said.contains(" in `two` of "), "{said}");
    assert!(said.contains("x → .note.gnu.build-id: differs at byte 0x10 of 0x24"), "{said}");
    assert!(said.contains("looks like random bytes, or a digest: "), "{said}");
    assert!(!said.contains("differs in between"), "{said}");
}

#[test]
fn tar_and_its_compressors_say_time_and_settings() {
    let script = r#"
        echo x > file && tar --mtime=@$1 --owner=0 --group=0 --mode=0644 -cf - file | gzip -n -$2 > x.tgz && rm file
    "#;
    let with = |level| script.replace("$2", level);
    expect(
        &said(&with("6"), ["1764185545", "1764185546"]),
        &["x.tgz → (gunzip) → file: the mtime differs
    want 1764185545 = 2025-11-26T19:32:25Z
    got  1764185546 = 2025-11-26T19:32:26Z"],
    );
    let script = "seq 999 > file && xz -$1 file";
    let said = said(script, ["0", "6"]);
    assert!(said.starts_with("file.xz → (unxz): differs at byte 0x"), "{said}");
    let note = "\n    what is compressed is alike: the compressor, its version or its settings differ\n";
    assert!(said.ends_with(note), "{said}");
}

#[test]
fn a_zip_says_times_and_contents() {
    let script = r#"
        python3 - "$1" <<'END'
import sys, zipfile
with zipfile.ZipFile("x.whl", "w") as whole:
    for name, packing, text in [("a", 0, "same"), ("b", 8, "text " * 99 + sys.argv[1])]:
        member = zipfile.ZipInfo(name, (2025, 11, 26, 19, 32, 2 * int(sys.argv[1]) if name == "a" else 0))
        member.compress_type = packing
        whole.writestr(member, text)
END
    "#;
    let text = "text ".repeat(99);
    let cut = &text[text.len() - 40..];
    expect(
        &said(script, ["1", "2"]),
        &[
            "x.whl → a: the DOS time differs\n    want 2025-11-26 19:32:02\n    got  2025-11-26 19:32:04",
            &format!(
                "x.whl → b: line 1 differs\n    want …{cut}1\n    got  …{cut}2\n    looks like a count, as of processors: 1 and 2"
            ),
        ],
    );
}

#[test]
fn large_archives_take_no_time() {
    let script = r#"
        mkdir d && head -c 50000000 /dev/zero | tr '\0' 'z' > d/big && echo "$1" > d/small
        tar --sort=name --mtime=@0 --owner=0 --group=0 -cf x.tar d && rm -r d
    "#;
    let folder = TempDir::new().unwrap();
    let sides = ["a", "b"].map(|word| {
        let side = folder.path().join(word);
        fs::create_dir(&side).unwrap();
        run(&side, script, word);
        side
    });
    let start = Instant::now();
    let said = paths(&sides[0], &sides[1], &Limits::default()).unwrap().to_string();
    assert_eq!(said, "x.tar → d/small: line 1 differs\n    want a\n    got  b\n");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let small = Limits { file: 1000, ..Limits::default() };
    let said = paths(&sides[0], &sides[1], &small).unwrap().to_string();
    assert!(said.starts_with("x.tar: differs at byte 0x"), "{said}");
    assert!(said.contains("(one byte differs)\n"), "{said}");
    assert!(said.ends_with("\n    it is larger than 1000 bytes, so forge did not look inside\n"), "{said}");
}
