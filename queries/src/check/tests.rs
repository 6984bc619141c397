//! The kinds of expressions in the platform's own schema, and what is wrong with others.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use yiku::schema::PathNode;
use yiku::{PathTree, Schema};

use crate::check_expression;

fn schema() -> Schema {
    Schema::from_toml(include_str!("../../../indexer/registry.toml")).unwrap()
}

#[test]
fn every_expression_has_a_kind() {
    let schema = schema();
    for (table, text, kind) in [
        ("person", "sex", "code of sex"),
        ("person", "tags", "codes of tags"),
        ("person", "name", "text"),
        ("person", "employed", "flag"),
        ("person", "region", "region"),
        ("person", "region.county", "level of region"),
        ("person", "household.region.county", "level of region"),
        ("person", "household.income", "money"),
        ("person", "birth_date", "date"),
        ("observation", "month", "month"),
        ("observation", "month + 1 year", "month"),
        ("person", "birth_date + 100 years", "date"),
        ("person", "as_of - birth_date", "int"),
        ("person", "age(birth_date)", "int"),
        ("person", "1.5 * 2", "number"),
        ("person", "0.5 * monthly_income", "money (fractional)"),
        ("person", "monthly_income / household.income", "number"),
        ("person", "monthly_income / 3", "money (fractional)"),
        ("person", "monthly_income + 3", "money"),
        ("person", "monthly_income + 3.5", "money"),
        ("person", "per_capita(household.income)", "money (fractional)"),
        ("household", "count(aid where running)", "int"),
        ("household", "sum(person.monthly_income)", "money"),
        ("household", "avg(person.monthly_income)", "money (fractional)"),
        ("household", "max(person.birth_date)", "date"),
        ("household", "max(observation.month)", "month"),
        ("household", "max(sum(person.monthly_income), income)", "money"),
        ("person", "coalesce(sex, male)", "code of sex"),
        ("person", "coalesce(employed, false)", "flag"),
        ("person", "if(employed, 1, 2.5)", "number"),
        ("person", "band(monthly_income, 0, 500)", "band"),
        ("person", "sex = male", "flag"),
        ("person", "male = sex", "flag"),
        ("person", "(employed = true) is known", "flag"),
        ("aid", "running", "flag"),
        ("aid", "start >= 2026-01", "flag"),
        ("aid", "person.household_id = 'x'", "error"),
    ] {
        let found = check_expression(&schema, None, table, text);
        match found {
            Ok(found) => assert_eq!(found, kind, "{text}"),
            Err(error) => assert_eq!(kind, "error", "{text}: {error}"),
        }
    }
}

#[test]
fn what_does_not_go_together_is_refused_with_advice() {
    let schema = schema();
    let node = PathNode { code: 140_000_000_000, level: 0, name: "North".into() };
    let tree = PathTree::new(&schema.path, vec![node]).unwrap();
    for (table, text, code, said) in [
        ("person", "sex < male", "query.type", "codes have no order"),
        ("person", "sex in (male, femal)", "query.unknown_code", "did you mean `female`?"),
        ("person", "sex = 3", "query.unknown_code", "no code `3` in the list sex"),
        ("person", "tags in (orphan)", "query.type", "has any"),
        ("person", "tags has any (orphn)", "query.unknown_code", "did you mean `orphan`?"),
        ("person", "sex has any (male)", "query.type", "`has` asks a set of codes"),
        ("person", "employed > true", "query.type", "a flag stands alone"),
        ("person", "birth_date > 3", "query.type", "no `>` of a date and an int"),
        ("person", "birth_date - 3 > as_of", "query.type", "write the unit: `30 days`"),
        ("observation", "month + 3 days > as_of", "query.type", "make no month"),
        ("person", "name > 'a'", "query.type", "texts take `=`, `!=`, `in` and `starts`"),
        ("person", "name < id_number", "query.type", "no `<` of a text and a text"),
        ("person", "region = 14", "query.type", "write `region within CODE`"),
        ("person", "region within 15", "query.unknown_region", "no region `15`; nearest: 14 North"),
        ("person", "region within North", "query.unknown_region", "nearest: 14 North"),
        ("person", "region within 'North'", "query.unknown_region", "nearest: 14 North"),
        ("person", "sex within 14", "query.type", "`within` asks region, not a code of sex"),
        ("person", "aid.amount > 3", "query.type", "`aid` has many rows beneath one of person"),
        ("person", "warning.level = red", "query.type", "`warning` is not above person"),
        ("person", "count(warning) > 3", "query.unknown_table", "no table `warning` beneath"),
        ("person", "any(aids)", "query.unknown_table", "did you mean `aid`?"),
        ("person", "sum(monthly_income) > 3", "query.type", "`sum(TABLE.column)`"),
        ("person", "age(sex) > 3", "query.type", "expected a date, found a code of sex"),
        ("person", "age() > 3", "query.type", "`age` takes one date"),
        ("person", "share(count()) > 3", "query.type", "stands only in a measure"),
        ("person", "if(1, 2, 3) = 2", "query.type", "expected a condition, found an int"),
        ("person", "if(employed, 1, sex) = 2", "query.type", "expected an int, found a code"),
        ("person", "coalesce(sex)", "query.type", "two values or more"),
        ("person", "max(sex, sex) = male", "query.type", "codes have no order"),
        ("person", "1 / monthly_income > 3", "query.type", "divided by money has no unit"),
        ("person", "monthly_income = 'x'", "query.type", "no `=` of money and a text"),
        ("person", "abs(3 where employed) = 3", "query.type", "`abs` takes no `where`"),
        ("person", "monthly_income > 99999999999999999999", "query.type", "at most 18 digits"),
        ("person", "monthly_income > 999999999999999999", "query.type", "beyond 64 bits"),
        ("person", "monthly_income < $line", "query.unknown_parameter", "no parameter `$line`"),
        ("person", "matches(name, '-')", "query.type", "no letter or digit"),
        ("person", "running", "query.unknown_column", "no column `running` on person"),
        ("person", "employed.sex", "query.unknown_table", "no table `employed`"),
    ] {
        let error = check_expression(&schema, Some(&tree), table, text).unwrap_err();
        assert_eq!(error.code(), code, "{text}: {error}");
        assert!(error.to_string().contains(said), "{text}: {error}");
    }
}

/// What is looked at twice at each of many depths would never end.
#[test]
fn nesting_does_not_multiply_the_work() {
    let schema = schema();
    let mut between = "monthly_income".to_owned();
    for _ in 0..20 {
        between = format!("if({between} between 1 and 2, 1, 2)");
    }
    let error = check_expression(&schema, None, "person", &between).unwrap_err();
    assert_eq!(error.code(), "query.limit", "{error}");
    let mut once = "employed".to_owned();
    for _ in 0..15 {
        once = format!("coalesce(if({once}, severe_illness, false), true) = true");
    }
    assert_eq!(check_expression(&schema, None, "person", &once).unwrap(), "flag");
}
