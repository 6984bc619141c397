//! Questions at many moments, beside the same questions at one day at a time.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use super::tests::{Drawn, database, lines_in};
use crate::{Context, Limits, Plan, Query};
use yiku::{CommitInfo, Snapshot, calendar};

impl Drawn {
    /// A day about the months that are asked about, often at the end of one, rarely far away.
    fn day(&mut self) -> String {
        let month = 2026 * 12 + self.below(20).cast_signed() - 6;
        let day = match self.below(8) {
            0 => calendar::month_end(month),
            1 => calendar::month_start(month),
            2 => *self.one_of(&[-700_000, 0, 2_900_000]),
            _ => calendar::month_start(month) + self.below(28).cast_signed(),
        };
        calendar::date_text(day)
    }

    /// The text of a value, or none where it is not known.
    fn known(&mut self, text: String) -> Option<String> {
        (self.below(4) > 0).then_some(text)
    }
}

/// Houses with leases in several segments that lie across each other; some were written twice, some
/// are gone.
fn town(seed: u64, commits: usize) -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder.path().join("d"));
    let mut drawn = Drawn(seed);
    let mut last = database.snapshot().unwrap();
    for _ in 0..commits {
        let mut writer = database.writer().unwrap();
        let mut batch = writer.batch();
        let mut keys: Vec<u64> = (0..drawn.below(60) + 1).map(|_| drawn.below(150)).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let place = *drawn.one_of(&["1101", "1102", "1201"]);
            let values = [
                ("a", (*drawn.one_of(&["true", "false"])).to_owned()),
                ("rent", format!("{}.50", drawn.below(90))),
                ("floors", drawn.below(6).to_string()),
                ("built", drawn.day()),
                ("owner", (*drawn.one_of(&["x", "y", "z"])).to_owned()),
            ];
            let values = values.map(|(column, text)| (column, drawn.known(text)));
            let mut row = batch.row("house").unwrap();
            row = row.set("id", format!("h{key}").as_str()).unwrap().set("place", place).unwrap();
            for (column, text) in &values {
                if let Some(text) = text {
                    row = row.set(column, text.as_str()).unwrap();
                }
            }
            for number in 0..drawn.below(4) {
                let values = [("start", drawn.day()), ("end", drawn.day())];
                let share = drawn.below(50).to_string();
                let values = values.map(|(column, text)| (column, drawn.known(text)));
                let id = format!("l{key}_{number}");
                let mut row = batch.row("lease").unwrap().set("id", id.as_str()).unwrap();
                row = row.set("share", share.as_str()).unwrap();
                for (column, text) in &values {
                    if let Some(text) = text {
                        row = row.set(column, text.as_str()).unwrap();
                    }
                }
            }
        }
        writer.write(&batch).unwrap();
        for _ in 0..3 {
            writer.remove(&format!("h{}", drawn.below(150))).unwrap();
        }
        last = writer.commit(CommitInfo::default()).unwrap();
    }
    (folder, last)
}

/// The rows of the answers at the ends of some months, each asked by itself, as one answer.
fn apart(snapshot: &Snapshot, text: &str, months: std::ops::RangeInclusive<i64>) -> Vec<String> {
    let mut found = Vec::new();
    for month in months {
        let day = calendar::date_text(calendar::month_end(month));
        let own = lines_in(snapshot, &format!("{text} as_of {day}"), &Context::default());
        let month = calendar::month_text(month);
        found.extend(own.into_iter().map(|line| format!("{month} {line}").trim_end().to_owned()));
    }
    found
}

/// The rows of one answer, the months in front; and whether one pass gave them.
fn at_once(snapshot: &Snapshot, text: &str, limits: &Limits) -> (Vec<String>, bool) {
    let plan = Plan::new(&Query::parse(text).unwrap(), snapshot).unwrap();
    let answer = plan.run(snapshot, limits).unwrap();
    let together = limits.within(u64::MAX, |within| plan.together(snapshot, within)).unwrap();
    (super::tests::rows(&answer), together.is_some())
}

const MONTHS: &str = "over month 2025-12 to 2026-11";

