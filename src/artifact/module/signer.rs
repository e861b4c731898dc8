//! Makes the signatures that kernels read, with the bytes of `scripts/sign-file`.
//!
//! The message is a CMS `SignedData` (RFC 5652) without content, certificates and attributes: one signer, named by the
//! issuer and serial number of its certificate, whose RSA signature (PKCS #1 v1.5) is of the SHA-512 of the module. So
//! there is no time and no chance in it: the same key signs the same module with the same bytes.

use cms::cert::IssuerAndSerialNumber;
use cms::cert::x509::der::asn1::{Null, ObjectIdentifier, OctetString, SetOfVec};
use cms::cert::x509::der::oid::db::{rfc5911, rfc5912};
use cms::cert::x509::der::{self, Any, Encode as _};
use cms::cert::x509::spki::AlgorithmIdentifierOwned;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos};
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::sha2::{Digest as _, Sha512};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};

use super::certificate::Certificates;
use super::{Error, pem};

/// The name of SHA-512 in messages.
pub(super) const SHA512: ObjectIdentifier = rfc5912::ID_SHA_512;

/// Why a key of another kind is refused.
const OTHER: &str = "it is no RSA key; others, as ECDSA's, sign in another way each time, so that nobody could make the same \
                     modules again";

/// A private key with the certificate that it belongs to.
#[derive(Debug)]
pub struct Signer {
    key: RsaPrivateKey,
    name: IssuerAndSerialNumber,
}

impl Signer {
    /// Reads a key (PEM, PKCS #8 or PKCS #1, without a passphrase) that belongs to one of `trusted`.
    ///
    /// # Errors
    /// For a key that can't be used, and one of another certificate.
    pub fn new(text: &str, trusted: &Certificates) -> Result<Self, Error> {
        let key = private_key(text)?;
        let public = key.to_public_key();
        let own = trusted.0.iter().find(|one| one.key == public);
        let own = own.ok_or_else(|| Error::Stranger(trusted.subjects()))?;
        let own = &own.certificate.tbs_certificate;
        let (issuer, serial_number) = (own.issuer.clone(), own.serial_number.clone());
        Ok(Self { key, name: IssuerAndSerialNumber { issuer, serial_number } })
    }

    /// The signature of a module, a CMS message in DER.
    ///
    /// # Errors
    /// For a key that is too short.
    pub fn sign(&self, module: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.key.sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(module));
        let signature = signature.map_err(|error| Error::Key(error.to_string()))?;
        self.message(signature).map_err(|error| Error::Key(format!("BUG: {error}")))
    }

    fn message(&self, signature: Vec<u8>) -> der::Result<Vec<u8>> {
        let digest = AlgorithmIdentifierOwned { oid: SHA512, parameters: None };
        let signer = SignerInfo {
            version: CmsVersion::V1,
            sid: SignerIdentifier::IssuerAndSerialNumber(self.name.clone()),
            digest_alg: digest.clone(),
            signed_attrs: None,
            signature_algorithm: AlgorithmIdentifierOwned {
                oid: rfc5912::RSA_ENCRYPTION,
                parameters: Some(Any::encode_from(&Null)?),
            },
            signature: OctetString::new(signature)?,
            unsigned_attrs: None,
        };
        let signed = SignedData {
            version: CmsVersion::V1,
            digest_algorithms: SetOfVec::try_from(vec![digest])?,
            encap_content_info: EncapsulatedContentInfo { econtent_type: rfc5911::ID_DATA, econtent: None },
            certificates: None,
            crls: None,
            signer_infos: SignerInfos(SetOfVec::try_from(vec![signer])?),
        };
        ContentInfo { content_type: rfc5911::ID_SIGNED_DATA, content: Any::encode_from(&signed)? }.to_der()
    }
}

/// The first private key of a file.
fn private_key(text: &str) -> Result<RsaPrivateKey, Error> {
    let refused = |words: &str| Err(Error::Key(words.to_owned()));
    let damaged = |error: &dyn std::fmt::Display| Error::Key(format!("it is damaged: {error}"));
    let Some(block) = pem::blocks(text).find(|block| block.label.ends_with("PRIVATE KEY")) else {
        return refused("the file has no private key in PEM");
    };
    if block.label.starts_with("ENCRYPTED") || block.text.contains("Proc-Type: 4,ENCRYPTED") {
        return refused("it has a passphrase; give it without one: `openssl pkey -in KEY -out /dev/shm/key`");
    }
    match block.label {
        "RSA PRIVATE KEY" => RsaPrivateKey::from_pkcs1_pem(block.text).map_err(|error| damaged(&error)),
        "PRIVATE KEY" => match RsaPrivateKey::from_pkcs8_pem(block.text) {
            Err(rsa::pkcs8::Error::PublicKey(rsa::pkcs8::spki::Error::OidUnknown { .. })) => refused(OTHER),
            key => key.map_err(|error| damaged(&error)),
        },
        _ => refused(OTHER),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{KEY, trusted};
    use super::*;

    #[test]
    fn keys_of_both_forms() {
        let other = include_str!("pkcs1.pem");
        for (key, fits) in [(KEY, true), (other, false)] {
            let signer = Signer::new(key, &trusted());
            assert_eq!(signer.is_ok(), fits);
            assert!(fits || matches!(signer, Err(Error::Stranger(_))), "{signer:?}");
        }
    }

    #[test]
    fn keys_that_can_t_be_used() {
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMAAA\n-----END RSA PRIVATE KEY-----\n";
        for (text, words) in [
            ("words", "no private key"),
            (encrypted, "has a passphrase"),
            (old, "has a passphrase"),
            ("-----BEGIN EC PRIVATE KEY-----\nMAAA\n-----END EC PRIVATE KEY-----\n", "it is no RSA key"),
            (include_str!("elliptic.pem"), "it is no RSA key"),
            ("-----BEGIN PRIVATE KEY-----\nMAAA\n-----END PRIVATE KEY-----\n", "damaged"),
        ] {
            let error = Signer::new(text, &trusted()).expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
