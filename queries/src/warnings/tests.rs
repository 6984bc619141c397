//! Every rule on planted households: it fires for those it should, and for no other.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::collections::BTreeSet;

use yiku::schema::PathNode;
use yiku::{CommitInfo, Database, PathTree, Schema, Snapshot, Value, calendar};

use super::evaluate::unknown_to;
use super::{Error, Hit, Level, Outcome, RuleOutcome, Rules, evaluate};
use crate::check_expression;

const DAY: &str = "2026-10-31";
const REGISTRY: &str = include_str!("../../../indexer/registry.toml");
/// Households for each rule: `+` it fires, `-` it does not, `?` its condition is unknown. A
/// household, then `/` and each person, then `+` and each row beneath that person.
const PLANTED: &str = include_str!("planted.txt");

struct Planted {
    rule: String,
    sign: char,
    text: String,
}

fn planted() -> Vec<Planted> {
    let mut found = Vec::new();
    let mut rule = String::new();
    for line in PLANTED.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        match line.split_once(' ') {
            Some((sign @ ("+" | "-" | "?"), text)) => {
                let sign = sign.chars().next().unwrap();
                found.push(Planted { rule: rule.clone(), sign, text: text.to_owned() });
            }
            _ => rule = line.trim().to_owned(),
        }
    }
    found
}

fn schema() -> Schema {
    Schema::from_toml(REGISTRY).unwrap()
}

fn tree(schema: &Schema) -> PathTree {
    let node = |(code, level): (u64, u8)| PathNode { code, level, name: format!("p{code}") };
    let places = [
        (140_000_000_000, 0),
        (140_100_000_000, 1),
        (140_105_000_000, 2),
        (140_105_001_000, 3),
        (140_105_001_001, 4),
        (140_700_000_000, 1),
        (140_702_000_000, 2),
        (140_702_001_000, 3),
        (140_702_001_001, 4),
    ];
    PathTree::new(&schema.path, places.map(node).to_vec()).unwrap()
}

/// One row of a table from `column=value` pairs.
fn row(batch: &mut yiku::Batch, table: &str, key: &str, text: &str, given: &[(&str, &str)]) {
    let mut row = batch.row(table).unwrap().set(&format!("{table}_id"), key).unwrap();
    let written = text.split_whitespace().map(|pair| pair.split_once('=').unwrap());
    let written: Vec<(&str, &str)> = written.collect();
    let absent = given.iter().filter(|(name, _)| written.iter().all(|(own, _)| own != name));
    for (column, value) in written.iter().chain(absent) {
        row = match *value {
            "?" => row,
            "none" => row.set(column, Value::Int(0)).unwrap(),
            value => row.set(column, value).unwrap(),
        };
    }
}

/// A snapshot of the planted households, spread over so many segments.
fn snapshot(planted: &[Planted], segments: usize) -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let schema = schema();
    let tree = tree(&schema);
    let database = Database::create(&folder.path().join("d"), schema, tree).unwrap();
    let mut writer = database.writer().unwrap();
    let as_of = calendar::parse_date(DAY);
    for part in 0..segments {
        let mut batch = writer.batch();
        for (place, one) in planted.iter().enumerate().filter(|(n, _)| n % segments == part) {
            let mut persons = one.text.split('/');
            let own = persons.next().unwrap();
            let given = [("region", "140105001001"), ("urban", "true")];
            row(&mut batch, "household", &format!("H{place:03}"), own, &given);
            for (member, person) in persons.enumerate() {
                let mut parts = person.split('+');
                let key = format!("P{place:03}_{member}");
                row(&mut batch, "person", &key, parts.next().unwrap(), &[("tags", "none")]);
                for (number, beneath) in parts.enumerate() {
                    let (table, text) = beneath.trim().split_once(' ').unwrap();
                    row(&mut batch, table, &format!("{key}_{number}"), text, &[]);
                }
            }
        }
        writer.write(&batch).unwrap();
        // What one commit wrote is one segment.
        writer.commit(CommitInfo { as_of, ..CommitInfo::default() }).unwrap();
    }
    (folder, writer.base())
}

