use object::pe::{self as format, IMAGE_SCN_CNT_CODE, IMAGE_SCN_MEM_EXECUTE, IMAGE_SCN_MEM_READ};
use object::write::pe::{NtHeaders, Writer};

use super::bzimage::tests::image as kernel;
use super::*;
use crate::digest::Digest;

/// A program with `.text` and `.sdmagic`, the latter `beside` where it should be.
fn stub(magic: &str, beside: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(true, 0x1000, 0x200, &mut bytes);
    writer.reserve_dos_header();
    writer.reserve_nt_headers(16);
    writer.reserve_section_headers(2);
    writer.reserve_virtual_until(0x5000);
    let text = writer.reserve_section(*b".text\0\0\0", IMAGE_SCN_CNT_CODE | IMAGE_SCN_MEM_EXECUTE, 5, 5);
    let size = u32::try_from(magic.len()).expect("short");
    let data = writer.reserve_section(*b".sdmagic", IMAGE_SCN_MEM_READ, size, size);
    writer.write_empty_dos_header().expect("writes");
    writer.write_nt_headers(NtHeaders {
        machine: format::IMAGE_FILE_MACHINE_AMD64,
        time_date_stamp: 7,
        characteristics: format::IMAGE_FILE_EXECUTABLE_IMAGE,
        major_linker_version: 0,
        minor_linker_version: 0,
        address_of_entry_point: 0x5000,
        image_base: 0x1_4000_0000,
        major_operating_system_version: 0,
        minor_operating_system_version: 0,
        major_image_version: 257,
        minor_image_version: 0,
        major_subsystem_version: 1,
        minor_subsystem_version: 1,
        subsystem: format::IMAGE_SUBSYSTEM_EFI_APPLICATION,
        dll_characteristics: format::IMAGE_DLLCHARACTERISTICS_NX_COMPAT,
        size_of_stack_reserve: 0x10_0000,
        size_of_stack_commit: 0x1_0000,
        size_of_heap_reserve: 0,
        size_of_heap_commit: 0,
    });
    writer.write_section_headers();
    writer.write_section(text.file_offset, b"\x31\xc0\xc3\x90\x90");
    writer.write_section(data.file_offset, magic.as_bytes());
    // The second section's header follows the first; its address is at 12.
    let header = 0x40 + 24 + 240 + 40 + 12;
    bytes[header..header + 4].copy_from_slice(&(data.virtual_address + beside).to_le_bytes());
    bytes
}

fn systemd(version: &str) -> Vec<u8> {
    stub(&format!("#### LoaderInfo: systemd-stub {version} ####\0"), 0)
}

fn profiles() -> Vec<Profile> {
    let wipe = Some("quiet talos.experimental.wipe=system:EPHEMERAL,STATE".to_owned());
    let reset = "ID=reset-maintenance\nTITLE=Reset to maintenance mode".to_owned();
    vec![Profile { text: "ID=main".to_owned(), command_line: None }, Profile { text: reset, command_line: wipe }]
}

fn uki<'a>(stub: &'a [u8], linux: &'a [u8], profiles: &'a [Profile]) -> Uki<'a> {
    Uki { stub, os_release: "ID=talos\n", command_line: "quiet", splash: None, linux, initrd: b"07070", profiles }
}

#[test]
fn sections_stand_in_their_order() {
    let (stub, linux, profiles) = (systemd("257.9-1"), kernel("6.12.28-talos x", true), profiles());
    let splash: &[u8] = b"BM";
    let image = Uki { splash: Some(splash), ..uki(&stub, &linux, &profiles) }.image(1).expect("an image");
    let sections = pe::sections(&image).expect("a PE file");
    let read: Vec<_> = sections.iter().map(|(name, data)| (name.as_str(), *data)).collect();
    let expected: [(&str, &[u8]); 11] = [
        (".text", b"\x31\xc0\xc3\x90\x90"),
        (".sdmagic", b"#### LoaderInfo: systemd-stub 257.9-1 ####\0"),
        (".osrel", b"ID=talos\n"),
        (".cmdline", b"quiet"),
        (".uname", b"6.12.28-talos"),
        (".splash", b"BM"),
        (".linux", &linux),
        (".initrd", b"07070"),
        (".profile", b"ID=main"),
        (".profile", b"ID=reset-maintenance\nTITLE=Reset to maintenance mode"),
        (".cmdline", b"quiet talos.experimental.wipe=system:EPHEMERAL,STATE"),
    ];
    assert_eq!(read, expected);
}

#[test]
fn bytes_depend_on_the_parts_alone() {
    let (stub, linux, profiles) = (systemd("257.9-1"), kernel("6.12.28-talos x", true), profiles());
    let image = uki(&stub, &linux, &profiles).image(1_735_689_600).expect("an image");
    assert_eq!(Digest::of(&image).hex(), "165793ee5cfe31a68a633646bdba4a2f3ad3b07bfa269982c45159d0906a3f6f");
}

#[test]
fn what_would_not_start_is_refused() {
    let (good, old) = (systemd("257.9-1"), systemd("252.39"));
    let (linux, legacy, profiles) = (kernel("6.12 x", true), kernel("6.12 x", false), profiles());
    let long = "x".repeat(2048);
    let many = [Profile { text: "ID=main".to_owned(), command_line: Some("a\nb".to_owned()) }];
    let (nameless, crooked) = (stub("systemd", 0), stub("#### LoaderInfo: systemd-stub 257 ####", 0x100));
    for (uki, message) in [
        (uki(b"MZ", &linux, &[]), "the stub: it is no PE program for x86-64"),
        (uki(&nameless, &linux, &[]), "the stub does not say which version"),
        (uki(&crooked, &linux, &[]), "the stub: its section .sdmagic does not begin at a multiple of 4096 behind"),
        (uki(&old, &linux, &profiles), "the stub is of systemd 252, and profiles need 257"),
        (uki(&good, b"vmlinux", &[]), "the kernel is no bzImage"),
        (uki(&good, &legacy, &[]), "UEFI can't start the kernel 6.12"),
        (
            Uki { command_line: &long, ..uki(&good, &linux, &[]) },
            "the command line has 2048 bytes, and the kernel 6.12 reads 2047",
        ),
        (uki(&good, &linux, &many), r"the command line has an end of line or another control character: `a\nb`"),
    ] {
        let error = uki.image(1).expect_err(message).to_string();
        assert!(error.starts_with(message), "{error}");
    }
    assert!(uki(&old, &linux, &[]).image(1).is_ok(), "without profiles any stub will do");
    assert!(Uki { command_line: &long[1..], ..uki(&good, &linux, &[]) }.image(1).is_ok());
}

/// Wherever a stub is cut off, or has another byte, there is an error or an image, and no panic.
#[test]
fn damaged_stubs_do_no_harm() {
    let (good, linux) = (systemd("257.9-1"), kernel("6.12 x", true));
    for length in 0..good.len() {
        let _ = uki(&good[..length], &linux, &[]).image(1);
    }
    for at in 0..0x300 {
        for byte in [0, 1, 0x7f, 0x80, 0xff] {
            let mut damaged = good.clone();
            damaged[at] = byte;
            let _ = uki(&damaged, &linux, &[]).image(1);
        }
    }
}
