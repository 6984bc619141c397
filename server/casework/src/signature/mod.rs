//! Electronic signatures of documents: made with SM2 over SM3, verifiable by anybody later.
//!
//! A person has no certificate of their own. Each signing event therefore makes a key that signs
//! once and is forgotten; the platform, which knows how the person proved who they are, endorses
//! the event with its own key. What comes of it is a file that holds everything needed to verify
//! it but the platform's public key:
//!
//! ```text
//! document ── SM3 ──▶ digest ──▶ signed by the key of the event
//!                        │                 │
//!                        └──── statement ◀─┴── signer (masked), blind index, how, time
//!                                  │
//!                                  └──▶ signed by the platform's key: the event's certificate
//! ```
//!
//! Invariants: every byte of the file is bound by a digest or a signature, or must equal a
//! constant; nothing in it reveals more of the signer than masks let through. The platform could
//! endorse an event that did not happen: that it did not is shown by its journal, not by this file.

mod document;
mod platform;

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use sm2::PublicKey;
use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::dsa::{Signature, SigningKey, VerifyingKey};
use sm2::elliptic_curve::sec1::ToSec1Point;

pub use document::{Authorisation, Document};
pub use platform::{FilePlatformKey, PlatformKey, PlatformPublicKey};

use crate::error::{Error, Result};
use crate::secret::{hex, sm3_hex, unhex};

/// The distinguishing id of GM/T 0009 for signers that have agreed on no other.
pub const DISTINGUISHING_ID: &str = "1234567812345678";
/// The form of a signature file.
pub const FORMAT: &str = "yiku.signature/1";
/// What the signatures are made with.
pub const ALGORITHM: &str = "SM2 with SM3, id 1234567812345678";
/// The longest signature file that is read.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
const FACT_CHARS_MAX: usize = 100;

/// Who signs, as far as it may be known from the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// The masked name.
    pub name: String,
    /// The blind index of the ID number.
    pub index: String,
    /// How the platform knew who it was: `password`, `oidc`, `invitation`, `on_behalf`.
    pub how: String,
    /// The SM3 digest of the picture of a signature by hand; empty where there is none.
    pub hand: String,
}

/// The document of a signature file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedDocument {
    /// The text.
    pub text: String,
    /// Its SM3 digest.
    pub digest: String,
}

/// The platform's endorsement of a signing event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The platform's public key: an uncompressed point.
    pub platform_key: String,
    /// Its signature of the statement of the event: r and s.
    pub signature: String,
}

/// A signed document with all that is needed to verify it. Keys, digests and signatures are
/// lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureFile {
    /// [`FORMAT`].
    pub format: String,
    /// [`ALGORITHM`].
    pub algorithm: String,
    /// What was signed.
    pub document: SignedDocument,
    /// Who signed.
    pub signer: Signer,
    /// When, in the platform's local time, to the second.
    pub signed_at: String,
    /// The public key of the event: an uncompressed point.
    pub public_key: String,
    /// Its signature of the document's digest: r and s.
    pub signature: String,
    /// The platform's endorsement.
    pub certificate: Certificate,
}

/// What verifying found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The digest of the document that was signed.
    pub digest: String,
    /// Who signed.
    pub signer: Signer,
    /// When.
    pub signed_at: DateTime,
    /// The SM3 digest of the platform's public key, to compare by eye.
    pub platform_fingerprint: String,
}

/// What is wrong with a signature file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It is not a signature file.
    #[error("it is not a signature file of format {FORMAT}: {reason}")]
    Form {
        /// What was found instead.
        reason: String,
    },
    /// A value is not written as it must be.
    #[error("`{field}` must be {expected}")]
    Field {
        /// The value.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The text was changed after it was signed.
    #[error("the text of the document does not have the digest that was signed")]
    Digest,
    /// The signature is not that of the event's key over the digest.
    #[error("the signature does not fit the document and the key of the signing")]
    Signature,
    /// Another platform endorsed it.
    #[error("the platform key in the file is not the one that is trusted")]
    OtherPlatform,
    /// The platform did not endorse this event.
    #[error("the platform's signature does not fit signer, time, key and document")]
    Certificate,
}

/// Signs a document for somebody whom the platform has identified.
///
/// # Errors
/// When a fact of the signer is empty, too long or has control characters, the system gives no
/// random bytes, or the platform's key cannot be used.
pub fn sign(
    document: &Document,
    signer: &Signer,
    platform: &dyn PlatformKey,
    now: DateTime,
) -> Result<SignatureFile> {
    signer.check().map_err(|_| Error::Input {
        name: "signer",
        reason: "must have a masked name, a blind index, how they were known, each on one line",
    })?;
    let secret = platform::fresh()?;
    let key = SigningKey::new(DISTINGUISHING_ID, &secret).map_err(|_| platform::unusable())?;
    let digest = document.digest();
    let signature: Signature = key.try_sign(digest.as_bytes()).map_err(|_| platform::unusable())?;
    let mut file = SignatureFile {
        format: FORMAT.to_owned(),
        algorithm: ALGORITHM.to_owned(),
        document: SignedDocument { text: document.text().to_owned(), digest },
        signer: signer.clone(),
        signed_at: now.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        public_key: hex(secret.public_key().to_sec1_point(false).as_bytes()),
        signature: hex(&signature.to_bytes()),
        certificate: Certificate {
            platform_key: platform.public_key().to_hex(),
            signature: String::new(),
        },
    };
    file.certificate.signature = hex(&platform.sign(file.statement().as_bytes())?);
    Ok(file)
}

