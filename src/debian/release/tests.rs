//! Forged, odd and real lists. The fixtures are made by `fixtures/make.sh` with gpg.

use super::*;
use crate::debian::host;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../fixtures/", $name, ".asc"))
    };
}

const GOOD: &[u8] = fixture!("good");

fn key(file: &[u8]) -> Key {
    Key::read(file).expect("key").remove(0)
}

/// Verifies with one key, pinned.
fn with(message: &[u8], file: &[u8]) -> Result<Release, Error> {
    let key = key(file);
    let pinned = [key.fingerprint()];
    verify(message, &[key], &pinned)
}

fn refusals(result: Result<Release, Error>) -> Vec<Refusal> {
    match result {
        Err(Error::Untrusted(refusals)) => refusals,
        other => panic!("{other:?}"),
    }
}

#[test]
fn reads_the_signed_text() {
    let release = with(GOOD, fixture!("pinned")).expect("good");
    assert_eq!((release.suite.as_str(), release.codename.as_str()), ("stable", "trixie"));
    assert_eq!(release.date.to_string(), "20260912T075541Z");
    assert_eq!(release.valid_until, None);
    assert!(release.acquire_by_hash);
    assert_eq!((release.architectures.join(" "), release.components.join(" ")), ("all amd64".into(), "main".into()));
    let paths: Vec<_> = release.files.keys().map(RelPath::as_str).collect();
    assert_eq!(paths, ["main/binary-all/Packages", "main/binary-amd64/Packages"]);
    assert!(release.files.values().all(|file| *file == File { size: 0, digest: Digest::of(b"") }));
    assert!(release.expect_suite("stable").is_ok() && release.expect_suite("trixie").is_ok());
    assert!(release.expect_suite("bookworm").is_err());
}

#[test]
fn one_pinned_signature_of_two_is_enough() {
    let message = fixture!("both");
    assert_eq!(with(message, fixture!("pinned")).expect("first").signers.len(), 1);
    assert_eq!(with(message, fixture!("stranger")).expect("second").signers.len(), 1);
    let print = key(fixture!("pinned")).fingerprint().to_lowercase();
    let spaced = format!("{} {}", &print[..20], &print[20..]);
    assert!(verify(message, &[key(fixture!("stranger")), key(fixture!("pinned"))], &[spaced]).is_ok());
}

#[test]
fn a_subkey_stands_for_its_primary_key() {
    let primary = key(fixture!("subkey"));
    let release = with(fixture!("by-subkey"), fixture!("subkey")).expect("bound");
    assert_eq!(release.signers, BTreeSet::from([primary.fingerprint()]));
}

#[test]
fn a_subkey_of_another_key_is_no_subkey() {
    let mut pinned = key(fixture!("pinned"));
    pinned.0.public_subkeys = key(fixture!("subkey")).0.public_subkeys;
    let print = [pinned.fingerprint()];
    let result = verify(fixture!("by-subkey"), &[pinned], &print);
    assert!(matches!(refusals(result)[..], [Refusal::Unbound(_)]), "its binding is not signed by the pinned key");
}

#[test]
fn signatures_that_do_not_count() {
    use Refusal::{Expired, Forged, NotPinned, Revoked, Unknown, WeakHash};
    let pinned = key(fixture!("pinned")).fingerprint();
    let unpinned = verify(fixture!("stranger-only"), &[key(fixture!("stranger"))], &[pinned]);
    assert!(matches!(refusals(unpinned)[..], [NotPinned(_)]), "by a key that is known and not pinned");
    let unknown = with(fixture!("stranger-only"), fixture!("pinned"));
    assert!(matches!(refusals(unknown)[..], [Unknown(_)]), "by a key that is not even known");
    let sha1 = with(fixture!("sha1"), fixture!("weak"));
    assert!(matches!(refusals(sha1)[..], [WeakHash(_)]), "over SHA-1");
    let expired = with(fixture!("by-expired"), fixture!("expired"));
    assert!(matches!(refusals(expired)[..], [Expired(_)]), "by a key that had expired");
    let subkey = with(fixture!("by-oldsub"), fixture!("oldsub"));
    assert!(matches!(refusals(subkey)[..], [Expired(_)]), "by a subkey that had expired");
    let revoked = with(fixture!("by-revoked"), fixture!("revoked"));
    assert!(matches!(refusals(revoked)[..], [Revoked(_)]), "by a key that was stolen, as is known since");
    let tampered = String::from_utf8_lossy(GOOD).replace("Suite: stable", "Suite: stablE");
    assert!(matches!(refusals(with(tampered.as_bytes(), fixture!("pinned")))[..], [Forged(_)]), "over another text");
}

