//! What a dashboard asks: a count in a county, kinds of aid by city, maps of a rate by county and
//! by township, a crosstab of a county. Every caller draws counties and marks of its own.

use std::fmt::Write as _;

use yiku_queries::{Answer, Role, Values};

/// Kinds of question.
pub(crate) const KINDS: u64 = 5;
/// Their names.
pub(crate) const NAMES: [&str; 5] = [
    "count in a county",
    "city by aid",
    "map by county",
    "map by township",
    "crosstab of a county",
];
/// Cities, and counties of each.
const CITIES: u64 = 11;
const COUNTIES: u64 = 11;
/// The marks, in the order of their bits.
const MARKS: [&str; 32] = [
    "homeless",
    "martyr_family",
    "de_facto_orphan",
    "orphan",
    "in_custody",
    "rare_disease",
    "fire_hit",
    "lost_contact",
    "released",
    "flood_hit",
    "drought_hit",
    "unsafe_water",
    "dilapidated_house",
    "long_term_care",
    "left_behind_child",
    "party_help",
    "relocated",
    "veteran",
    "major_disease",
    "debt",
    "hardship_worker",
    "severe_illness",
    "single_parent",
    "student_grant",
    "no_labour",
    "left_behind_elder",
    "living_alone",
    "migrant",
    "chronic_illness",
    "landed",
    "pension_insured",
    "medical_insured",
];
/// The kinds of aid, in the order of their bits.
const AIDS: [&str; 16] = [
    "orphan_allowance",
    "disaster_relief",
    "winter_relief",
    "begging_relief",
    "tekun_urban",
    "rigid",
    "tekun_rural",
    "legal_aid",
    "temporary",
    "work_relief",
    "disability_care",
    "housing_aid",
    "education_aid",
    "disability_living",
    "dibao_urban",
    "dibao_rural",
];

/// A question in both languages.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) question: String,
    pub(crate) sql: String,
}

/// What a caller draws, one question after the other.
pub(crate) struct Draw {
    state: u64,
    dashboards: Option<u64>,
    asked: u64,
}

/// A number without a pattern.
fn scatter(number: u64) -> u64 {
    let mut number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

impl Draw {
    /// A caller of this number. With `dashboards` it looks at one of so many at a time.
    pub(crate) fn new(caller: u64, dashboards: Option<u64>) -> Self {
        Self { state: scatter(caller ^ 0x5151), dashboards, asked: caller }
    }

    /// A question of a kind.
    pub(crate) fn of(&mut self, kind: u64) -> Drawn {
        self.state = scatter(self.state);
        drawn(kind, self.state)
    }

    pub(crate) fn next(&mut self) -> Drawn {
        let kind = self.asked % KINDS;
        if kind == 0 || self.dashboards.is_none() {
            self.state = scatter(self.state);
        }
        self.asked += 1;
        // All questions of a dashboard are of the same number.
        let number = self.dashboards.map_or(self.state, |count| scatter(self.state % count));
        drawn(kind, number)
    }
}

fn name(list: &[&'static str], place: u64) -> &'static str {
    usize::try_from(place).ok().and_then(|place| list.get(place)).copied().unwrap_or("")
}

fn drawn(kind: u64, number: u64) -> Drawn {
    let county = (14 * 100 + number % CITIES + 1) * 100 + number / 16 % COUNTIES + 1;
    let (a, b) = (number / 256 % 32, number / 8_192 % 31);
    let b = if b >= a { b + 1 } else { b };
    let (with, without) = (name(&MARKS, a), name(&MARKS, b));
    let holds = format!("marks has any ({with}) and marks has none ({without})");
    let bits = format!("marks & {} <> 0 and marks & {} = 0", 1u64 << a, 1u64 << b);
    let map = |level: &str| {
        let question = format!(
            "from person by region.{level} \
             measure rate = per(1000, count(where {holds}), count()), n = count(where {holds})"
        );
        let sql = format!(
            "select {level}, 1000.0 * count(*) filter ({bits}) / count(*), \
             count(*) filter ({bits}) from person group by {level}"
        );
        Drawn { question, sql }
    };
    match kind {
        0 => Drawn {
            question: format!(
                "from person where region within {county} and {holds} measure n = count()"
            ),
            sql: format!("select count(*) from person where county = {county} and {bits}"),
        },
        1 => cities(with, a),
        2 => map("county"),
        3 => map("township"),
        _ => Drawn {
            question: format!(
                "from person where region within {county} and marks has none ({without}) \
                 by band(age(birth_date), 0, 18, 35, 60, 80), sex, disability_grade \
                 measure n = count()"
            ),
            sql: format!(
                "select case when birth_date > date '2008-10-31' then 0 \
                 when birth_date > date '1991-10-31' then 1 when birth_date > date '1966-10-31' \
                 then 2 when birth_date > date '1946-10-31' then 3 else 4 end as band, sex, \
                 disability_grade, count(*) from person where county = {county} \
                 and marks & {} = 0 group by all",
                1u64 << b
            ),
        },
    }
}

/// Kinds of aid by city, of who has a mark.
fn cities(with: &str, bit: u64) -> Drawn {
    let mut question = format!("from person where marks has any ({with}) by region.city measure ");
    let mut sql = "select city".to_owned();
    for (place, aid) in AIDS.iter().enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        // Writing to a text does not fail.
        let _ = write!(question, "{comma}a{place} = count(where aids has any ({aid}))");
        let _ = write!(sql, ", count(*) filter (aids & {} <> 0) as a{place}", 1u64 << place);
    }
    let _ = write!(sql, " from person where marks & {} <> 0 group by city", 1u64 << bit);
    Drawn { question, sql }
}

/// The sum of an answer's integers.
pub(crate) fn sum(answer: &Answer) -> i64 {
    let measures = answer.columns.iter().filter(|column| column.role == Role::Measure);
    measures
        .map(|column| match &column.values {
            Values::Int(values) => values.iter().flatten().sum(),
            _ => 0,
        })
        .sum()
}
