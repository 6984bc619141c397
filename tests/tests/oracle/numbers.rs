//! Numbers of a row, drawn at random.

use yiku::schema::Kind;

use crate::both::{Both, Numeric, PRIMARY, Unit};
use crate::draw::{Draw, Reached, sql_day};

impl Draw<'_> {
    /// A number of a row of a table.
    pub(crate) fn number(&mut self, table: usize, depth: usize) -> Numeric {
        if depth > 0 && self.random.chance(55) {
            self.computed(table, depth - 1)
        } else {
            self.leaf(table, depth)
        }
    }

    /// A number without decimals.
    pub(crate) fn whole(&mut self, table: usize, depth: usize) -> Numeric {
        for _ in 0..20 {
            let number = self.number(table, depth);
            if number.unit.whole {
                return number;
            }
        }
        Numeric::whole(Both::primary("1", "1"))
    }

    fn leaf(&mut self, table: usize, depth: usize) -> Numeric {
        match self.random.below(12) {
            0..=3 => {
                if let Some(column) = self.column(table, &[Kind::Money]) {
                    return Numeric::money(column.both);
                }
            }
            4..=5 => {
                if let Some(column) = self.column(table, &[Kind::Date]) {
                    return self.of_date(&column);
                }
            }
            10 => {
                if let Some(column) = self.column(table, &[Kind::Int]) {
                    return Numeric::whole(column.both);
                }
            }
            6 => {
                if let Some(column) = self.column(table, &[Kind::Month]) {
                    return self.of_month(&column);
                }
            }
            7..=9 => {
                if let Some(fold) = self.fold(table, depth) {
                    return fold;
                }
            }
            _ => {}
        }
        self.literal()
    }

    /// A plain number that a float holds exactly.
    pub(crate) fn literal(&mut self) -> Numeric {
        let whole = self.random.between(0, 60);
        let Some(part) = [None, None, Some("5"), Some("25"), Some("750")][self.random.below(5)]
        else {
            return Numeric::whole(Both::primary(whole.to_string(), whole.to_string()));
        };
        let both = Both::primary(format!("{whole}.{part}"), format!("{whole}.{part}::DOUBLE"));
        Numeric { both, unit: Unit { money: false, whole: false } }
    }

    /// An amount as it is written beside money.
    pub(crate) fn yuan(&mut self) -> Both {
        let fen = if self.random.chance(50) {
            self.random.between(-3, 40) * 5_000
        } else {
            self.random.between(-20, 2_100) * 100 + self.random.between(0, 99)
        };
        let sign = if fen < 0 { "-" } else { "" };
        let (whole, part) = (fen.abs() / 100, fen.abs() % 100);
        match self.random.below(3) {
            0 => Both::primary(format!("{}", fen / 100), format!("{}", fen / 100 * 100)),
            1 => Both::primary(format!("{sign}{whole}.{part:02}"), fen.to_string()),
            _ => {
                let text = format!("{sign}{whole}.{}", part / 10);
                let fen = (whole * 100 + part / 10 * 10) * fen.signum();
                Both::primary(text, fen.to_string())
            }
        }
    }

    fn of_date(&mut self, column: &Reached) -> Numeric {
        let (text, sql) = (&column.both.text, &column.both.sql);
        let day = sql_day(self.as_of);
        let number = |text: String, sql: String| Numeric::whole(Both::primary(text, sql));
        match self.random.below(5) {
            0 => number(format!("year({text})"), format!("year({sql})")),
            1 => number(format!("month({text})"), format!("month({sql})")),
            2 => number(format!("quarter({text})"), format!("quarter({sql})")),
            _ => {
                let days = |of: &str| format!("month({of}) * 100 + day({of})");
                let before = format!("CASE WHEN {} < {} THEN 1 ELSE 0 END", days(&day), days(sql));
                let sql = format!("year({day}) - year({sql}) - {before}");
                number(format!("age({text})"), sql)
            }
        }
    }

    fn of_month(&mut self, column: &Reached) -> Numeric {
        let (text, sql) = (&column.both.text, &column.both.sql);
        let (year, month) = (format!("{sql}[1:4]::BIGINT"), format!("{sql}[6:7]::BIGINT"));
        let (name, sql) = match self.random.below(3) {
            0 => ("year", year),
            1 => ("month", month),
            _ => ("quarter", format!("({month} + 2) // 3")),
        };
        Numeric::whole(Both::primary(format!("{name}({text})"), sql))
    }

    /// A number over the rows beneath; none where there are none.
    pub(crate) fn fold(&mut self, table: usize, depth: usize) -> Option<Numeric> {
        let beneath = self.beneath(table);
        if beneath.is_empty() {
            return None;
        }
        let child = *self.random.pick(&beneath);
        let rows = self.sql_beneath(table, child);
        let name = self.table_name(child).to_owned();
        let (mut filter, mut kept) = (String::new(), String::new());
        if self.random.chance(60) {
            let condition = self.condition(child, depth.min(1));
            filter = format!(" where {}", condition.text);
            kept = format!(" AND {}", condition.sql);
        }
        let column = self.own_money(child).filter(|_| self.random.chance(60));
        let Some(column) = column else {
            let sql = format!("SELECT count(*) {rows}{kept}");
            return Some(Numeric::whole(Both::primary(format!("count({name}{filter})"), sql)));
        };
        let argument = format!("{name}.{column}");
        let value = format!("{name}.\"{column}\"");
        let (word, sql, whole) = match self.random.below(4) {
            0 => ("min", format!("SELECT min({value}) {rows}{kept}"), true),
            1 => ("max", format!("SELECT max({value}) {rows}{kept}"), true),
            2 => {
                let mean = format!("sum({value})::DOUBLE / nullif(count({value}), 0)");
                ("avg", format!("SELECT {mean} {rows}{kept}"), false)
            }
            _ => ("sum", format!("coalesce((SELECT sum({value}) {rows}{kept}), 0)"), true),
        };
        let both = Both::primary(format!("{word}({argument}{filter})"), sql);
        Some(Numeric { both, unit: Unit { money: true, whole } })
    }

    fn own_money(&mut self, table: usize) -> Option<String> {
        let columns = self.schema.tables[table].columns.iter();
        let money: Vec<&String> =
            columns.filter(|c| c.kind == Kind::Money).map(|c| &c.name).collect();
        if money.is_empty() { None } else { Some((*self.random.pick(&money)).clone()) }
    }

    fn computed(&mut self, table: usize, depth: usize) -> Numeric {
        let first = self.number(table, depth);
        match self.random.below(12) {
            0 => first.negative(),
            1 => {
                let (text, sql) = (&first.both.text, &first.both.sql);
                let both = Both::primary(format!("abs({text})"), format!("abs({sql})"));
                Numeric { both, unit: first.unit }
            }
            2 => self.per_capita(&first),
            3..=6 => {
                let second = self.number(table, depth);
                self.chosen(table, depth, &first, &second)
            }
            _ => {
                let sign = *self.random.pick(&['+', '-', '*', '/']);
                let second = self.number(table, depth);
                first.combined(sign, &second).unwrap_or(first)
            }
        }
    }

    fn per_capita(&mut self, number: &Numeric) -> Numeric {
        let sql = &number.both.sql;
        let Some(child) = self.schema.children(0).first().copied() else { return number.clone() };
        let (root, child) = (self.table_name(0), self.table_name(child));
        let members = format!("(SELECT count(*) FROM {child} AS m WHERE m._parent = {root}._row)");
        let sql = format!("{sql}::DOUBLE / nullif({members}::DOUBLE, 0)");
        let both = Both::primary(format!("per_capita({})", number.both.text), sql);
        Numeric { both, unit: Unit { whole: false, ..number.unit } }
    }

    /// One of two numbers, by their size or by a condition.
    fn chosen(&mut self, table: usize, depth: usize, a: &Numeric, b: &Numeric) -> Numeric {
        let (x, y, unit) = a.aligned(b);
        let (ta, tb) = (&a.both.text, &b.both.text);
        let (text, sql) = match self.random.below(4) {
            0 => {
                let condition = self.condition(table, depth);
                let sql = format!("CASE WHEN {} THEN {x} ELSE {y} END", condition.sql);
                (format!("if({}, {ta}, {tb})", condition.text), sql)
            }
            1 => (format!("coalesce({ta}, {tb})"), format!("coalesce({x}, {y})")),
            // Unknown where one of them is.
            way => {
                let (word, function) =
                    if way == 2 { ("min", "least") } else { ("max", "greatest") };
                let known = format!("{x} IS NOT NULL AND {y} IS NOT NULL");
                let sql = format!("CASE WHEN {known} THEN {function}({x}, {y}) END");
                (format!("{word}({ta}, {tb})"), sql)
            }
        };
        Numeric { both: Both::new(PRIMARY, text, sql), unit }
    }
}
