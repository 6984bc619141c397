//! What an attachment is, by its content: the name it was sent under says nothing.
//!
//! Invariants: five kinds are taken and nothing else; the first bytes decide, so that a program
//! that only mentions a kind further in is not taken for it; nothing is unpacked.

/// A kind of content that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// A photo.
    Jpeg,
    /// A picture, a scanned page or a drawn signature.
    Png,
    /// A photo.
    Webp,
    /// A document.
    Pdf,
    /// A recording.
    Wav,
}

impl Media {
    /// The media type it is served under.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
            Self::Wav => "audio/wav",
        }
    }

    /// Whether it can be shown as a picture.
    #[must_use]
    pub fn is_image(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Webp)
    }
}

/// What a content is, if it is of a kind that is taken.
///
/// ```
/// use yiku_casework::attachment::{Media, media_type};
/// assert_eq!(media_type(b"%PDF-1.7\n"), Some(Media::Pdf));
/// assert_eq!(media_type(b"#!/bin/sh\n# %PDF-1.7"), None);
/// ```
#[must_use]
pub fn media_type(bytes: &[u8]) -> Option<Media> {
    // The library looks for a PDF's mark further in, and for a picture's without its container.
    let begins = |mark: &[u8]| bytes.starts_with(mark);
    match infer::get(bytes)?.mime_type() {
        "image/jpeg" => Some(Media::Jpeg),
        "image/png" if begins(b"\x89PNG\r\n\x1a\n") => Some(Media::Png),
        "image/webp" if begins(b"RIFF") => Some(Media::Webp),
        "application/pdf" if begins(b"%PDF-") => Some(Media::Pdf),
        "audio/x-wav" if begins(b"RIFF") => Some(Media::Wav),
        _ => None,
    }
}

/// What a content that is not taken looks like, for the message.
#[must_use]
pub fn looks_like(bytes: &[u8]) -> &'static str {
    let taken = [Media::Jpeg, Media::Png, Media::Webp, Media::Pdf, Media::Wav].map(Media::as_str);
    match infer::get(bytes).map(|kind| kind.mime_type()) {
        None => "of no kind that is known",
        Some("audio/x-wav") => "damaged at its beginning",
        Some(kind) if taken.contains(&kind) => "damaged at its beginning",
        Some(kind) => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_decide() {
        let cases: [(&[u8], Option<Media>); 16] = [
            (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", Some(Media::Jpeg)),
            (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", Some(Media::Png)),
            (b"RIFF\x10\x00\x00\x00WEBPVP8 ", Some(Media::Webp)),
            (b"RIFF\x10\x00\x00\x00WAVEfmt ", Some(Media::Wav)),
            (b"%PDF-1.4\n", Some(Media::Pdf)),
            (b"", None),
            (b"\xff\xd8", None),
            (b"\x89PNG", None),
            (b"XXXX\x10\x00\x00\x00WEBPVP8 ", None),
            (b"MZ\x90\x00 %PDF-1.4", None),
            (b"\x7fELF\x02\x01\x01\x00%PDF-1.4", None),
            (b"PK\x03\x04\x14\x00\x00\x00", None),
            (b"GIF89a\x01\x00", None),
            (b"<html><script>alert(1)</script>%PDF-1.4", None),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", None),
            (b"name,id\nplain text", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(media_type(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn what_is_not_taken_is_named() {
        assert_eq!(looks_like(b"GIF89a\x01\x00"), "image/gif");
        assert_eq!(looks_like(b"plain"), "of no kind that is known");
        assert_eq!(looks_like(b"\n\n%PDF-1.4"), "damaged at its beginning");
    }
}
