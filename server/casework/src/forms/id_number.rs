//! The citizen's number of 18 characters (GB 11643): area, birth date, order, check character.
//!
//! Area codes are not looked up: codes change over decades, and the numbers of invented people
//! begin with codes that were never assigned.

use jiff::civil::Date;

const LENGTH: usize = 18;
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];

/// What a citizen's number tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The day of birth.
    pub birth_date: Date,
    /// The code of the sex: `1` male, `2` female.
    pub sex: &'static str,
}

/// What is wrong with a citizen's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It has not 18 characters.
    Length,
    /// It is not 17 digits followed by a digit or X.
    Characters,
    /// Its digits 7 to 14 are no day.
    Birth,
    /// The check character does not fit: a digit is wrong, or two are exchanged.
    Check,
}

/// Reads a citizen's number; a small `x` is taken for `X`.
///
/// # Errors
/// What is wrong, the first fault found.
///
/// ```
/// use yiku_casework::forms::id_number::{Wrong, read};
/// assert_eq!(read("999101197001010018").unwrap().sex, "1");
/// assert_eq!(read("999101197001010016"), Err(Wrong::Check));
/// ```
pub fn read(text: &str) -> Result<Told, Wrong> {
    if text.chars().count() != LENGTH {
        return Err(Wrong::Length);
    }
    let digits: Vec<u32> = text.chars().map_while(|sign| sign.to_digit(10)).take(17).collect();
    let last = text.chars().last().map(|sign| sign.to_ascii_uppercase());
    let Some(last) = last.filter(|sign| sign.is_ascii_digit() || *sign == 'X') else {
        return Err(Wrong::Characters);
    };
    if digits.len() != 17 {
        return Err(Wrong::Characters);
    }
    let number = |from: usize, count: usize| -> i16 {
        let part = digits.iter().skip(from).take(count);
        part.fold(0, |sum, digit| sum * 10 + i16::try_from(*digit).unwrap_or(0))
    };
    let (month, day) = (i8::try_from(number(10, 2)), i8::try_from(number(12, 2)));
    let (Ok(month), Ok(day)) = (month, day) else { return Err(Wrong::Birth) };
    let birth_date = Date::new(number(6, 4), month, day).map_err(|_| Wrong::Birth)?;
    if check_character(&digits) != Some(last) {
        return Err(Wrong::Check);
    }
    let odd = digits.last().is_some_and(|digit| digit % 2 == 1);
    Ok(Told { birth_date, sex: if odd { "1" } else { "2" } })
}

/// The last character that 17 digits need (ISO 7064, MOD 11-2).
fn check_character(digits: &[u32]) -> Option<char> {
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    CHECKS.get(usize::try_from(sum % 11).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(digits: &str) -> String {
        let numbers: Vec<u32> = digits.chars().filter_map(|sign| sign.to_digit(10)).collect();
        format!("{digits}{}", check_character(&numbers).unwrap_or('?'))
    }

    /// The example printed in the standard, put together so that it stands nowhere whole.
    #[test]
    fn the_example_of_the_standard_is_right() {
        let told = read(&format!("{}{}", "110105194912", "31002X"));
        assert_eq!(told.map(|told| told.sex), Ok("2"));
        let small = read(&format!("{}{}", "110105194912", "31002x"));
        assert_eq!(small, told);
    }

    #[test]
    fn any_wrong_digit_and_any_exchange_of_neighbours_is_found() {
        let right = complete("99910119880229123");
        assert_eq!(read(&right).map(|told| told.birth_date), Ok(jiff::civil::date(1988, 2, 29)));
        let signs: Vec<char> = right.chars().collect();
        for at in 0..signs.len() {
            for digit in ('0'..='9').filter(|digit| signs[at] != *digit) {
                let mut wrong = signs.clone();
                wrong[at] = digit;
                assert!(read(&wrong.iter().collect::<String>()).is_err(), "{at} {digit}");
            }
            if at > 0 && signs[at] != signs[at - 1] {
                let mut wrong = signs.clone();
                wrong.swap(at, at - 1);
                assert!(read(&wrong.iter().collect::<String>()).is_err(), "exchanged {at}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        let cases = [
            ("".to_owned(), Wrong::Length),
            ("99910119700101001".to_owned(), Wrong::Length),
            ("9991011970010100155".to_owned(), Wrong::Length),
            ("99910119700101001Y".to_owned(), Wrong::Characters),
            ("9991O1197001010015".to_owned(), Wrong::Characters),
            ("99910119700101001５".to_owned(), Wrong::Characters),
            ("99910119700101001*".to_owned(), Wrong::Characters),
            (complete("99910119700230001"), Wrong::Birth),
            (complete("99910119701301001"), Wrong::Birth),
            (complete("99910119710229001"), Wrong::Birth),
            ("999101197001010014".to_owned(), Wrong::Check),
        ];
        for (text, wrong) in cases {
            assert_eq!(read(&text), Err(wrong), "{text}");
        }
    }
}
