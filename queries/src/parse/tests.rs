//! What the parser makes of texts: structure, canonical spelling, both forms, errors, and texts
//! that mean harm.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use super::expression;
use crate::ast::{Expr, ExprKind, Query};
use crate::error::Error;
use crate::print;
use crate::source::Source;

fn parsed(text: &str) -> Result<Expr, Error> {
    expression(&Source::text(text))
}

/// The structure of an expression, every bracket written.
fn shape(expr: &Expr) -> String {
    let list = |word: &str, parts: &[&Expr]| {
        let parts: Vec<String> = parts.iter().map(|part| shape(part)).collect();
        format!("({word} {})", parts.join(" "))
    };
    let all = |word: &str, first: Option<&Expr>, rest: &[Expr]| {
        let parts: Vec<&Expr> = first.into_iter().chain(rest).collect();
        list(word, &parts)
    };
    match &expr.kind {
        ExprKind::And(parts) => all("and", None, parts),
        ExprKind::Or(parts) => all("or", None, parts),
        ExprKind::Not(inner) => list("not", &[inner]),
        ExprKind::Negative(inner) => list("neg", &[inner]),
        ExprKind::Arithmetic(sign, a, b) => list(sign.sign(), &[a, b]),
        ExprKind::Compare(sign, a, b) => list(sign.sign(), &[a, b]),
        ExprKind::In(value, found) => all("in", Some(value), found),
        ExprKind::Between(a, b, c) => list("between", &[a, b, c]),
        ExprKind::Has(value, quantity, found) => {
            all(&format!("has-{}", quantity.word()), Some(value), found)
        }
        ExprKind::Within(value, found) => all("within", Some(value), found),
        ExprKind::Is(value, known) => list(if *known { "known" } else { "unknown" }, &[value]),
        ExprKind::Starts(a, b) => list("starts", &[a, b]),
        ExprKind::Call(call) => {
            let mut parts: Vec<&Expr> = call.arguments.iter().collect();
            parts.extend(call.filter.as_deref());
            let gap = if call.filter.is_some() { "-where" } else { "" };
            list(&format!("{}{gap}", call.name.text), &parts)
        }
        _ => print::expression(expr),
    }
}