/// What is asked, and whether one pass answers it.
type Asked = (&'static str, bool);

const FILTERS: &[Asked] = &[
    ("from house where built <= as_of", true),
    ("from house where built < as_of - 45 days and a", true),
    ("from house where built > as_of", true),
    ("from house where built >= as_of and floors >= 2", true),
    ("from house where built between as_of - 3 months and as_of", true),
    ("from house where built > as_of - 60 days and built <= as_of", true),
    ("from house where age(built) >= 0 and place within 11", true),
    ("from house where floors * 2 + 1 > 4 and built <= as_of", true),
    ("from house where built <= as_of - 100000 days", true),
    ("from house where a", true),
    ("from house", true),
    ("from lease where house.built <= as_of", true),
    ("from lease where start <= as_of and house.a", true),
    ("from lease where start <= as_of and share + 1 >= 20", true),
    ("from lease where running", false),
    ("from house where any(lease where running)", false),
    ("from house where built <= as_of and any(lease where start > as_of)", false),
    ("from lease where start <= as_of and end >= as_of", false),
];

const GROUPS: &[&str] = &[
    "",
    "by place.city",
    "by place.city, place.street",
    "by place.street, a",
    "by floors",
    "by owner, place.city",
    "by year(built), quarter(built)",
    "by month(built)",
    "by age(built)",
];

const MEASURES: &[Asked] = &[
    ("measure n = count()", true),
    ("measure n = count(), s = sum(rent), g = avg(rent), b = min(built), f = max(floors)", true),
    ("measure n = count(where a), d = stddev(floors), r = sum(rent * 0.5)", true),
    ("measure n = count(), p = per(100, count(where a), count()), s = share(count())", true),
    ("measure n = count_distinct(floors), m = median(rent)", false),
    ("measure n = count(where built <= as_of)", false),
];

const OF_LEASES: &[Asked] = &[
    ("measure n = count(), s = sum(share)", true),
    ("measure n = count(), h = count_distinct(house)", false),
];

const BEHIND: &[&str] = &["", "having count() > 2", "totals", "having sum(floors) >= 5 totals"];

#[test]
fn many_moments_are_as_each_by_itself() {
    let mut drawn = Drawn(7);
    let first = 2025 * 12 + 11;
    for seed in 0..6 {
        let (_folder, snapshot) = town(seed, 1 + usize::try_from(seed).unwrap() % 4);
        for (filter, one_range) in FILTERS {
            for _ in 0..8 {
                let leases = filter.starts_with("from lease");
                let measures = if leases { OF_LEASES } else { MEASURES };
                let (measure, adds_up) = *drawn.one_of(measures);
                let by = *drawn.one_of(if leases { &GROUPS[..3] } else { GROUPS });
                // The groups by age are others at every moment.
                let one_range = *one_range && !by.contains("age");
                let rest = *drawn.one_of(if leases { &BEHIND[..3] } else { BEHIND });
                let text = format!("{filter} {by} {measure} {rest}");
                let expected = apart(&snapshot, &text, first..=first + 11);
                for threads in [1, 2] {
                    let limits = Limits { threads, ..Limits::default() };
                    let over = format!("{text} {MONTHS}");
                    let (found, together) = at_once(&snapshot, &over, &limits);
                    assert_eq!(found, expected, "{over}");
                    assert_eq!(together, one_range && adds_up, "{over}");
                }
                let plain = Limits { indexes: false, ..Limits::default() };
                assert_eq!(at_once(&snapshot, &format!("{text} {MONTHS}"), &plain).0, expected);
            }
        }
    }
}

/// Small cells are protected at every moment, and what is hidden is the same.
#[test]
fn what_is_published_at_many_moments_is_as_at_each() {
    let (_folder, snapshot) = town(3, 4);
    for text in [
        "from house where built <= as_of by place.street publish min_cell 15",
        "from house where built > as_of by place.city, a measure n = count(), s = sum(rent) \
         totals publish min_cell 8",
    ] {
        let limits = Limits::default();
        let found = at_once(&snapshot, &format!("{text} {MONTHS}"), &limits);
        assert_eq!(found, (apart(&snapshot, text, 2025 * 12 + 11..=2025 * 12 + 22), true));
        assert!(found.0.iter().any(|line| line.contains('?')), "{text}");
    }
}

/// Groups that would take too much by month are asked month by month.
#[test]
fn what_is_kept_by_band_has_a_limit() {
    let (_folder, snapshot) = town(1, 1);
    let text = "from house where built <= as_of by id over month 2025-12 to 2026-11";
    let plan = Plan::new(&Query::parse(text).unwrap(), &snapshot).unwrap();
    let moving = super::moments::Moving::new(&plan).unwrap();
    let mut banded = super::moments::Banded::new(&moving);
    let key = |number: i64| [super::keys::Cell::Int(number)];
    let full = (0..).find(|number| banded.place(&key(*number)).is_none()).unwrap();
    // Thirteen bands of eight bytes a group.
    assert_eq!(full, (64 << 20) / (13 * 8));
    assert!(banded.too_many);
}
