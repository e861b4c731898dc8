//! Pushes to a registry that fails: each ends well, or with words and no tag that names half an image.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use forge::digest::Digest;
use forge::registry::push::{Fate, Push, Report, Tag};
use forge::registry::{Credentials, Error, Image, Policy, Reference, Registry, Repository, Watch};
use forge::store::Blob;

use super::double::{Double, Fault};

/// The size of the largest blob.
const LARGE: usize = 3 << 20;

/// Patient enough for tests.
fn policy() -> Policy {
    Policy { attempts: 3, pause: Duration::from_millis(1), idle: Duration::from_secs(5), ..Policy::default() }
}

/// An image of three blobs; `seed` makes others of it.
struct Sample {
    image: Image,
    blobs: BTreeMap<Digest, Vec<u8>>,
}

impl Sample {
    fn new(seed: u8) -> Self {
        let large = (0..LARGE).map(|index| (index % 251) as u8 ^ seed).collect::<Vec<_>>();
        let contents = [br#"{"architecture":"amd64","os":"linux"}"#.to_vec(), large, vec![seed; 1000]];
        let blob = |bytes: &Vec<u8>| Blob { digest: Digest::of(bytes), size: bytes.len() as u64 };
        let descriptor = |bytes: &Vec<u8>| {
            let Blob { digest, size } = blob(bytes);
            format!(r#"{{"mediaType":"application/octet-stream","digest":"{digest}","size":{size}}}"#)
        };
        let media_type = "application/vnd.oci.image.manifest.v1+json".to_owned();
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{media_type}","config":{},"layers":[{},{}]}}"#,
            descriptor(&contents[0]),
            descriptor(&contents[1]),
            descriptor(&contents[2])
        );
        let layers = contents[1..].iter().map(blob).collect();
        let image = Image { manifest: manifest.into_bytes(), media_type, config: blob(&contents[0]), layers };
        Self { image, blobs: contents.into_iter().map(|bytes| (Digest::of(&bytes), bytes)).collect() }
    }

    fn large(&self) -> Digest {
        self.image.layers[0].digest
    }

    fn push(&self, double: &Double, to: &str) -> Result<Report, Error> {
        self.push_with(double, to, None, &Watch::default())
    }

    fn push_with(&self, double: &Double, to: &str, from: Option<&str>, watch: &Watch) -> Result<Report, Error> {
        let registry = Registry::new(Credentials::default(), policy(), watch.clone());
        let repository = |name: &str| format!("{}/{name}", double.host).parse::<Reference>().unwrap().repository;
        let source = |blob: &Blob| Ok(Box::new(Cursor::new(self.blobs[&blob.digest].clone())) as Box<dyn Read + Send>);
        let elsewhere = |_: &Blob| -> Option<Repository> { from.map(repository) };
        let repository = repository(to);
        let push = Push {
            image: &self.image,
            source: &source,
            repository: &repository,
            tag: "v1",
            elsewhere: &elsewhere,
            dry_run: false,
        };
        registry.push(&push, &|| {})
    }

    /// Every blob is there, whole, and the tag names the image.
    fn is_in(&self, double: &Double, repository: &str) {
        assert_eq!(double.tag(repository, "v1"), Some(self.image.digest()));
        for (digest, bytes) in &self.blobs {
            assert!(double.blob(repository, digest).as_ref() == Some(bytes), "{digest}");
        }
    }
}

fn fates(report: &Report) -> Vec<Fate> {
    report.blobs.iter().map(|(_, fate)| *fate).collect()
}

#[test]
fn a_push_sends_what_is_missing() {
    let (double, sample) = (Double::start(), Sample::new(0));
    let report = sample.push(&double, "a/b").unwrap();
    assert_eq!((fates(&report), report.tag), (vec![Fate::Uploaded; 3], Tag::New));
    sample.is_in(&double, "a/b");
    let before = double.log().len();
    let report = sample.push(&double, "a/b").unwrap();
    assert_eq!((fates(&report), report.tag), (vec![Fate::There; 3], Tag::Same));
    let again = double.log().split_off(before);
    // Who are you, what does the tag name, and one request a blob.
    assert_eq!(again.len(), 5, "{again:?}");
    let other = Sample::new(1);
    let report = other.push(&double, "a/b").unwrap();
    assert_eq!(fates(&report), [Fate::There, Fate::Uploaded, Fate::Uploaded], "the configuration is the same");
    assert_eq!(report.tag, Tag::Moved(sample.image.digest()));
    let by_digest = double.log().iter().position(|line| line.contains(&other.image.digest().to_string())).unwrap();
    let by_tag = double.log().iter().rposition(|line| line == "PUT /v2/a/b/manifests/v1").unwrap();
    let last_blob = double.log().iter().rposition(|line| line.starts_with("PUT") && line.contains("/blobs/")).unwrap();
    assert!(last_blob < by_digest && by_digest < by_tag, "blobs, then the manifest, then the tag");
}

#[test]
fn blobs_are_mounted_from_another_repository() {
    let (double, sample) = (Double::start(), Sample::new(0));
    double.guard();
    sample.push(&double, "old").unwrap();
    let report = sample.push_with(&double, "new", Some("old"), &Watch::default()).unwrap();
    assert_eq!(fates(&report), [Fate::Mounted; 3]);
    sample.is_in(&double, "new");
    // A repository that does not have them.
    let report = sample.push_with(&double, "third", Some("empty"), &Watch::default()).unwrap();
    assert_eq!(fates(&report), [Fate::Uploaded; 3]);
    // A registry that refuses mounts.
    double.fail("POST /v2/fourth/blobs/uploads/ mount", 3, Fault::Status(405, ""));
    let report = sample.push_with(&double, "fourth", Some("old"), &Watch::default()).unwrap();
    assert_eq!(fates(&report), [Fate::Uploaded; 3]);
}

#[test]
fn what_passes_is_sat_out() {
    for (on, times, fault) in [
        ("GET /v2/", 1, Fault::Status(500, "")),
        ("HEAD", 2, Fault::Status(503, "")),
        ("POST", 2, Fault::Status(429, "Retry-After: 0\r\n")),
        ("POST", 2, Fault::Deaf),
        ("PATCH", 2, Fault::Status(500, "")),
        ("PATCH", 1, Fault::Mute),
        ("PUT /v2/a/blobs", 2, Fault::Status(502, "")),
        ("PUT /v2/a/blobs", 1, Fault::Mute),
        ("PUT /v2/a/manifests", 2, Fault::Status(500, "")),
        ("PUT /v2/a/manifests", 1, Fault::Mute),
        ("GET /v2/a/manifests", 2, Fault::Status(504, "")),
        ("GET /v2/a/manifests", 1, Fault::Short(10)),
    ] {
        let (double, sample) = (Double::start(), Sample::new(0));
        double.fail(on, times, fault.clone());
        sample.push(&double, "a").unwrap_or_else(|error| panic!("{on} {fault:?}: {error}"));
        sample.is_in(&double, "a");
    }
}

#[test]
fn an_upload_goes_on_where_it_was_cut() {
    let (double, sample) = (Double::start(), Sample::new(0));
    // Each cut keeps more than a mebibyte, so that none was in vain: five are more than the attempts there are.
    let large = LARGE + 8 * (LARGE / 2);
    let blob = (0..large).map(|index| (index % 241) as u8).collect::<Vec<_>>();
    let mut sample = sample;
    let old = sample.image.layers[0];
    let new = Blob { digest: Digest::of(&blob), size: blob.len() as u64 };
    let manifest = String::from_utf8(sample.image.manifest.clone()).unwrap();
    let manifest = manifest.replace(&old.digest.to_string(), &new.digest.to_string());
    sample.image.manifest = manifest.replace(&old.size.to_string(), &new.size.to_string()).into_bytes();
    sample.image.layers[0] = new;
    sample.blobs.remove(&old.digest);
    sample.blobs.insert(new.digest, blob);
    // The small ones lie there already.
    let small = Sample::new(0);
    small.push(&double, "a").unwrap();
    double.fail("PATCH", 5, Fault::Cut(LARGE / 2));
    sample.push(&double, "a").unwrap();
    sample.is_in(&double, "a");
    let asked = double.log().iter().filter(|line| line.starts_with("GET /v2/a/blobs/uploads/")).count();
    assert_eq!(asked, 5, "asked how far it is after each cut");
    assert_eq!(double.count("POST /v2/a/blobs/uploads/"), 4, "one upload a blob");
}

#[test]
fn what_does_not_pass_leaves_the_tag_alone() {
    let old = Sample::new(9);
    for (on, times, fault, words) in [
        ("HEAD", 99, Fault::Status(500, ""), "(3 attempts)"),
        ("POST", 99, Fault::Status(429, "Retry-After: 0\r\n"), "429"),
        ("POST", 99, Fault::Status(429, "Retry-After: 3600\r\n"), "wants fewer requests"),
        ("POST", 99, Fault::Status(403, ""), "docker login"),
        ("POST", 99, Fault::Deaf, "(3 attempts)"),
        ("PATCH", 99, Fault::Status(507, ""), "make room"),
        ("PATCH", 99, Fault::Status(413, ""), "no blob of this size"),
        ("PATCH", 99, Fault::Cut(1000), "(3 attempts)"),
        ("PUT /v2/a/blobs", 99, Fault::Lie, "want sha256:"),
        ("PUT /v2/a/manifests", 99, Fault::Status(500, ""), "(3 attempts)"),
        ("PUT /v2/a/manifests", 99, Fault::Status(400, ""), "400"),
        ("PUT /v2/a/manifests", 99, Fault::Deaf, "no tag names it yet"),
        ("PUT /v2/a/manifests/sha256:", 99, Fault::Lie, "want sha256:"),
    ] {
        let (double, sample) = (Double::start(), Sample::new(0));
        old.push(&double, "a").unwrap();
        double.fail(on, times, fault.clone());
        let error = sample.push(&double, "a").expect_err(on);
        let told = format!("{error} {}", error.hint().unwrap_or_default());
        assert!(told.contains(words), "{on} {fault:?}: no `{words}` in: {told}");
        assert!(told.contains(&double.host), "{on} {fault:?}: where? {told}");
        assert!(error.hint().is_some(), "{on} {fault:?}: what next? {told}");
        old.is_in(&double, "a");
    }
}

#[test]
fn an_upload_that_never_is_right_has_an_end() {
    let (double, sample) = (Double::start(), Sample::new(0));
    double.fail("PATCH", 999, Fault::Cut(LARGE / 2)).fail("PUT /v2/a/blobs", 999, Fault::Status(400, ""));
    sample.push(&double, "a").expect_err("400 for ever");
    assert!(double.log().len() < 100, "{:#?}", double.log());
}

#[test]
fn a_registry_that_lies_is_found_out() {
    let sample = Sample::new(0);
    let double = Double::start();
    double.fail("HEAD", 0, Fault::Lie);
    sample.push(&double, "a").unwrap();
    // What it reads back is something else than what it took.
    let other = Sample::new(1);
    double.fail("GET /v2/a/manifests/v1", 1, Fault::Status(404, "")).fail("GET /v2/a/manifests/v1", 9, Fault::Lie);
    let error = other.push(&double, "a").expect_err("lies");
    assert!(error.hint().unwrap_or_default().contains("at fault"), "{error}");
}

#[test]
fn tokens_are_asked_for_each_repository_once() {
    let (double, sample) = (Double::start(), Sample::new(0));
    double.guard();
    sample.push(&double, "a/b").unwrap();
    sample.is_in(&double, "a/b");
    assert_eq!(double.count("GET /token"), 2, "one to push, one to read back: {:#?}", double.log());
    // One that has expired is replaced.
    double.fail("POST", 1, Fault::Status(401, ""));
    Sample::new(1).push(&double, "a/b").unwrap();
    // A registry that takes no token it gave.
    double.fail("/v2/c/", 99, Fault::Status(401, ""));
    let error = sample.push(&double, "c").expect_err("refused");
    assert!(error.hint().unwrap_or_default().contains("docker login"), "{error}");
    assert_eq!(double.tag("c", "v1"), None);
}

#[test]
fn retry_after_is_honoured() {
    let (double, sample) = (Double::start(), Sample::new(0));
    double.fail("POST", 1, Fault::Status(429, "Retry-After: 1\r\n"));
    let begin = Instant::now();
    sample.push(&double, "a").unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(1));
}

#[test]
fn an_interrupted_push_ends_soon() {
    let (double, sample) = (Double::start(), Sample::new(0));
    double.fail("PATCH", 99, Fault::Status(429, "Retry-After: 50\r\n"));
    let cancel = Arc::new(AtomicBool::new(false));
    let watch = Watch::new(Arc::clone(&cancel), |_, _, _| {});
    let begin = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            cancel.store(true, Ordering::Relaxed);
        });
        let end = sample.push_with(&double, "a", None, &watch);
        assert!(matches!(end, Err(Error::Cancelled)), "{end:?}");
    });
    assert!(begin.elapsed() < Duration::from_secs(3));
    assert_eq!(double.tag("a", "v1"), None);
    assert!(double.blob("a", &sample.large()).is_none());
}
