//! Expressions asked of bundles given as JSON: outcomes, what is read and missing, and that an
//! offered change turns its clause while no nearer one does.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use serde_json::{Map, Value, json};
use yiku::schema::Kind;
use yiku::{PathTree, Schema, calendar};

use super::ask::ask_within;
use super::clause::Outcome;
use super::draw_tests::{DAY, Draw, schemas, tree};
use super::rows::{Cell, Rows};
use super::shown::cell_text;
use super::{Asking, Change, ClauseTold, Error, Standards, Told, ValueRead, ask};
use crate::Context;

fn told(bundle: &Value, table: Option<&str>, expression: &str) -> Result<Told, Error> {
    let (schema, standards) = (schemas().remove(0), Standards::builtin()?);
    let as_of = calendar::parse_date(DAY);
    let context = Context::default().parameters(&standards);
    let asking = Asking { table, as_of, context, ..Asking::of(&schema) };
    ask(&asking, &bundle.to_string(), expression)
}

fn family() -> Value {
    json!({
        "household_id": "H1", "region": "140105", "urban": true, "income": 2000.5,
        "person": [
            {
                "person_id": "P1", "name": "王一", "birth_date": "1950-03-01", "sex": "female",
                "employed": false, "monthly_income": "1500.00", "tags": ["living_alone", "03"],
                "disability_grade": 2,
                "aid": [{ "kind": "dibao_urban", "start": "2024-01-01", "amount": 300 }],
            },
            { "person_id": "P2", "birth_date": "2010-05-31", "sex": 1, "employed": null },
        ],
    })
}

#[test]
fn a_tree_says_what_was_read_what_is_missing_and_what_would_turn_it() {
    let asked = "age(birth_date) between 18 and 59 and not employed or disability_grade = 2";
    let text = told(&family(), Some("person"), asked).unwrap().to_string();
    let expected = "\
person[0] (P1): met
  met         age(birth_date) between 18 and 59 and not employed or disability_grade = 2
    would turn  person[0].disability_grade: grade_2 -> grade_1 or grade_3 or grade_4
    not met     age(birth_date) between 18 and 59 and not employed
      would turn  person[0].birth_date: 1950-03-01 -> 1966-11-01 (+6089 days)
      not met     age(birth_date) between 18 and 59
        is          age(birth_date) = 76
        read        person[0].birth_date = 1950-03-01
        would turn  person[0].birth_date: 1950-03-01 -> 1966-11-01 (+6089 days)
      met         not employed
        would turn  person[0].employed: false -> true
        not met     employed
          read        person[0].employed = false
          would turn  person[0].employed: false -> true
    met         disability_grade = 2
      read        person[0].disability_grade = grade_2
      would turn  person[0].disability_grade: grade_2 -> grade_1 or grade_3 or grade_4
person[1] (P2): cannot tell
  cannot tell age(birth_date) between 18 and 59 and not employed or disability_grade = 2
    missing     person[1].disability_grade
    not met     age(birth_date) between 18 and 59 and not employed
      not met     age(birth_date) between 18 and 59
        is          age(birth_date) = 16
        read        person[1].birth_date = 2010-05-31
        would turn  person[1].birth_date: 2010-05-31 -> 2008-10-31 (-577 days)
      cannot tell not employed
        missing     person[1].employed
        cannot tell employed
          read        person[1].employed = unknown
          missing     person[1].employed
    cannot tell disability_grade = 2
      read        person[1].disability_grade = unknown
      missing     person[1].disability_grade
";
    assert_eq!(text, expected);
}

#[test]
fn values_of_every_kind_are_told() {
    let check = |table: &str, expression: &str, expected: Option<&str>| {
        let found = told(&family(), Some(table), expression).unwrap();
        assert_eq!(found.rows[0].value.as_deref(), expected, "{expression}");
    };
    check("household", "per_capita(income)", Some("1000.25"));
    check("household", "income / 7", Some("285.785714"));
    check("household", "income * 0.5", Some("1000.25"));
    check("household", "income * 0.005", Some("10.0025"));
    check("household", "count(person)", Some("2"));
    check("household", "avg(person.monthly_income)", Some("1500.00"));
    check("household", "region", Some("140105"));
    check("household", "region.city", Some("1401"));
    check("household", "region.village", None);
    check("household", "max(aid.start) + 2 months", Some("2024-03-01"));
    check("household", "relapse_since", None);
    check("person", "band(age(birth_date), 0, 18, 60)", Some("[60,)"));
    check("person", "coalesce(marital, married)", Some("married"));
    check("person", "tags", Some("(single_parent, living_alone)"));
    check("person", "name", Some("王一"));
    check("person", "1 / 0", None);
    check("person", "0.25 + 1", Some("1.25"));
    check("person", "as_of", Some(DAY));
    check("person", "2026-10 - 1 year", Some("2025-10"));
    check("person", "household.urban", Some("true"));
}