#[test]
fn operators_bind_as_the_page_says() {
    for (text, expected) in [
        ("a or b and c", "(or a (and b c))"),
        ("a and b or c and d", "(or (and a b) (and c d))"),
        ("(a or b) and c", "(and (or a b) c)"),
        ("a and (b and c)", "(and a b c)"),
        ("not a and b", "(and (not a) b)"),
        ("not a = b", "(not (= a b))"),
        ("not not a", "(not (not a))"),
        ("a = b + c * d", "(= a (+ b (* c d)))"),
        ("a - b - c", "(- (- a b) c)"),
        ("a - (b - c)", "(- a (- b c))"),
        ("a / b * c", "(* (/ a b) c)"),
        ("-a * b", "(* (neg a) b)"),
        ("-(a * b)", "(neg (* a b))"),
        ("--1", "(neg (neg 1))"),
        ("a <> b", "(!= a b)"),
        ("a <= b or a >= b", "(or (<= a b) (>= a b))"),
        ("a < b and a > b and a != b", "(and (< a b) (> a b) (!= a b))"),
        ("a between 1 and 2 and b", "(and (between a 1 2) b)"),
        ("a + 1 between b and c * 2", "(between (+ a 1) b (* c 2))"),
        ("a not between 1 and 2", "(not (between a 1 2))"),
        ("a in (1, 2) or b not in (3)", "(or (in a 1 2) (not (in b 3)))"),
        ("a has any (x, y) and b has all z", "(and (has-any a x y) (has-all b z))"),
        ("a has none (x)", "(has-none a x)"),
        ("region within 14", "(within region 14)"),
        ("region within (1401, '140105')", "(within region 1401 '140105')"),
        ("a is known and b is not known", "(and (known a) (unknown b))"),
        ("(a or b) is unknown", "(unknown (or a b))"),
        ("name starts '王'", "(starts name '王')"),
        ("any(aid where a or b)", "(any-where aid (or a b))"),
        ("if(a, b, c) = f()", "(= (if a b c) (f ))"),
        ("month > as_of - 12 months", "(> month (- as_of 12 months))"),
        ("a = 2026-10-31 or b = 2026-10", "(or (= a 2026-10-31) (= b 2026-10))"),
        ("household.urban = true", "(= household.urban true)"),
        ("a = 2026 - 10", "(= a (- 2026 10))"),
        ("a=1and b=2", ""),
    ] {
        let found = parsed(text).map(|expr| shape(&expr)).unwrap_or_default();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn the_canonical_text_reads_back() {
    for text in [
        "a or b and not (c or d)",
        "(a = b) = c",
        "not (a and b)",
        "a - (b - c) - -d",
        "a * (b + c) / -(d + e)",
        "(a or b) is unknown",
        "x in (1, 2.50, '01', 2026-10-31, 2026-10)",
        "name = 'O''Neil' and name starts ''''",
        "any(person where any(aid where running)) or count(person) >= 2",
        "region within (14) or household.region within (1401, 140105)",
        "coalesce(a, b) + 1 day",
        "a = $line and a in set needy",
    ] {
        let once = print::expression(&parsed(text).unwrap());
        let expr = parsed(&once).unwrap();
        assert_eq!(expr, parsed(text).unwrap(), "{text} -> {once}");
        assert_eq!(print::expression(&expr), once, "{text}");
    }
}

#[test]
fn both_forms_are_one_question() {
    for (text, json, canonical) in [
        ("from person", r#"{"from": "person"}"#, "from person"),
        (
            "from person by sex, region.county limit 5 totals where a  and\n b order -n, sex \
             measure n = count(), 'the sum' = sum(x), avg(x) offset 3 as_of 2026-10-31",
            r#"{"from": "person", "where": "a and b", "by": ["sex", "region.county"],
                "measures": {"n": "count()", "the sum": "sum(x)", "avg(x)": "avg( x )"},
                "order": ["-n", "sex"], "limit": 5, "offset": 3, "totals": true,
                "as_of": "2026-10-31"}"#,
            "from person where a and b by sex, region.county measure n = count(), \
             'the sum' = sum(x), avg(x) totals order -n, sex limit 5 offset 3 as_of 2026-10-31",
        ),
        (
            "from aid by band(age(d), 0, 18) order -'the sum', band(age(d), 0, 18) measures \
             'the sum' = sum(amount where kind = 'a''b')",
            r#"{"order": ["-'the sum'", "band(age(d),0,18)"], "by": ["band(age(d), 0, 18)"],
                "measures": {"the sum": "sum(amount where kind = 'a''b')"}, "from": "aid"}"#,
            "from aid by band(age(d), 0, 18) measure 'the sum' = \
             sum(amount where kind = 'a''b') order -'the sum', band(age(d), 0, 18)",
        ),
        (
            "from person explain having n>3 and n < 9 top 3 within a.b, c by -n, d measure n = \
             count() over quarter 2025-01 to 2026-10 compare year,month, year",
            r#"{"from": "person", "explain": true, "having": "n > 3 and n < 9",
                "top": {"k": 3, "within": ["a.b", "c"], "by": ["-n", "d"]},
                "measures": {"n": "count()"}, "over": {"quarter": ["2025-01", "2026-10"]},
                "compare": ["year", "month"]}"#,
            "from person measure n = count() having n > 3 and n < 9 top 3 within a.b, c by -n, d \
             over quarter 2025-01 to 2026-10 compare year, month explain",
        ),
        (
            "from person select name, old = age(b)>60, 'a = b' = a = b, (a = b) and c \
             after 'x''y' limit 3 publish min_cell 10 over month 2026-01",
            r#"{"from": "person", "select": {"name": "name", "old": "age(b) > 60",
                "a = b": "a = b", "a = b and c": "a = b and c"}, "after": "x'y", "limit": 3,
                "publish": {"min_cell": 10}, "over": {"month": ["2026-01", "2026-01"]}}"#,
            "from person select name, old = age(b) > 60, 'a = b' = a = b, 'a = b and c' = a = b \
             and c limit 3 after 'x''y' over month 2026-01 to 2026-01 publish min_cell 10 round 1",
        ),
        (
            "from person matrix ill, b > 1 flow 2026-09-30 to 'before the flood' sets needy = \
             a or b, homes of household = urban with (line = +50.00, other = 3), line = 700",
            r#"{"from": "person", "matrix": ["ill", "b > 1"],
                "flow": {"from": "2026-09-30", "to": "before the flood"},
                "sets": {"needy": "a or b", "homes": {"of": "household", "where": "urban"}},
                "with": [{"line": "+50.00", "other": 3}, {"line": 700}]}"#,
            "from person matrix ill, b > 1 flow 2026-09-30 to 'before the flood' sets needy = \
             a or b, homes of household = urban with (line = +50.00, other = 3), line = 700",
        ),
    ] {
        let (of_text, of_json) = (Query::parse(text).unwrap(), Query::from_json(json).unwrap());
        assert_eq!(of_text, of_json, "{text}");
        assert_eq!(of_text.to_text(), canonical);
        assert_eq!(Query::parse(canonical).unwrap(), of_text);
        let written = serde_json::to_string(&of_json).unwrap();
        assert_eq!(Query::from_json(&written).unwrap(), of_text, "{written}");
        assert_eq!(serde_json::from_str::<Query>(&written).unwrap(), of_text);
    }
}

