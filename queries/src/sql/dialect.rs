//! How dialects of SQL spell what they spell differently.
//!
//! Invariant: a dialect is data. `{0}`, `{1}` in a template stand for expressions that bind as
//! tightly as a name or a call; what a template gives binds so, too.

/// A dialect of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Dialect {
    /// DuckDB, version 1.5.
    #[default]
    DuckDb,
}

impl Dialect {
    /// Every dialect, by its name on the command line.
    pub const ALL: [(&'static str, Self); 1] = [("duckdb", Self::DuckDb)];

    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::DuckDb => &DUCK_DB,
        }
    }
}

/// The spellings of a dialect.
pub(super) struct Words {
    /// Words that are no names, sorted.
    pub(super) reserved: &'static [&'static str],
    pub(super) double: &'static str,
    pub(super) whole: &'static str,
    /// An integer of 128 bits.
    pub(super) wide: &'static str,
    pub(super) date: &'static str,
    /// A day by its number.
    pub(super) day: &'static str,
    /// The first and the last day that a date can be, in days since 1970-01-01.
    pub(super) days: (i64, i64),
    pub(super) days_later: &'static str,
    pub(super) months_later: &'static str,
    /// Months from the second to the first.
    pub(super) months_between: &'static str,
    pub(super) month_of: &'static str,
    pub(super) month_text: &'static str,
    pub(super) list: &'static str,
    pub(super) has: &'static str,
    pub(super) has_any: &'static str,
    pub(super) has_all: &'static str,
    /// The place in a list of a value, from 1; none where there is none.
    pub(super) position: &'static str,
    /// The value at a place of a list, from 1.
    pub(super) pick: &'static str,
    pub(super) starts: &'static str,
    /// A text matches a regular expression in either case.
    pub(super) matches: &'static str,
    pub(super) head: &'static str,
    pub(super) quotient: &'static str,
    /// Of floats, with as little rounding as it can.
    pub(super) float_sum: &'static str,
    pub(super) float_average: &'static str,
    pub(super) deviation: &'static str,
    /// Of a value, of a share.
    pub(super) quantile: &'static str,
    /// Of the values in order: a list.
    pub(super) sorted: &'static str,
    /// How often each value is met.
    pub(super) counts: &'static str,
    /// Of a list of values in order.
    pub(super) gini: &'static str,
    /// Of a list of values in order, of so many parts.
    pub(super) lorenz: &'static str,
    /// Of counts by bin, of so many bins.
    pub(super) bins: &'static str,
}

/// A template with its blanks filled.
pub(super) fn filled(template: &str, parts: &[&str]) -> String {
    let mut text =
        String::with_capacity(template.len() + parts.iter().map(|p| p.len()).sum::<usize>());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((place, behind)) = after.split_once('}') else { break };
        match place.parse::<usize>().ok().and_then(|place| parts.get(place)) {
            Some(part) => text.push_str(part),
            None => text.push_str(place),
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// DuckDB 1.5. Without `lambda`, a list that is used more than once would be written as often.
const DUCK_DB: Words = Words {
    reserved: &RESERVED,
    double: "{0}::DOUBLE",
    whole: "{0}::BIGINT",
    wide: "{0}::HUGEINT",
    date: "DATE '{0}'",
    day: "(DATE '1970-01-01' + {0})",
    days: (-2_147_000_000, 2_147_000_000),
    days_later: "({0} + {1})",
    months_later: "({0} + INTERVAL ({1}) MONTH)::DATE",
    months_between: "date_diff('month', {1}, {0})",
    month_of: "date_trunc('month', {0})::DATE",
    month_text: "strftime({0}, '%Y-%m')",
    list: "[{0}]",
    has: "list_contains({0}, {1})",
    has_any: "list_has_any({0}, {1})",
    has_all: "list_has_all({0}, {1})",
    position: "list_position({0}, {1})",
    pick: "{0}[{1}]",
    starts: "starts_with({0}, {1})",
    matches: "regexp_matches(lower({0}), {1})",
    head: "left({0}, {1})",
    quotient: "({0} // {1})",
    float_sum: "fsum({0})",
    float_average: "favg({0})",
    deviation: "stddev_samp({0})",
    quantile: "quantile_cont({0}, {1})",
    sorted: "list({0} ORDER BY {0})",
    counts: "histogram({0})",
    // Pairs from both ends: no term is below 0, so that nothing cancels.
    gini: "list_transform([{0}], lambda s: CASE WHEN s[1] >= 0 AND list_sum(s) > 0 THEN \
           coalesce(list_sum(list_transform(range(1, len(s) // 2 + 1), lambda i: \
           (len(s) + 1 - 2 * i) * (s[len(s) + 1 - i] - s[i])))::DOUBLE, 0) \
           / (len(s)::DOUBLE * list_sum(s)::DOUBLE) END)[1]",
    lorenz: "list_transform([{0}], lambda s: CASE WHEN s[1] >= 0 AND list_sum(s) > 0 THEN \
             list_transform(range(0, {1} + 1), lambda p: \
             (coalesce(list_sum(s[1:p * len(s) // {1}])::DOUBLE, 0) \
             + coalesce(s[p * len(s) // {1} + 1]::DOUBLE, 0) \
             * ((p * len(s)) % {1})::DOUBLE / {1}) / list_sum(s)::DOUBLE) END)[1]",
    bins: "list_transform([{0}], lambda c: \
           list_transform(range(0, {1}), lambda b: coalesce(c[b], 0)::BIGINT))[1]",
};

/// What `duckdb_keywords()` does not call unreserved.
const RESERVED: [&str; 159] = [
    "all",
    "analyse",
    "analyze",
    "and",
    "anti",
    "any",
    "array",
    "as",
    "asc",
    "asof",
    "asymmetric",
    "at",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "by",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "columns",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "describe",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "generated",
    "glob",
    "group",
    "grouping",
    "grouping_id",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "lambda",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "map",
    "national",
    "natural",
    "nchar",
    "none",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "pivot",
    "pivot_longer",
    "pivot_wider",
    "placing",
    "position",
    "positional",
    "precision",
    "primary",
    "qualify",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "semi",
    "setof",
    "show",
    "similar",
    "smallint",
    "some",
    "struct",
    "substring",
    "summarize",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "try_cast",
    "union",
    "unique",
    "unpack",
    "unpivot",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];
