//! `yiku verify-signature`: whether a signature file holds.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use yiku_casework::signature::{
    FILE_BYTES_MAX, PlatformPublicKey, SignatureFile, Verified, verify,
};

use super::{out, read};
use crate::error::Error;

const EXAMPLE: &str = "\
Examples:
  yiku verify-signature signature.json --platform-key platform.pub.pem
  yiku verify-signature signature.json --text

Without --platform-key the file is verified against the key that it carries: nothing in it was
changed, but any platform may have made it.";

/// Verify a signed document: its text, its signature and the platform's endorsement
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct VerifySignature {
    /// The signature file (JSON)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The public key of the platform that is trusted (PEM)
    #[arg(long, value_name = "PEM")]
    platform_key: Option<PathBuf>,
    /// Print the text that was signed as well
    #[arg(long, conflicts_with = "json")]
    text: bool,
    /// Print what was verified as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct VerifiedBody<'a> {
    #[serde(flatten)]
    verified: &'a Verified,
    platform_trusted: bool,
    text: &'a str,
}

impl VerifySignature {
    pub(super) fn run(self) -> Result<(), Error> {
        let wrong = |source| Error::Signature { path: self.file.clone(), source };
        let file = SignatureFile::read(&bounded(&self.file)?).map_err(wrong)?;
        let trusted = match &self.platform_key {
            Some(path) => PlatformPublicKey::from_pem(&read(path)?).map_err(|source| {
                Error::PlatformKey { path: path.clone(), source: Box::new(source) }
            })?,
            None => file.platform_key().map_err(wrong)?,
        };
        let verified = verify(&file, &trusted).map_err(wrong)?;
        let platform_trusted = self.platform_key.is_some();
        if self.json {
            let text = &file.document.text;
            return out::json(&VerifiedBody { verified: &verified, platform_trusted, text });
        }
        out::text(&told(&verified, platform_trusted))?;
        if self.text {
            out::text(&format!("\n{}", out::plain(&file.document.text)))?;
        }
        Ok(())
    }
}

fn told(verified: &Verified, trusted: bool) -> String {
    let signer = &verified.signer;
    let endorsed = if trusted {
        "the platform that is trusted"
    } else {
        "the platform whose key the file carries; --platform-key says which one is trusted"
    };
    let hand = if signer.hand.is_empty() { "none" } else { &signer.hand };
    out::plain(&format!(
        "the signature holds\n\
         document digest (SM3)  {}\n\
         signed by              {}, known by {}\n\
         blind index            {}\n\
         signature by hand      {hand}\n\
         signed at              {}\n\
         endorsed by            {endorsed}\n\
         key fingerprint (SM3)  {}\n",
        verified.digest,
        signer.name,
        signer.how,
        signer.index,
        verified.signed_at,
        verified.platform_fingerprint,
    ))
}

/// The text of a file, no more of it than a signature file can have.
#[expect(clippy::disallowed_methods, reason = "reads a file that the caller names")]
fn bounded(path: &Path) -> Result<String, Error> {
    let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    let done = File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text));
    done.map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(text)
}
