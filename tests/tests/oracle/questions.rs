//! Whole questions, drawn at random: rows of a table, groups, measures, order.

use yiku::calendar;
use yiku::schema::Kind;

use crate::both::{Both, Numeric, Unit};
use crate::draw::Draw;

/// A question in both languages.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) text: String,
    pub(crate) json: String,
    pub(crate) sql: String,
    pub(crate) groups: usize,
    pub(crate) totals: bool,
    /// The clauses that only order and cut, with what they are about.
    pub(crate) order: Option<Order>,
}

/// How the rows are ordered and cut.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) text: String,
    pub(crate) measure: usize,
    pub(crate) descending: bool,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
}

/// A measure: its text, and its SQL over the columns of the base.
pub(crate) struct Measured {
    pub(crate) text: String,
    sql: String,
}

/// The columns that the base of the SQL must have.
#[derive(Default)]
pub(crate) struct Base {
    columns: Vec<String>,
}

impl Base {
    /// The name of a column with this SQL.
    fn column(&mut self, sql: &str) -> String {
        self.columns.push(sql.to_owned());
        format!("x{}", self.columns.len() - 1)
    }
}

impl Draw<'_> {
    pub(crate) fn question(&mut self) -> Question {
        let table = *self.random.pick(&[0, 1, 1, 1, 2, 2, 3, 4]);
        let filter = self.random.chance(75).then(|| self.condition(table, 2));
        let groups: Vec<Both> =
            (0..[0, 1, 1, 1, 2, 2, 3][self.random.below(7)]).map(|_| self.group(table)).collect();
        let mut base = Base::default();
        let count = 1 + self.random.below(4);
        let measures: Vec<Measured> = (0..count).map(|_| self.measure(table, &mut base)).collect();
        let totals = self.random.chance(30);
        let order = (!groups.is_empty() && self.random.chance(40)).then(|| self.order(count));
        let sql = self.sql(table, filter.as_ref(), &groups, &measures, &base, totals);
        let day = calendar::date_text(self.as_of);
        let texts = |of: &mut dyn Iterator<Item = String>| of.collect::<Vec<_>>().join(", ");
        let name = self.table_name(table);
        let mut text = format!("from {name}");
        let mut json = format!(r#"{{"as_of": "{day}", "from": "{name}""#);
        let json_text = |text: &str| format!("{text:?}").replace("\\'", "'");
        if let Some(filter) = &filter {
            text += &format!(" where {}", filter.text);
            json += &format!(r#", "where": {}"#, json_text(&filter.text));
        }
        if !groups.is_empty() {
            text += &format!(" by {}", texts(&mut groups.iter().map(|g| g.text.clone())));
            let list = texts(&mut groups.iter().map(|g| json_text(&g.text)));
            json += &format!(r#", "by": [{list}]"#);
        }
        let named = measures.iter().enumerate();
        text += " measure ";
        text += &texts(&mut named.clone().map(|(n, m)| format!("m{n} = {}", m.text)));
        let list = texts(&mut named.map(|(n, m)| format!(r#""m{n}": {}"#, json_text(&m.text))));
        json += &format!(r#", "measures": {{{list}}}"#);
        if totals {
            text += " totals";
            json += r#", "totals": true"#;
        }
        text += &format!(" as_of {day}");
        Question { text, json: format!("{json}}}"), sql, groups: groups.len(), totals, order }
    }

    fn order(&mut self, measures: usize) -> Order {
        let (measure, descending) = (self.random.below(measures), self.random.chance(60));
        let limit = self.random.chance(70).then(|| 1 + self.random.below(6));
        let offset = if self.random.chance(30) { self.random.below(4) } else { 0 };
        let mut text = format!(" order {}m{measure}", if descending { "-" } else { "" });
        if let Some(limit) = limit {
            text += &format!(" limit {limit}");
        }
        if offset > 0 {
            text += &format!(" offset {offset}");
        }
        Order { text, measure, descending, limit, offset }
    }

    /// The question in SQL: the rows with what is asked of each, then the groups of each level.
    fn sql(
        &self,
        table: usize,
        filter: Option<&Both>,
        groups: &[Both],
        measures: &[Measured],
        base: &Base,
        totals: bool,
    ) -> String {
        let named = |(place, sql): (usize, &String)| format!("{sql} AS x{place}");
        let columns = base.columns.iter().enumerate().map(named);
        let keys = groups.iter().enumerate().map(|(n, g)| format!("{}::VARCHAR AS g{n}", g.sql));
        let columns: Vec<String> =
            std::iter::once("1 AS one".to_owned()).chain(keys).chain(columns).collect();
        let kept = filter.map_or_else(String::new, |f| format!(" WHERE {}", f.sql));
        let from = self.sql_from(table);
        let base = format!("SELECT {} {from}{kept}", columns.join(", "));
        let levels = if totals { groups.len() } else { 0 };
        let level = |level: usize| {
            let own = groups.len() - level;
            let keys = (0..groups.len())
                .map(|n| if n < own { format!("g{n}") } else { "NULL::VARCHAR".to_owned() });
            let cells: Vec<String> = std::iter::once(format!("{level}::BIGINT"))
                .chain(keys)
                .chain(measures.iter().map(|m| m.sql.clone()))
                .collect();
            let names: Vec<String> = (0..own).map(|n| format!("g{n}")).collect();
            let by = format!(" GROUP BY {}", names.join(", "));
            let by = if own == 0 { String::new() } else { by };
            format!("SELECT {} FROM base{by}", cells.join(", "))
        };
        let levels: Vec<String> = (0..=levels).map(level).collect();
        format!("WITH base AS MATERIALIZED ({base}) {}", levels.join(" UNION ALL "))
    }

    /// What rows are grouped by.
    pub(crate) fn group(&mut self, table: usize) -> Both {
        for _ in 0..20 {
            let found = match self.random.below(12) {
                0..=2 => self.level(),
                3 => self.column(table, &[Kind::Flag]).map(|c| c.both),
                4..=5 => self.column(table, &[Kind::Code]).map(|c| c.both),
                6 => self.column(table, &[Kind::Date, Kind::Month]).map(|c| c.both),
                7 => self.column(table, &[Kind::Text]).map(|c| c.both),
                8 => Some(self.condition(table, 1)),
                9 => Some(self.whole(table, 1).both),
                10 => self.coalesced(table),
                _ => Some(self.band(table)),
            };
            if let Some(found) = found {
                return found;
            }
        }
        Both::primary(self.schema.path.name.clone(), self.path())
    }

    fn coalesced(&mut self, table: usize) -> Option<Both> {
        let column = self.column(table, &[Kind::Code])?;
        let code = self.code(column.list);
        let text = format!("coalesce({}, {})", column.both.text, code.text);
        Some(Both::primary(text, format!("coalesce({}, {})", column.both.sql, code.sql)))
    }

    fn level(&mut self) -> Option<Both> {
        let levels = &self.schema.path.levels;
        let (name, path) = (self.schema.path.name.as_str(), self.path());
        let root = self.table_name(0).to_owned();
        let place = self.random.below(levels.len() + 1);
        let Some(level) = levels.get(place) else {
            let digits: Vec<String> = levels.iter().map(|l| l.digits.to_string()).collect();
            let digits = format!("[{}]", digits.join(", "));
            let sql = format!("{path}[1:{digits}[{root}._level + 1]]");
            return Some(Both::primary(name, sql));
        };
        let place_sql = format!("{path}[1:{}]", level.digits);
        let sql = format!("CASE WHEN {root}._level >= {place} THEN {place_sql} END");
        Some(Both::primary(format!("{name}.{}", level.name), sql))
    }

    fn band(&mut self, table: usize) -> Both {
        let number = self.number(table, 1);
        let value = if number.unit.money {
            format!("({}::DOUBLE / 100)", number.both.sql)
        } else {
            number.both.sql.clone()
        };
        // Bounds that values meet: round amounts, small counts, ages.
        let step = if number.unit.money { 50 } else { *self.random.pick(&[1, 1, 7]) };
        let mut bound = self.random.between(-2, 4) * step;
        let mut bounds = Vec::new();
        for _ in 0..1 + self.random.below(4) {
            let half = if self.random.chance(20) { ".5" } else { "" };
            bounds.push(format!("{bound}{half}"));
            bound += self.random.between(1, 8) * step;
        }
        let mut sql = format!("CASE WHEN {value} IS NULL THEN NULL");
        let mut from = String::from("(");
        for bound in &bounds {
            sql += &format!(" WHEN {value} < {bound}::DOUBLE THEN '{from},{bound})'");
            from = format!("[{bound}");
        }
        sql += &format!(" ELSE '{from},)' END");
        let text = format!("band({}, {})", number.both.text, bounds.join(", "));
        Both::primary(text, sql)
    }

    pub(crate) fn measure(&mut self, table: usize, base: &mut Base) -> Measured {
        let shown = |number: Numeric| {
            let kind = if number.unit.whole { "BIGINT" } else { "DOUBLE" };
            let (text, sql) = (number.both.text.clone(), format!("{}::{kind}", number.both.sql));
            Measured { text, sql }
        };
        match self.random.below(10) {
            0 => {
                if let Some(day) = self.column(table, &[Kind::Date, Kind::Month]) {
                    let name = base.column(&day.both.sql);
                    let word = *self.random.pick(&["min", "max"]);
                    let text = format!("{word}({})", day.both.text);
                    return Measured { text, sql: format!("{word}({name})::VARCHAR") };
                }
                shown(self.aggregate(table, base))
            }
            1..=2 => {
                let (a, b) = (self.aggregate(table, base), self.aggregate(table, base));
                let sign = *self.random.pick(&['+', '-', '*', '/', '/']);
                // A product of two sums may be too large for either side.
                let sign = if sign == '*' { '-' } else { sign };
                shown(a.combined(sign, &b).unwrap_or(a))
            }
            3 => {
                let k = self.literal();
                let (a, b) = (self.aggregate(table, base), self.aggregate(table, base));
                let rate = k.combined('*', &a).and_then(|above| above.combined('/', &b));
                let Some(rate) = rate else { return shown(a) };
                let (k, a, b) = (&k.both.text, &a.both.text, &b.both.text);
                let both = Both::primary(format!("per({k}, {a}, {b})"), rate.both.sql);
                shown(Numeric { both, unit: rate.unit })
            }
            4 => {
                let part = self.aggregate(table, base);
                let sql = &part.both.sql;
                let whole = format!("nullif((SELECT {sql} FROM base)::DOUBLE, 0)");
                let both = Both::primary(
                    format!("share({})", part.both.text),
                    format!("{sql}::DOUBLE / {whole}"),
                );
                shown(Numeric { both, unit: Unit { money: false, whole: false } })
            }
            _ => shown(self.aggregate(table, base)),
        }
    }

    /// One aggregate of the rows of a group.
    fn aggregate(&mut self, table: usize, base: &mut Base) -> Numeric {
        let (mut text_where, mut sql_where) = (String::new(), String::new());
        if self.random.chance(30) {
            let condition = self.condition(table, 1);
            let name = base.column(&condition.sql);
            text_where = format!("where {}", condition.text);
            sql_where = format!(" FILTER (WHERE {name})");
        }
        let gap = if text_where.is_empty() { "" } else { " " };
        let whole = |text: String, sql: String| Numeric::whole(Both::primary(text, sql));
        match self.random.below(9) {
            0..=2 => whole(format!("count({text_where})"), format!("count(*){sql_where}")),
            3 => {
                let above = *self.random.pick(&self.line(table));
                let name = self.table_name(above).to_owned();
                let column = base.column(&format!("{name}._row"));
                let sql = format!("count(DISTINCT {column}){sql_where}");
                whole(format!("count_distinct({name}{gap}{text_where})"), sql)
            }
            4 => self.distinct(table, base, (gap, &text_where, &sql_where)),
            _ => {
                let number = self.number(table, 1);
                // Over the rows beneath, the condition would be theirs.
                let folded = self.names_beneath(table, &number.both.text);
                let (text_where, sql_where) =
                    if folded { (String::new(), String::new()) } else { (text_where, sql_where) };
                let gap = if text_where.is_empty() { "" } else { " " };
                let name = base.column(&number.both.sql);
                let (word, sql, whole) = match self.random.below(4) {
                    0 => ("min", format!("min({name}){sql_where}"), number.unit.whole),
                    1 => ("max", format!("max({name}){sql_where}"), number.unit.whole),
                    2 => {
                        let count = format!("nullif(count({name}){sql_where}, 0)");
                        let sum = format!("(sum({name}){sql_where})::DOUBLE");
                        ("avg", format!("{sum} / {count}"), false)
                    }
                    _ => ("sum", format!("coalesce(sum({name}){sql_where}, 0)"), number.unit.whole),
                };
                let text = format!("{word}({}{gap}{text_where})", number.both.text);
                let unit = Unit { whole, ..number.unit };
                Numeric { both: Both::primary(text, sql), unit }
            }
        }
    }

    pub(crate) fn names_beneath(&self, table: usize, text: &str) -> bool {
        self.beneath(table)
            .iter()
            .any(|child| text.contains(&format!("{}.", self.table_name(*child))))
    }

    fn distinct(&mut self, table: usize, base: &mut Base, filter: (&str, &str, &str)) -> Numeric {
        let (gap, text_where, sql_where) = filter;
        let kinds = [Kind::Code, Kind::Date, Kind::Month, Kind::Text, Kind::Money];
        let value = match self.column(table, &kinds) {
            Some(column) => column.both,
            None => self.whole(table, 1).both,
        };
        let name = base.column(&value.sql);
        let text = format!("count_distinct({}{gap}{text_where})", value.text);
        Numeric::whole(Both::primary(text, format!("count(DISTINCT {name}){sql_where}")))
    }
}
