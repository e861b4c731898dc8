//! Manifests and tags, read by oci-client. It runs in a runtime of its own, on the thread that asks.

use std::future::Future;
use std::time::Duration;

use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError as Trouble;
use oci_client::secrets::RegistryAuth;
use tokio::runtime::Builder;

use super::policy::{Fault, STEP};
use super::push::MANIFESTS;
use super::token::{Access, Key};
use super::wire::unanswered;
use super::{Error, Registry, Repository, Watch};
use crate::digest::Digest;

impl Registry {
    /// A manifest, by tag or digest, byte for byte; one by digest is what it must be.
    ///
    /// # Errors
    /// Where the registry fails or has none.
    pub fn manifest(&self, repository: &Repository, name: &str) -> Result<Vec<u8>, Error> {
        let reference = reference(repository, name);
        let accept: Vec<&str> = MANIFESTS.split(", ").collect();
        let request = format!("GET {}", repository.url(&format!("manifests/{name}"))?);
        self.wire.policy.patiently(&self.watch, || {
            let auth = auth(self.wire.key(&Access::pull(repository))?);
            let client = client(repository, self.wire.policy.idle)?;
            let (bytes, _) = run(&self.watch, &request, client.pull_manifest_raw(&reference, &auth, &accept))?;
            Ok(bytes.to_vec())
        })
    }
}

/// A client with the keys of one repository: it keeps one for all of a registry.
fn client(repository: &Repository, idle: Duration) -> Result<Client, Error> {
    let name = repository.host.name().to_owned();
    let protocol =
        if repository.host.is_plain() { ClientProtocol::HttpsExcept(vec![name]) } else { ClientProtocol::Https };
    let config = ClientConfig {
        protocol,
        connect_timeout: Some(idle),
        read_timeout: Some(idle),
        user_agent: concat!("forge/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    };
    Client::try_from(config).map_err(|error| Error::Client(error.to_string()))
}

fn reference(repository: &Repository, name: &str) -> oci_client::Reference {
    let (host, path, name) = (repository.host.name().to_owned(), repository.name.clone(), name.to_owned());
    if name.parse::<Digest>().is_ok() {
        return oci_client::Reference::with_digest(host, path, name);
    }
    oci_client::Reference::with_tag(host, path, name)
}

fn auth(key: Key) -> RegistryAuth {
    match key {
        Key::Nothing => RegistryAuth::Anonymous,
        Key::Password(name, password) => RegistryAuth::Basic(name, password),
        Key::Token(token) => RegistryAuth::Bearer(token),
    }
}

fn run<T>(watch: &Watch, request: &str, work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Fault> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Client(error.to_string()))?;
    runtime.block_on(async {
        tokio::select! {
            done = work => done.map_err(|trouble| fault(request, trouble)),
            error = unwanted(watch) => Err(Fault::Final(error)),
        }
    })
}

/// Waits until the work is no longer wanted.
async fn unwanted(watch: &Watch) -> Error {
    loop {
        if let Err(error) = watch.check() {
            return error;
        }
        tokio::time::sleep(STEP).await;
    }
}

/// What oci-client's errors mean.
fn fault(request: &str, trouble: Trouble) -> Fault {
    let request = request.to_owned();
    let refused = |code: u16, text: String| Error::Answer {
        request: request.clone(),
        code,
        status: code.to_string(),
        text,
        attempts: 1,
    };
    match trouble {
        Trouble::ServerError { code, message, .. } if code == 429 || code >= 500 => {
            Fault::passing(refused(code, message.lines().next().unwrap_or_default().to_owned()))
        }
        Trouble::ServerError { code, message, .. } => Fault::Final(refused(code, message)),
        Trouble::UnauthorizedError { .. } | Trouble::AuthenticationFailure(_) => {
            Fault::Final(refused(401, String::new()))
        }
        Trouble::ImageManifestNotFoundError(text) => Fault::Final(refused(404, text)),
        Trouble::RegistryError { envelope, .. } => {
            let text = envelope.errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>().join("; ");
            Fault::Final(refused(404, text))
        }
        Trouble::RequestError(error) => unanswered(request, &error),
        trouble => Fault::Final(Error::Broken { request, why: trouble.to_string() }),
    }
}