/// Every source, as fresh as can be.
fn fresh(rules: &Rules) -> Vec<(String, i64)> {
    let day = calendar::parse_date(DAY).unwrap();
    let names: BTreeSet<&String> = rules.all().iter().flat_map(|rule| &rule.sources).collect();
    names.into_iter().map(|name| (name.clone(), day)).collect()
}

fn run(rules: &Rules, snapshot: &Snapshot, threads: usize) -> Vec<RuleOutcome> {
    match evaluate(rules, snapshot, &fresh(rules), threads) {
        Ok(found) => found,
        Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
    }
}

#[test]
fn every_rule_fires_where_it_should_and_nowhere_else() {
    let rules = Rules::built_in().unwrap();
    let planted = planted();
    let (_folder, snapshot) = snapshot(&planted, 1);
    let found = run(&rules, &snapshot, 1);
    for outcome in &found {
        let own = planted.iter().enumerate().filter(|(_, one)| one.rule == outcome.rule);
        let own: Vec<(usize, &Planted)> = own.collect();
        let signs: String = own.iter().map(|(_, one)| one.sign).collect();
        assert!(signs.contains('+') && signs.contains('-'), "{}: {signs}", outcome.rule);
        let unknown = unknown_to(&rules, &outcome.rule, &snapshot).unwrap();
        for (place, one) in own {
            let key = format!("H{place:03}");
            let hits: Vec<&Hit> =
                outcome.hits().iter().filter(|hit| hit.household == key).collect();
            let told = format!("{} {} {}", one.rule, one.sign, one.text);
            assert_eq!(hits.len(), usize::from(one.sign == '+'), "{told}");
            assert_eq!(unknown.contains(&key), one.sign == '?', "{told}");
            let rule = rules.find(&one.rule).unwrap();
            for hit in hits {
                assert_eq!(hit.person.is_some(), rule.table == "person", "{told}");
                assert_eq!(hit.region.len(), 12, "{told}");
                assert_eq!(hit.reasons.len(), rule.reason.len(), "{told}");
                assert!(hit.reasons.iter().any(|reason| reason.value.is_some()), "{told}");
            }
        }
    }
    let known: BTreeSet<&str> = found.iter().map(|outcome| outcome.rule.as_str()).collect();
    assert!(planted.iter().all(|one| known.contains(one.rule.as_str())));
    assert!(planted.iter().filter(|one| one.sign == '?').count() >= 12);
}

#[test]
fn reasons_carry_values_thresholds_and_units() {
    let rules = Rules::built_in().unwrap();
    let planted = planted();
    let (_folder, snapshot) = snapshot(&planted, 1);
    let found = run(&rules, &snapshot, 1);
    let first = |rule: &str| {
        let outcome = found.iter().find(|outcome| outcome.rule == rule).unwrap();
        let own = planted.iter().position(|one| one.rule == rule && one.sign == '+').unwrap();
        let key = format!("H{own:03}");
        let hit = outcome.hits().iter().find(|hit| hit.household == key).unwrap();
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        let reasons = hit.reasons.iter();
        reasons.map(|r| format!("{} {} {}", shown(&r.value), shown(&r.threshold), r.unit)).collect()
    };
    let expect = |rule: &str, reasons: &[&str]| {
        let found: Vec<String> = first(rule);
        assert_eq!(found, reasons, "{rule}");
    };
    expect("A05", &["2026-10-01 2026-08-30 "]);
    expect("A07", &["10000.00 10000.00 yuan"]);
    expect("A14", &["C级 ? "]);
    expect("A13", &["6000.00 5999.98 yuan", "833.33 ? yuan"]);
    expect("F01", &["2 2 persons"]);
    expect("E01", &["12345热线 ? ", "2026-10-10 2026-09-30 "]);
    expect("H06", &["普通高中 ? "]);
    // The standard of the household's own place, a twelfth of the year.
    expect("B09", &["729.99 730.00 yuan"]);
}

