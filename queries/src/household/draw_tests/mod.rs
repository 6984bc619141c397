//! Expressions and households drawn for any schema: every construct of the language, and how
//! often each was drawn.

mod conditions;
mod households;

use std::collections::BTreeMap;

use yiku::Schema;
use yiku::schema::{ColumnSchema, Kind};

use households::places;
pub(super) use households::{schemas, sets, standards, tree};

pub(super) const DAY: &str = "2026-10-31";

/// A number generator of the test's own (xorshift): the same expressions on every machine.
pub(super) struct Draw<'a> {
    state: u64,
    schema: &'a Schema,
    pub(super) seen: BTreeMap<&'static str, usize>,
}

/// Every construct that must be drawn.
pub(super) const CONSTRUCTS: &str = "\
    and or not brackets true false as_of -x + - * / = != <> < <= > >= in not_in between \
    not_between has_any has_all has_none has_one within within_list is_known is_unknown \
    is_not_known is_known_of_condition is_known_of_value starts text_equal text_in \
    texts_compared matches path_is_known \
    codes_is_known number_compare money_compare money_with_number date_compare month_compare \
    date_with_month code_compare code_by_number code_by_text code_of_above code_in date_in \
    month_in number_in number_in_values flag_alone flag_compare conditions_compared \
    running any none all any_alone none_alone all_alone count count_where sum avg min_beneath \
    max_beneath fold_where fold_of_date fold_of_month depth_two nested_fold window above_column \
    above_flag age year month quarter abs min max coalesce if if_condition coalesce_condition \
    coalesce_code if_code coalesce_date if_date min_date max_date coalesce_month per_capita \
    plus_days plus_months plus_years minus_days minus_months minus_years month_plus \
    month_minus days_between months_between literal_date literal_month literal_decimal \
    literal_integer money_over_money extreme_number parameter in_set in_set_bare";

const SIGNS: [&str; 7] = ["=", "!=", "<>", "<", "<=", ">", ">="];

/// What a drawn number counts.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Plain,
    Money,
}

impl<'a> Draw<'a> {
    pub(super) fn new(seed: u64, schema: &'a Schema) -> Self {
        Self { state: seed, schema, seen: BTreeMap::new() }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    pub(super) fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    fn mark(&mut self, construct: &'static str) {
        debug_assert!(CONSTRUCTS.split_whitespace().any(|c| c == construct), "{construct}");
        *self.seen.entry(construct).or_default() += 1;
    }

    fn name(&self, table: usize) -> &'a str {
        &self.schema.tables[table].name
    }

    /// Columns of some kinds of a table and those above it, as they are written.
    fn columns(&self, table: usize, kinds: &[Kind]) -> Vec<(String, &'a ColumnSchema)> {
        let (mut at, mut found) = (Some(table), Vec::new());
        while let Some(here) = at {
            let own = &self.schema.tables[here];
            for column in own.columns.iter().filter(|c| kinds.contains(&c.kind)) {
                let bare = here == table;
                let name = if bare {
                    column.name.clone()
                } else {
                    format!("{}.{}", own.name, column.name)
                };
                // Those of the table itself come up as often as all others.
                found.extend(std::iter::repeat_n((name, column), if bare { 3 } else { 1 }));
            }
            at = own.parent;
        }
        found
    }

    fn column(&mut self, table: usize, kinds: &[Kind]) -> Option<(String, &'a ColumnSchema)> {
        let all = self.columns(table, kinds);
        if all.is_empty() {
            return None;
        }
        let found = self.of(&all);
        if found.0.contains('.') {
            self.mark(if kinds.contains(&Kind::Flag) { "above_flag" } else { "above_column" });
        }
        Some(found)
    }

    /// Tables beneath a table, at any depth.
    fn beneath(&self, table: usize) -> Vec<usize> {
        let above = |mut at: usize| {
            while let Some(parent) = self.schema.tables[at].parent {
                if parent == table {
                    return true;
                }
                at = parent;
            }
            false
        };
        (0..self.schema.tables.len()).filter(|t| above(*t)).collect()
    }

