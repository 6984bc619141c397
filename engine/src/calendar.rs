//! Days and months of the proleptic Gregorian calendar as integers.
//!
//! A day is the number of days since 1970-01-01; a month is twelve times the year plus the month
//! from 0. Years run from 0 to 9999 in what people write; the arithmetic holds far beyond, and what
//! lies further than any number of days does not panic.

/// Days of 400 years.
const ERA_DAYS: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;
/// Years of which every day is a number; those beyond are taken for the last.
const YEARS_MAX: i64 = 1_000_000_000_000_000;

/// The day of year, month (1 to 12) and day of the month, if there is one.
#[must_use]
pub fn days(year: i64, month: u32, day: u32) -> Option<i64> {
    let known = (-YEARS_MAX..=YEARS_MAX).contains(&year)
        && (1..=12).contains(&month)
        && (1..=month_days(year, month)).contains(&day);
    known.then(|| civil_days(year, month, day))
}

fn civil_days(year: i64, month: u32, day: u32) -> i64 {
    let year = year.clamp(-YEARS_MAX, YEARS_MAX) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = i64::from((month + 9) % 12);
    let day_of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * ERA_DAYS + day_of_era - EPOCH
}

/// Year, month (1 to 12) and day of the month of a day.
#[must_use]
pub fn civil(days: i64) -> (i64, u32, u32) {
    let shifted = days.saturating_add(EPOCH);
    let era = shifted.div_euclid(ERA_DAYS);
    let of_era = shifted.rem_euclid(ERA_DAYS);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let small = |n: i64| u32::try_from(n).unwrap_or(1);
    (year, small(month), small(day))
}

fn month_days(year: i64, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The month of year and month (1 to 12), if there is one.
#[must_use]
pub fn month(year: i64, month: u32) -> Option<i64> {
    let first = year.checked_mul(12).filter(|_| (1..=12).contains(&month))?;
    first.checked_add(i64::from(month) - 1)
}

/// The month that holds a day.
#[must_use]
pub fn month_of(days: i64) -> i64 {
    let (year, month, _) = civil(days);
    year * 12 + i64::from(month) - 1
}

/// The first day of a month.
#[must_use]
pub fn month_start(month: i64) -> i64 {
    let month = month.clamp(-12 * YEARS_MAX, 12 * YEARS_MAX);
    let place = u32::try_from(month.rem_euclid(12)).unwrap_or(0);
    civil_days(month.div_euclid(12), place + 1, 1)
}

/// The last day of a month.
#[must_use]
pub fn month_end(month: i64) -> i64 {
    month_start(month.clamp(-12 * YEARS_MAX, 12 * YEARS_MAX - 1) + 1) - 1
}

/// The same day of the month `months` later, or the last day of a shorter month.
#[must_use]
pub fn add_months(days: i64, months: i64) -> i64 {
    let (year, month, day) = civil(days);
    let month = (year * 12 + i64::from(month) - 1).saturating_add(months);
    (month_start(month) + i64::from(day) - 1).min(month_end(month))
}

/// Years completed from `birth` to `as_of`, by month and day.
#[must_use]
pub fn age(birth: i64, as_of: i64) -> i64 {
    let (by, bm, bd) = civil(birth);
    let (y, m, d) = civil(as_of);
    y - by - i64::from((m, d) < (bm, bd))
}

/// The last birthday of those who have completed `years` by `as_of`: `age >= years` is
/// `birth <= born_by(years)`.
#[must_use]
pub fn born_by(years: i64, as_of: i64) -> i64 {
    let (year, month, day) = civil(as_of);
    let year = year.saturating_sub(years.clamp(-100_000, 100_000));
    civil_days(year, month, day.min(month_days(year, month)))
}

/// `2026-10-31`.
#[must_use]
pub fn date_text(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-10`.
#[must_use]
pub fn month_text(month: i64) -> String {
    format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}

/// A day written as `2026-10-31`.
#[must_use]
pub fn parse_date(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits =
        |part: &str, width| part.len() == width && part.bytes().all(|b| b.is_ascii_digit());
    if !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
        return None;
    }
    days(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// A month written as `2026-10`.
#[must_use]
pub fn parse_month(text: &str) -> Option<i64> {
    let date = parse_date(&format!("{text}-01"))?;
    Some(month_of(date))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;
    use jiff::civil::Date;

    #[test]
    fn agrees_with_another_calendar() {
        let epoch = Date::new(1970, 1, 1).unwrap();
        let mut day = Date::new(1, 1, 1).unwrap();
        while day.year() < 2600 {
            let here = i64::from(day.since(epoch).unwrap().get_days());
            let (year, month, dom) =
                (i64::from(day.year()), day.month().unsigned_abs(), day.day().unsigned_abs());
            assert_eq!(days(year, month.into(), dom.into()), Some(here));
            assert_eq!(civil(here), (year, month.into(), dom.into()));
            assert!(month_start(month_of(here)) <= here && here <= month_end(month_of(here)));
            day = day.checked_add(jiff::Span::new().days(13)).unwrap();
        }
    }

    #[test]
    fn there_is_no_thirtieth_of_february() {
        for (y, m, d) in [(2026, 2, 29), (2024, 2, 30), (2026, 13, 1), (2026, 0, 1), (2026, 4, 31)]
        {
            assert_eq!(days(y, m, d), None, "{y}-{m}-{d}");
        }
        assert_eq!(parse_date("2024-02-29").map(date_text).as_deref(), Some("2024-02-29"));
        assert_eq!(parse_date("2024-2-29"), None);
        assert_eq!(parse_date("2024-02-29-1"), None);
    }

    #[test]
    fn no_number_is_too_far() {
        let far = [i64::MIN, i64::MIN / 3, -1 << 58, 1 << 58, i64::MAX / 3, i64::MAX];
        for (number, other) in far.into_iter().flat_map(|a| far.map(|b| (a, b))) {
            let (year, month_there, day) = civil(number);
            assert!((1..=12).contains(&month_there) && (1..=31).contains(&day), "{year}");
            assert!(month_start(number) <= month_end(number) + 1);
            let _ = (add_months(number, other), age(number, other), born_by(number, other));
            let _ = (date_text(number), month_text(number), month_of(number));
            assert_eq!((days(number, 1, 1), month(number, 13)), (None, None));
        }
    }

    #[test]
    fn months_are_read_as_they_are_written() {
        for text in ["0001-01", "2026-10", "9999-12"] {
            assert_eq!(parse_month(text).map(month_text).as_deref(), Some(text));
        }
        for text in ["2026-13", "2026-1", "2026", "2026-10-01", ""] {
            assert_eq!(parse_month(text), None, "{text}");
        }
    }

    #[test]
    fn months_are_added_as_people_do() {
        let check = |from: &str, months, expected: &str| {
            assert_eq!(date_text(add_months(parse_date(from).unwrap(), months)), expected);
        };
        check("2026-10-31", -12, "2025-10-31");
        check("2026-10-31", -8, "2026-02-28");
        check("2024-02-29", 12, "2025-02-28");
        check("2026-01-15", 24, "2028-01-15");
    }

    #[test]
    fn age_and_its_inverse_agree() {
        for as_of in ["2026-10-31", "2024-02-29", "2026-02-28", "2026-03-01", "2026-01-01"] {
            let as_of = parse_date(as_of).unwrap();
            for birth in (parse_date("1995-12-20").unwrap()..).take(4_000) {
                let age = age(birth, as_of);
                assert!(birth <= born_by(age, as_of), "{}", date_text(birth));
                assert!(birth > born_by(age + 1, as_of), "{}", date_text(birth));
            }
        }
    }
}
