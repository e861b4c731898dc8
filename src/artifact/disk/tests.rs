use std::fs::{self, File};
use std::process::Command;

use gpt::partition_types::{EFI, LINUX_FS};

use super::fat::{self, Error, File as Entry};
use super::*;

const MIB: u64 = 1 << 20;

fn files() -> [(&'static str, Vec<u8>); 3] {
    [
        ("EFI/boot/BOOTX64.efi", b"MZ boot".to_vec()),
        ("EFI/Linux/Talos-v1.10.3.efi", vec![0xa5; 3_000_001]),
        ("loader/loader.conf", b"timeout 10\n".to_vec()),
    ]
}

fn esp(size: u64) -> Result<Sparse, Error> {
    let files = files();
    let entries: Vec<_> = files.iter().map(|(path, data)| Entry { path, data }).collect();
    fat::format(size, 0x1234_abcd, &entries)
}

fn made(size: u64) -> Sparse {
    let efi = Partition { label: "EFI", kind: EFI, content: esp(size).expect("a file system") };
    let meta = Partition { label: "META", kind: LINUX_FS, content: Sparse::new(MIB) };
    disk(&[efi, meta]).expect("a disk")
}

/// What a program prints of a file, which it must like.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; it is in fdisk, dosfstools or mtools"));
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
    text
}

#[test]
fn others_read_the_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("disk.raw");
    made(64 * MIB).copy_to(&mut File::create(&path).expect("a file")).expect("writes");
    let path = path.to_str().expect("text");
    let table = run("sfdisk", &["--verify", path]) + &run("sfdisk", &["--json", path]);
    for expected in
        ["No errors detected", "\"EFI\"", "\"META\"", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "\"start\": 2048"]
    {
        assert!(table.contains(expected), "{expected}: {table}");
    }
    let partition = folder.path().join("esp");
    esp(64 * MIB).expect("a file system").copy_to(&mut File::create(&partition).expect("a file")).expect("writes");
    let partition = partition.to_str().expect("text");
    run("fsck.vfat", &["-n", "-v", partition]);
    for (path, data) in files() {
        let read = folder.path().join("read");
        run("mcopy", &["-n", "-o", "-i", partition, &format!("::{path}"), read.to_str().expect("text")]);
        assert!(fs::read(&read).expect("reads") == data, "{path}");
    }
    assert!(run("mdir", &["-i", partition, "::loader"]).contains("1980-01-02"));
}

#[test]
fn bytes_depend_on_the_files_alone() {
    for (size, golden) in [
        (64 * MIB, "95f7416d52cb00ae1d754352b32bcfd490bf570bc897bcea83edbba6ac3a2e43"),
        (300 * MIB, "b2fb1b6a2fcaadc66191624fc4bb4789a89d3da77d7fec97623e6214611ac708"),
    ] {
        assert_eq!(made(size).digest().hex(), golden, "{size}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    assert_eq!(
        esp(2 * MIB).expect_err("small").to_string(),
        "an EFI system partition of 2097152 bytes can't be FAT32: it needs 34 MiB"
    );
    let data = vec![1; 34 << 20];
    let full = fat::format(34 * MIB, 1, &[Entry { path: "a", data: &data }]).expect_err("full").to_string();
    assert!(
        full.starts_with("the EFI system partition has 35651584 bytes, and what is to stand in it needs 36"),
        "{full}"
    );
    let odd = Partition { label: "META", kind: LINUX_FS, content: Sparse::new(MIB + 512) };
    assert_eq!(disk(&[odd]).expect_err("odd").to_string(), "the partition META has no whole MiB");
    for paths in [["a", "a"], ["a", "A"], ["a", "a/b"], ["a/b", "a"], ["a//b", "c"], ["a", "b:"]] {
        let files = paths.map(|path| Entry { path, data: b"x" });
        assert!(matches!(fat::format(64 * MIB, 1, &files), Err(Error::Name(..))), "{paths:?}");
    }
}

/// Many files in one folder, empty ones, and some that fill their last cluster, on both sizes of clusters.
#[test]
fn full_folders_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("esp");
    let image = image.to_str().expect("text");
    let data = vec![7_u8; 8192];
    let paths: Vec<_> =
        (0..300).map(|number| format!("EFI/Long name of a folder/{number} of many files.efi")).collect();
    let lengths = [0, 1, 511, 512, 513, 4096, 8192];
    let files: Vec<_> =
        paths.iter().zip(lengths.iter().cycle()).map(|(path, length)| Entry { path, data: &data[..*length] }).collect();
    for size in [64 * MIB, 300 * MIB] {
        let system = fat::format(size, 7, &files).expect("a file system");
        system.copy_to(&mut File::create(image).expect("a file")).expect("writes");
        run("fsck.vfat", &["-n", image]);
        let listed = run("mdir", &["-i", image, "-/", "-b", "::"]);
        let missing: Vec<_> = paths.iter().filter(|path| !listed.contains(&format!("::/{path}\n"))).collect();
        assert!(missing.is_empty(), "{missing:?}\n{listed}");
    }
}
