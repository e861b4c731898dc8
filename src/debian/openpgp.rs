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
//! Source: RFC 9580, §5.2 (signatures), §7 (cleartext), §10.1 (keys).

use std::collections::BTreeSet;
use std::fmt;

use pgp::composed::{CleartextSignedMessage, Deserializable, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{RevocationCode, Signature, SignatureType, SubpacketData};
use pgp::types::{KeyDetails, Tag, Timestamp, VerifyingKey};

use super::date::Date;

/// Why nothing can be said of a message or key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a clearsigned message, or more than one.
    #[error("it is not one clearsigned message and nothing else: {0}")]
    Message(String),
    /// Beyond [`Message::MAX_BYTES`] or [`Message::MAX_LINES`].
    #[error(
        "it is too large for a signed list: more than {} bytes or {} lines",
        Message::MAX_BYTES,
        Message::MAX_LINES
    )]
    TooLarge,
    /// Not an OpenPGP key.
    #[error("it holds no OpenPGP public key: {0}")]
    Key(String),
}

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
pub struct Key(SignedPublicKey);

impl Key {
    /// Reads every key of a file, armored or binary.
    ///
    /// # Errors
    /// If there is none, or one is malformed.
    pub fn read(file: &[u8]) -> Result<Vec<Self>, Error> {
        let armored = file.trim_ascii_start().starts_with(b"-----");
        let keys = if armored {
            SignedPublicKey::from_armor_many(file).map(|(keys, _)| keys)
        } else {
            SignedPublicKey::from_bytes_many(file)
        };
        let keys: Result<Vec<_>, _> = keys.and_then(Iterator::collect);
        let keys = keys.map_err(|error| Error::Key(error.to_string()))?;
        if keys.is_empty() {
            return Err(Error::Key("it is empty".to_owned()));
        }
        Ok(keys.into_iter().map(Self).collect())
    }

    /// The primary key's fingerprint: upper-case hex.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.0.primary_key.fingerprint())
    }

    /// Why the primary key was not valid `at` that moment, if so.
    fn refuse(&self, at: Date) -> Option<Refusal> {
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
    fn refuse_subkey(&self, subkey: &SignedPublicSubKey, at: Date) -> Option<Refusal> {
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
fn strong(signature: &Signature) -> bool {
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

/// A clearsigned text whose signatures have not been looked at.
pub struct Message {
    parsed: CleartextSignedMessage,
}

/// A signature that matches the text and is of a pinned key; whether that key was valid is still open.
pub struct Signer<'a> {
    key: &'a Key,
    subkey: Option<&'a SignedPublicSubKey>,
    signature: &'a Signature,
}

impl Message {
    /// Far above any InRelease file (Debian's have 200 kB and 2,000 lines).
    pub const MAX_BYTES: usize = 4 << 20;
    /// The parser takes longer than linear in the lines.
    pub const MAX_LINES: usize = 20_000;

    /// Parses a clearsigned message, before and behind which nothing may stand.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > Self::MAX_BYTES || bytes.iter().filter(|byte| **byte == b'\n').count() > Self::MAX_LINES {
            return Err(Error::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|error| Error::Message(error.to_string()))?;
        // The parser takes text before the header as a preamble of other armored data; here it would look signed.
        if !text.starts_with("-----BEGIN PGP SIGNED MESSAGE-----") {
            return Err(Error::Message("it does not start with the header of one".to_owned()));
        }
        let parsed = CleartextSignedMessage::from_string(text.trim_end());
        let (parsed, _) = parsed.map_err(|error| Error::Message(error.to_string()))?;
        Ok(Self { parsed })
    }

    /// The text that the signatures are over, with plain newlines. Nothing else of the file may be used.
    #[must_use]
    pub fn text(&self) -> String {
        self.parsed.signed_text().replace("\r\n", "\n")
    }

    /// Sorts the signatures into those of pinned `keys` that match the text, and the others.
    #[must_use]
    pub fn signers<'a>(&'a self, keys: &'a [Key], pinned: &BTreeSet<String>) -> (Vec<Signer<'a>>, Vec<Refusal>) {
        let text = self.parsed.signed_text();
        let (mut signers, mut refusals) = (Vec::new(), Vec::new());
        for signature in self.parsed.signatures() {
            match signer(signature, &text, keys, pinned) {
                Ok(signer) => signers.push(signer),
                Err(refusal) => refusals.push(refusal),
            }
        }
        (signers, refusals)
    }
}