#[test]
fn a_standard_is_that_of_the_place_of_each_household() {
    let rules = Rules::built_in().unwrap();
    let place = |region: &str, urban: bool, income: &str| Planted {
        rule: "B09".to_owned(),
        sign: '+',
        text: format!("region={region} urban={urban} income={income} / sex=male"),
    };
    let planted = [
        place("140105001001", true, "729.99"),
        place("140105001001", true, "730.00"),
        place("140702001001", true, "669.99"),
        place("140702001001", true, "670.00"),
        place("140702001001", false, "454.99"),
        place("140702001001", false, "455.00"),
        place("140105001001", false, "579.99"),
    ];
    let (_folder, snapshot) = snapshot(&planted, 1);
    let found = run(&rules, &snapshot, 1);
    let hits = found.iter().find(|o| o.rule == "B09").unwrap().hits();
    let keys: Vec<&str> = hits.iter().map(|hit| hit.household.as_str()).collect();
    assert_eq!(keys, ["H000", "H006", "H002", "H004"]);
}

#[test]
fn the_same_with_any_number_of_threads_and_segments() {
    let rules = Rules::built_in().unwrap();
    let planted = planted();
    let (_folder, one) = snapshot(&planted, 1);
    let expected = run(&rules, &one, 1);
    let (_folder, many) = snapshot(&planted, 7);
    assert!(many.segments().len() > 1);
    for threads in [1, 2, 5] {
        assert_eq!(run(&rules, &many, threads), expected, "{threads}");
    }
}

#[test]
fn a_late_source_is_no_answer_of_nobody() {
    let rules = Rules::built_in().unwrap();
    let planted = planted();
    let (_folder, snapshot) = snapshot(&planted, 1);
    let all = fresh(&rules);
    let outcome = |sources: &[(String, i64)], rule: &str| {
        let found = evaluate(&rules, &snapshot, sources, 1).unwrap();
        found.into_iter().find(|outcome| outcome.rule == rule).unwrap()
    };
    let aged = |contract: &str, days: i64| {
        let mut sources = all.clone();
        for source in &mut sources {
            source.1 -= if source.0 == contract { days } else { 0 };
        }
        sources
    };
    let rule = rules.find("A05").unwrap();
    let days = rule.freshness_of("health.events");
    assert!(!outcome(&aged("health.events", days), "A05").hits().is_empty());
    let last = calendar::parse_date(DAY).unwrap() - days - 1;
    let source = "health.events".to_owned();
    assert_eq!(
        outcome(&aged("health.events", days + 1), "A05").outcome,
        Outcome::NotEvaluated { source: source.clone(), last: Some(last) }
    );
    // Others are not held up by it, and who depends on several waits for each.
    assert!(!outcome(&aged("health.events", days + 1), "A14").hits().is_empty());
    let late = outcome(&aged("health.events", days + 1), "C02");
    assert!(matches!(late.outcome, Outcome::NotEvaluated { .. }));
    // A source that comes less often may be older.
    let slow = outcome(&aged("disabled_federation.cards", 120), "H01");
    assert!(matches!(slow.outcome, Outcome::Fires { .. }));
    let without: Vec<(String, i64)> =
        all.iter().filter(|(name, _)| *name != source).cloned().collect();
    let never = outcome(&without, "A05").outcome;
    assert_eq!(never, Outcome::NotEvaluated { source, last: None });
    // Rules of the platform's own cases depend on no file.
    assert!(!outcome(&[], "E01").hits().is_empty());
}

