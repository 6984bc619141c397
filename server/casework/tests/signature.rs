//! Signatures: what is signed verifies, and any change of any byte is found.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops where it fails, and looks at the key file"
)]

use std::os::unix::fs::PermissionsExt;

use jiff::civil::{DateTime, date};
use serde_json::Value;
use yiku_casework::secret::sm3_hex;
use yiku_casework::signature::{
    Authorisation, Document, Fault, FilePlatformKey, PlatformKey, PlatformPublicKey, SignatureFile,
    Signer, sign, verify,
};

fn now() -> DateTime {
    date(2026, 3, 2).at(9, 30, 15, 123_456_789)
}

fn document() -> Document {
    let about = Authorisation {
        platform: "某省低收入人口动态监测信息平台",
        name: "甲某",
        id_number: "999101197001010018",
        scope: &["health", "finance"],
        months: 12,
        from: now().date(),
    };
    Document::authorisation(&about).unwrap()
}

fn signer() -> Signer {
    Signer {
        name: "甲*".to_owned(),
        index: sm3_hex(b"index"),
        how: "password".to_owned(),
        hand: sm3_hex(b"picture"),
    }
}

fn signed() -> (SignatureFile, PlatformPublicKey) {
    let platform = FilePlatformKey::unkept().unwrap();
    let file = sign(&document(), &signer(), &platform, now()).unwrap();
    (file, platform.public_key())
}

#[test]
fn what_is_signed_verifies_also_after_a_trip_through_json() {
    let (file, platform) = signed();
    let text = serde_json::to_string_pretty(&file).unwrap();
    let read = SignatureFile::read(&text).unwrap();
    assert_eq!(read, file);
    let verified = verify(&read, &platform).unwrap();
    assert_eq!(verified.digest, document().digest());
    assert_eq!(verified.signer, signer());
    assert_eq!(verified.signed_at, date(2026, 3, 2).at(9, 30, 15, 0));
    assert!(!text.contains("甲某") && !text.contains("999101197001010018"));
    // Each event has a key of its own.
    let again = sign(&document(), &signer(), &FilePlatformKey::unkept().unwrap(), now()).unwrap();
    assert_ne!(again.public_key, file.public_key);
    assert_eq!(verify(&again, &platform), Err(Fault::OtherPlatform));
}

/// Every text of a value, by its path.
fn texts(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                texts(value, &format!("{path}/{name}"), found);
            }
        }
        text => found.push((path.to_owned(), text.as_str().unwrap().to_owned())),
    }
}

#[test]
fn any_change_of_any_character_is_found() {
    let (file, platform) = signed();
    let whole = serde_json::to_value(&file).unwrap();
    let mut leaves = Vec::new();
    texts(&whole, "", &mut leaves);
    assert_eq!(leaves.len(), 13);
    let verifies = |value: &Value| {
        SignatureFile::read(&value.to_string()).and_then(|file| verify(&file, &platform)).is_ok()
    };
    assert!(verifies(&whole));
    for (path, text) in leaves {
        let signs: Vec<char> = text.chars().collect();
        // Each character is changed in turn, then one is left out, one added, the case turned.
        let mut others: Vec<String> = (0..signs.len())
            .map(|at| {
                let mut signs = signs.clone();
                signs[at] = if signs[at] == '1' { '2' } else { '1' };
                signs.into_iter().collect()
            })
            .collect();
        others.push(signs.iter().skip(1).collect());
        others.push(format!("{text}0"));
        others.push(format!("{text}\n"));
        others.push(text.to_uppercase());
        for other in others.into_iter().filter(|other| *other != text) {
            let mut changed = whole.clone();
            *changed.pointer_mut(&path).unwrap() = Value::String(other.clone());
            assert!(!verifies(&changed), "{path} as {other:?} was not found");
        }
    }
}

