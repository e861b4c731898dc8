//! Who we are to a registry: docker's configuration, and the helpers that it names.

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::PathBuf;

use docker_credential::{CredentialRetrievalError as Trouble, DockerCredential, get_credential_from_reader};

use super::{Error, Host};

/// What helpers print where they know nothing of a registry.
const UNKNOWN: &str = "credentials not found";

/// Where credentials stand.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Docker's `config.json`; without one everybody is anonymous.
    pub config: Option<PathBuf>,
}

/// Who we are.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Identity {
    Anonymous,
    User(String, String),
    /// A token by which other tokens are had.
    Token(String),
}

impl Credentials {
    /// Who we are to `host`.
    pub(super) fn of(&self, host: &Host) -> Result<Identity, Error> {
        let Some(config) = &self.config else { return Ok(Identity::Anonymous) };
        let failed = |why: String| Error::Credentials { host: host.clone(), config: config.clone(), why };
        let file = match File::open(config) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Identity::Anonymous),
            file => file.map_err(|error| failed(error.to_string()))?,
        };
        match get_credential_from_reader(BufReader::new(file), host.key()) {
            Ok(DockerCredential::UsernamePassword(name, password)) => Ok(Identity::User(name, password)),
            Ok(DockerCredential::IdentityToken(token)) => Ok(Identity::Token(token)),
            Err(Trouble::NoCredentialConfigured) => Ok(Identity::Anonymous),
            Err(Trouble::HelperFailure { stdout, stderr, .. })
                if stdout.contains(UNKNOWN) || stderr.contains(UNKNOWN) =>
            {
                Ok(Identity::Anonymous)
            }
            Err(trouble) => Err(failed(words(&trouble))),
        }
    }
}

/// What went wrong, in a line.
fn words(trouble: &Trouble) -> String {
    match trouble {
        Trouble::HelperCommunicationError => {
            "the credential helper that it names does not run: is docker-credential-… on PATH?".to_owned()
        }
        Trouble::HelperFailure { helper, stdout, stderr } => {
            let said = stdout.lines().chain(stderr.lines()).map(str::trim).find(|line| !line.is_empty());
            format!("{helper}: {}", said.unwrap_or("it failed, and did not say why"))
        }
        trouble => trouble.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(config: &str, host: &str) -> Result<Identity, Error> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.json");
        std::fs::write(&path, config).expect("writes");
        Credentials { config: Some(path) }.of(&Host::new(host))
    }

    #[test]
    fn what_docker_writes() {
        let user = Ok(("me".to_owned(), "secret".to_owned()));
        let read = |config, host| match of(config, host) {
            Ok(Identity::User(name, password)) => Ok((name, password)),
            Ok(Identity::Anonymous) => Err("anonymous".to_owned()),
            Ok(Identity::Token(token)) => Err(token),
            Err(error) => Err(error.to_string()),
        };
        let anonymous = || Err("anonymous".to_owned());
        assert_eq!(read(r#"{"auths":{"example.org":{"auth":"bWU6c2VjcmV0"}}}"#, "example.org"), user);
        assert_eq!(read(r#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6c2VjcmV0"}}}"#, "docker.io"), user);
        assert_eq!(read(r#"{"auths":{"example.org":{"auth":"bWU6c2VjcmV0"}}}"#, "other.example"), anonymous());
        assert_eq!(read(r#"{"auths":{"example.org":{"identitytoken":"t"}}}"#, "example.org"), Err("t".to_owned()));
        assert!(read("{", "example.org").expect_err("broken").contains("config.json"));
        let missing = read(r#"{"credHelpers":{"example.org":"no-such-helper"}}"#, "example.org");
        assert!(missing.expect_err("no helper").contains("credential helper"));
    }
}
