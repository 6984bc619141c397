//! `yiku verify-signature` from outside: what holds, what does not, and what it says.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops where it fails, and writes what it verifies"
)]

use std::path::Path;
use std::process::Command;

use jiff::civil::date;
use yiku_casework::signature::{
    Document, FilePlatformKey, PlatformKey, SignatureFile, Signer, sign,
};

struct Ended {
    status: i32,
    out: String,
    err: String,
}

fn yiku(folder: &Path, arguments: &[&str]) -> Ended {
    let program = env!("CARGO_BIN_EXE_yiku");
    let output = Command::new(program).current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended {
        status: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

fn signed(folder: &Path) -> SignatureFile {
    let platform = FilePlatformKey::open(&folder.join("platform.pem")).unwrap();
    let signer = Signer {
        name: "甲*".to_owned(),
        index: "ab".repeat(32),
        how: "oidc".to_owned(),
        hand: String::new(),
    };
    let document = Document::new("授权书\n第一条\u{1b}[2J".to_owned());
    sign(&document, &signer, &platform, date(2026, 3, 2).at(9, 30, 0, 0)).unwrap()
}

#[test]
fn a_signature_file_is_verified_and_a_changed_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = signed(folder.path());
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let text = serde_json::to_string_pretty(&file).unwrap();
    write("good.json", &text);
    write("changed.json", &text.replace("第一条", "第二条"));
    write("none.json", "{\"format\": 1}");
    write("large.json", &" ".repeat(2 * 1024 * 1024));
    let other = FilePlatformKey::unkept().unwrap().public_key().to_pem().unwrap();
    write("other.pem", &other);

    let good = ["verify-signature", "good.json", "--platform-key", "platform.pub.pem", "--text"];
    let ended = yiku(folder.path(), &good);
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    for part in ["the signature holds", "甲*, known by oidc", "2026-03-02T09:30:00", "第一条"] {
        assert!(ended.out.contains(part), "{part} is not in {}", ended.out);
    }
    assert!(ended.out.contains("the platform that is trusted") && !ended.out.contains('\u{1b}'));

    let ended = yiku(folder.path(), &["verify-signature", "good.json", "--json"]);
    let body: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((ended.status, &body["platform_trusted"]), (0, &serde_json::json!(false)));
    assert_eq!(body["digest"], serde_json::json!(file.document.digest));

    let refused = [
        (vec!["changed.json"], "does not have the digest that was signed"),
        (vec!["good.json", "--platform-key", "other.pem"], "not the one that is trusted"),
        (vec!["good.json", "--platform-key", "platform.pem"], "BEGIN PUBLIC KEY"),
        (vec!["good.json", "--platform-key", "absent.pem"], "cannot read absent.pem"),
        (vec!["none.json"], "not a signature file"),
        (vec!["large.json"], "longer than 1048576 bytes"),
        (vec!["absent.json"], "cannot read absent.json"),
    ];
    for (arguments, part) in refused {
        let arguments: Vec<&str> = ["verify-signature"].into_iter().chain(arguments).collect();
        let ended = yiku(folder.path(), &arguments);
        assert_eq!((ended.status, ended.out.as_str()), (1, ""), "{arguments:?}");
        assert!(ended.err.contains(part), "{arguments:?}: {}", ended.err);
    }
}
