//! Passwords: what is taken, and how they are kept.
//!
//! Invariant: of a password only its Argon2id hash is kept, with the salt and cost it was made
//! with; comparing takes the same work whether or not the account exists.

use argon2::{Algorithm, Argon2, Params, Version};

use crate::error::{Error, Result};
use crate::secret::{code, fill, same};

/// The fewest characters.
const CHARS_MIN: usize = 8;

/// The most bytes: hashing must not be made to work long.
pub(super) const BYTES_MAX: usize = 128;

/// How many kinds of characters, of small, capital, digits and others.
const CLASSES_MIN: usize = 3;

/// A login name shorter than this may occur in a password by chance.
const LOGIN_CHARS_MIN: usize = 4;

/// Passwords that are tried first, in small letters.
const WEAK: &str = include_str!("weak.txt");

const HASH: usize = 32;

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// What real passwords are kept with: 19 MiB, two passes.
    pub const STANDARD: Self = Self { memory_kib: 19_456, passes: 2, lanes: 1 };

    /// For tests alone: nothing that protects anything.
    pub const CHEAP: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    fn written(self) -> String {
        format!("{} {} {}", self.memory_kib, self.passes, self.lanes)
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(' ').map(|part| part.parse().ok());
        let cost =
            Self { memory_kib: parts.next()??, passes: parts.next()??, lanes: parts.next()?? };
        parts.next().is_none().then_some(cost)
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// A password as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) salt: Vec<u8>,
    pub(super) cost: String,
    pub(super) hash: Vec<u8>,
}

impl Kept {
    /// Hashes a password with a new salt.
    pub(super) fn new(password: &str, cost: Cost) -> Result<Self> {
        let mut salt = vec![0; 16];
        fill(&mut salt)?;
        let hash = hash(password, &salt, cost)?.to_vec();
        Ok(Self { salt, cost: cost.written(), hash })
    }

    /// Whether it is this password.
    pub(super) fn is(&self, password: &str) -> Result<bool> {
        let cost = Cost::read(&self.cost).ok_or_else(cost_wrong)?;
        Ok(same(&hash(password, &self.salt, cost)?, &self.hash))
    }
}

/// The work of a comparison for nobody, so that time does not tell that an account is not there.
pub(super) fn compare_with_nobody(password: &str, cost: Cost) -> Result<()> {
    std::hint::black_box(hash(password, &[0; 16], cost)?);
    Ok(())
}

fn hash(password: &str, salt: &[u8], cost: Cost) -> Result<[u8; HASH]> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(HASH))
        .map_err(|_| cost_wrong())?;
    let mut hash = [0; HASH];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut hash)
        .map_err(|_| cost_wrong())?;
    Ok(hash)
}

fn cost_wrong() -> Error {
    let what = "its cost or salt is none that passwords are kept with";
    Error::Corrupt { table: "password", row: String::new(), what }
}

/// Checks a password against everything but its history.
pub(super) fn check(password: &str, login: &str) -> Result<()> {
    let wrong = |code, reason| Err(Error::Password { code, reason });
    if password.len() > BYTES_MAX {
        return wrong("long", "must have at most 128 bytes");
    }
    if password.chars().count() < CHARS_MIN {
        return wrong("short", "must have at least 8 characters");
    }
    let kinds: [fn(&char) -> bool; 4] = [
        |c| c.is_lowercase(),
        |c| c.is_uppercase(),
        |c| c.is_numeric(),
        |c| !c.is_lowercase() && !c.is_uppercase() && !c.is_numeric(),
    ];
    let classes = kinds.iter().filter(|is| password.chars().any(|c| is(&c))).count();
    if classes < CLASSES_MIN {
        let reason =
            "must mix at least three of small letters, capital letters, digits, other signs";
        return wrong("classes", reason);
    }
    let (plain, login) = (password.to_lowercase(), login.to_lowercase());
    let named = login.chars().count() >= LOGIN_CHARS_MIN && plain.contains(&login);
    if plain == login || named {
        return wrong("login", "must not contain the login name");
    }
    if WEAK.lines().any(|weak| weak == plain) {
        return wrong("weak", "is one of those that are tried first; choose another");
    }
    Ok(())
}

/// A password to begin with, to be changed at the first sign-in.
pub(super) fn temporary() -> Result<String> {
    let small = code("abcdefghijkmnpqrstuvwxyz", 4)?;
    let capital = code("ABCDEFGHJKLMNPQRSTUVWXYZ", 4)?;
    let digits = code("23456789", 4)?;
    Ok(format!("{capital}-{small}-{digits}"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn each_rule_has_its_word() {
        for (password, expected) in [
            ("Short1!", Some("short")),
            ("alllowercase", Some("classes")),
            ("lower123case", Some("classes")),
            ("Wangwu-2026", Some("login")),
            ("xWANGWUx-2026", Some("login")),
            ("P@ssw0rd", Some("weak")),
            ("Yiku-demo-2026", None),
            ("山西Zz2026年", None),
        ] {
            let code = match check(password, "wangwu") {
                Err(Error::Password { code, .. }) => Some(code),
                _ => None,
            };
            assert_eq!(code, expected, "{password}");
        }
        assert!(matches!(check(&"aA1".repeat(60), "x"), Err(Error::Password { code: "long", .. })));
        for _ in 0..50 {
            check(&temporary().unwrap(), "wangwu").unwrap();
        }
    }

    #[test]
    fn a_hash_knows_its_password_and_has_a_salt_of_its_own() {
        let kept = Kept::new("Yiku-demo-2026", Cost::CHEAP).unwrap();
        assert!(kept.is("Yiku-demo-2026").unwrap());
        assert!(!kept.is("Yiku-demo-2027").unwrap());
        let again = Kept::new("Yiku-demo-2026", Cost::CHEAP).unwrap();
        assert_ne!(kept.hash, again.hash);
        let damaged = Kept { cost: "0 0".to_owned(), ..again };
        assert!(matches!(damaged.is("x"), Err(Error::Corrupt { .. })));
    }
}