    fn child(&mut self, table: usize) -> Option<usize> {
        let all = self.beneath(table);
        if all.is_empty() {
            return None;
        }
        let child = self.of(&all);
        if self.schema.tables[child].parent != Some(table) {
            self.mark("depth_two");
        }
        Some(child)
    }

    fn literal(&mut self, unit: Unit) -> String {
        if self.below(40) == 0 {
            self.mark("extreme_number");
            let far = ["9000000000000000000", "99999999999999999", "0.000000001"];
            return self.of(&far).to_owned();
        }
        if unit == Unit::Money && self.below(4) == 0 {
            self.mark("parameter");
            return "$line".to_owned();
        }
        let whole = ["0", "1", "2", "3", "18", "60", "100"];
        let parts = ["0.5", "99.99", "333.33", "1.25", "100.001"];
        if unit == Unit::Plain && self.below(3) > 0 || self.below(2) == 0 {
            self.mark("literal_integer");
            return self.of(&whole).to_owned();
        }
        self.mark("literal_decimal");
        self.of(&parts).to_owned()
    }

    /// A number for the rows of a table.
    fn number(&mut self, table: usize, unit: Unit, depth: usize) -> String {
        if depth == 0 || self.below(5) == 0 {
            let kind = if unit == Unit::Money { Kind::Money } else { Kind::Int };
            if self.below(4) > 0
                && let Some((name, _)) = self.column(table, &[kind])
            {
                return name;
            }
            if unit == Unit::Plain && depth == 0 && self.below(2) == 0 {
                return self.reading(table, 0);
            }
            return self.literal(unit);
        }
        let less = depth - 1;
        match self.below(20) {
            0 | 1 => {
                let sign = if self.below(2) == 0 { "+" } else { "-" };
                self.mark(sign);
                let (a, b) = (self.number(table, unit, less), self.number(table, unit, less));
                format!("({a} {sign} {b})")
            }
            2 => {
                self.mark("*");
                let (a, b) = (self.number(table, unit, less), self.number(table, Unit::Plain, 0));
                if self.below(2) == 0 { format!("({a} * {b})") } else { format!("({b} * {a})") }
            }
            3 => {
                self.mark("/");
                if unit == Unit::Plain && self.below(2) == 0 {
                    self.mark("money_over_money");
                    let a = self.number(table, Unit::Money, less);
                    let b = self.column(table, &[Kind::Money]);
                    return match b {
                        Some((b, _)) => format!("({a} / {b})"),
                        None => format!("({} / 3)", self.number(table, unit, less)),
                    };
                }
                let (a, b) = (self.number(table, unit, less), self.number(table, Unit::Plain, 0));
                format!("({a} / {b})")
            }
            4 => {
                self.mark("-x");
                format!("(-{})", self.number(table, unit, less))
            }
            5 => {
                self.mark("abs");
                format!("abs({})", self.number(table, unit, less))
            }
            6 => {
                let name = self.of(&["min", "max"]);
                self.mark(name);
                let (a, b) = (self.plain(table, unit), self.plain(table, unit));
                format!("{name}({a}, {b})")
            }
            7 => {
                self.mark("coalesce");
                let (a, b) = (self.number(table, unit, less), self.number(table, unit, less));
                format!("coalesce({a}, {b})")
            }
            8 => {
                self.mark("if");
                let when = self.condition(table, less);
                let (a, b) = (self.number(table, unit, less), self.number(table, unit, less));
                format!("if({when}, {a}, {b})")
            }
            10 if unit == Unit::Plain => self.reading(table, less),
            _ => self.over_rows(table, unit, less),
        }
    }

    /// A number over the rows beneath, or over the members of the household.
    fn over_rows(&mut self, table: usize, unit: Unit, depth: usize) -> String {
        if self.schema.tables.len() > 1 && self.below(8) == 0 {
            self.mark("per_capita");
            return format!("per_capita({})", self.number(table, unit, depth));
        }
        self.fold(table, unit, depth)
    }

