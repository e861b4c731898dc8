//! Servers that TLS does not trust. To ask again would not help, so each has words on what does.

use std::error::Error as _;
use std::io;

use rustls::{CertificateError, Error as Trouble};

/// Why a server is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// Its certificate was signed by a stranger.
    #[error("nobody whom this machine trusts has signed its certificate")]
    Issuer,
    /// Its certificate was good once.
    #[error("its certificate has expired")]
    Expired,
    /// Its certificate will be good.
    #[error("its certificate is not valid yet")]
    Early,
    /// Its certificate is that of other names.
    #[error("its certificate is for {0}")]
    Name(String),
    /// Its certificate may only sign others.
    #[error("its certificate is that of a CA, not of a server")]
    Authority,
    /// Its certificate is no good for another reason.
    #[error("its certificate is no good: {0}")]
    Certificate(String),
    /// It does not speak TLS.
    #[error("what answers there does not speak TLS")]
    Plain,
}

impl Distrust {
    /// What was wrong with the server, where that is why a request failed.
    pub(super) fn of(error: &reqwest::Error) -> Option<Self> {
        let mut cause = error.source();
        while let Some(error) = cause {
            if let Some(trouble) = held(error).downcast_ref() {
                return Self::of_tls(trouble);
            }
            cause = error.source();
        }
        None
    }

    fn of_tls(trouble: &Trouble) -> Option<Self> {
        match trouble {
            Trouble::InvalidCertificate(error) => Some(Self::of_certificate(error)),
            // Its first byte is none of TLS.
            Trouble::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => Some(Self::Plain),
            _ => None,
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            // A bad signature: a CA is trusted that has the name of the one that signed.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::Issuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::Early,
            CertificateError::NotValidForNameContext { presented, .. } => Self::Name(names(presented)),
            // The type of this one belongs to a crate that rustls keeps to itself.
            CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => Self::Authority,
            error => Self::Certificate(error.to_string()),
        }
    }

    /// What to do next.
    pub(super) const fn hint(&self) -> &'static str {
        match self {
            Self::Issuer => {
                "if you trust it, add the CA that signed it to this machine's (Debian: a .crt file in \
                 /usr/local/share/ca-certificates, then `update-ca-certificates`), or name a file of CAs in SSL_CERT_FILE"
            }
            Self::Expired | Self::Early => {
                "if the clock of this machine is right, who runs the registry has to renew its certificate"
            }
            Self::Name(_) => "use a name that the certificate is for, or have this one added to it",
            Self::Authority => {
                "have that CA sign one for the registry, or make one that is no CA's: \
                 `openssl req -x509 … -addext basicConstraints=critical,CA:false`"
            }
            Self::Certificate(_) => "who runs the registry has to give it another certificate",
            Self::Plain => {
                "give the registry a certificate, or reach it by a tunnel to localhost: without TLS forge speaks to \
                 registries of this machine alone"
            }
        }
    }
}

/// What an error of I/O holds, which does not count among its causes; such errors hold one another.
fn held<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => held(inner),
        None => error,
    }
}

/// The names of a certificate, which rustls writes as `DnsName("example.org")` and `IpAddress(192.0.2.1)`.
fn names(presented: &[String]) -> String {
    let name = |text: &String| {
        let inner = text.split_once('(').map_or(text.as_str(), |(_, inner)| inner);
        inner.trim_end_matches(')').trim_matches('"').to_owned()
    };
    if presented.is_empty() { "no name".to_owned() } else { presented.iter().map(name).collect::<Vec<_>>().join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_within_errors() {
        let trouble = Trouble::InvalidCertificate(CertificateError::Expired);
        let error = io::Error::other(io::Error::other(trouble));
        let found = held(&error).downcast_ref().and_then(Distrust::of_tls);
        assert_eq!(found, Some(Distrust::Expired));
    }

    #[test]
    fn names_of_certificates() {
        for (presented, want) in [
            (&[][..], "no name"),
            (&["DnsName(\"example.org\")"], "example.org"),
            (&["DnsName(\"*.example.org\")", "IpAddress(192.0.2.1)"], "*.example.org, 192.0.2.1"),
        ] {
            let presented: Vec<String> = presented.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(names(&presented), want);
        }
    }
}
