//! The question as it was asked: names not bound, kinds not checked.
//!
//! Invariants: `and` and `or` hold at least two parts and never directly hold their own kind;
//! places in the text take no part in equality, so that a question equals its canonical text
//! read again.

use crate::source::{Place, Source, Span};

/// An expression and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) span: Span,
}

/// The forms of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ExprKind {
    /// `a`, `household.urban`, `region.county`.
    Name(Vec<Word>),
    /// A number as written: `680.00`, `01`.
    Number(String),
    Text(String),
    Date(i64),
    Month(i64),
    Flag(bool),
    AsOf,
    /// `12 months`.
    Duration(i64, Unit),
    /// `$name`.
    Parameter(String),
    Negative(Box<Expr>),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    In(Box<Expr>, Vec<Expr>),
    /// `person in set name`; without what stands before it, `in set name`.
    InSet(Option<Box<Expr>>, Word),
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    Has(Box<Expr>, Quantity, Vec<Expr>),
    Within(Box<Expr>, Vec<Expr>),
    /// `x is known` (true) or `x is unknown`.
    Is(Box<Expr>, bool),
    Starts(Box<Expr>, Box<Expr>),
    /// `name(a, b where c)`.
    Call(Call),
}

/// A name with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// A function or an aggregate with what it is applied to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: Word,
    pub(crate) arguments: Vec<Expr>,
    pub(crate) filter: Option<Box<Expr>>,
}

/// The unit of a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Days,
    Months,
    Years,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// How many codes of a list a set must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    Any,
    All,
    None,
}

impl Expr {
    /// Calls `visit` with the expression and each one in it, the outer before the inner.
    pub(crate) fn each(&self, visit: &mut dyn FnMut(&Self)) {
        visit(self);
        match &self.kind {
            ExprKind::Name(_)
            | ExprKind::Number(_)
            | ExprKind::Text(_)
            | ExprKind::Date(_)
            | ExprKind::Month(_)
            | ExprKind::Flag(_)
            | ExprKind::AsOf
            | ExprKind::Duration(..)
            | ExprKind::Parameter(_)
            | ExprKind::InSet(None, _) => {}
            ExprKind::Negative(inner)
            | ExprKind::Not(inner)
            | ExprKind::Is(inner, _)
            | ExprKind::InSet(Some(inner), _) => inner.each(visit),
            ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().for_each(|p| p.each(visit)),
            ExprKind::Arithmetic(_, a, b) | ExprKind::Compare(_, a, b) | ExprKind::Starts(a, b) => {
                a.each(visit);
                b.each(visit);
            }
            ExprKind::Between(value, low, high) => {
                [value, low, high].into_iter().for_each(|part| part.each(visit));
            }
            ExprKind::In(value, list)
            | ExprKind::Has(value, _, list)
            | ExprKind::Within(value, list) => {
                value.each(visit);
                list.iter().for_each(|part| part.each(visit));
            }
            ExprKind::Call(call) => {
                call.arguments.iter().for_each(|part| part.each(visit));
                call.filter.iter().for_each(|part| part.each(visit));
            }
        }
    }
}

impl Arithmetic {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }
}

impl Comparison {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
        }
    }

    /// The comparison that says the same with its sides exchanged.
    pub(crate) fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessEqual => Self::GreaterEqual,
            Self::Greater => Self::Less,
            Self::GreaterEqual => Self::LessEqual,
            same => same,
        }
    }
}

impl Quantity {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::All => "all",
            Self::None => "none",
        }
    }
}

impl Period {
    pub(crate) const ALL: [Self; 3] = [Self::Month, Self::Quarter, Self::Year];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    pub(crate) fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.word() == word)
    }

    /// How many months it has.
    pub(crate) fn months(self) -> i64 {
        match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year => 12,
        }
    }
}

impl Unit {
    pub(crate) fn word(self, count: i64) -> &'static str {
        match (self, count) {
            (Self::Days, 1) => "day",
            (Self::Days, _) => "days",
            (Self::Months, 1) => "month",
            (Self::Months, _) => "months",
            (Self::Years, 1) => "year",
            (Self::Years, _) => "years",
        }
    }

    pub(crate) fn find(word: &str) -> Option<Self> {
        match word {
            "day" | "days" => Some(Self::Days),
            "month" | "months" => Some(Self::Months),
            "year" | "years" => Some(Self::Years),
            _ => None,
        }
    }
}

/// An expression with the text it was read from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clause {
    pub(crate) expr: Expr,
    pub(crate) source: Source,
}

/// A named expression: a measure, a column of a list, a condition of a matrix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) clause: Clause,
}

/// The best rows within groups.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Top {
    pub(crate) count: usize,
    /// Expressions of `by`.
    pub(crate) within: Vec<Clause>,
    pub(crate) order: Vec<Order>,
}

/// A length of calendar time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Period {
    Month,
    Quarter,
    Year,
}

/// The ends of the months, quarters or years that the question is asked at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Over {
    pub(crate) period: Period,
    /// The first and the last month, both included.
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) span: Span,
    pub(crate) source: Source,
}