    /// A number that names no table beneath: `min` and `max` of it are of several values.
    fn plain(&mut self, table: usize, unit: Unit) -> String {
        self.number(table, unit, 0)
    }

    /// A number read off a day or a month.
    fn reading(&mut self, table: usize, depth: usize) -> String {
        match self.below(6) {
            0 | 1 => {
                self.mark("age");
                format!("age({})", self.date(table, depth))
            }
            2 => {
                self.mark("days_between");
                format!("({} - {})", self.date(table, depth), self.date(table, 0))
            }
            3 => {
                self.mark("months_between");
                format!("({} - {})", self.month(table, depth), self.month(table, 0))
            }
            _ => {
                let name = self.of(&["year", "month", "quarter"]);
                self.mark(name);
                let of = if self.below(2) == 0 {
                    self.date(table, depth)
                } else {
                    self.month(table, depth)
                };
                format!("{name}({of})")
            }
        }
    }

    /// Something over the rows beneath.
    fn fold(&mut self, table: usize, unit: Unit, depth: usize) -> String {
        let Some(child) = self.child(table) else { return self.number(table, unit, 0) };
        let name = self.name(child);
        let filter = if self.below(3) == 0 {
            String::new()
        } else {
            self.mark("fold_where");
            format!(" where {}", self.condition(child, depth.min(2)))
        };
        if unit == Unit::Plain && self.below(2) == 0 {
            self.mark(if filter.is_empty() { "count" } else { "count_where" });
            return format!("count({name}{filter})");
        }
        let kind = if unit == Unit::Money { Kind::Money } else { Kind::Int };
        let own: Vec<&str> = self.schema.tables[child]
            .columns
            .iter()
            .filter(|c| c.kind == kind)
            .map(|c| c.name.as_str())
            .collect();
        if own.is_empty() {
            return self.number(table, unit, 0);
        }
        let column = format!("{name}.{}", self.of(&own));
        let (function, mark) = self.of(&[
            ("sum", "sum"),
            ("avg", "avg"),
            ("min", "min_beneath"),
            ("max", "max_beneath"),
        ]);
        self.mark(mark);
        let inside = match self.below(6) {
            0 => format!("{column} * {}", self.literal(Unit::Plain)),
            1 => format!("coalesce({column}, {})", self.literal(unit)),
            2 | 3 if function == "sum" || function == "avg" => {
                let grandchild = self.child(child);
                match grandchild {
                    Some(of) => {
                        self.mark("nested_fold");
                        let inner = self.condition(of, 0);
                        format!("{column} + count({} where {inner})", self.name(of))
                    }
                    _ => column,
                }
            }
            _ => column,
        };
        format!("{function}({inside}{filter})")
    }

    fn date(&mut self, table: usize, depth: usize) -> String {
        if depth == 0 || self.below(3) == 0 {
            return match self.below(6) {
                0 => {
                    self.mark("as_of");
                    "as_of".to_owned()
                }
                1 => {
                    self.mark("literal_date");
                    let days = [
                        "2026-01-01",
                        "2025-12-31",
                        "1960-02-29",
                        "2026-10-31",
                        "0000-01-01",
                        "9999-12-31",
                    ];
                    self.of(&days).to_owned()
                }
                _ => self.column(table, &[Kind::Date]).map_or("as_of".to_owned(), |c| c.0),
            };
        }
        let less = depth - 1;
        match self.below(9) {
            0..=3 => {
                let units = [
                    ("day", "plus_days", "minus_days"),
                    ("month", "plus_months", "minus_months"),
                    ("year", "plus_years", "minus_years"),
                ];
                let (unit, plus, minus) = self.of(&units);
                let count = self.of(&[1, 2, 3, 12, 30, 60, 400]);
                let end = if count == 1 { "" } else { "s" };
                let add = self.below(2) == 0;
                self.mark(if add { plus } else { minus });
                let sign = if add { "+" } else { "-" };
                format!("({} {sign} {count} {unit}{end})", self.date(table, less))
            }
            4 => {
                self.mark("coalesce_date");
                format!("coalesce({}, {})", self.date(table, less), self.date(table, less))
            }
            5 => {
                self.mark("if_date");
                let when = self.condition(table, less);
                format!("if({when}, {}, {})", self.date(table, less), self.date(table, less))
            }
            6 => {
                let (name, mark) = self.of(&[("min", "min_date"), ("max", "max_date")]);
                self.mark(mark);
                format!("{name}({}, {})", self.date(table, 0), self.date(table, 0))
            }
            _ => self.extreme_beneath(table, Kind::Date).unwrap_or("as_of".to_owned()),
        }
    }

