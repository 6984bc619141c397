//! A bound question in words: what a step is about, as short as the language would say it.
//!
//! Invariant: what is written is for reading; it need not read back (a condition on an age stands
//! as the condition on the day of birth that it became).

use yiku::Predicate;
use yiku::Schema;
use yiku::calendar;
use yiku::schema::Kind;

use crate::ast::Comparison;
use crate::bound::{Condition, Fold, Function, Reading, Term, Test, Value};
use crate::check::{Aggregate, Combine};
use crate::print::quoted;

/// Values of a list that are written; of a longer one the number of the others.
const LISTED_MAX: usize = 4;

/// Writes the parts of a question over a schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) schema: &'a Schema,
    /// The table whose columns are written without it.
    pub(super) home: usize,
}

/// Some texts, the first of them written.
fn listed(texts: impl ExactSizeIterator<Item = String>) -> String {
    let more = texts.len().saturating_sub(LISTED_MAX);
    let mut shown: Vec<String> = texts.take(LISTED_MAX).collect();
    if more > 0 {
        shown.push(format!("… {more} more"));
    }
    shown.join(", ")
}

impl Words<'_> {
    pub(super) fn table(&self, table: usize) -> &str {
        self.schema.tables.get(table).map_or("", |t| t.name.as_str())
    }

    pub(super) fn column(&self, table: usize, column: usize) -> String {
        let name = self.schema.tables.get(table).and_then(|t| t.columns.get(column));
        let name = name.map_or("", |c| c.name.as_str());
        if table == self.home { name.to_owned() } else { format!("{}.{name}", self.table(table)) }
    }

    fn within(&self, home: usize) -> Self {
        Self { home, ..*self }
    }

    /// A stored value of a column as people write it.
    fn value_of(&self, table: usize, column: usize, value: i64) -> String {
        let shape = self.schema.tables.get(table).and_then(|t| t.columns.get(column));
        let list = shape.and_then(|c| c.list).and_then(|list| self.schema.lists.get(list));
        let at = usize::try_from(value).ok();
        match shape.map(|c| c.kind) {
            Some(Kind::Flag) => (value == 1).to_string(),
            Some(Kind::Code | Kind::Codes) => {
                let code = list.zip(at).and_then(|(list, at)| list.codes.get(at));
                code.map_or_else(|| value.to_string(), |code| code.name.clone())
            }
            Some(Kind::Money) => format!("{:.2}", value as f64 / 100.0),
            Some(Kind::Date) => calendar::date_text(value),
            Some(Kind::Month) => calendar::month_text(value),
            _ => value.to_string(),
        }
    }

    fn bits(&self, table: usize, column: usize, bits: u64) -> String {
        let codes: Vec<i64> = (0..64).filter(|at| bits >> at & 1 == 1).collect();
        listed(codes.into_iter().map(|code| self.value_of(table, column, code)))
    }

    fn predicate(&self, table: usize, column: usize, predicate: &Predicate) -> String {
        let name = self.column(table, column);
        let value = |value: i64| self.value_of(table, column, value);
        let shape = self.schema.tables.get(table).and_then(|t| t.columns.get(column));
        match predicate {
            Predicate::Range { min, max } if min > max => format!("{name} in no range"),
            Predicate::Range { min: 1, max: 1 } if shape.is_some_and(|c| c.kind == Kind::Flag) => {
                name
            }
            Predicate::Range { min, max } if min == max => format!("{name} = {}", value(*min)),
            Predicate::Range { min: i64::MIN, max } => format!("{name} <= {}", value(*max)),
            Predicate::Range { min, max: i64::MAX } => format!("{name} >= {}", value(*min)),
            Predicate::Range { min, max } => {
                format!("{name} between {} and {}", value(*min), value(*max))
            }
            Predicate::In(list) => {
                format!("{name} in ({})", listed(list.iter().map(|v| value(*v))))
            }
            Predicate::HasAny(bits) => {
                format!("{name} has any ({})", self.bits(table, column, *bits))
            }
            Predicate::HasAll(bits) => {
                format!("{name} has all ({})", self.bits(table, column, *bits))
            }
            Predicate::HasNone(bits) => {
                format!("{name} has none ({})", self.bits(table, column, *bits))
            }
            Predicate::TextIn(list) => {
                format!("{name} in ({})", listed(list.iter().map(|text| quoted(text))))
            }
            Predicate::TextStarts(start) => format!("{name} starts {}", quoted(start)),
            Predicate::Known => format!("{name} is known"),
            Predicate::Unknown => format!("{name} is unknown"),
        }
    }

    /// A condition.
    pub(super) fn condition(&self, condition: &Condition) -> String {
        let own = self.within(condition.table);
        let between = |parts: &[Condition], word: &str| {
            let told: Vec<String> = parts.iter().map(|part| own.bracketed(part)).collect();
            told.join(word)
        };
        match &condition.kind {
            Test::Constant(value) => format!("always {value}"),
            Test::Column { column, predicate } => {
                self.predicate(condition.table, *column, predicate)
            }
            Test::ColumnKnown { column } => {
                format!("{} is known", self.column(condition.table, *column))
            }
            Test::Within { ranges } => {
                let name = &self.schema.path.name;
                format!("{name} within {}", counted(ranges.len(), "range"))
            }
            Test::Between { value, low, high } if low == high => {
                format!("{} = {low}", self.value(value))
            }
            Test::Between { value, low: i64::MIN, high } => {
                format!("{} <= {high}", self.value(value))
            }
            Test::Between { value, low, high: i64::MAX } => {
                format!("{} >= {low}", self.value(value))
            }
            Test::Between { value, low, high } => {
                format!("{} between {low} and {high}", self.value(value))
            }
            Test::OneOf { value, list } => {
                format!("{} in ({})", self.value(value), listed(list.iter().map(i64::to_string)))
            }
            Test::Compare { sign, left, right } => self.compared(*sign, left, right),
            Test::SameText { left, right } => {
                format!("{} = {}", self.column(left.0, left.1), self.column(right.0, right.1))
            }
            Test::Matches { column, pattern, .. } => {
                let terms: Vec<String> = pattern.terms().iter().map(|term| term.concat()).collect();
                let name = self.column(condition.table, *column);
                format!("matches({name}, {})", quoted(&terms.join(" ")))
            }
            Test::ValueKnown(value) => format!("{} is known", self.value(value)),
            Test::ConditionKnown(inner) => format!("({}) is known", self.condition(inner)),
            Test::Truth(inner) => self.condition(inner),
            Test::Choose(when, first, second) => {
                let [when, first, second] = [when, first, second].map(|part| self.condition(part));
                format!("if({when}, {first}, {second})")
            }
            Test::FirstKnown(parts) => format!("coalesce({})", between(parts, ", ")),
            Test::Same(a, b) => format!("{} = {}", self.bracketed(a), self.bracketed(b)),
            Test::Not(inner) if matches!(inner.kind, Test::ColumnKnown { .. }) => {
                self.condition(inner).replace(" is known", " is unknown")
            }
            Test::Not(inner) => format!("not {}", self.bracketed(inner)),
            Test::And(parts) => between(parts, " and "),
            Test::Or(parts) => between(parts, " or "),
            Test::Spread(inner) => self.condition(inner),
            Test::Any { child, condition } => {
                let name = self.table(*child);
                match condition.kind {
                    Test::Constant(true) => format!("any({name})"),
                    _ => format!("any({name} where {})", self.within(*child).condition(condition)),
                }
            }
        }
    }

    fn bracketed(&self, condition: &Condition) -> String {
        let told = self.condition(condition);
        match condition.kind {
            Test::And(_) | Test::Or(_) | Test::Same(..) => format!("({told})"),
            _ => told,
        }
    }

    fn compared(&self, sign: Comparison, left: &Value, right: &Value) -> String {
        format!("{} {} {}", self.value(left), sign.sign(), self.value(right))
    }

    /// A value.
    pub(super) fn value(&self, value: &Value) -> String {
        let values = |values: &[Value]| {
            let told: Vec<String> = values.iter().map(|value| self.value(value)).collect();
            told.join(", ")
        };
        match &value.kind {
            Term::Constant(value) => value.to_string(),
            Term::ConstantFloat(value) => value.to_string(),
            Term::Column(column) => self.column(value.table, *column),
            Term::Spread(inner) | Term::ToFloat(inner, _) => self.value(inner),
            Term::Exact(sign, a, b) | Term::Float(sign, a, b) => {
                let side = |side: &Value| match side.kind {
                    Term::Exact(..) | Term::Float(..) => format!("({})", self.value(side)),
                    _ => self.value(side),
                };
                format!("{} {} {}", side(a), sign.sign(), side(b))
            }
            Term::Absolute(inner) => format!("abs({})", self.value(inner)),
            Term::Least(list) => format!("min({})", values(list)),
            Term::Greatest(list) => format!("max({})", values(list)),
            Term::Coalesce(list) => format!("coalesce({})", values(list)),
            Term::If(when, a, b) => {
                format!("if({}, {}, {})", self.condition(when), self.value(a), self.value(b))
            }
            Term::Calendar(reading, inner) => {
                let word = match reading {
                    Reading::Age { .. } => "age",
                    Reading::Year | Reading::YearOfMonth => "year",
                    Reading::Month => "month of",
                    Reading::MonthNumber | Reading::NumberOfMonth => "month",
                    Reading::Quarter | Reading::QuarterOfMonth => "quarter",
                };
                format!("{word}({})", self.value(inner))
            }
            Term::AddMonths(inner, months) => format!("{} + {months} months", self.value(inner)),
            Term::ByPlace(ranges) => format!("by place, {}", counted(ranges.len(), "range")),
            Term::Fold(fold) => self.fold(fold),
        }
    }

    fn fold(&self, fold: &Fold) -> String {
        let word = match fold.function {
            Function::Count => "count",
            Function::Sum => "sum",
            Function::Average => "avg",
            Function::Least => "min",
            Function::Greatest => "max",
        };
        let child = self.within(fold.child);
        let what = match &fold.argument {
            None => self.table(fold.child).to_owned(),
            Some(value) => format!("{}.{}", self.table(fold.child), child.value(value)),
        };
        let own = fold.condition.as_ref().map(|c| format!(" where {}", child.condition(c)));
        format!("{word}({what}{})", own.unwrap_or_default())
    }

    /// What is counted or added up.
    pub(super) fn aggregate(&self, aggregate: &Aggregate) -> String {
        let word = match aggregate.combine {
            Combine::Count => "count",
            Combine::Left => "outflow",
            Combine::Sum { .. } => "sum",
            Combine::Average { .. } => "avg",
            Combine::Least { .. } => "min",
            Combine::Greatest { .. } => "max",
            Combine::DistinctRows(_) | Combine::DistinctValues | Combine::DistinctTexts { .. } => {
                "count_distinct"
            }
            Combine::Moments => "stddev",
            Combine::All { .. } => "all values of",
            Combine::Bins { .. } => "histogram",
        };
        let what = match (aggregate.combine, &aggregate.argument) {
            (Combine::DistinctRows(above), _) => self.table(above).to_owned(),
            (Combine::DistinctTexts { table, column }, _) => self.column(table, column),
            (_, Some(value)) => self.value(value),
            (_, None) => String::new(),
        };
        let own = aggregate.condition.as_ref().map(|c| format!("where {}", self.condition(c)));
        let parts = [Some(what).filter(|what| !what.is_empty()), own];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        format!("{word}({})", parts.join(" "))
    }
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