#[test]
fn marks_of_a_chinese_keyboard_are_plain_marks() {
    for (wide, plain) in [
        ("（a ＝ 1） and b in （1，2、3）", "(a = 1) and b in (1, 2, 3)"),
        ("a≥2 or b ＜＝ 3 or c ＞= 4 or d≤5", "a >= 2 or b <= 3 or c >= 4 or d <= 5"),
        ("a≠b or a！＝c or a ＜＞ d", "a != b or a != c or a <> d"),
        ("a ＋ b －1 ＊ c × d ／ e ÷ f", "a + b - 1 * c * d / e / f"),
        ("name ＝ ‘王’ or name in （“李”，‘张’）", "name = '王' or name in ('李', '张')"),
        ("household．urban　and a", "household.urban and a"),
    ] {
        assert_eq!(parsed(wide).unwrap(), parsed(plain).unwrap(), "{wide}");
    }
}

#[test]
fn an_error_says_where_and_what_would_be_right() {
    for (text, position, code, said) in [
        ("person where a", 0, "query.syntax", "expected `from` and a table"),
        ("form person", 0, "query.syntax", "did you mean `from`?"),
        ("from", 4, "query.syntax", "expected the name of a table, found the end"),
        ("from person wher a", 12, "query.syntax", "did you mean `where`?"),
        ("from person where a = ", 22, "query.syntax", "found the end"),
        ("from person where a = b = c", 24, "query.syntax", "between two comparisons"),
        ("from person where (a", 20, "query.syntax", "an operator or `)`"),
        ("from person where a b", 20, "query.syntax", "found `b`"),
        ("from person where a adn b", 20, "query.syntax", "did you mean `and`?"),
        ("from person where a is unkown", 23, "query.syntax", "did you mean `unknown`?"),
        ("from person where a has some (b)", 24, "query.syntax", "`any`, `all` or `none`"),
        ("from person where a = 'x", 22, "query.syntax", "expected a closing quote"),
        ("from person where a = \"x\"", 22, "query.syntax", "did you mean `'`?"),
        ("from person where a ! 1", 20, "query.syntax", "did you mean `!=`?"),
        ("from person where name ＝ ‘王", 25, "query.syntax", "expected a closing quote"),
        ("from person where a＝", 20, "query.syntax", "found the end"),
        ("from person where a = 12abc", 22, "query.syntax", "found `12abc`"),
        ("from person where a = 2026-02-30", 22, "query.syntax", "day or month of the calendar"),
        ("from person where a = 2026-13", 22, "query.syntax", "day or month of the calendar"),
        ("from person where a where b", 20, "query.syntax", "a second `where`"),
        ("from person limit x", 18, "query.syntax", "a whole number of rows"),
        ("from person limit -1", 18, "query.syntax", "a whole number of rows"),
        ("from person limit 99999999999999999999", 18, "query.syntax", "a whole number of rows"),
        ("from person as_of 2026-10", 18, "query.syntax", "expected a day like `2026-10-31`"),
        ("from person measure n = count(), n = sum(a)", 37, "query.type", "two measures"),
        ("from person having", 18, "query.syntax", "found the end"),
        ("from person top 3", 17, "query.syntax", "expected `by`"),
        ("from person top by n", 16, "query.syntax", "how many rows of each group"),
        ("from person over mnth 2026-01", 17, "query.syntax", "did you mean `month`?"),
        ("from person over month 2026", 23, "query.syntax", "a month like `2026-10`"),
        ("from person over month 2026-02 to 2026-01", 23, "query.type", "the earlier one first"),
        ("from person over month 1000-01 to 2026-01", 23, "query.limit", "1200"),
        ("from person compare week", 20, "query.syntax", "month, quarter or year"),
        ("from person flow 2026-01-01", 27, "query.syntax", "expected `to`"),
        ("from person flow yesterday to 2026-01-01", 17, "query.syntax", "the name of a version"),
        ("from person sets needy age(b) > 3", 23, "query.syntax", "expected `=`"),
        ("from person with line = x", 24, "query.syntax", "expected a number"),
        ("from person publish min_cell 0", 20, "query.type", "numbers from 1"),
        ("from person after cursor", 18, "query.syntax", "between single quotes"),
        ("from person select a, b = a, a", 29, "query.type", "two columns of the list"),
        ("from person where a in set b", 0, "", ""),
        ("from person where a.b.c.d.e", 26, "query.limit", "the number of parts of a name"),
        ("from person where 王 = @", 22, "query.syntax", "found `@`"),
        ("from person where a > 1 fortnight", 24, "query.syntax", "found `fortnight`"),
        ("from person where a > 1.5 months", 22, "query.type", "a whole number up to 100000"),
    ] {
        match Query::parse(text) {
            Ok(_) => assert_eq!(said, "", "{text}"),
            Err(error) => {
                assert_eq!(error.code(), code, "{text}: {error}");
                assert_eq!(error.position(), Some(position), "{text}: {error}");
                assert!(!said.is_empty() && error.to_string().contains(said), "{text}: {error}");
            }
        }
    }
}

