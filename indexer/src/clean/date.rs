//! Days and months in the ways that departments write them.

use yiku::calendar;

/// The earliest and the latest year that a record may speak of.
const YEARS: std::ops::RangeInclusive<i64> = 1850..=2200;
/// The spreadsheet's day 0: 1899-12-30.
const SERIAL_EPOCH: i64 = -25_569;
/// Serial days that are taken for dates: 1954 to 2119. Others would be years or numbers.
const SERIALS: std::ops::RangeInclusive<i64> = 20_000..=80_000;

/// `2024-03-07`, `2024/3/7`, `2024.3.7`, `2024年3月7日`, `20240307`, a spreadsheet's serial day, any
/// of them before a time of the day; of `2024年3月` and `2024-03` the first day.
pub(super) fn day(text: &str) -> Option<i64> {
    let text = text.split(['T', ' ']).next().unwrap_or_default();
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
        return known(part(0, 4)?, part(4, 6)?, part(6, 8)?);
    }
    if text.len() == 5 {
        let serial = text.parse().ok().filter(|serial| SERIALS.contains(serial))?;
        return Some(serial + SERIAL_EPOCH);
    }
    match parts(text)? {
        (year, month, Some(day)) => known(year, month, day),
        (year, month, None) => known(year, month, 1),
    }
}

/// `2026-10`, `202610`, `2026年10月`, `2026/10`, and the month of a day.
pub(super) fn month(text: &str) -> Option<i64> {
    if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
        return known(part(0, 4)?, part(4, 6)?, 1).map(calendar::month_of);
    }
    day(text).map(calendar::month_of)
}

fn known(year: i64, month: i64, day: i64) -> Option<i64> {
    let (month, day) = (u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    YEARS.contains(&year).then(|| calendar::days(year, month, day))?
}

/// Year, month and day between their signs.
fn parts(text: &str) -> Option<(i64, i64, Option<i64>)> {
    let (year, rest) = text.split_once(['-', '/', '.', '年'])?;
    let (month, rest) = rest.split_once(['-', '/', '.', '月']).unwrap_or((rest, ""));
    let day = rest.strip_suffix('日').unwrap_or(rest);
    let number = |part: &str, width: usize| {
        let good = !part.is_empty() && part.len() <= width;
        let good = good && part.bytes().all(|byte| byte.is_ascii_digit());
        if good { part.parse::<i64>().ok() } else { None }
    };
    let year = number(year, 4)?;
    let month = number(month, 2)?;
    Some((year, month, if day.is_empty() { None } else { Some(number(day, 2)?) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_in_every_form_and_no_other() {
        for (text, expected) in [
            ("2024-03-07", Some("2024-03-07")),
            ("2024/3/7", Some("2024-03-07")),
            ("2024.03.07", Some("2024-03-07")),
            ("2024年3月7日", Some("2024-03-07")),
            ("2024年03月", Some("2024-03-01")),
            ("20240307", Some("2024-03-07")),
            ("45358", Some("2024-03-07")),
            ("2024-03-07T00:00:00", Some("2024-03-07")),
            ("2024/3/7 12:30", Some("2024-03-07")),
            ("2024-02-29", Some("2024-02-29")),
            ("2023-02-29", None),
            ("2021-13-05", None),
            ("2025-04-31", None),
            ("20240231", None),
            ("2019年2月30日", None),
            ("0000-01-01", None),
            ("12345", None),
            ("2024--1", None),
            ("昨天", None),
            ("24-3-7-1", None),
        ] {
            assert_eq!(day(text).map(calendar::date_text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn months_are_read_in_every_form() {
        for text in ["2026-10", "202610", "2026年10月", "2026/10", "2026-10-31", "20261031"] {
            assert_eq!(month(text), Some(2026 * 12 + 9), "{text}");
        }
        for text in ["2026-13", "202600", "2026", ""] {
            assert_eq!(month(text), None, "{text}");
        }
    }
}
