//! Downloads from good places and bad ones.

use std::cell::RefCell;
use std::fs;
use std::ops::ControlFlow;
use std::time::Duration;

use forge::digest::Digest;
use forge::fetch::{Downloader, Error, Exhausted, Location, Policy, Progress, Want};
use forge::store::{Blob, Store};

use super::server::{Reply, Server};
use super::{Home, content};

/// Patient enough for a busy machine, and no more.
fn policy() -> Policy {
    Policy { pause: Duration::from_millis(5), idle: Duration::from_millis(700), ..Policy::default() }
}

fn want(bytes: &[u8]) -> Want<'static> {
    let size = bytes.len() as u64;
    Want { name: "hello 2.10-3", unit: Some("tools"), digest: Some(Digest::of(bytes)), size: Some(size), limit: size }
}

fn get(store: &Store, want: &Want<'_>, places: &[Location]) -> Result<Blob, Error> {
    Downloader::new(policy()).download(store, want, places, &|_| ControlFlow::Continue(()))
}

fn places(server: &Server, paths: &[&str]) -> Vec<Location> {
    paths.iter().map(|path| Location::Http(server.url(path))).collect()
}

fn exhausted(result: Result<Blob, Error>) -> Exhausted {
    match result {
        Err(Error::Exhausted(exhausted)) => *exhausted,
        other => panic!("want an exhausted download, got {other:?}"),
    }
}

