//! Registries elsewhere, to which TLS is spoken: with certificates that are good, and that are not.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use super::push::{project, tool};
use super::real::{AWAY, Real};
use super::source::consumer;
use crate::support::Forge;

/// What makes a key, which lies beside what it is for.
const KEY: [&str; 6] = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/// A CA, and the files of what it signs.
struct Authority(TempDir);

impl Authority {
    fn new(name: &str) -> Self {
        let authority = Self(TempDir::new().unwrap());
        let own = ["-x509", "-subj", &format!("/CN={name}"), "-days", "9", "-keyout", "ca.key", "-out", "ca.pem"];
        authority.openssl(&[&KEY[..], &own].concat());
        authority
    }

    fn openssl(&self, args: &[&str]) {
        tool(self.0.path(), "openssl", args);
    }

    /// A file of it; `ca.pem` is its own certificate.
    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A registry with a certificate for `name` that is good for so many days.
    fn registry(&self, name: &str, days: &str) -> Real {
        let names = format!("subjectAltName={name}");
        let asked = ["-subj", "/CN=registry", "-addext", &names, "-keyout", "registry.key", "-out", "registry.csr"];
        self.openssl(&[&KEY[..], &asked].concat());
        let signs = ["x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-copy_extensions", "copy", "-days", days];
        self.openssl(&[&signs[..], &["-in", "registry.csr", "-out", "registry.pem"]].concat());
        Real::away(Some((&self.file("registry.pem"), &self.file("registry.key"))))
    }

    /// One with a certificate for where it is.
    fn good(&self) -> Real {
        self.registry(&format!("IP:{AWAY}"), "9")
    }

    /// One whose certificate was good for the second in which it was made.
    fn expired(&self) -> Real {
        let real = self.registry(&format!("IP:{AWAY}"), "0");
        sleep(Duration::from_secs(2));
        real
    }
}

/// A project whose image is built, as there is nothing to fetch in a registry's network.
fn built() -> Forge {
    let forge = project();
    forge.run(&["build", "app"]).success();
    forge
}

#[test]
fn a_registry_is_spoken_to_by_tls() {
    let (maker, authority) = (built(), Authority::new("house"));
    let (real, trusted) = (authority.good(), authority.file("ca.pem"));
    let reference = format!("{}/app:1", real.host);
    for tag in ["new", "same"] {
        let line = &real.near(&maker, &trusted, &["push", "app", &reference, "--json"]).success().json()[0];
        assert_eq!(line["tag"], tag);
    }
    let forge = consumer(&real.host);
    real.near(&forge, &trusted, &["lock"]).success();
    real.near(&forge, &trusted, &["build", "user"]).success();
    assert!(fs::read_to_string(forge.project().join("result/user")).unwrap().contains("manifests"));
}

#[test]
fn who_is_not_trusted_is_told_at_once() {
    let (forge, authority, stranger) = (built(), Authority::new("house"), Authority::new("stranger"));
    let trusted = authority.file("ca.pem");
    for (real, words, next) in [
        (stranger.good(), "nobody whom this machine trusts", "SSL_CERT_FILE"),
        (Authority::new("house").good(), "nobody whom this machine trusts", "SSL_CERT_FILE"),
        (authority.expired(), "has expired", "renew its certificate"),
        (authority.registry("DNS:registry.example.org", "9"), "is for registry.example.org", "a name that"),
        (Real::away(Some((&trusted, &authority.file("ca.key")))), "that of a CA", "CA:false"),
        (Real::away(None), "does not speak TLS", "a tunnel to localhost"),
    ] {
        let reference = format!("{}/app:1", real.host);
        let run = real.near(&forge, &trusted, &["push", "app", &reference]).code(3);
        let run = run.says(&format!("GET https://{}/v2/: ", real.host)).says(words).says("hint: ").says(next);
        assert!(!run.stderr.contains("attempts"), "{}", run.stderr);
        let consumer = consumer(&real.host);
        real.near(&consumer, &trusted, &["lock"]).code(3).says(words).says(next);
    }
}

#[test]
fn a_machine_that_trusts_nobody_is_told_what_to_install() {
    let (forge, authority) = (built(), Authority::new("house"));
    let real = authority.good();
    let run = real.near(&forge, &authority.file("none"), &["push", "app", &format!("{}/app:1", real.host)]);
    run.code(3).says("CA").says("hint: ").says("ca-certificates");
}

#[test]
fn what_was_locked_is_fetched_from_nobody_else() {
    let (maker, authority, stranger) = (built(), Authority::new("house"), Authority::new("stranger"));
    let real = authority.good();
    real.near(&maker, &authority.file("ca.pem"), &["push", "app", &format!("{}/app:1", real.host)]).success();
    let forge = consumer(&real.host);
    real.near(&forge, &authority.file("ca.pem"), &["lock"]).success();
    let run = real.near(&forge, &stranger.file("ca.pem"), &["build", "user"]).code(3);
    run.says("nobody whom this machine trusts").says("SSL_CERT_FILE");
}