#[test]
fn a_key_retired_later_still_counts() {
    assert!(with(fixture!("by-retired"), fixture!("retired")).is_ok());
}

#[test]
fn the_reasons_stand_in_the_message() {
    let error = with(fixture!("sha1"), fixture!("weak")).expect_err("weak").to_string();
    assert!(error.contains("weak digest") && error.contains(&key(fixture!("weak")).fingerprint()), "{error}");
}

#[test]
fn only_one_message_and_nothing_else() {
    let good = String::from_utf8(GOOD.to_vec()).expect("text");
    let unsigned = good.split("-----BEGIN PGP SIGNATURE").next().expect("text");
    for (what, message) in [
        ("text before it", format!("Suite: evil\n{good}")),
        ("a blank line before it", format!("\n{good}")),
        ("text behind it", format!("{good}Suite: evil\n")),
        ("a second message", format!("{good}{good}")),
        ("an unknown header", good.replacen("Hash: SHA", "Comment: SHA", 1)),
        ("no signature", unsigned.to_owned()),
        ("cut off", good[..good.len() - 60].to_owned()),
        ("nothing", String::new()),
        ("too many lines", "\n".repeat(Message::MAX_LINES + 1)),
    ] {
        assert!(matches!(with(message.as_bytes(), fixture!("pinned")), Err(Error::Message(_))), "{what}");
    }
}

#[test]
fn malformed_texts() {
    let text = String::from_utf8_lossy(GOOD).into_owned();
    let text = text.split_once("\n\n").and_then(|(_, rest)| rest.split_once("\n-----")).expect("body").0.to_owned();
    assert!(Release::parse(&text).is_ok());
    for (what, from, to) in [
        ("no date", "Date:", "Dato:"),
        ("no digests", "SHA256:", "SHA512:"),
        ("a path that leads outside", "main/binary-all/Packages", "../Packages"),
        ("a path twice", "main/binary-all", "main/binary-amd64"),
        ("a field twice", "Label", "Suite"),
        ("a bad digest", "SHA256:\n e3", "SHA256:\n E3"),
        ("a bad size", " 0 main/binary-all", " -1 main/binary-all"),
        ("a line without a colon", "Components: main", "Components main"),
        ("a continuation first", "Origin:", " Origin:"),
    ] {
        let broken = text.replacen("Origin: Test", "Origin: Test\nLabel: Test", 1).replacen(from, to, 1);
        assert!(Release::parse(&broken).is_err(), "{what}");
    }
}

#[test]
fn freshness() {
    let date = |text: &str| text.parse::<Date>().expect(text);
    let mut release = with(GOOD, fixture!("pinned")).expect("good");
    let now = date("20261122T000000Z");
    assert_eq!(release.freshness(now, None), Ok(()));
    assert_eq!(release.freshness(now, Some(release.date)), Ok(()));
    let later = date("20260913T000000Z");
    assert_eq!(release.freshness(now, Some(later)), Err(Stale::Older { locked: later, got: release.date }));
    release.valid_until = Some(later);
    assert_eq!(release.freshness(now, None), Err(Stale::Expired { until: later }));
}

#[test]
fn every_byte_of_a_message_may_change_and_nothing_panics() {
    for position in 0..GOOD.len() {
        let mut message = GOOD.to_vec();
        message[position] ^= 1;
        if let Ok(release) = with(&message, fixture!("pinned")) {
            let genuine = with(GOOD, fixture!("pinned")).expect("good");
            assert_eq!(release, genuine, "byte {position} changes what is believed");
        }
    }
}

#[test]
fn trixie_verifies_with_each_of_its_keys() {
    let message = host::get("dists/trixie/InRelease");
    for key in host::keys() {
        let pinned = [key.fingerprint()];
        let release = verify(&message, &[key], &pinned).expect("genuine");
        assert_eq!(release.signers, BTreeSet::from(pinned));
        assert!(release.expect_suite("trixie").is_ok() && release.acquire_by_hash && release.files.len() > 100);
    }
}
