//! Rejects: what broke its contract, where, and why.

use std::path::PathBuf;

use serde::Serialize;

/// Why a record, or a cell of it, was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// A cell that a record cannot do without is empty.
    MissingKey,
    /// An ID number whose check digit is wrong (GB 11643).
    BadCheckDigit,
    /// An ID number of the wrong length, or with letters or a birthday that cannot be.
    BadIdNumber,
    /// A day or month that no calendar has, or that is not written as one.
    ImpossibleDate,
    /// A code, label or place that its list does not have.
    UnknownCode,
    /// A sum of money that is none, or is below zero.
    BadAmount,
    /// A number that is none.
    BadNumber,
    /// A flag that is neither yes nor no.
    BadFlag,
    /// More text than a cell may have.
    TooLong,
    /// More or fewer cells than the header.
    WrongCells,
    /// A line that is not JSON.
    BadJson,
    /// The same record a second time.
    Duplicate,
    /// A member of a household that is not in the register.
    UnknownHousehold,
    /// A person in a second household of the same county.
    TwoHouseholds,
    /// A person in a second household, of another county: passed over, and the person tagged.
    TwoCounties,
    /// A row whose parent is not there.
    Orphan,
}

impl Reason {
    /// The word for it in reports and files.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::MissingKey => "missing_key",
            Self::BadCheckDigit => "bad_check_digit",
            Self::BadIdNumber => "bad_id_number",
            Self::ImpossibleDate => "impossible_date",
            Self::UnknownCode => "unknown_code",
            Self::BadAmount => "bad_amount",
            Self::BadNumber => "bad_number",
            Self::BadFlag => "bad_flag",
            Self::TooLong => "too_long",
            Self::WrongCells => "wrong_cells",
            Self::BadJson => "bad_json",
            Self::Duplicate => "duplicate",
            Self::UnknownHousehold => "unknown_household",
            Self::TwoHouseholds => "two_households",
            Self::TwoCounties => "two_counties",
            Self::Orphan => "orphan",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// What became of a record or cell that broke its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The record was rejected.
    Rejected,
    /// The record was kept, the cell is unknown.
    Unknown,
    /// The record was passed over, the person tagged.
    Tagged,
}

impl Outcome {
    /// The word for it in files.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Tagged => "tagged",
        }
    }
}

/// A record, or a cell of it, that broke its contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// The file.
    pub file: PathBuf,
    /// Line of a text, row of a workbook or Parquet file, item of a JSON list; from 1.
    pub line: u64,
    /// The header of the column.
    pub column: String,
    /// Why.
    pub reason: Reason,
    /// What became of it.
    pub outcome: Outcome,
    /// What stood there; of personal columns all but the ends hidden.
    pub value: String,
}

/// The most characters of a value that a reject repeats.
const VALUE_CHARS_MAX: usize = 60;

/// The value of a cell as a reject may repeat it.
pub(crate) fn shown(value: &str, personal: bool) -> String {
    let length = value.chars().count();
    if !personal {
        let mut text: String = value.chars().take(VALUE_CHARS_MAX).collect();
        if length > VALUE_CHARS_MAX {
            text.push('…');
        }
        return text;
    }
    // The area code and the last character of an ID number find the record, not the person.
    let (front, back) = if length >= 15 { (6, 1) } else { (1, 0) };
    let letters = value.chars().enumerate().take(VALUE_CHARS_MAX);
    letters.map(|(n, c)| if n < front || n + back >= length { c } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_values_are_hidden() {
        for (value, personal, expected) in [
            ("99900119900307001X", true, "999001***********X"),
            ("欧阳建国", true, "欧***"),
            ("", true, ""),
            ("山西族", false, "山西族"),
        ] {
            assert_eq!(shown(value, personal), expected);
        }
        assert_eq!(shown(&"长".repeat(99), false).chars().count(), VALUE_CHARS_MAX + 1);
    }
}