/// Verifies a file against the public key of the platform that is trusted.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(
    file: &SignatureFile,
    trusted: &PlatformPublicKey,
) -> std::result::Result<Verified, Fault> {
    if file.format != FORMAT || file.algorithm != ALGORITHM {
        return Err(Fault::Form { reason: "another format or algorithm".to_owned() });
    }
    file.signer.check()?;
    let signed_at = time_of(&file.signed_at)?;
    if sm3_hex(file.document.text.as_bytes()) != file.document.digest {
        return Err(Fault::Digest);
    }
    let key = point("public_key", &file.public_key)?;
    let signature = signature_of("signature", &file.signature)?;
    if !fits(&key, file.document.digest.as_bytes(), &signature) {
        return Err(Fault::Signature);
    }
    if file.platform_key()? != *trusted {
        return Err(Fault::OtherPlatform);
    }
    let endorsed = signature_of("certificate.signature", &file.certificate.signature)?;
    if !fits(&trusted.0, file.statement().as_bytes(), &endorsed) {
        return Err(Fault::Certificate);
    }
    Ok(Verified {
        digest: file.document.digest.clone(),
        signer: file.signer.clone(),
        signed_at,
        platform_fingerprint: sm3_hex(file.certificate.platform_key.as_bytes()),
    })
}

impl SignatureFile {
    /// Reads the JSON of a file.
    ///
    /// # Errors
    /// When it is too long or not of its form.
    pub fn read(text: &str) -> std::result::Result<Self, Fault> {
        if text.len() > FILE_BYTES_MAX {
            return Err(Fault::Form {
                reason: format!("it is longer than {FILE_BYTES_MAX} bytes"),
            });
        }
        serde_json::from_str(text).map_err(|error| Fault::Form { reason: error.to_string() })
    }

    /// The platform key that the file carries; whether to trust it is for the reader to know.
    ///
    /// # Errors
    /// When it is no SM2 key.
    pub fn platform_key(&self) -> std::result::Result<PlatformPublicKey, Fault> {
        point("certificate.platform_key", &self.certificate.platform_key).map(PlatformPublicKey)
    }

    /// What the platform signs: a line for each thing, none of which can hold a line end.
    fn statement(&self) -> String {
        format!(
            "{FORMAT}\n{ALGORITHM}\ndigest {}\nkey {}\nsignature {}\nname {}\nindex {}\nhow {}\n\
             hand {}\ntime {}\n",
            self.document.digest,
            self.public_key,
            self.signature,
            self.signer.name,
            self.signer.index,
            self.signer.how,
            self.signer.hand,
            self.signed_at,
        )
    }
}

impl Signer {
    fn check(&self) -> std::result::Result<(), Fault> {
        let facts = [
            ("signer.name", &self.name, true),
            ("signer.index", &self.index, true),
            ("signer.how", &self.how, true),
            ("signer.hand", &self.hand, false),
        ];
        for (field, text, needed) in facts {
            let long = text.chars().count() > FACT_CHARS_MAX;
            if long || (needed && text.is_empty()) || text.chars().any(char::is_control) {
                return Err(Fault::Field { field, expected: "one line of at most 100 characters" });
            }
        }
        Ok(())
    }
}

fn time_of(text: &str) -> std::result::Result<DateTime, Fault> {
    let time = text.parse::<DateTime>().ok();
    let same = |time: &DateTime| time.strftime("%Y-%m-%dT%H:%M:%S").to_string() == text;
    time.filter(same).ok_or(Fault::Field { field: "signed_at", expected: "a time to the second" })
}

/// Bytes of lower-case hex; another spelling of the same bytes would be a change unseen.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    unhex(text).filter(|bytes| hex(bytes) == text)
}

fn point(field: &'static str, text: &str) -> std::result::Result<PublicKey, Fault> {
    let bytes = bytes_of(text).filter(|bytes| bytes.len() == 65);
    let key = bytes.and_then(|bytes| PublicKey::from_sec1_bytes(&bytes).ok());
    key.ok_or(Fault::Field { field, expected: "a point of the SM2 curve, 130 hex digits" })
}

fn signature_of(field: &'static str, text: &str) -> std::result::Result<Signature, Fault> {
    let signature = bytes_of(text).and_then(|bytes| Signature::from_slice(&bytes).ok());
    signature.ok_or(Fault::Field { field, expected: "r and s of an SM2 signature, 128 hex digits" })
}

fn fits(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    let key = VerifyingKey::new(DISTINGUISHING_ID, *key);
    key.is_ok_and(|key| key.verify(message, signature).is_ok())
}