/// One end of a flow.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Moment {
    /// A day, in days since 1970-01-01.
    Day(i64),
    /// A version that is kept under a name.
    Version(String),
}

/// Who entered, left and stayed between two moments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Flow {
    pub(crate) before: Moment,
    pub(crate) after: Moment,
    pub(crate) span: Span,
    pub(crate) source: Source,
}

/// A named set of rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Set {
    pub(crate) name: Word,
    /// The table; none for that of the question.
    pub(crate) table: Option<Named>,
    pub(crate) clause: Clause,
}

/// Another value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) name: Word,
    /// Whether it is added to the value, or taken from it; none where it takes its place.
    pub(crate) sign: Option<Arithmetic>,
    /// The number as written.
    pub(crate) number: String,
    /// Whether it is told for a month, of a parameter that is one of a year.
    pub(crate) monthly: bool,
    pub(crate) source: Source,
}

impl Change {
    /// Where its name stands; in the JSON form, where its value does.
    pub(crate) fn span(&self) -> Span {
        if self.name.span.end <= self.source.text.len() { self.name.span } else { Span::default() }
    }

    pub(crate) fn place(&self) -> Box<Place> {
        self.source.place(self.span())
    }
}

/// How small cells are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Publish {
    /// Counts above 0 and below this are not told.
    pub(crate) min_cell: u64,
    /// What is told is rounded to a multiple of this; 1 rounds nothing.
    pub(crate) round: u64,
}

/// One key of the order of rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    /// The name of a measure, or the canonical text of an expression of `by`.
    pub(crate) key: String,
    pub(crate) descending: bool,
    pub(crate) span: Span,
    pub(crate) source: Source,
}

/// A name with the text it was read from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    pub(crate) word: Word,
    pub(crate) source: Source,
}

/// A question: which rows, by what, what to count.
///
/// It is read from its text form ([`Query::parse`]) or from its JSON form (serde, or
/// [`Query::from_json`] for errors with their code and place), and is bound to a snapshot by
/// [`crate::Plan::new`].
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub(crate) from: Named,
    pub(crate) filter: Option<Clause>,
    pub(crate) by: Vec<Clause>,
    pub(crate) measures: Vec<Definition>,
    pub(crate) matrix: Vec<Definition>,
    pub(crate) select: Vec<Definition>,
    pub(crate) having: Option<Clause>,
    pub(crate) totals: bool,
    pub(crate) top: Option<Top>,
    pub(crate) order: Vec<Order>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
    /// The cursor that an earlier page of a list ended with.
    pub(crate) after: Option<String>,
    pub(crate) over: Option<Over>,
    pub(crate) compare: Vec<Period>,
    pub(crate) flow: Option<Flow>,
    pub(crate) sets: Vec<Set>,
    pub(crate) with: Vec<Vec<Change>>,
    pub(crate) publish: Option<Publish>,
    pub(crate) as_of: Option<i64>,
    pub(crate) explain: bool,
}

impl Query {
    /// The table whose rows are asked for.
    #[must_use]
    pub fn from_table(&self) -> &str {
        &self.from.word.text
    }

    /// The most rows the answer may have, if the question says so.
    #[must_use]
    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Its expressions, those of `top` aside, which are those of `by`.
    fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let clauses = self.filter.iter().chain(&self.by).chain(&self.having);
        let definitions = self.measures.iter().chain(&self.matrix).chain(&self.select);
        let clauses = clauses.chain(definitions.map(|definition| &definition.clause));
        clauses.chain(self.sets.iter().map(|set| &set.clause)).map(|clause| &clause.expr)
    }

    /// The names of the parameters that its expressions name, each once.
    pub(crate) fn parameters(&self) -> Vec<String> {
        let mut names = Vec::new();
        for expr in self.expressions() {
            names.extend(crate::catalogue::parameters(expr));
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether it names a set or a version that is kept under a name: its answer is then not told
    /// by the version of the registry alone, for what a name stands for may change.
    #[must_use]
    pub fn names_what_is_kept(&self) -> bool {
        let is_version = |moment: &Moment| matches!(moment, Moment::Version(_));
        let own = |name: &Word| self.sets.iter().any(|set| set.name.text == name.text);
        let mut kept =
            self.flow.as_ref().is_some_and(|f| is_version(&f.before) || is_version(&f.after));
        for expr in self.expressions() {
            expr.each(&mut |part| {
                kept |= matches!(&part.kind, ExprKind::InSet(_, name) if !own(name));
            });
        }
        kept
    }

    /// Whether it asks for rows (`select`), not for groups.
    #[must_use]
    pub fn lists_rows(&self) -> bool {
        !self.select.is_empty()
    }

    /// Whether it asks how it is answered (`explain`), not for the answer.
    #[must_use]
    pub fn explains(&self) -> bool {
        self.explain
    }

    /// The same question with at most `limit` rows in its answer.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = Some(self.limit.map_or(limit, |own| own.min(limit)));
        self
    }

    /// The same question as of a day (days since 1970-01-01), unless it names its own.
    #[must_use]
    pub fn or_as_of(mut self, day: i64) -> Self {
        self.as_of = self.as_of.or(Some(day));
        self
    }
}