/// A first place that behaves badly, a second that has the file; the requests that are made, by path.
#[test]
fn from_a_bad_place_to_a_good_one() {
    let body = content(300_000);
    let wrong = content(300_001)[1..].to_vec();
    let status = |code| Reply::Status(code, Vec::new());
    let wait = |seconds: &str| Reply::Status(429, vec![("Retry-After", seconds.to_owned())]);
    let around = || Reply::Status(302, vec![("Location", "/bad".to_owned())]);
    for (what, replies, bad) in [
        ("good", vec![Reply::File(body.clone())], 1),
        ("gone", vec![status(404)], 1),
        ("gone for good", vec![status(410)], 1),
        ("forbidden", vec![status(403)], 1),
        ("wrong bytes", vec![Reply::File(wrong.clone())], 1),
        ("wrong length", vec![Reply::Lie(body.clone(), 299_999)], 1),
        ("endless", vec![Reply::Endless], 1),
        ("circle", vec![around()], 6),
        ("always down", vec![status(500)], 4),
        ("down, then up", vec![status(503), Reply::File(body.clone())], 2),
        ("busy, then free", vec![wait("0"), Reply::File(body.clone())], 2),
        ("busy for long", vec![wait("3600")], 1),
        ("cut, then good", vec![Reply::Cut(body.clone(), 100_000), Reply::File(body.clone())], 2),
        ("cut, then no ranges", vec![Reply::Cut(body.clone(), 100_000), Reply::NoRange(body.clone())], 2),
        ("cut, then a wrong range", vec![Reply::Cut(body.clone(), 100_000), Reply::WrongRange(body.clone())], 2),
        ("cut, changed, then good", vec![Reply::Cut(wrong, 100_000), Reply::File(body.clone())], 3),
        ("always cut", vec![Reply::Cut(body.clone(), 0)], 4),
        ("stalls, then good", vec![Reply::Stall(body.clone()), Reply::File(body.clone())], 2),
    ] {
        let (home, server) = (Home::new(), Server::start());
        server.on("/bad", replies).on("/good", [Reply::File(body.clone())]);
        let blob = get(&home.store, &want(&body), &places(&server, &["/bad", "/good"])).expect(what);
        assert_eq!(blob.digest, Digest::of(&body), "{what}");
        assert_eq!(home.read(&blob), body, "{what}");
        let asked = server.log().iter().filter(|(path, _)| path == "/bad").count();
        assert_eq!(asked, bad, "{what}: {:?}", server.log());
        assert_eq!(home.parts(), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn what_is_there_is_not_asked_for() {
    let (home, server) = (Home::new(), Server::start());
    let blob = home.store.put(b"abc").expect("a store");
    assert_eq!(get(&home.store, &want(b"abc"), &places(&server, &["/a"])).expect("there"), blob);
    assert_eq!(server.log(), []);
}

#[test]
fn resumes_where_it_was_cut() {
    let (home, server, body) = (Home::new(), Server::start(), content(300_000));
    server.on("/a", [Reply::Cut(body.clone(), 123_456), Reply::File(body.clone())]);
    get(&home.store, &want(&body), &places(&server, &["/a"])).expect("resumed");
    let ranges: Vec<_> = server.log().into_iter().map(|(_, range)| range).collect();
    assert_eq!(ranges, [None, Some("bytes=123456-".to_owned())]);
}

/// The part survives an unlucky run, and a place that has nothing more.
#[test]
fn resumes_in_the_next_run() {
    let (home, server, body) = (Home::new(), Server::start(), content(300_000));
    server.on("/cut", [Reply::Cut(body.clone(), 100_000), Reply::Status(404, Vec::new())]);
    exhausted(get(&home.store, &want(&body), &places(&server, &["/cut"])));
    assert_eq!(home.parts().len(), 1);
    server.on("/good", [Reply::File(body.clone())]);
    get(&home.store, &want(&body), &places(&server, &["/good"])).expect("resumed");
    assert_eq!(server.log().last(), Some(&("/good".to_owned(), Some("bytes=100000-".to_owned()))));
    assert_eq!(home.parts(), Vec::<String>::new());
}

/// What lies about from an earlier run is not trusted.
#[test]
fn a_spoilt_part_is_thrown_away() {
    let body = content(300_000);
    for spoilt in [content(1000)[1..].to_vec(), content(300_001)[1..].to_vec(), content(400_000)] {
        let (home, server) = (Home::new(), Server::start());
        let folder = home.store.root().join("partial");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(Digest::of(&body).hex()), spoilt).expect("a file");
        server.on("/a", [Reply::File(body.clone())]);
        get(&home.store, &want(&body), &places(&server, &["/a"])).expect("fetched whole");
        assert!(server.log().len() <= 2, "{:?}", server.log());
        assert_eq!(server.log().last(), Some(&("/a".to_owned(), None)));
    }
}

/// Without a digest a resumed body must be of the same state of the file.
#[test]
fn without_a_pin() {
    let (home, server, body) = (Home::new(), Server::start(), content(300_000));
    server.on("/a", [Reply::Cut(body.clone(), 100_000), Reply::File(body.clone())]);
    let url = server.url("/a");
    let want = Want { name: &url, unit: None, digest: None, size: None, limit: 1 << 20 };
    let blob = get(&home.store, &want, &places(&server, &["/a"])).expect("fetched");
    assert_eq!(blob.digest, Digest::of(&body));
    let small = Want { limit: 1000, ..want };
    let error = exhausted(get(&home.store, &small, &places(&server, &["/a"]))).to_string();
    assert!(error.contains("more than 1000 bytes"), "{error}");
}

#[test]
fn files_and_empty_files() {
    let home = Home::new();
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a"), b"abc").expect("a file");
    let file = |name: &str| Location::File(folder.path().join(name));
    let blob = get(&home.store, &want(b"abc"), &[file("none"), file(""), file("a")]).expect("a copy");
    assert_eq!(home.read(&blob), b"abc");
    assert!(folder.path().join("a").exists());
    get(&home.store, &want(b""), &[file("none")]).expect("nothing to fetch");
}

#[test]
fn an_exhausted_download_says_all() {
    let (home, server) = (Home::new(), Server::start());
    server.on("/wrong", [Reply::File(b"abd".to_vec())]).on("/long", [Reply::Lie(b"abcd".to_vec(), 4)]);
    let result = get(&home.store, &want(b"abc"), &places(&server, &["/none", "/wrong", "/long"]));
    let (text, url) = (exhausted(result).to_string(), &server.address);
    let (abc, abd) = (Digest::of(b"abc"), Digest::of(b"abd"));
    let expected = format!(
        "hello 2.10-3: no place gave it\n  want {abc} (3 bytes)\n  {url}/none: 404 Not Found\n  \
         {url}/wrong: wrong content\n      want {abc}\n      got  {abd}\n  \
         {url}/long: wrong size\n      want 3 bytes\n      got  4 bytes\n\
         to pin what the mirrors have now: forge lock --update tools"
    );
    assert_eq!(text, expected);
}

#[test]
fn a_dead_host_is_asked_once_for_further_files() {
    let (home, server) = (Home::new(), Server::start());
    server.on("/a", [Reply::Status(500, Vec::new())]).on("/b", [Reply::Status(500, Vec::new())]);
    let downloader = Downloader::new(policy());
    for (path, bytes) in [("/a", b"a"), ("/b", b"b")] {
        let result =
            downloader.download(&home.store, &want(bytes), &places(&server, &[path]), &|_| ControlFlow::Continue(()));
        exhausted(result);
    }
    let paths: Vec<_> = server.log().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["/a", "/a", "/a", "/a", "/b"]);
}

#[test]
fn offline_asks_no_one() {
    let (home, server) = (Home::new(), Server::start());
    let downloader = Downloader::new(Policy { offline: true, ..policy() });
    let result =
        downloader.download(&home.store, &want(b"abc"), &places(&server, &["/a"]), &|_| ControlFlow::Continue(()));
    assert!(exhausted(result).to_string().contains("offline"));
    assert_eq!(server.log(), []);
}

#[test]
fn progress_is_told_and_can_end_it() {
    let (home, server, body) = (Home::new(), Server::start(), content(300_000));
    server.on("/a", [Reply::File(body.clone())]);
    let seen = RefCell::new(Vec::new());
    let watch = |progress: Progress<'_>| {
        seen.borrow_mut().push((progress.got, progress.total));
        if progress.got > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let result = Downloader::new(policy()).download(&home.store, &want(&body), &places(&server, &["/a"]), &watch);
    assert!(matches!(result, Err(Error::Cancelled(name)) if name == "hello 2.10-3"));
    let seen = seen.borrow();
    assert_eq!(seen.first(), Some(&(0, Some(300_000))));
    assert!(seen.last().is_some_and(|(got, _)| *got > 0));
    assert_eq!(home.parts().len(), 1);
}

/// Several threads want one file: it is fetched once.
#[test]
fn one_download_for_all_who_want_it() {
    let (home, server, body) = (Home::new(), Server::start(), content(3_000_000));
    server.on("/a", [Reply::File(body.clone())]);
    std::thread::scope(|scope| {
        let fetch = || get(&home.store, &want(&body), &places(&server, &["/a"])).expect("fetched");
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(fetch)).collect();
        threads.into_iter().for_each(|thread| assert_eq!(thread.join().expect("sound").digest, Digest::of(&body)));
    });
    assert_eq!(server.log().len(), 1);
}