#[test]
fn counts_say_how_many_more_or_fewer() {
    let check = |expression: &str, expected: &[(&str, &str, &str)]| {
        let found = told(&family(), Some("household"), expression).unwrap();
        let changes = found.rows[0].clause.changes.iter().filter(|c| c.path.starts_with("count"));
        let changes: Vec<(&str, &str, &str)> = changes
            .map(|c| (c.path.as_str(), c.to[0].as_str(), c.by.as_deref().unwrap()))
            .collect();
        assert_eq!(changes, expected, "{expression}");
    };
    check("count(person) >= 5", &[("count(person)", "5", "+3")]);
    check("not (count(person) > 0)", &[("count(person)", "0", "-2")]);
    check("any(person where employed)", &[("count(person where employed)", "1", "+1")]);
    check("none(aid where running)", &[("count(aid where running)", "0", "-1")]);
    let all = "count(person where not coalesce(sex = female, false))";
    check("all(person where sex = female)", &[(all, "0", "-1")]);
    // A person more would be one more on both sides.
    check("count(person where employed) * 2 > count(person)", &[]);
    check("count(person) = count(person) + 1", &[]);
}

fn refused_bundle(bundle: &str, expected: &str) {
    let schema = schemas().remove(0);
    let found = ask(&Asking::of(&schema), bundle, "true").unwrap_err();
    assert!(matches!(found, Error::Bundle { .. }));
    assert_eq!(found.to_string(), expected, "{bundle}");
}