#[test]
fn json_that_is_not_a_question_is_refused() {
    for (json, code, said) in [
        ("", "query.json", "the text ends"),
        ("[]", "query.json", "invalid"),
        (r#"{"where": "a"}"#, "query.json", "missing field `from`"),
        (r#"{"from": "person", "wher": "a"}"#, "query.json", "unknown field `wher`"),
        (r#"{"from": "person", "limit": -1}"#, "query.json", "invalid value"),
        (r#"{"from": "person", "limit": 1e99}"#, "query.json", ""),
        (r#"{"from": "person", "from": "aid"}"#, "query.json", "duplicate field"),
        (r#"{"from": "person", "by": "sex"}"#, "query.json", "invalid type"),
        (r#"{"from": "person", "measures": {"n": 1}}"#, "query.json", "invalid type"),
        (r#"{"from": "person", "where": "a ="}"#, "query.syntax", "/where, position 4"),
        (r#"{"from": "person", "by": ["a", "b b"]}"#, "query.syntax", "/by/1, position 3"),
        (r#"{"from": "person", "measures": {"a/b": "x +"}}"#, "query.syntax", "/measures/a~1b"),
        (r#"{"from": "person", "order": [""]}"#, "query.syntax", "/order/0"),
        (r#"{"from": "person", "as_of": "2026-1-1"}"#, "query.syntax", "/as_of"),
        (r#"{"from": "person", "select": "a"}"#, "query.json", "a list of expressions"),
        (r#"{"from": "person", "select": ["a", "b +"]}"#, "query.syntax", "/select/1"),
        (r#"{"from": "person", "select": {"x": "b +"}}"#, "query.syntax", "/select/x"),
        (
            r#"{"from": "person", "over": {"week": ["2026-01", "2026-02"]}}"#,
            "query.syntax",
            "month",
        ),
        (r#"{"from": "person", "over": {"month": ["2026-01"]}}"#, "query.json", "length"),
        (r#"{"from": "person", "over": {}}"#, "query.json", "one of month"),
        (r#"{"from": "person", "over": {"year": ["2026", "x"]}}"#, "query.syntax", "/over/year/0"),
        (r#"{"from": "person", "flow": {"from": "2026-01-01"}}"#, "query.json", "missing field"),
        (r#"{"from": "person", "flow": {"from": "", "to": "a"}}"#, "query.syntax", "/flow/from"),
        (r#"{"from": "person", "top": {"k": 3, "by": 4}}"#, "query.json", "a key of an order"),
        (r#"{"from": "person", "sets": {"a b": "c"}}"#, "query.json", "no name of a set"),
        (r#"{"from": "person", "sets": {"a": {"of": "aid"}}}"#, "query.json", "`of` and `where`"),
        (r#"{"from": "person", "with": [{}]}"#, "query.json", "is empty"),
        (r#"{"from": "person", "with": [{"line": "much"}]}"#, "query.syntax", "/with/0/line"),
        (r#"{"from": "person", "publish": {"min_cell": 0}}"#, "query.type", "/publish"),
        (r#"{"from": "person", "compare": ["week"]}"#, "query.syntax", "/compare/0"),
    ] {
        let error = Query::from_json(json).unwrap_err();
        assert_eq!(error.code(), code, "{json}: {error}");
        assert!(error.to_string().contains(said), "{json}: {error}");
    }
    let measures: Vec<String> = (0..65).map(|n| format!("\"m{n}\": \"count()\"")).collect();
    let many = format!(r#"{{"from": "person", "measures": {{{}}}}}"#, measures.join(", "));
    assert!(Query::from_json(&many).unwrap_err().to_string().contains("more than 64 named parts"));
}

/// Texts that are meant to break the reader are refused, on a small stack too.
#[test]
fn hostile_texts_are_refused() {
    let deep = |open: &str, close: &str| {
        let (open, close) = (open.repeat(5_000), close.repeat(5_000));
        format!("from person where {open}a{close}")
    };
    let long = |part: &str| format!("from person where a{}", part.repeat(5_000));
    let texts = vec![
        deep("(", ")"),
        deep("not ", ""),
        deep("- ", ""),
        deep("any(aid where ", ")"),
        deep("if(a, ", ", b)"),
        deep("(a = ", ")"),
        deep("b in (", ")"),
        long(" + b"),
        long(" * b"),
        long(" = b"),
        long(".b"),
        format!("from person where a in ({})", "1, ".repeat(11_000)),
        format!("from person where {}", "a or ".repeat(11_000)),
        format!("from person where a = {}", "9".repeat(40_000)),
        format!("from person where a = '{}'", "x".repeat(70_000)),
        format!("from person by {}", "a, ".repeat(500)),
        format!("from person measure {}", "count(), ".repeat(500)),
        "from person where a = '\u{0}".to_owned(),
        "from person where \u{202e}a = b".to_owned(),
        "from person where a = b\u{301}\u{200b}".to_owned(),
        "from person where a = 1e5".to_owned(),
        "from person where a = 0x10".to_owned(),
        "from person where a = .5".to_owned(),
        "\u{feff}from person".to_owned(),
    ];
    let read = move || {
        for text in texts {
            // A long number is a number; whether it fits is asked later.
            let long_number = text.ends_with("99");
            let found = Query::parse(&text);
            let head: String = text.chars().take(60).collect();
            assert_eq!(found.is_ok(), long_number, "{head}");
            if let Err(error) = found {
                assert!(error.to_string().chars().count() < 700, "{head}: {error}");
            }
        }
        let nested = format!("{{\"from\": {}1{}}}", "[".repeat(9_000), "]".repeat(9_000));
        assert_eq!(Query::from_json(&nested).unwrap_err().code(), "query.json");
        let nested = nested.replace("from", "sets");
        assert_eq!(Query::from_json(&nested).unwrap_err().code(), "query.json");
    };
    std::thread::Builder::new().stack_size(512 << 10).spawn(read).unwrap().join().unwrap();
}

/// The mark stands under the word whatever the width of what is before it; of a long text only
/// the line of the word is shown, and of a long line what is near it.
#[test]
fn the_mark_stands_under_the_word() {
    let told = |text: &str| Query::parse(text).unwrap_err().to_string();
    assert!(
        told("from person where a = @")
            .ends_with(&format!("\n  from person where a = @\n  {}^", " ".repeat(22)))
    );
    // A wide letter takes two columns.
    assert!(
        told("from person where 王 = @")
            .ends_with(&format!("\n  from person where 王 = @\n  {}^", " ".repeat(23)))
    );
    assert!(told("from person\nwhere a\n  = @\nlimit 3").ends_with("\n    = @\n      ^"));
    let long = format!("from person where {} @ {}", "a or ".repeat(60), "or b ".repeat(60));
    let shown = told(&long);
    assert!(shown.contains("\n  …") && shown.lines().all(|line| line.chars().count() < 170));
}
