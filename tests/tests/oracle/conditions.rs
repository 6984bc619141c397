//! Conditions on a row, drawn at random.

use yiku::schema::Kind;

use crate::both::{AND, Both, COMPARE, Numeric, OR, SUM};
use crate::draw::{Draw, Reached, quoted};

const ORDERED: [Kind; 2] = [Kind::Date, Kind::Month];

impl Draw<'_> {
    /// A condition on the rows of a table.
    pub(crate) fn condition(&mut self, table: usize, depth: usize) -> Both {
        if depth == 0 {
            return self.clause(table);
        }
        match self.random.below(14) {
            0..=3 => self.several(table, depth, "and", AND),
            4..=5 => self.several(table, depth, "or", OR),
            6 => self.condition(table, depth - 1).not(),
            7..=8 => self.quantified(table, depth - 1),
            9..=10 => self.compared(table, depth - 1),
            11 => self.of_conditions(table, depth - 1),
            _ => self.clause(table),
        }
    }

    fn several(&mut self, table: usize, depth: usize, word: &str, strength: u8) -> Both {
        let count = 2 + self.random.below(2);
        let parts: Vec<Both> = (0..count).map(|_| self.condition(table, depth - 1)).collect();
        Both::joined(&parts, word, strength)
    }

    /// `any`, `none`, `all` of the rows beneath.
    fn quantified(&mut self, table: usize, depth: usize) -> Both {
        let beneath = self.beneath(table);
        if beneath.is_empty() {
            return self.clause(table);
        }
        let child = *self.random.pick(&beneath);
        let rows = self.sql_beneath(table, child);
        let name = self.table_name(child).to_owned();
        let condition = self.condition(child, depth);
        let (text, sql) = (condition.text, condition.sql);
        match self.random.below(6) {
            0 => Both::primary(format!("any({name})"), format!("EXISTS (SELECT 1 {rows})")),
            1..=2 => {
                let sql = format!("NOT EXISTS (SELECT 1 {rows} AND {sql})");
                Both::primary(format!("none({name} where {text})"), sql)
            }
            3 => {
                let sql = format!("NOT EXISTS (SELECT 1 {rows} AND {sql} IS NOT TRUE)");
                Both::primary(format!("all({name} where {text})"), sql)
            }
            _ => {
                let sql = format!("EXISTS (SELECT 1 {rows} AND {sql})");
                Both::primary(format!("any({name} where {text})"), sql)
            }
        }
    }

    /// A comparison of two numbers.
    fn compared(&mut self, table: usize, depth: usize) -> Both {
        let sign = self.sign();
        let left = self.number(table, depth + 1);
        if self.random.chance(40) {
            return left.compared(sign, &self.number(table, depth));
        }
        if left.unit.money {
            return left.compared(sign, &Numeric::money(self.yuan()));
        }
        left.compared(sign, &self.literal())
    }

    /// Conditions on conditions: known, equal, chosen, the first known.
    fn of_conditions(&mut self, table: usize, depth: usize) -> Both {
        let (a, b) = (self.condition(table, depth), self.condition(table, depth));
        match self.random.below(5) {
            0 => {
                let text = format!("({}) is unknown", a.text);
                Both::new(COMPARE, text, format!("{} IS NULL", a.sql))
            }
            1 => {
                let text = format!("({}) is not unknown", a.text);
                Both::new(COMPARE, text, format!("{} IS NOT NULL", a.sql))
            }
            2 => {
                let text = format!("coalesce({}, {})", a.text, b.text);
                Both::primary(text, format!("coalesce({}, {})", a.sql, b.sql))
            }
            3 => {
                let c = self.clause(table);
                let text = format!("if({}, {}, {})", c.text, a.text, b.text);
                let sql = format!("CASE WHEN {} THEN {} ELSE {} END", c.sql, a.sql, b.sql);
                Both::primary(text, sql)
            }
            _ => {
                let sign = if self.random.chance(50) { "=" } else { "!=" };
                let text = format!("({}) {sign} ({})", a.text, b.text);
                Both::new(COMPARE, text, format!("{} {sign} {}", a.sql, b.sql))
            }
        }
    }

    /// One condition on one column.
    fn clause(&mut self, table: usize) -> Both {
        let kinds = [
            Kind::Flag,
            Kind::Code,
            Kind::Codes,
            Kind::Int,
            Kind::Money,
            Kind::Date,
            Kind::Month,
            Kind::Text,
            Kind::Id,
            Kind::Path,
        ];
        if self.random.chance(6)
            && let Some(running) = self.running(table)
        {
            return running;
        }
        let Some(column) = self.column(table, &kinds) else { return self.region() };
        if self.random.chance(8) && column.kind != Kind::Path {
            return self.known(&column);
        }
        match column.kind {
            Kind::Flag => self.flag(&column),
            Kind::Code => self.coded(&column),
            Kind::Codes => self.set(&column),
            Kind::Int => self.counted(&column),
            Kind::Money => self.amount(&column),
            Kind::Date | Kind::Month => self.dated(table, &column),
            Kind::Path => self.region(),
            _ => self.text(&column),
        }
    }

    fn known(&mut self, column: &Reached) -> Both {
        let known = self.random.chance(50);
        let (word, sql) = if known { ("known", "IS NOT NULL") } else { ("unknown", "IS NULL") };
        let Both { text, sql: value, .. } = &column.both;
        Both::new(COMPARE, format!("{text} is {word}"), format!("{value} {sql}"))
    }

    /// A spell that has begun by the day of the question and has not ended before it.
    fn running(&mut self, table: usize) -> Option<Both> {
        let (start, end) = (self.own(table, "start")?, self.own(table, "end")?);
        let day = crate::draw::sql_day(self.as_of);
        let (start, end) = (start.both.sql, end.both.sql);
        let sql = format!("{start} <= {day} AND ({end} IS NULL OR {end} >= {day})");
        Some(Both::primary("running", sql))
    }

    fn flag(&mut self, column: &Reached) -> Both {
        match self.random.below(5) {
            0 => column.both.not(),
            1 => column.both.compared("=", &Both::primary("true", "true")),
            2 => column.both.compared("!=", &Both::primary("true", "true")),
            3 => column.both.compared("=", &Both::primary("false", "false")),
            _ => column.both.clone(),
        }
    }

    fn coded(&mut self, column: &Reached) -> Both {
        match self.random.below(6) {
            0..=1 => {
                let sign = if self.random.chance(65) { "=" } else { "!=" };
                column.both.compared(sign, &self.code(column.list))
            }
            2 => self.code(column.list).compared("=", &column.both),
            way => {
                let (text, sql) = self.codes(column.list);
                let word = if way == 3 { "not in" } else { "in" };
                self.listed(&column.both, word, &text, &sql)
            }
        }
    }

    fn listed(&self, value: &Both, word: &str, text: &str, sql: &[String]) -> Both {
        let sql = format!("{} {word} ({})", value.sql, sql.join(", "));
        Both::new(COMPARE, format!("{} {word} ({text})", value.at(SUM)), sql)
    }

    fn set(&mut self, column: &Reached) -> Both {
        let (text, codes) = self.codes(column.list);
        let value = &column.both.sql;
        let has = |code: &String| {
            let name = code.trim_matches(|c| "()'".contains(c));
            format!("contains({value}, ';{name};')")
        };
        let tests: Vec<String> = codes.iter().map(has).collect();
        let (word, sql) = match self.random.below(3) {
            0 => ("any", tests.join(" OR ")),
            1 => ("all", tests.join(" AND ")),
            _ => ("none", format!("NOT ({})", tests.join(" OR "))),
        };
        let list =
            if codes.len() == 1 && self.random.chance(50) { text } else { format!("({text})") };
        Both::new(COMPARE, format!("{} has {word} {list}", column.both.text), sql)
    }

    fn amount(&mut self, column: &Reached) -> Both {
        let (low, high) = (self.yuan(), self.yuan());
        match self.random.below(4) {
            0 => Self::between(&column.both, &low, &high),
            1 => {
                let text = format!("{}, {}", low.text, high.text);
                self.listed(&column.both, "in", &text, &[low.sql, high.sql])
            }
            2 => low.compared(self.sign(), &column.both),
            _ => column.both.compared(self.sign(), &low),
        }
    }

    fn counted(&mut self, column: &Reached) -> Both {
        let ends = [-999_999_999_999_999_999, -1, 0, 1, 999_999_999_999_999_999];
        let mut literal = || {
            let number = match self.random.below(3) {
                0 => *self.random.pick(&ends),
                _ => self.random.between(-25, 210),
            };
            Both::primary(number.to_string(), number.to_string())
        };
        let (low, high) = (literal(), literal());
        match self.random.below(4) {
            0 => Self::between(&column.both, &low, &high),
            1 => {
                let text = format!("{}, {}", low.text, high.text);
                self.listed(&column.both, "in", &text, &[low.sql, high.sql])
            }
            _ => column.both.compared(self.sign(), &low),
        }
    }

    fn dated(&mut self, table: usize, column: &Reached) -> Both {
        let months = |sql: &str| format!("strftime({sql}, '%Y-%m')");
        let sign = self.sign();
        let month = column.kind == Kind::Month;
        let pick = |draw: &mut Self| if month { draw.month() } else { draw.day() };
        match self.random.below(7) {
            0 => {
                let (low, high) = (pick(self), pick(self));
                Self::between(&column.both, &low, &high)
            }
            1 if !month => {
                let other = self.month();
                let text = format!("{} {sign} {}", column.both.text, other.text);
                let sql = format!("{} {sign} {}", months(&column.both.sql), other.sql);
                Both::new(COMPARE, text, sql)
            }
            2 if month => {
                let day = self.day();
                let text = format!("{} {sign} {}", column.both.text, day.text);
                let sql = format!("{} {sign} {}", column.both.sql, months(&day.sql));
                Both::new(COMPARE, text, sql)
            }
            3 => {
                let Some(other) = self.column(table, &[column.kind]) else {
                    return column.both.compared(sign, &pick(self));
                };
                column.both.compared(sign, &other.both)
            }
            4 if !month => self.apart(table, column),
            5 => {
                let (low, high) = (pick(self), pick(self));
                let text = format!("{}, {}", low.text, high.text);
                self.listed(&column.both, "in", &text, &[low.sql, high.sql])
            }
            _ => column.both.compared(sign, &pick(self)),
        }
    }

    /// Two days some time apart.
    fn apart(&mut self, table: usize, column: &Reached) -> Both {
        let Some(other) = self.column(table, &ORDERED[..1]) else { return self.region() };
        let (sign, count) = (self.sign(), self.random.between(1, 30));
        let (a, b) = (&column.both, &other.both);
        if self.random.chance(40) {
            let text = format!("{} - {} {sign} {}", a.text, b.text, count * 10);
            let sql = format!("date_diff('day', {}, {}) {sign} {}", b.sql, a.sql, count * 10);
            return Both::new(COMPARE, text, sql);
        }
        let text = format!("{} {sign} {} + {count} months", a.text, b.text);
        let sql = format!("{} {sign} ({} + INTERVAL {count} MONTH)::DATE", a.sql, b.sql);
        Both::new(COMPARE, text, sql)
    }

    fn text(&mut self, column: &Reached) -> Both {
        let texts = ["王芳", "李强", "O'Neil", "", "100%", "no one", "H00007"];
        let (one, two) = (*self.random.pick(&texts), *self.random.pick(&texts));
        let literal = |text: &str| Both::primary(quoted(text), quoted(text));
        let value = &column.both;
        match self.random.below(5) {
            0 => {
                let text = format!("{}, {}", quoted(one), quoted(two));
                self.listed(value, "in", &text, &[quoted(one), quoted(two)])
            }
            1 => value.compared("!=", &literal(one)),
            2 => value.compared("=", &literal(one)),
            _ => {
                let start = *self.random.pick(&["王", "李", "O'", "", "H0001", "H00"]);
                let sql = format!("starts_with({}, {})", value.sql, quoted(start));
                Both::new(COMPARE, format!("{} starts {}", value.text, quoted(start)), sql)
            }
        }
    }

    /// The place lies in one of some places, whatever their level.
    fn region(&mut self) -> Both {
        let count = 1 + self.random.below(2);
        let nodes = self.tree.nodes();
        let prefixes: Vec<String> =
            (0..count).map(|_| self.tree.prefix(self.random.pick(nodes))).collect();
        let digits = usize::from(self.schema.path.digits());
        let path = self.path();
        let tests: Vec<String> =
            prefixes.iter().map(|prefix| format!("starts_with({path}, '{prefix}')")).collect();
        let written = |prefix: &String| {
            let full = format!("{prefix:0<digits$}");
            (*self.random.pick(&[prefix.clone(), prefix.clone(), full, quoted(prefix)])).clone()
        };
        let texts: Vec<String> = prefixes.iter().map(written).collect();
        let list = match texts.as_slice() {
            [one] => one.clone(),
            _ => format!("({})", texts.join(", ")),
        };
        let bare = self.random.chance(80);
        let name = if bare { self.schema.path.name.as_str() } else { path.as_str() };
        Both::new(COMPARE, format!("{name} within {list}"), tests.join(" OR "))
    }
}
