//! The calendar of working days: what is worked, and how deadlines fall.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use jiff::civil::{Date, date};
use yiku_casework::case::Workdays;
use yiku_casework::workdays::Calendar;

fn calendar() -> Calendar {
    Calendar::built_in().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// The days off of a year that are not a plain weekend, and the weekend days that are worked.
#[test]
fn a_year_has_the_days_of_its_notice() {
    let calendar = calendar();
    for (year, weekdays_off, weekends_worked) in [(2025, 18, 5), (2026, 19, 6)] {
        let mut found = (0, 0);
        let mut today = date(year, 1, 1);
        while today.year() == year {
            let weekend = today.weekday().to_monday_zero_offset() >= 5;
            match (weekend, calendar.is_worked(today)) {
                (false, false) => found.0 += 1,
                (true, true) => found.1 += 1,
                _ => {}
            }
            today = today.tomorrow().unwrap();
        }
        assert_eq!(found, (weekdays_off, weekends_worked), "{year}");
        assert!(calendar.knows(year));
    }
}

#[test]
fn deadlines_fall_on_working_days() {
    let calendar = calendar();
    let cases = [
        // The day itself does not count; none is the day itself.
        ("2026-11-24", 0, "2026-11-24"),
        ("2026-11-24", 1, "2026-11-25"),
        ("2026-11-27", 1, "2026-11-30"),
        // Spring Festival with make-up days on both sides.
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-02-14", 1, "2026-02-24"),
        ("2026-02-27", 1, "2026-02-28"),
        ("2026-02-13", 7, "2026-03-02"),
        // National Day after a worked Sunday.
        ("2026-09-18", 1, "2026-09-20"),
        ("2026-09-30", 1, "2026-10-08"),
        ("2026-09-30", 3, "2026-10-10"),
        // Over the turn of the year into a year that is described, and into one that is not.
        ("2025-12-31", 1, "2026-01-04"),
        ("2026-12-31", 1, "2027-01-01"),
        ("2026-12-31", 2, "2027-01-04"),
        // 30 working days, the time of a decision.
        ("2026-09-01", 30, "2026-10-19"),
    ];
    for (from, days, expected) in cases {
        assert_eq!(calendar.after(day(from), days), day(expected), "{from} and {days} days");
        if days > 0 {
            assert_eq!(calendar.between(day(from), day(expected)), days, "{from} to {expected}");
        }
    }
    assert_eq!(calendar.between(day("2026-11-25"), day("2026-11-24")), 0);
}

#[test]
fn a_year_without_a_file_has_its_weekdays() {
    let calendar = calendar();
    assert!(!calendar.knows(2027) && calendar.is_worked(day("2027-10-01")));
    assert!(!calendar.is_worked(day("2027-10-02")));
    assert_eq!(calendar.after(Date::MAX, u32::MAX), Date::MAX);
}

#[test]
fn a_wrong_file_is_refused_and_changes_nothing() {
    let holiday = |from: &str, to: &str, work: &str| {
        format!(
            "year = 2027\n[[holiday]]\nname = \"元旦\"\nfrom = \"{from}\"\nto = \"{to}\"\n\
             work = [{work}]"
        )
    };
    let cases = [
        ("year = ".to_owned(), "holidays `new.toml` cannot be read"),
        ("year = 2026".to_owned(), "the year 2026 is described already"),
        (holiday("2027-01-03", "2027-01-01", ""), "must be 1 to 31 days of 2027"),
        (holiday("2027-01-01", "2027-03-01", ""), "must be 1 to 31 days of 2027"),
        (holiday("2017-01-01", "2017-01-02", ""), "must be 1 to 31 days of 2027"),
        (holiday("2027-01-01", "2027-01-03", "\"2027-01-04\""), "is no Saturday or Sunday"),
    ];
    for (text, part) in cases {
        let mut calendar = calendar();
        let error = calendar.add("new.toml", &text).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!(calendar, self::calendar());
    }
    let mut calendar = calendar();
    calendar.add("new.toml", &holiday("2027-01-01", "2027-01-03", "")).unwrap();
    assert!(calendar.knows(2027) && !calendar.is_worked(day("2027-01-01")));
}