#[test]
fn every_rule_is_of_the_registry_and_its_sources_are_contracts() {
    let rules = Rules::built_in().unwrap();
    assert!(rules.all().len() >= 25);
    let schema = schema();
    let groups: BTreeSet<&str> = rules.all().iter().map(|rule| rule.group.as_str()).collect();
    assert_eq!(groups.into_iter().collect::<String>(), "ABCDEFGH");
    let contracts = concat!(
        include_str!("../../../indexer/contracts/civil_affairs.aid.toml"),
        include_str!("../../../indexer/contracts/civil_affairs.households.toml"),
        include_str!("../../../indexer/contracts/civil_affairs.members.toml"),
        include_str!("../../../indexer/contracts/civil_affairs.payments.toml"),
        include_str!("../../../indexer/contracts/disabled_federation.cards.toml"),
        include_str!("../../../indexer/contracts/education.students.toml"),
        include_str!("../../../indexer/contracts/emergency.disasters.toml"),
        include_str!("../../../indexer/contracts/health.events.toml"),
        include_str!("../../../indexer/contracts/housing.inspections.toml"),
        include_str!("../../../indexer/contracts/human_resources.employment.toml"),
        include_str!("../../../indexer/contracts/justice.custody.toml"),
        include_str!("../../../indexer/contracts/medical_insurance.settlements.toml"),
        include_str!("../../../indexer/contracts/trade_union.hardship.toml"),
    );
    for rule in rules.all() {
        for source in &rule.sources {
            assert!(contracts.contains(&format!("id = \"{source}\"")), "{} {source}", rule.id);
        }
        // Parameters aside, the text is one of the language; what is left out says so.
        let kind = check_expression(&schema, None, &rule.table, &rule.expression);
        let named = rule.expression.contains('$');
        match kind {
            Ok(kind) => assert_eq!(kind, "flag", "{}", rule.id),
            Err(error) => assert!(named && error.code() == "query.unknown_parameter", "{error}"),
        }
        let words = [&rule.name.zh, &rule.name.en, &rule.legal];
        assert!(words.iter().all(|word| !word.is_empty()), "{}", rule.id);
        assert!(Level::Red.word() == "red" && rule.level.word().len() > 2);
    }
}

#[test]
fn a_catalogue_that_is_not_sound_is_refused() {
    let standards = include_str!("../../catalog/standards.toml");
    let rule = |expression: &str, more: &str| {
        format!(
            "[[rule]]\nid = \"X01\"\ngroup = \"X\"\nname = {{ zh = \"z\", en = \"e\" }}\n\
             level = \"red\"\nsources = []\nfreshness_days = 1\nsilence_days = 1\n\
             table = \"household\"\nexpression = \"{expression}\"\nlegal = \"l\"\n{more}\n\
             [[rule.reason]]\nlabel = {{ zh = \"z\", en = \"e\" }}\nexpression = \"urban\"\n"
        )
    };
    let read = |text: &str| Rules::read(&[text], standards);
    let sound = rule("urban", "");
    assert!(read(&sound).is_ok());
    let twice = format!("{sound}{sound}");
    let parameter = "[rule.parameters.n]\nkind = \"duration\"\nvalue = \"3\"\n\
                     label = { zh = \"\", en = \"\" }\n";
    for (text, said) in [
        (twice, "stands twice"),
        (rule("income < $missing", ""), "no parameter and no standard `missing`"),
        (rule("urban", parameter), "not of its kind"),
        (rule("urban", "slower = { x = 3 }"), "`slower`"),
        (sound.replace("group = \"X\"", "group = \"Y\""), "begins with its group"),
        (sound.replace("silence_days = 1", "silence_days = -1"), "days of freshness"),
        (sound.replace("level = \"red\"", "level = \"pink\""), "pink"),
        (rule("urban and", ""), "not answered"),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.to_string().contains(said), "{said}: {error}");
    }
    // What does not suit the schema is found before anything is read.
    let (_folder, snapshot) = snapshot(&[], 1);
    for text in [rule("wealth > 3", ""), sound.replace("\"household\"", "\"aid\"")] {
        let rules = read(&text).unwrap();
        let error = evaluate(&rules, &snapshot, &[], 1).unwrap_err();
        assert!(matches!(error, Error::Expression { .. } | Error::Catalogue { .. }), "{error}");
    }
}
