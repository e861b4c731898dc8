//! The certificates that a kernel trusts, and whether a signature is by one of them.

use cms::cert::x509::Certificate;
use cms::cert::x509::der::{Decode as _, DecodePem as _, Encode as _};
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use rsa::pkcs8::DecodePublicKey as _;
use rsa::sha2::{Digest as _, Sha512};
use rsa::{Pkcs1v15Sign, RsaPublicKey};

use super::signer::SHA512;
use super::{Error, pem};

/// A certificate and its key.
#[derive(Clone, Debug)]
pub(super) struct Trusted {
    pub(super) certificate: Certificate,
    pub(super) key: RsaPublicKey,
}

/// The certificates of one file.
#[derive(Clone, Debug)]
pub struct Certificates(pub(super) Vec<Trusted>);

impl Certificates {
    /// Reads a PEM file with at least one certificate; those of other keys than RSA are refused.
    ///
    /// # Errors
    /// For a file without certificates, and for one that can't be used.
    pub fn read(text: &str) -> Result<Self, Error> {
        let blocks = pem::blocks(text).filter(|block| block.label == "CERTIFICATE");
        let all = blocks.map(|block| Trusted::read(block.text)).collect::<Result<Vec<_>, _>>()?;
        if all.is_empty() { Err(Error::Certificate("the file has none in PEM".to_owned())) } else { Ok(Self(all)) }
    }

    /// Whose they are, for people.
    #[must_use]
    pub fn subjects(&self) -> String {
        self.0.iter().map(Trusted::subject).collect::<Vec<_>>().join("; ")
    }

    /// Whether `signature`, a CMS message, is one of `module` that the kernel accepts.
    ///
    /// # Errors
    /// Says why it is not.
    pub fn verify(&self, module: &[u8], signature: &[u8]) -> Result<(), Error> {
        let signer = signer(signature)?;
        let trusted = self.0.iter().find(|trusted| trusted.signed(&signer.sid));
        let trusted = trusted.ok_or_else(|| Error::Signatory(format!("the kernel trusts {}", self.subjects())))?;
        let padding = Pkcs1v15Sign::new::<Sha512>();
        let fits = trusted.key.verify(padding, &Sha512::digest(module), signer.signature.as_bytes());
        fits.map_err(|_| Error::Unfit)
    }
}

impl Trusted {
    fn read(text: &str) -> Result<Self, Error> {
        let damaged = |error: &dyn std::fmt::Display| Error::Certificate(format!("it is damaged: {error}"));
        let certificate = Certificate::from_pem(text).map_err(|error| damaged(&error))?;
        let key = certificate.tbs_certificate.subject_public_key_info.to_der().map_err(|error| damaged(&error))?;
        let key = RsaPublicKey::from_public_key_der(&key).map_err(|_| {
            Error::Certificate("its key is not an RSA key; others sign in another way each time".to_owned())
        })?;
        Ok(Self { certificate, key })
    }

    fn subject(&self) -> String {
        self.certificate.tbs_certificate.subject.to_string()
    }

    /// Whether a message names this certificate.
    fn signed(&self, sid: &SignerIdentifier) -> bool {
        let own = &self.certificate.tbs_certificate;
        matches!(sid, SignerIdentifier::IssuerAndSerialNumber(named)
            if named.issuer == own.issuer && named.serial_number == own.serial_number)
    }
}

/// The one signer of a message, which must have the form that `sign-file` gives it.
fn signer(signature: &[u8]) -> Result<SignerInfo, Error> {
    let damaged = |error: &dyn std::fmt::Display| Error::Message(error.to_string());
    let message = ContentInfo::from_der(signature).map_err(|error| damaged(&error))?;
    let signed: SignedData = message.content.decode_as().map_err(|error| damaged(&error))?;
    let [signer] = signed.signer_infos.0.as_slice() else {
        return Err(Error::Message("it has not one signer".to_owned()));
    };
    if signer.signed_attrs.is_some() {
        return Err(Error::Message("it has signed attributes, among them the time; sign with CMS_NOATTR".to_owned()));
    }
    if signer.digest_alg.oid != SHA512 {
        return Err(Error::Message("its digest is not SHA-512".to_owned()));
    }
    Ok(signer.clone())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{CERTIFICATE, trusted};
    use super::*;

    #[test]
    fn a_certificate_is_found_among_text() {
        assert_eq!(trusted().subjects(), "CN=forge development key: public\\, worthless");
        let twice = format!("{CERTIFICATE}{CERTIFICATE}");
        assert_eq!(Certificates::read(&twice).expect("two").0.len(), 2);
    }

    #[test]
    fn certificates_that_can_t_be_used() {
        let damaged = "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n";
        let elliptic = include_str!("elliptic.crt");
        for (text, words) in [("words", "has none"), (damaged, "damaged"), (elliptic, "not an RSA key")] {
            let error = Certificates::read(text).expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
