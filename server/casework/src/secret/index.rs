//! The one form of an ID number that is compared.

use crate::forms::id_number;

/// An ID number without blanks, its check letter upper-case.
pub fn normalise(id_number: &str) -> String {
    id_number.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect()
}

/// Whether a text, once normalised, is a citizen's number.
pub(crate) fn is_id_number(text: &str) -> bool {
    id_number::read(&normalise(text)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_valid_however_it_is_typed() {
        for valid in ["99910119491231000X", "99910119491231000x", " 999101 199003076634"] {
            assert!(is_id_number(valid), "{valid}");
        }
        for wrong in ["", "999101199003076635", "99910119900307663"] {
            assert!(!is_id_number(wrong), "{wrong}");
        }
        assert_eq!(normalise(" 9991 0119491231000x\n"), "99910119491231000X");
    }
}
