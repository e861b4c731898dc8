//! Whose signature counts: OpenPGP keys pinned by fingerprint, and what makes one valid.
//!
//! The `pgp` crate does the arithmetic; the policy is here:
//!
//! - A signature counts if the *primary* key's fingerprint is pinned and the signature was made by
//!   that key or by a subkey that the primary has bound for signing and that has signed back.
//! - Only SHA-2 and SHA-3 count, in signatures and in bindings alike.
//! - Expiry is judged at the moment the signed text gives for itself, by the newest self-signature.
//!   A revocation counts always, but for one that only retires the key: that counts from its date.
//!
//! Source: RFC 9580, §5.2 (signatures), §10.1 (keys).

use std::fmt;

use pgp::composed::{Deserializable, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{RevocationCode, Signature, SignatureType};
use pgp::types::{KeyDetails, Tag, Timestamp};

use super::date::Date;

/// A file that is no OpenPGP key.
#[derive(Debug, thiserror::Error)]
#[error("it holds no OpenPGP public key: {0}")]
pub struct KeyError(String);

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No key that was given has made it (or it is forged; without the key one can't tell).
    Unknown(String),
    /// Made by a given key that is not pinned.
    NotPinned(String),
    /// Its digest algorithm is broken.
    WeakHash(String),
    /// It has a critical part that forge does not know, or no date.
    Unclear(String),
    /// The key names it, and the text does not match.
    Forged(String),
    /// The subkey is not bound to the primary key for signing.
    Unbound(String),
    /// The key or the signature had expired, or was not yet made, at the message's date.
    Expired(String),
    /// The key was revoked.
    Revoked(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(key) => write!(f, "{key}: none of the given keys made it"),
            Self::NotPinned(key) => write!(f, "{key}: the key is not pinned"),
            Self::WeakHash(key) => write!(f, "{key}: it uses a weak digest (SHA-2 or SHA-3 is needed)"),
            Self::Unclear(key) => write!(f, "{key}: it has a critical part unknown to forge, or no date"),
            Self::Forged(key) => write!(f, "{key}: it does not match the text"),
            Self::Unbound(key) => write!(f, "{key}: the key is no signing key of a pinned primary key"),
            Self::Expired(key) => write!(f, "{key}: the key or signature was not valid at the message's date"),
            Self::Revoked(key) => write!(f, "{key}: the key is revoked"),
        }
    }
}

/// A public key with its subkeys and self-signatures.
#[derive(Clone, Debug)]
pub struct Key(pub(super) SignedPublicKey);

impl Key {
    /// Reads every key of a file, armored or binary.
    ///
    /// # Errors
    /// If there is none, or one is malformed.
    pub fn read(file: &[u8]) -> Result<Vec<Self>, KeyError> {
        let armored = file.trim_ascii_start().starts_with(b"-----");
        let keys = if armored {
            SignedPublicKey::from_armor_many(file).map(|(keys, _)| keys)
        } else {
            SignedPublicKey::from_bytes_many(file)
        };
        let keys: Result<Vec<_>, _> = keys.and_then(Iterator::collect);
        let keys = keys.map_err(|error| KeyError(error.to_string()))?;
        if keys.is_empty() {
            return Err(KeyError("it is empty".to_owned()));
        }
        Ok(keys.into_iter().map(Self).collect())
    }

    /// The primary key's fingerprint: upper-case hex.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.0.primary_key.fingerprint())
    }

    /// Why the primary key was not valid `at` that moment, if so.
    pub(super) fn refuse(&self, at: Date) -> Option<Refusal> {
        let (key, details) = (&self.0.primary_key, &self.0.details);
        let name = self.fingerprint();
        let certified = details.users.iter().flat_map(|user| {
            user.signatures
                .iter()
                .filter(|s| s.typ() != Some(SignatureType::CertRevocation))
                .filter(|signature| signature.verify_certification(key, Tag::UserId, &user.id).is_ok())
        });
        let direct = details.direct_signatures.iter().filter(|signature| signature.verify_key(key).is_ok());
        let newest = certified.chain(direct).filter(|signature| strong(signature)).max_by_key(|s| s.created());
        if details.revocation_signatures.iter().any(|s| revokes(s, at) && s.verify_key(key).is_ok()) {
            return Some(Refusal::Revoked(name));
        }
        match newest {
            Some(newest) => (!alive(key.created_at(), newest, at)).then_some(Refusal::Expired(name)),
            None => Some(Refusal::Unbound(name)),
        }
    }

    /// Why the subkey was no signing key of this key `at` that moment, if so.
    pub(super) fn refuse_subkey(&self, subkey: &SignedPublicSubKey, at: Date) -> Option<Refusal> {
        let name = format!("{:X}", subkey.key.fingerprint());
        let primary = &self.0.primary_key;
        let (revocations, bindings): (Vec<_>, Vec<_>) = subkey
            .signatures
            .iter()
            .filter(|signature| signature.verify_subkey_binding(primary, &subkey.key).is_ok())
            .partition(|signature| signature.typ() == Some(SignatureType::SubkeyRevocation));
        if revocations.iter().any(|signature| revokes(signature, at)) {
            return Some(Refusal::Revoked(name));
        }
        match bindings.into_iter().filter(|signature| strong(signature)).max_by_key(|s| s.created()) {
            Some(binding) if self.signed_back(subkey, binding) => {
                (!alive(subkey.key.created_at(), binding, at)).then_some(Refusal::Expired(name))
            }
            _ => Some(Refusal::Unbound(name)),
        }
    }

    fn signed_back(&self, subkey: &SignedPublicSubKey, binding: &Signature) -> bool {
        binding.key_flags().sign()
            && binding.embedded_signature().is_some_and(|back| {
                strong(back) && back.verify_primary_key_binding(&subkey.key, &self.0.primary_key).is_ok()
            })
    }
}

/// Whether the signature uses a digest that nobody can collide.
pub(super) fn strong(signature: &Signature) -> bool {
    use HashAlgorithm::{Sha3_256, Sha3_512, Sha256, Sha384, Sha512};
    matches!(signature.hash_alg(), Some(Sha256 | Sha384 | Sha512 | Sha3_256 | Sha3_512))
}

/// Whether a revocation counts at `at`: one that only retires a key leaves what it signed before.
fn revokes(revocation: &Signature, at: Date) -> bool {
    let retired =
        matches!(revocation.revocation_reason_code(), Some(RevocationCode::KeySuperseded | RevocationCode::KeyRetired));
    let made = revocation.created().map_or(0, Timestamp::as_secs);
    !retired || u64::from(made) <= at.unix()
}

/// Whether a key made at `created` lived at `at`, by what its self-signature says.
fn alive(created: Timestamp, signature: &Signature, at: Date) -> bool {
    let created = u64::from(created.as_secs());
    let lifetime = signature.key_expiration_time().map_or(0, |lifetime| lifetime.as_secs());
    created <= at.unix() && (lifetime == 0 || at.unix() < created + u64::from(lifetime))
}
