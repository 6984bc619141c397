//! Laws that hold whatever the rows are: the algebra of filters, totals and their parts.

use yiku::Snapshot;
use yiku_queries::{Answer, Values};
use yiku_tests::Random;
use yiku_tests::registry::{self, AS_OF};

use crate::answer;
use crate::draw::Draw;

fn matched(snapshot: &Snapshot, table: &str, condition: &str) -> u64 {
    answer(snapshot, &format!("from {table} where {condition}"), 1).matched
}

/// True, false and unknown share the rows out; `and` and `or` are each other's complement.
#[test]
fn filters_obey_the_algebra_of_sets() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, _) = registry::grown(&folder.path().join("grown"), 2, 240);
    let (schema, tree) = (snapshot.schema(), snapshot.tree());
    let mut random = Random::new(5);
    for round in 0..150 {
        let table = round % schema.tables.len();
        let name = &schema.tables[table].name;
        let mut draw = Draw { random: &mut random, schema, tree, as_of: AS_OF };
        let (a, b) = (draw.condition(table, 2).text, draw.condition(table, 2).text);
        let count = |condition: &str| matched(&snapshot, name, condition);
        let all = snapshot.rows(table);
        let (yes, no) = (count(&a), count(&format!("not ({a})")));
        let unknown = count(&format!("({a}) is unknown"));
        assert_eq!(yes + no + unknown, all, "{a}");
        assert_eq!(count(&format!("not (not ({a}))")), yes, "{a}");
        let either = count(&format!("({a}) or ({b})"));
        let both = count(&format!("({a}) and ({b})"));
        assert_eq!(either + both, yes + count(&b), "{a} | {b}");
        let de_morgan = count(&format!("not (not ({a}) and not ({b}))"));
        assert_eq!(de_morgan, either, "{a} | {b}");
        assert_eq!(count(&format!("({b}) and ({a})")), both, "{a} | {b}");
        let neither = count(&format!("not (({a}) or ({b}))"));
        assert_eq!(count(&format!("not ({a}) and not ({b})")), neither, "{a} | {b}");
    }
}

fn counts(answer: &Answer, name: &str) -> Vec<i64> {
    let column = answer.columns.iter().find(|c| c.name == name).unwrap();
    match &column.values {
        Values::Int(values) => values.iter().map(|v| v.unwrap()).collect(),
        other => panic!("{other:?}"),
    }
}

/// Every total is the sum of its parts, for what adds up.
#[test]
fn totals_equal_their_parts() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, _) = registry::grown(&folder.path().join("grown"), 3, 240);
    for by in ["region.city, region.county, sex", "employed, band(age(birth_date), 0, 18, 60)"] {
        let text = format!(
            "from person by {by} measure n = count(), s = sum(monthly_income), \
             ill = count(where severe_illness) totals"
        );
        let answer = answer(&snapshot, &text, 1);
        let last = *answer.levels.iter().max().unwrap();
        assert!(last > 1 && answer.levels.last() == Some(&last), "{:?}", answer.levels);
        for name in ["n", "s", "ill"] {
            let values = counts(&answer, name);
            for level in 0..=last {
                let own = values.iter().zip(&answer.levels).filter(|(_, l)| **l == level);
                let sum: i64 = own.map(|(value, _)| value).sum();
                assert_eq!(Some(&sum), values.last(), "{by}, {name}, level {level}");
            }
        }
        // A total stands behind its parts: between two totals of a level lie its parts alone.
        let (values, mut sum) = (counts(&answer, "n"), 0);
        for (value, level) in values.iter().zip(&answer.levels) {
            match level {
                0 => sum += value,
                1 => assert_eq!(std::mem::take(&mut sum), *value, "{by}"),
                _ => {}
            }
        }
    }
}
