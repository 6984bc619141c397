//! Attachments: sealed files under the digest of their content.
//!
//! Invariants: a row exists only for a file that is whole on the disk; a content is of a kind that
//! is taken, told by its bytes and never by its name; nothing of it is ever unpacked or run.
#![expect(clippy::disallowed_methods, reason = "attachments are files of the store's folder")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use rusqlite::{OptionalExtension, params};

use super::journal::{Entry, append};
use super::{Sql, Store, stamp};
use crate::attachment::{looks_like, media_type};
use crate::case::Actor;
use crate::error::{Error, Result};
use crate::secret::{code, sm3_hex};

/// The largest attachment.
pub const ATTACHMENT_BYTES_MAX: usize = 20 * 1024 * 1024;

/// The longest file name that is kept.
const NAME_CHARS_MAX: usize = 120;

/// An attachment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Attachment {
    /// The SM3 digest of its content, 64 hex digits.
    pub digest: String,
    /// Its media type, by content.
    pub media: String,
    /// Its size in bytes.
    pub size: u64,
    /// The name it was sent under, without folders.
    pub name: String,
    /// The account that sent it.
    #[serde(skip)]
    pub account: String,
}

impl Store {
    /// Takes an attachment. The same content again gives the attachment that is there.
    ///
    /// # Errors
    /// [`Error::Limit`] beyond 20 MiB; [`Error::Media`] for anything but jpeg, png, webp, pdf, wav.
    pub fn attach(
        &self,
        actor: &Actor,
        bytes: &[u8],
        file_name: &str,
        now: DateTime,
        ip: &str,
    ) -> Result<Attachment> {
        if bytes.len() > ATTACHMENT_BYTES_MAX {
            let (found, limit) = (bytes.len() as u64, ATTACHMENT_BYTES_MAX as u64);
            return Err(Error::Limit { what: "bytes of an attachment", found, limit });
        }
        let media = media(bytes)?;
        let digest = sm3_hex(bytes);
        let name = plain_name(file_name);
        if let Some(there) = self.attachment(&digest)? {
            // Another's name of the same content is not told.
            return Ok(Attachment { name, account: actor.account.clone(), ..there });
        }
        let content = self.vault().seal("content", &digest, bytes)?;
        let mut file = content.key.to_le_bytes().to_vec();
        file.extend_from_slice(&content.bytes);
        write_whole(&self.place(&digest), &file)?;
        let sealed = self.vault().seal("attachment", &digest, name.as_bytes())?;
        self.write(|transaction| {
            let values = params![
                digest,
                media,
                bytes.len() as u64,
                actor.account,
                stamp(now),
                sealed.key,
                sealed.bytes
            ];
            transaction
                .execute(
                    "INSERT INTO attachment (digest, media, size, account, at, key, sealed)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (digest) DO NOTHING",
                    values,
                )
                .doing("write an attachment")?;
            let entry = Entry {
                action: "attachment.add",
                object: &digest,
                result: media,
                ..Entry::by(actor, ip, now)
            };
            append(transaction, self.vault(), &entry)
        })?;
        let (size, account) = (bytes.len() as u64, actor.account.clone());
        Ok(Attachment { digest, media: media.to_owned(), size, name, account })
    }

    /// An attachment's row.
    ///
    /// # Errors
    /// When its row was changed from outside.
    pub fn attachment(&self, digest: &str) -> Result<Option<Attachment>> {
        let row: Option<(String, u64, String, u32, Vec<u8>)> = self.read(|transaction| {
            transaction
                .query_row(
                    "SELECT media, size, account, key, sealed FROM attachment WHERE digest = ?1",
                    params![digest],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
                )
                .optional()
                .doing("read an attachment")
        })?;
        let Some((media, size, account, key, sealed)) = row else { return Ok(None) };
        let name = self.vault().open("attachment", digest, key, &sealed)?;
        let name = String::from_utf8_lossy(&name).into_owned();
        Ok(Some(Attachment { digest: digest.to_owned(), media, size, name, account }))
    }

    /// An attachment with its content, whose digest is checked. Whether the asker may see it is
    /// for the case it belongs to.
    ///
    /// # Errors
    /// When there is none, or the file was changed.
    pub fn attachment_content(&self, digest: &str) -> Result<(Attachment, Vec<u8>)> {
        let attachment = self.attachment(digest)?.ok_or_else(|| Error::Unknown {
            what: "attachment",
            id: digest.chars().take(64).collect(),
        })?;
        let path = self.place(digest);
        let file = fs::read(&path).map_err(|source| at("read", &path, source))?;
        let changed = || Error::Tampered {
            table: "attachment",
            row: digest.to_owned(),
            what: "its content was changed",
        };
        let (key, sealed) = file.split_first_chunk::<4>().ok_or_else(changed)?;
        let bytes = self.vault().open("content", digest, u32::from_le_bytes(*key), sealed)?;
        if sm3_hex(&bytes) != digest {
            return Err(changed());
        }
        Ok((attachment, bytes))
    }

    /// Only ever called with a digest that this program made, so no path leads out of the folder.
    fn place(&self, digest: &str) -> PathBuf {
        let (first, _) = digest.split_at_checked(2).unwrap_or((digest, ""));
        self.folder.join("attachments").join(first).join(digest)
    }
}

/// The media type of a content that is taken.
fn media(bytes: &[u8]) -> Result<&'static str> {
    let media = media_type(bytes).ok_or_else(|| Error::Media { found: looks_like(bytes) })?;
    Ok(media.as_str())
}

/// The last part of a name, without what could lead elsewhere or hide its end.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let hidden = |c: &char| {
        !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
    };
    let plain: String = last.chars().filter(hidden).take(NAME_CHARS_MAX).collect();
    let plain = plain.trim().trim_start_matches('.').to_owned();
    if plain.is_empty() { "attachment".to_owned() } else { plain }
}

/// Writes a file whole, or not at all: beside first, then in its place, both on the disk.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|source| at("create", folder, source))?;
    let beside = folder.join(format!("new-{}", code("0123456789abcdef", 16)?));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path))
        .and_then(|()| File::open(folder)?.sync_all())
        .and_then(|()| File::open(folder.parent().unwrap_or(folder))?.sync_all());
    written.map_err(|source| {
        // What was begun is of no use; that it cannot be removed is the lesser fault.
        let _ = fs::remove_file(&beside);
        at("write", path, source)
    })
}

fn at(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_folders_and_what_hides_their_end() {
        for (name, plain) in [
            ("照片.jpg", "照片.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\y.png", "y.png"),
            ("a\u{202e}gpj.exe", "agpj.exe"),
            ("..", "attachment"),
            ("", "attachment"),
            ("\n\r\0", "attachment"),
        ] {
            assert_eq!(plain_name(name), plain, "{name:?}");
        }
        assert_eq!(plain_name(&"长".repeat(500)).chars().count(), NAME_CHARS_MAX);
    }

    #[test]
    fn a_content_is_told_by_its_bytes() {
        for (bytes, expected) in [
            (&b"\xff\xd8\xff\xe0rest"[..], Some("image/jpeg")),
            (b"\x89PNG\r\n\x1a\nrest", Some("image/png")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\x10\0\0\0WAVEfmt ", Some("audio/wav")),
            (b"%PDF-1.7", Some("application/pdf")),
            (b"\x7fELF\x02\x01\x01\0\0\0\0\0", None),
            (b"MZ\x90\0", None),
            (b"PK\x03\x04", None),
            (b"<html><script>", None),
            (b"", None),
        ] {
            assert_eq!(media(bytes).ok(), expected, "{bytes:?}");
        }
    }
}