#[test]
fn pieces_of_two_signings_do_not_make_a_third() {
    let platform = FilePlatformKey::unkept().unwrap();
    let one = sign(&document(), &signer(), &platform, now()).unwrap();
    let other_signer = Signer { name: "乙*".to_owned(), index: sm3_hex(b"other"), ..signer() };
    let other_text = Document::new("另一份授权书".to_owned());
    let two = sign(&other_text, &other_signer, &platform, now()).unwrap();
    let mix = |change: fn(&mut SignatureFile, &SignatureFile)| {
        let mut file = one.clone();
        change(&mut file, &two);
        verify(&file, &platform.public_key()).unwrap_err()
    };
    assert_eq!(mix(|a, b| a.document = b.document.clone()), Fault::Signature);
    assert_eq!(mix(|a, b| a.signature = b.signature.clone()), Fault::Signature);
    assert_eq!(mix(|a, b| a.public_key = b.public_key.clone()), Fault::Signature);
    assert_eq!(mix(|a, b| a.signer = b.signer.clone()), Fault::Certificate);
    assert_eq!(mix(|a, b| a.certificate = b.certificate.clone()), Fault::Certificate);
    assert_eq!(mix(|a, b| a.document.text = b.document.text.clone()), Fault::Digest);
    // A new key signs the other document well, but the platform did not endorse it.
    let forger = FilePlatformKey::unkept().unwrap();
    let mut forged = sign(&other_text, &signer(), &forger, now()).unwrap();
    forged.certificate.clone_from(&one.certificate);
    assert_eq!(verify(&forged, &platform.public_key()), Err(Fault::Certificate));
}

#[test]
fn what_is_no_signature_file_is_refused() {
    let (file, _) = signed();
    let text = serde_json::to_string(&file).unwrap();
    let cases = [
        (String::new(), "not a signature file"),
        ("{}".to_owned(), "missing field"),
        (text.replace("\"format\"", "\"colour\""), "unknown field `colour`"),
        ("[".repeat(100_000), "not a signature file"),
        (format!("{text}{}", " ".repeat(1024 * 1024)), "longer than 1048576 bytes"),
    ];
    for (text, part) in cases {
        let fault = SignatureFile::read(&text).unwrap_err().to_string();
        assert!(fault.contains(part), "{fault}");
    }
}

#[test]
fn a_signer_is_told_on_one_line_each() {
    let platform = FilePlatformKey::unkept().unwrap();
    for wrong in [
        Signer { name: String::new(), ..signer() },
        Signer { index: String::new(), ..signer() },
        Signer { how: "password\ntime 2020-01-01T00:00:00".to_owned(), ..signer() },
        Signer { hand: "a".repeat(101), ..signer() },
    ] {
        let error = sign(&document(), &wrong, &platform, now()).unwrap_err().to_string();
        assert!(error.contains("`signer` must have"), "{error}");
    }
}

#[test]
fn the_platform_key_stays_in_its_file_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("platform.pem");
    let first = FilePlatformKey::open(&path).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = FilePlatformKey::open(&path).unwrap();
    assert_eq!(again.public_key(), first.public_key());
    let public = std::fs::read_to_string(folder.path().join("platform.pub.pem")).unwrap();
    assert_eq!(PlatformPublicKey::from_pem(&public).unwrap(), first.public_key());
    let file = sign(&document(), &signer(), &first, now()).unwrap();
    assert!(verify(&file, &again.public_key()).is_ok());

    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let error = FilePlatformKey::open(&path).unwrap_err().to_string();
    assert!(error.contains("readable by others"), "{error}");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    for damaged in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
        std::fs::write(&path, damaged).unwrap();
        let error = FilePlatformKey::open(&path).unwrap_err().to_string();
        assert!(error.contains("must be a private SM2 key in PEM"), "{error}");
    }
    let private = PlatformPublicKey::from_pem("-----BEGIN PRIVATE KEY-----").unwrap_err();
    assert!(private.to_string().contains("BEGIN PUBLIC KEY"), "{private}");
    assert!(!format!("{first:?}").contains("PRIVATE"));
}
