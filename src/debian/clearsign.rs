//! A text with signatures around it, and which of them are of pinned keys.
//!
//! The `pgp` crate parses the cleartext framework. Only [`Message::text`] may be used: what the
//! signatures are over, which is not quite what stands in the file. Source: RFC 9580, §7.

use std::collections::BTreeSet;

use pgp::composed::{CleartextSignedMessage, SignedPublicSubKey};
use pgp::packet::{Signature, SignatureType, SubpacketData};
use pgp::types::{KeyDetails, Timestamp, VerifyingKey};

use super::date::Date;
use super::openpgp::{Key, Refusal, strong};

/// Why a file is no signed text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a clearsigned message, or more than one.
    #[error("it is not one clearsigned message and nothing else: {0}")]
    Malformed(String),
    /// Beyond [`Message::MAX_BYTES`] or [`Message::MAX_LINES`].
    #[error(
        "it is too large for a signed list: more than {} bytes or {} lines",
        Message::MAX_BYTES,
        Message::MAX_LINES
    )]
    TooLarge,
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
    pub const MAX_BYTES: usize = 1 << 20;
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
        let text = std::str::from_utf8(bytes).map_err(|error| Error::Malformed(error.to_string()))?;
        // The parser takes text before the header as a preamble of other armored data; here it would look signed.
        if !text.starts_with("-----BEGIN PGP SIGNED MESSAGE-----") {
            return Err(Error::Malformed("it does not start with the header of one".to_owned()));
        }
        let parsed = CleartextSignedMessage::from_string(text.trim_end());
        let (parsed, _) = parsed.map_err(|error| Error::Malformed(error.to_string()))?;
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