    /// The first or last day or month of the rows beneath.
    fn extreme_beneath(&mut self, table: usize, kind: Kind) -> Option<String> {
        let child = self.child(table)?;
        let own: Vec<&str> = self.schema.tables[child]
            .columns
            .iter()
            .filter(|c| c.kind == kind)
            .map(|c| c.name.as_str())
            .collect();
        if own.is_empty() {
            return None;
        }
        self.mark(if kind == Kind::Date { "fold_of_date" } else { "fold_of_month" });
        let (name, column) = (self.of(&["min", "max"]), self.of(&own));
        let filter = if self.below(2) == 0 {
            String::new()
        } else {
            format!(" where {}", self.condition(child, 0))
        };
        Some(format!("{name}({}.{column}{filter})", self.name(child)))
    }

    fn month(&mut self, table: usize, depth: usize) -> String {
        if depth == 0 || self.below(3) == 0 {
            if self.below(3) > 0
                && let Some((name, _)) = self.column(table, &[Kind::Month])
            {
                return name;
            }
            self.mark("literal_month");
            return self.of(&["2026-10", "2026-01", "2025-12", "0000-01", "9999-12"]).to_owned();
        }
        let less = depth - 1;
        match self.below(4) {
            0 => {
                self.mark("month_plus");
                format!("({} + {})", self.month(table, less), self.of(&["1 month", "2 years"]))
            }
            1 => {
                self.mark("month_minus");
                format!("({} - {})", self.month(table, less), self.of(&["12 months", "1 year"]))
            }
            2 => {
                self.mark("coalesce_month");
                format!("coalesce({}, {})", self.month(table, less), self.month(table, less))
            }
            _ => match self.extreme_beneath(table, Kind::Month) {
                Some(found) => found,
                None => self.month(table, less),
            },
        }
    }

    /// A code of a list as it may be written.
    fn code(&mut self, list: usize) -> String {
        let codes = &self.schema.lists[list].codes;
        let code = codes[self.below(codes.len().min(5))].clone();
        match self.below(4) {
            0 if code.code.bytes().all(|b| b.is_ascii_digit()) => {
                self.mark("code_by_number");
                code.code
            }
            1 => {
                self.mark("code_by_text");
                format!("'{}'", code.code)
            }
            _ => code.name,
        }
    }

    fn code_value(&mut self, table: usize, depth: usize) -> Option<(String, usize)> {
        let (name, column) = self.column(table, &[Kind::Code])?;
        let list = column.list.unwrap();
        if name.contains('.') {
            self.mark("code_of_above");
        }
        Some(match self.below(6) {
            0 => {
                self.mark("coalesce_code");
                (format!("coalesce({name}, {})", self.code(list)), list)
            }
            1 if depth > 0 => {
                self.mark("if_code");
                let when = self.condition(table, depth - 1);
                (format!("if({when}, {name}, {})", self.code(list)), list)
            }
            _ => (name, list),
        })
    }

    fn text(&mut self) -> String {
        self.of(&["'王'", "'李'", "'a'", "'王小'", "''", "'it''s'"]).to_owned()
    }
}
