//! Citizens' ID numbers (GB 11643): eighteen characters, or fifteen digits of before 1999.
//!
//! Invariant: a number is kept as its first seventeen digits, an integer; the eighteenth character
//! follows from them.

use yiku::calendar;

use crate::reject::Reason;

const WEIGHTS: [i64; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: &[u8; 11] = b"10X98765432";

/// The first seventeen digits of a number that passes the check.
///
/// # Errors
/// [`Reason::BadIdNumber`], [`Reason::BadCheckDigit`].
pub(super) fn parse(text: &str) -> Result<i64, Reason> {
    let bytes = text.as_bytes();
    let digits = |bytes: &[u8]| {
        let all = bytes.iter().all(u8::is_ascii_digit);
        all.then(|| bytes.iter().fold(0, |n: i64, byte| n * 10 + i64::from(byte - b'0')))
    };
    let number = match bytes.len() {
        18 => {
            let (first, last) = bytes.split_at(17);
            let number = digits(first).ok_or(Reason::BadIdNumber)?;
            let last = last.first().map_or(0, u8::to_ascii_uppercase);
            if last != check(number) {
                let sign = last.is_ascii_digit() || last == b'X';
                return Err(if sign { Reason::BadCheckDigit } else { Reason::BadIdNumber });
            }
            number
        }
        15 => {
            // Area, birthday without the century, sequence.
            let (area, rest) = bytes.split_at(6);
            let (area, rest) = (digits(area), digits(rest));
            let (area, rest) = area.zip(rest).ok_or(Reason::BadIdNumber)?;
            area * 100_000_000_000 + 19_000_000_000 + rest
        }
        _ => return Err(Reason::BadIdNumber),
    };
    let born = number / 1_000 % 100_000_000;
    let (month, day) = (born / 100 % 100, born % 100);
    let (month, day) = (u32::try_from(month).unwrap_or(0), u32::try_from(day).unwrap_or(0));
    match calendar::days(born / 10_000, month, day) {
        Some(_) => Ok(number),
        None => Err(Reason::BadIdNumber),
    }
}

/// The check character of the first seventeen digits.
fn check(number: i64) -> u8 {
    let mut rest = number;
    let mut sum = 0;
    for weight in WEIGHTS.iter().rev() {
        sum += rest % 10 * weight;
        rest /= 10;
    }
    let place = usize::try_from(sum % 11).unwrap_or(0);
    CHECKS.get(place).copied().unwrap_or(b'0')
}

/// The whole number again.
pub(crate) fn id_text(number: i64, text: &mut String) {
    use std::fmt::Write;
    text.clear();
    // Writing to a text cannot fail.
    let _ = write!(text, "{number:017}");
    text.push(char::from(check(number)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_accepts_good_numbers_only() {
        for (text, expected) in [
            ("99900119490307001X", Err(Reason::BadCheckDigit)),
            ("999001198602170438", Ok(99_900_119_860_217_043)),
            ("999001198602170430", Err(Reason::BadCheckDigit)),
            ("99900119860217043A", Err(Reason::BadIdNumber)),
            ("999001860217043", Ok(99_900_119_860_217_043)),
            ("999001861317043", Err(Reason::BadIdNumber)),
            ("9990011986021704", Err(Reason::BadIdNumber)),
            ("99900119860217O438", Err(Reason::BadIdNumber)),
            ("九九九", Err(Reason::BadIdNumber)),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn a_number_comes_back_as_it_was() {
        let mut text = String::new();
        for whole in ["999001198602170438", "99900119670107053X"] {
            assert_eq!(parse(whole).map(|number| id_text(number, &mut text)), Ok(()));
            assert_eq!(text, whole);
        }
        assert_eq!(parse("99900119670107053x"), parse("99900119670107053X"));
    }
}
