//! The calendar of working days: Monday to Friday, less public holidays, plus make-up days.
//!
//! Invariants: holidays are data, a file a year (`server/casework/holidays`). A year that no file
//! describes has its weekdays as working days; [`Calendar::knows`] tells which years are described.
//! A make-up day is a Saturday or Sunday; a holiday begins at most a year off that of its file.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use serde::Deserialize;

use crate::case::Workdays;

/// The most days that one holiday may have; a longer one is a slip of the pen.
const HOLIDAY_DAYS_MAX: usize = 31;

/// The holidays built into the program.
const BUILT_IN: &[(&str, &str)] = &[
    ("2025.toml", include_str!("../holidays/2025.toml")),
    ("2026.toml", include_str!("../holidays/2026.toml")),
];

/// Why a file of holidays cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// It is not TOML of the expected shape.
    #[error("holidays `{file}` cannot be read")]
    Read {
        /// The file.
        file: String,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// A year is described twice.
    #[error("holidays `{file}`: the year {year} is described already")]
    Twice {
        /// The file.
        file: String,
        /// The year.
        year: i16,
    },
    /// A holiday's days are not possible.
    #[error(
        "holidays `{file}`: {name} lasts from {from} to {to}; it must be 1 to 31 days of {year}"
    )]
    Span {
        /// The file.
        file: String,
        /// The holiday.
        name: String,
        /// Its first day.
        from: Date,
        /// Its last day.
        to: Date,
        /// The year of the file.
        year: i16,
    },
    /// A make-up day would be worked anyway.
    #[error("holidays `{file}`: {day} is no Saturday or Sunday, so it cannot be a make-up day")]
    MakeUp {
        /// The file.
        file: String,
        /// The day.
        day: Date,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct YearFile {
    year: i16,
    #[serde(default)]
    holiday: Vec<Holiday>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    name: String,
    from: Date,
    to: Date,
    #[serde(default)]
    work: Vec<Date>,
}

/// Which days are worked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    years: BTreeSet<i16>,
    off: BTreeSet<Date>,
    worked: BTreeSet<Date>,
}

impl Calendar {
    /// The calendar built into the program: 2025 and 2026.
    ///
    /// # Errors
    /// Where a built-in file is wrong, which the tests rule out.
    pub fn built_in() -> Result<Self, CalendarError> {
        let mut calendar = Self::default();
        for (file, text) in BUILT_IN {
            calendar.add(file, text)?;
        }
        Ok(calendar)
    }

    /// Adds a year from the text of a file; `file` names it in errors.
    ///
    /// # Errors
    /// The text is not a year's holidays, or the year is there already. The calendar is then as it
    /// was.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), CalendarError> {
        let year: YearFile = toml::from_str(text).map_err(|source| CalendarError::Read {
            file: file.to_owned(),
            source: Box::new(source),
        })?;
        let mut next = self.clone();
        if !next.years.insert(year.year) {
            return Err(CalendarError::Twice { file: file.to_owned(), year: year.year });
        }
        for holiday in year.holiday {
            let days: Vec<Date> =
                days(holiday.from, holiday.to).take(HOLIDAY_DAYS_MAX + 1).collect();
            let near = holiday.from.year().abs_diff(year.year) <= 1;
            if days.is_empty() || days.len() > HOLIDAY_DAYS_MAX || !near {
                return Err(CalendarError::Span {
                    file: file.to_owned(),
                    name: holiday.name,
                    from: holiday.from,
                    to: holiday.to,
                    year: year.year,
                });
            }
            next.off.extend(days);
            for day in holiday.work {
                if !is_weekend(day) {
                    return Err(CalendarError::MakeUp { file: file.to_owned(), day });
                }
                next.worked.insert(day);
            }
        }
        *self = next;
        Ok(())
    }

    /// Whether the holidays of a year are described; otherwise its weekdays are taken as worked.
    #[must_use]
    pub fn knows(&self, year: i16) -> bool {
        self.years.contains(&year)
    }

    /// Whether a day is worked.
    #[must_use]
    pub fn is_worked(&self, day: Date) -> bool {
        self.worked.contains(&day) || !(is_weekend(day) || self.off.contains(&day))
    }

    /// How many working days lie after `from` up to and with `to`; 0 where `to` is not later.
    #[must_use]
    pub fn between(&self, from: Date, to: Date) -> u32 {
        let worked = days(from, to).skip(1).filter(|day| self.is_worked(*day)).count();
        u32::try_from(worked).unwrap_or(u32::MAX)
    }
}

impl Workdays for Calendar {
    /// The end of the calendar, 31 December 9999, where there are not that many.
    fn after(&self, day: Date, count: u32) -> Date {
        let mut left = count;
        let mut last = day;
        for next in days(day, Date::MAX).skip(1) {
            if left == 0 {
                break;
            }
            left -= u32::from(self.is_worked(next));
            last = next;
        }
        last
    }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The days from one to another, both included; none where the second is earlier.
fn days(from: Date, to: Date) -> impl Iterator<Item = Date> {
    let first = (from <= to).then_some(from);
    std::iter::successors(first, |day| day.tomorrow().ok()).take_while(move |day| *day <= to)
}
