//! Questions over every part of the language, drawn at random as texts.

use yiku::calendar;
use yiku::schema::Kind;

use crate::draw::Draw;
use crate::questions::Base;

/// Between two texts something else.
fn joined(parts: &[String]) -> String {
    parts.join(", ")
}

impl Draw<'_> {
    /// A question of any kind.
    pub(crate) fn wide(&mut self) -> String {
        let table = self.random.below(self.schema.tables.len());
        let name = self.table_name(table).to_owned();
        let mut text = format!("from {name}");
        let mut sets = String::new();
        let mut filter = match self.random.chance(70) {
            true => {
                let depth = 1 + self.random.below(2);
                self.condition(table, depth).text
            }
            false => String::new(),
        };
        if self.random.chance(20) {
            let (special, named) = self.special(table);
            sets = named;
            filter = match filter.is_empty() {
                true => special,
                false => format!("({filter}) {} ({special})", self.random.pick(&["and", "or"])),
            };
        }
        if !filter.is_empty() {
            text += &format!(" where {filter}");
        }
        let text = text
            + &match self.random.below(20) {
                0..=2 => self.select(table),
                3..=4 => self.flow(table),
                5 => self.matrix(table),
                6..=7 => self.over(table),
                8..=9 => self.compared_groups(table),
                _ => {
                    let groups = self.grouped(table, "");
                    let assumed = match filter.contains('$') && self.random.chance(60) {
                        true => *self.random.pick(&[
                            " with dibao_line = +100.00/month",
                            " with dibao_line = 8400, (tekun_line = -50.50/month, dibao_line = 0)",
                        ]),
                        false => "",
                    };
                    groups + &self.day_clause() + assumed
                }
            };
        text + &sets
    }

    /// A condition that is only asked here, and the sets that it names.
    fn special(&mut self, table: usize) -> (String, String) {
        let beneath = self.beneath(table);
        let plain = |text: String| (text, String::new());
        let texts = [Kind::Text, Kind::Id];
        let parameters = self.schema.name == "registry" && self.random.chance(60);
        match self.random.below(6) {
            _ if parameters => {
                let amount = match self.column(table, &[Kind::Money]) {
                    Some(column) => column.both.text,
                    None => format!("{}.income", self.table_name(0)),
                };
                let name = *self.random.pick(&["dibao_line", "dibao_line", "tekun_line"]);
                let sign = self.sign();
                return plain(format!("{amount} * {} {sign} ${name}", self.random.between(1, 14)));
            }
            0..=1 => {
                if let Some(column) = self.column(table, &texts) {
                    let words = ["王", "neil", "O", "100", "a b", "李 强", "小明", "quoted", "é"];
                    let word = *self.random.pick(&words);
                    return plain(format!("matches({}, '{word}')", column.both.text));
                }
            }
            2 => {
                let two = (self.column(table, &texts), self.column(table, &texts));
                if let (Some(a), Some(b)) = two {
                    let sign = if self.random.chance(60) { "=" } else { "!=" };
                    return plain(format!("{} {sign} {}", a.both.text, b.both.text));
                }
            }
            3..=4 if !beneath.is_empty() => {
                let child = *self.random.pick(&beneath);
                let (name, condition) =
                    (self.table_name(child).to_owned(), self.condition(child, 1));
                let word = *self.random.pick(&["any", "none", "all"]);
                let asked = format!("{word}({name} where in set kept)");
                return (asked, format!(" sets kept of {name} = {}", condition.text));
            }
            _ => {}
        }
        let (a, b) = (self.condition(table, 1).text, self.condition(table, 1).text);
        let asked = match self.random.below(3) {
            0 => "in set one and not in set two",
            1 => "in set one or not in set two",
            _ => "(not in set two) = (in set one)",
        };
        (asked.to_owned(), format!(" sets one = {a}, two = ({b}) or in set one"))
    }

    fn day_clause(&mut self) -> String {
        format!(" as_of {}", calendar::date_text(self.as_of))
    }

    /// Groups, each once.
    fn by(&mut self, table: usize) -> Vec<String> {
        let count = [0, 1, 1, 1, 2, 2, 3][self.random.below(7)];
        let mut groups: Vec<String> = Vec::new();
        for _ in 0..count {
            let next = self.random.chance(8);
            let group = match next {
                true => format!("{}.next", self.schema.path.name),
                false => self.group(table).text,
            };
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups
    }

    /// Groups and measures, and what keeps, orders and cuts them.
    fn grouped(&mut self, table: usize, period: &str) -> String {
        let groups = self.by(table);
        let count = 1 + self.random.below(3);
        let mut measures: Vec<String> = Vec::new();
        for place in 0..count {
            let moved = !period.is_empty() && place == 0 && self.random.chance(70);
            let measure = match moved {
                true => self.moved(table),
                false => self.wide_measure(table),
            };
            measures.push(measure);
        }
        // A list has no order.
        let is_list = |m: &String| m.starts_with("histogram(") || m.starts_with("lorenz(");
        if measures.iter().all(is_list) {
            measures[0] = "count()".to_owned();
        }
        let sorted: Vec<usize> = (0..count).filter(|at| !is_list(&measures[*at])).collect();
        let mut text = String::new();
        if !groups.is_empty() {
            text += &format!(" by {}", joined(&groups));
        }
        let named = measures.iter().enumerate().map(|(n, m)| format!("m{n} = {m}"));
        text += &format!(" measure {}", joined(&named.collect::<Vec<_>>()));
        if self.random.chance(20) {
            text += &format!(" having {}", self.having(&measures, 1));
        }
        if self.random.chance(30) {
            text += " totals";
        }
        // A minus in front would turn the order.
        let canonical: Vec<String> = groups
            .iter()
            .map(|group| canonical(group))
            .filter(|group| !group.starts_with('-'))
            .collect();
        let key = |draw: &mut Self| {
            let minus = if draw.random.chance(50) { "-" } else { "" };
            match canonical.is_empty() || draw.random.chance(75) {
                true => format!("{minus}m{}", draw.random.pick(&sorted)),
                false => format!("{minus}{}", draw.random.pick(&canonical)),
            }
        };
        if !groups.is_empty() && self.random.chance(20) {
            let mut within: Vec<String> =
                groups.iter().filter(|_| self.random.chance(50)).cloned().collect();
            if !period.is_empty() && self.random.chance(50) {
                within.push(period.to_owned());
            }
            let within = match within.is_empty() {
                true => String::new(),
                false => format!(" within {}", joined(&within)),
            };
            text += &format!(" top {}{within} by {}", 1 + self.random.below(3), key(self));
        }
        text + &self.pages(key)
    }

    fn pages(&mut self, key: impl Fn(&mut Self) -> String) -> String {
        let mut text = String::new();
        if self.random.chance(45) {
            let count = 1 + self.random.below(2);
            let keys: Vec<String> = (0..count).map(|_| key(self)).collect();
            text += &format!(" order {}", joined(&keys));
        }
        if self.random.chance(35) {
            text += &format!(" limit {}", self.random.below(9));
        }
        if self.random.chance(20) {
            text += &format!(" offset {}", self.random.below(5));
        }
        text
    }

    /// A condition of its own, now and then.
    fn own_filter(&mut self, table: usize) -> String {
        match self.random.chance(25) {
            true => format!(" where {}", self.condition(table, 1).text),
            false => String::new(),
        }
    }

    fn moved(&mut self, table: usize) -> String {
        let word = if self.random.chance(50) { "inflow" } else { "outflow" };
        let filter = self.own_filter(table);
        format!("{word}({})", filter.trim_start())
    }

    fn wide_measure(&mut self, table: usize) -> String {
        if self.random.chance(45) {
            return self.measure(table, &mut Base::default()).text;
        }
        let number = self.number(table, 1).both.text;
        // Over the rows beneath, the condition would be theirs.
        let filter =
            if self.names_beneath(table, &number) { String::new() } else { self.own_filter(table) };
        let share = *self.random.pick(&["0", "0.1", "0.25", "0.5", "0.9", "0.999", "1"]);
        let parts = 1 + self.random.below(6);
        match self.random.below(11) {
            0..=1 => format!("median({number}{filter})"),
            2 => format!("quantile({number}, {share}{filter})"),
            3..=4 => format!("stddev({number}{filter})"),
            5 => format!("gini({number}{filter})"),
            6 => format!("lorenz({number}, {parts}{filter})"),
            7 => {
                let low = self.random.between(-20, 30) * 5;
                let high = low + self.random.between(1, 60) * 7;
                format!("histogram({number}, {low}, {high}, {parts}{filter})")
            }
            8 => format!("share(count({}))", self.own_filter(table).trim_start()),
            _ => {
                let word = *self.random.pick(&["rate", "gap", "severity"]);
                let line = self.random.between(1, 20) * 10;
                format!("poverty_{word}({number}, {line}{filter})")
            }
        }
    }

    /// A condition on measures.
    fn having(&mut self, measures: &[String], depth: usize) -> String {
        let listed = |m: &String| m.starts_with("lorenz") || m.starts_with("histogram");
        let dated = |m: &String| m.starts_with("min(") || m.starts_with("max(");
        let plain: Vec<usize> = (0..measures.len())
            .filter(|at| !listed(&measures[*at]) && !dated(&measures[*at]))
            .collect();
        if depth > 0 && self.random.chance(40) {
            let (a, b) = (self.having(measures, depth - 1), self.having(measures, depth - 1));
            return match self.random.below(3) {
                0 => format!("({a}) and ({b})"),
                1 => format!("({a}) or ({b})"),
                _ => format!("not ({a})"),
            };
        }
        let name = match plain.is_empty() || self.random.chance(40) {
            true => "count()".to_owned(),
            false => format!("m{}", self.random.pick(&plain)),
        };
        let number = self.random.between(0, 12);
        match self.random.below(6) {
            0 => format!("{name} between {number} and {}", number * 3),
            1 => format!("{name} in ({number}, {}, 1)", number + 2),
            2 => format!("{name} is known"),
            3 => format!("{name} is unknown or count() > {number}"),
            _ => format!("{name} {} {number}", self.sign()),
        }
    }

    /// A list of rows.
    fn select(&mut self, table: usize) -> String {
        let count = 1 + self.random.below(4);
        let mut columns = Vec::new();
        let mut orders = Vec::new();
        for place in 0..count {
            let sets = self.column(table, &[Kind::Codes]).filter(|_| self.random.chance(20));
            let (text, set) = match (sets, self.random.below(3)) {
                (Some(column), _) => (column.both.text, true),
                (None, 0) => (self.number(table, 2).both.text, false),
                (None, 1) => {
                    let kinds = [Kind::Text, Kind::Id, Kind::Date, Kind::Month, Kind::Code];
                    match self.column(table, &kinds) {
                        Some(column) => (column.both.text, false),
                        None => (self.group(table).text, false),
                    }
                }
                (None, _) => (self.group(table).text, false),
            };
            columns.push(format!("s{place} = {text}"));
            if !set {
                orders.push(format!("s{place}"));
            }
        }
        let key = |draw: &mut Self| {
            let minus = if draw.random.chance(50) { "-" } else { "" };
            format!("{minus}{}", draw.random.pick(&orders))
        };
        let mut text = format!(" select {}", joined(&columns));
        if !orders.is_empty() {
            text += &self.pages(key);
        }
        text + &self.day_clause()
    }

    fn flow(&mut self, table: usize) -> String {
        let groups = self.by(table);
        let by = match groups.is_empty() {
            true => String::new(),
            false => format!(" by {}", joined(&groups)),
        };
        let before = self.as_of - self.random.between(1, 500);
        let limit = match self.random.chance(25) {
            true => format!(" limit {} offset {}", self.random.below(6), self.random.below(3)),
            false => String::new(),
        };
        let [before, after] = [before, self.as_of].map(calendar::date_text);
        format!("{by} flow {before} to {after}{limit}")
    }

    fn matrix(&mut self, table: usize) -> String {
        let count = 1 + self.random.below(4);
        let conditions: Vec<String> =
            (0..count).map(|n| format!("c{n} = ({})", self.condition(table, 1).text)).collect();
        format!(" matrix {}", joined(&conditions)) + &self.day_clause()
    }

    fn over(&mut self, table: usize) -> String {
        let last = calendar::month_of(self.as_of);
        let (word, span) = *self.random.pick(&[("month", 2), ("quarter", 8), ("year", 25)]);
        let groups = self.grouped(table, word);
        let [first, last] = [last - span, last].map(calendar::month_text);
        let compare = if self.random.chance(15) { " compare month" } else { "" };
        format!("{groups} over {word} {first} to {last}{compare}")
    }

    fn compared_groups(&mut self, table: usize) -> String {
        let groups = self.grouped(table, "");
        let periods = *self.random.pick(&["month", "year", "month, year", "quarter"]);
        format!("{groups} compare {periods}") + &self.day_clause()
    }
}

/// The text of an expression as the answer names it.
fn canonical(text: &str) -> String {
    let query = yiku_queries::Query::parse(&format!("from x by {text}")).unwrap();
    let text = query.to_text();
    text.strip_prefix("from x by ").unwrap().to_owned()
}