#[test]
fn a_wrong_bundle_is_an_error_with_its_path() {
    let check = |bundle: &str, expected: &str| refused_bundle(bundle, expected);
    let of_person = |field: &str| format!(r#"{{"person": [{{}}, {{{field}}}]}}"#);
    check("", "household: it is no JSON: EOF while parsing a value at line 1 column 0");
    check("[]", "household: expected an object of the columns of household, found a list");
    check(
        "{\"urban\": true} x",
        "household: it is no JSON: trailing characters at line 1 column 17",
    );
    check(r#"{"urban": 1}"#, "urban: expected true or false, found the number 1");
    check(r#"{"urban": true, "urban": false}"#, "urban: it stands twice");
    check(
        r#"{"incomee": 1}"#,
        "incomee: household has no column and no table beneath it of this name; did you mean \
         `income`?",
    );
    check(
        r#"{"persons": []}"#,
        "persons: household has no column and no table beneath it of this name; did you mean \
         `person`?",
    );
    check(r#"{"aid": []}"#, "aid: rows of aid stand beneath person, not household");
    check(
        r#"{"birth_date": "1990-01-01"}"#,
        "birth_date: birth_date is a column of person, not of household",
    );
    check(
        r#"{"xyzzy": []}"#,
        "xyzzy: household has no column and no table beneath it of this name",
    );
    check(r#"{"person": {}}"#, "person: expected a list of rows, found an object");
    check(
        r#"{"person": [7]}"#,
        "person[0]: expected an object of the columns of person, found the number 7",
    );
    check(
        &of_person(r#""birth_date": "31.05.2010""#),
        "person[1].birth_date: expected a day like \"2026-10-31\", in quotes, found the text \
         \"31.05.2010\"",
    );
    check(
        &of_person(r#""sex": "femal""#),
        "person[1].sex: no code the text \"femal\" in the list sex; did you mean `female`?",
    );
    check(
        &of_person(r#""tags": ["orphan", "orphen"]"#),
        "person[1].tags[1]: no code the text \"orphen\" in the list tags; did you mean `orphan`?",
    );
    check(
        &of_person(r#""tags": "orphan""#),
        "person[1].tags: expected a list of codes, found the text \"orphan\"",
    );
}

#[test]
fn a_wrong_amount_or_too_much_is_an_error_with_its_path() {
    let check = |bundle: &str, expected: &str| refused_bundle(bundle, expected);
    let of_person = |field: &str| format!(r#"{{"person": [{{}}, {{{field}}}]}}"#);
    let amount = "person[1].monthly_income: expected an amount in yuan with at most two decimals";
    check(&of_person(r#""monthly_income": 0.001"#), &format!("{amount}, found the number 0.001"));
    check(&of_person(r#""monthly_income": "1,5""#), &format!("{amount}, found the text \"1,5\""));
    check(
        &of_person(r#""monthly_income": 1e17"#),
        &format!("{amount}, found the number 100000000000000000"),
    );
    check(
        &of_person(r#""monthly_income": 12345678901234.56"#),
        &format!("{amount}, found the number 12345678901234.56"),
    );
    check(
        &of_person(r#""aid": [{"start": "2026-02-30"}]"#),
        "person[1].aid[0].start: expected a day like \"2026-10-31\", in quotes, found the text \
         \"2026-02-30\"",
    );
    check(
        r#"{"region": "1401051"}"#,
        "region: expected the code of a place, 2, 4, 6, 9, 12 digits long, found the text \
         \"1401051\"",
    );
    check(
        r#"{"person": [{"person_id": "P"}, {"person_id": "P"}]}"#,
        "person[1].person_id: another row of the table has the key \"P\"",
    );
    let long = format!(r#"{{"address": "{}"}}"#, "x".repeat(5_000));
    check(&long, "address: it has 5000 bytes; the limit is 4096");
    let large = format!(r#"{{"address": "{}"}}"#, "x".repeat(2_000_000));
    check(&large, "household: it has 2000015 bytes; the limit is 1048576");
    let many = format!(r#"{{"person": [{}]}}"#, vec!["{}"; 5_000].join(","));
    check(&many, "person: the rows are 5001 with these; the limit is 4096");
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    check(&deep, "household: it is no JSON: recursion limit exceeded at line 1 column 128");
}

#[test]
fn a_wrong_expression_is_its_own_error() {
    let check = |table: Option<&str>, expression: &str, expected: &str| {
        let found = told(&family(), table, expression).unwrap_err();
        assert!(matches!(found, Error::Asked { .. }), "{found}");
        assert!(found.to_string().contains(expected), "{found}");
    };
    check(
        Some("persn"),
        "true",
        "position 1: no table `persn` in the schema; did you mean `person`?",
    );
    check(None, "emploid", "position 1: no column `emploid`");
    check(None, "employed and", "position 13: expected a value");
    let parts = vec!["employed"; 10_000].join(" and ");
    check(Some("person"), &parts, "the number of bytes of the question");
    let parts = vec!["a"; 10_001].join(" or ");
    check(Some("person"), &parts, "the number of parts of an `or` is 10001; the limit is 10000");
}

#[test]
fn the_first_table_that_fits_is_asked() {
    let check = |expression: &str, table: &str, rows: usize| {
        let found = told(&family(), None, expression).unwrap();
        assert_eq!((found.table.as_str(), found.rows.len()), (table, rows), "{expression}");
    };
    check("urban", "household", 1);
    check("employed", "person", 2);
    check("running", "aid", 1);
    let none = told(&json!({}), None, "employed").unwrap();
    assert_eq!(none.to_string(), "the household has no person\n");
}

#[test]
fn where_it_lives_may_be_open() {
    let found = told(&json!({}), None, "region within 14").unwrap();
    assert_eq!(found.rows[0].clause.outcome, Some(Outcome::Unknown));
    assert_eq!(found.rows[0].clause.missing, ["region"]);
    let found = told(&json!({"region": "15"}), None, "region within (1401, 140205)").unwrap();
    assert_eq!(found.rows[0].clause.changes[0].to, ["1401", "140205"]);
}

#[test]
fn a_parameter_is_that_of_the_place() {
    let asked = "per_capita(income) * 12 < $dibao_line";
    let found = told(&family(), None, asked).unwrap();
    assert_eq!(found.rows[0].clause.outcome, Some(Outcome::NotMet));
    let mut nowhere = family();
    nowhere.as_object_mut().unwrap().remove("urban");
    let found = told(&nowhere, None, asked).unwrap();
    assert_eq!(found.rows[0].clause.missing, ["urban"]);
    let error = told(&family(), None, "income < $dibao_lin").unwrap_err();
    assert!(error.to_string().contains("did you mean `dibao_line`?"), "{error}");
}

/// A household as the JSON that a person would write.
fn document(schema: &Schema, rows: &Rows, table: usize, row: usize) -> Value {
    let mut fields = Map::new();
    for (column, declared) in schema.tables[table].columns.iter().enumerate() {
        let Some(cell) = rows.cell(table, row, column) else { continue };
        fields.insert(declared.name.clone(), written(schema, (table, column), cell));
    }
    for child in schema.children(table) {
        let list = rows.beneath(schema, table, row, child);
        let list: Vec<Value> = list.map(|row| document(schema, rows, child, row)).collect();
        fields.insert(schema.tables[child].name.clone(), Value::Array(list));
    }
    Value::Object(fields)
}

fn written(schema: &Schema, (table, column): (usize, usize), cell: &Cell) -> Value {
    let declared = &schema.tables[table].columns[column];
    match (declared.kind, cell) {
        (Kind::Flag, Cell::Int(value)) => json!(*value == 1),
        (Kind::Int, Cell::Int(value)) => json!(value),
        (Kind::Codes, Cell::Int(bits)) => {
            let codes = schema.lists[declared.list.unwrap()].codes.iter().enumerate();
            let own = codes.filter(|(place, _)| bits >> place & 1 == 1);
            json!(own.map(|(_, code)| code.name.clone()).collect::<Vec<_>>())
        }
        (Kind::Path, Cell::Int(code)) => {
            json!(format!("{code:0width$}", width = usize::from(schema.path.digits())))
        }
        _ => json!(cell_text(schema, (table, column), cell)),
    }
}

/// The place of a path in a document.
fn at<'v>(document: &'v mut Value, path: &str) -> &'v mut Value {
    let mut at = document;
    for part in path.split('.') {
        let (name, place) = part.split_once('[').unwrap_or((part, ""));
        at = at.as_object_mut().unwrap().entry(name).or_insert(Value::Null);
        if let Some(place) = place.strip_suffix(']') {
            at = &mut at[place.parse::<usize>().unwrap()];
        }
    }
    at
}

/// The kind of the column at a path.
fn kind_at(schema: &Schema, path: &str) -> Kind {
    let (row, column) = path.rsplit_once('.').unwrap_or(("", path));
    let table = row.rsplit('.').next().unwrap().split('[').next().unwrap();
    let table = schema.table_index(table).unwrap_or(0);
    let column = schema.tables[table].column_index(column).unwrap();
    schema.tables[table].columns[column].kind
}

/// A number, an amount, a day, a month as it counts inside, and back.
fn inside(kind: Kind, text: &str) -> i64 {
    match kind {
        Kind::Date => calendar::parse_date(text).unwrap(),
        Kind::Month => calendar::parse_month(text).unwrap(),
        Kind::Money => text.replace('.', "").parse().unwrap(),
        _ => text.parse().unwrap(),
    }
}

fn outside(kind: Kind, value: i64) -> Value {
    match kind {
        Kind::Date => json!(calendar::date_text(value)),
        Kind::Month => json!(calendar::month_text(value)),
        Kind::Money => {
            let sign = if value < 0 { "-" } else { "" };
            let size = value.unsigned_abs();
            json!(format!("{sign}{}.{:02}", size / 100, size % 100))
        }
        _ => json!(value),
    }
}

/// What came of every clause, in the order of the tree.
fn clauses(clause: &ClauseTold) -> Vec<&ClauseTold> {
    std::iter::once(clause).chain(clause.parts.iter().flat_map(clauses)).collect()
}

struct Trial<'a> {
    schema: &'a Schema,
    tree: &'a PathTree,
    document: &'a Value,
    table: &'a str,
    text: &'a str,
    row: usize,
    /// The place of the clause in the tree.
    clause: usize,
}

impl Trial<'_> {
    /// What comes of the clause over another household; none on an error.
    fn outcome(&self, document: &Value) -> Option<Outcome> {
        let (table, as_of) = (Some(self.table), calendar::parse_date(DAY));
        let tree = Some(self.tree);
        let asking = Asking { tree, table, as_of, ..Asking::of(self.schema) };
        let told = ask_within(&asking, &document.to_string(), self.text, 0).ok()?;
        clauses(&told.rows[self.row].clause)[self.clause].outcome
    }

    fn with(&self, path: &str, value: Value) -> Option<Outcome> {
        let mut document = self.document.clone();
        *at(&mut document, path) = value;
        self.outcome(&document)
    }

    /// That a change turns the clause, and nothing nearer does.
    fn holds(&self, before: Outcome, change: &Change) {
        let turned = if before == Outcome::Met { Outcome::NotMet } else { Outcome::Met };
        let say = || format!("{}: {}\n{change:?}\n{}", self.table, self.text, self.document);
        let kind = kind_at(self.schema, &change.path);
        for to in &change.to {
            let value = match kind {
                Kind::Flag => json!(to == "true"),
                Kind::Code | Kind::Text | Kind::Id | Kind::Path => json!(to),
                Kind::Codes => {
                    let mut document = self.document.clone();
                    let mut set = at(&mut document, &change.path).as_array().unwrap().clone();
                    match to.strip_prefix('+') {
                        Some(code) => set.push(json!(code)),
                        None => set.retain(|code| code != to.strip_prefix('-').unwrap()),
                    }
                    json!(set)
                }
                kind => outside(kind, inside(kind, to)),
            };
            assert_eq!(self.with(&change.path, value), Some(turned), "{}", say());
        }
        if matches!(kind, Kind::Int | Kind::Money | Kind::Date | Kind::Month) {
            let now = inside(kind, change.now.as_ref().unwrap());
            let (start, end) = (i128::from(now), i128::from(inside(kind, &change.to[0])));
            let far = (end - start).abs();
            let near = (1..5).chain(far - 4..far).chain((1..6).map(|part| far * part / 7));
            let near = near.filter(|n| *n > 0 && *n < far);
            let near = near.flat_map(|n| [start - n, start + n]);
            for nearer in near.filter_map(|value| i64::try_from(value).ok()) {
                let value = outside(kind, nearer);
                assert_ne!(self.with(&change.path, value), Some(turned), "{nearer} {}", say());
            }
        }
    }
}

impl Trial<'_> {
    /// That of a value of which no change is offered none turns the clause; how many were tried.
    fn misses(&self, before: Outcome, found: &ClauseTold, read: &ValueRead) -> usize {
        let turned = if before == Outcome::Met { Outcome::NotMet } else { Outcome::Met };
        if found.changes.iter().any(|change| change.path == read.path) || found.changes.len() > 15 {
            return 0;
        }
        let kind = kind_at(self.schema, &read.path);
        let others: Vec<Value> = match kind {
            Kind::Flag => vec![json!(true), json!(false)],
            Kind::Int if read.value.is_some() => (-3..12).map(|value| json!(value)).collect(),
            Kind::Money if read.value.is_some() => {
                [-1, 0, 1, 100, 9_999, 10_001].map(|value| outside(kind, value)).to_vec()
            }
            Kind::Date if read.value.is_some() => {
                let around = inside(kind, DAY) - 500..inside(kind, DAY) + 500;
                around.step_by(73).map(|value| outside(kind, value)).collect()
            }
            _ => Vec::new(),
        };
        for value in &others {
            let outcome = self.with(&read.path, value.clone());
            let say = || format!("{} {value}: {}\n{}", read.path, self.text, self.document);
            assert_ne!(outcome, Some(turned), "{}: {}", found.text, say());
        }
        others.len()
    }
}

#[test]
fn an_offered_change_turns_its_clause_and_no_nearer_one_does() {
    let mut offered = std::collections::BTreeMap::<String, usize>::new();
    let mut tried = 0;
    for (schema, seed) in schemas().iter().zip([11, 12, 13]) {
        let tree = tree(schema);
        let mut draw = Draw::new(seed, schema);
        let households: Vec<Rows> = (0..12).map(|place| draw.household(place)).collect();
        for _ in 0..250 {
            let (table, depth) = (draw.below(schema.tables.len()), draw.below(4));
            let text = draw.condition(table, depth);
            let rows = draw.of(&households);
            let document = document(schema, &rows, 0, 0);
            let table = schema.tables[table].name.as_str();
            let as_of = calendar::parse_date(DAY);
            let asking =
                Asking { tree: Some(&tree), table: Some(table), as_of, ..Asking::of(schema) };
            let told = ask(&asking, &document.to_string(), &text);
            let Ok(told) = told else { continue };
            let tree = &tree;
            for (row, told) in told.rows.iter().enumerate().take(3) {
                for (clause, found) in clauses(&told.clause).into_iter().enumerate() {
                    let (text, document) = (text.as_str(), &document);
                    let trial = Trial { schema, tree, document, table, text, row, clause };
                    for change in found.changes.iter().filter(|c| !c.path.contains('(')) {
                        trial.holds(found.outcome.unwrap(), change);
                        let kind = kind_at(schema, &change.path);
                        *offered.entry(kind.word().to_owned()).or_default() += 1;
                    }
                    let turns = found.outcome.filter(|o| *o != Outcome::Unknown);
                    if let (Some(before), true) = (turns, found.joined.is_none()) {
                        tried += found
                            .read
                            .iter()
                            .map(|r| trial.misses(before, found, r))
                            .sum::<usize>();
                    }
                }
            }
        }
    }
    assert!(tried > 1_000, "{tried}");
    for kind in ["flag", "code", "codes", "int", "money", "date", "month", "text", "path"] {
        assert!(offered.get(kind).is_some_and(|count| *count > 5), "{kind}: {offered:?}");
    }
}