fn signer<'a>(
    signature: &'a Signature,
    text: &str,
    keys: &'a [Key],
    pinned: &BTreeSet<String>,
) -> Result<Signer<'a>, Refusal> {
    let issuer = issuer(signature);
    if !strong(signature) {
        return Err(Refusal::WeakHash(issuer));
    }
    if !clear(signature) {
        return Err(Refusal::Unclear(issuer));
    }
    let Some((key, subkey)) = keys.iter().find_map(|key| named(key, signature)) else {
        return Err(Refusal::Unknown(issuer));
    };
    let matches = match subkey {
        Some(subkey) => matches(signature, &subkey.key, text),
        None => matches(signature, &key.0.primary_key, text),
    };
    match (matches, pinned.contains(&key.fingerprint())) {
        (false, _) => Err(Refusal::Forged(issuer)),
        (true, false) => Err(Refusal::NotPinned(key.fingerprint())),
        (true, true) => Ok(Signer { key, subkey, signature }),
    }
}

fn matches(signature: &Signature, key: &impl VerifyingKey, text: &str) -> bool {
    signature.verify(key, text.as_bytes()).is_ok()
}

/// The key or subkey that the signature says made it.
fn named<'a>(key: &'a Key, signature: &Signature) -> Option<(&'a Key, Option<&'a SignedPublicSubKey>)> {
    let (ids, prints) = (signature.issuer_key_id(), signature.issuer_fingerprint());
    let made_by = |candidate: &dyn KeyDetails| {
        prints.contains(&&candidate.fingerprint()) || ids.contains(&&candidate.legacy_key_id())
    };
    if made_by(&key.0.primary_key) {
        return Some((key, None));
    }
    key.0.public_subkeys.iter().find(|subkey| made_by(&subkey.key)).map(|subkey| (key, Some(subkey)))
}

/// What a signature says of its maker, for messages.
fn issuer(signature: &Signature) -> String {
    let print = signature.issuer_fingerprint().first().map(|print| format!("{print:X}"));
    print
        .or_else(|| signature.issuer_key_id().first().map(|id| id.to_string().to_ascii_uppercase()))
        .unwrap_or_else(|| "nobody".to_owned())
}

/// Whether the signature is over a text, dated, and free of critical parts that forge does not know.
fn clear(signature: &Signature) -> bool {
    let over_text = matches!(signature.typ(), Some(SignatureType::Text | SignatureType::Binary));
    let unknown = |data: &SubpacketData| {
        matches!(data, SubpacketData::Other(..) | SubpacketData::Experimental(..) | SubpacketData::Notation(_))
    };
    let odd =
        signature.config().is_none_or(|config| config.hashed_subpackets().any(|p| p.is_critical && unknown(&p.data)));
    over_text && !odd && signature.created().is_some()
}

impl Signer<'_> {
    /// The fingerprint of the pinned primary key, if key and signature were valid `at` the message's date.
    ///
    /// # Errors
    /// Says what was not.
    pub fn valid(&self, at: Date) -> Result<String, Refusal> {
        let refusal = self.key.refuse(at).or_else(|| self.subkey.and_then(|subkey| self.key.refuse_subkey(subkey, at)));
        match refusal {
            Some(refusal) => Err(refusal),
            None if self.expired(at) => Err(Refusal::Expired(self.key.fingerprint())),
            None => Ok(self.key.fingerprint()),
        }
    }

    fn expired(&self, at: Date) -> bool {
        let made = self.signature.created().map_or(0, Timestamp::as_secs);
        let lifetime = self.signature.signature_expiration_time().map_or(0, |lifetime| lifetime.as_secs());
        lifetime != 0 && at.unix() >= u64::from(made) + u64::from(lifetime)
    }
}
