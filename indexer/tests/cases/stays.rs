//! What was decided stays when departments deliver again, until they say something new.

use serde_json::{Value, json};
use yiku_indexer::{HouseholdRecord, find_person};

use crate::world::{World, everything, load, newcomer, nobody, number, warning};

/// Delivers the members once more, as they were: every household is folded anew.
fn fold_all(world: &World) {
    let report = world.deliver("家庭成员", |text| {
        let (head, rest) = text.split_once('\n').unwrap();
        let mut lines: Vec<&str> = rest.lines().collect();
        lines.rotate_left(1);
        format!("{head}\n{}\n", lines.join("\n"))
    });
    assert!(!report.unchanged);
    let folded = report.rows.iter().find(|(table, _)| table == "household").unwrap().1;
    assert!(folded + 5 > world.keys.len() as u64, "{folded} of {}", world.keys.len());
}

/// The line of a text that begins with a word, changed.
fn with_line(text: &str, start: &str, change: impl Fn(Vec<String>) -> Vec<String>) -> String {
    let mut found = false;
    let lines = text.lines().map(|line| {
        if found || !line.starts_with(start) {
            return line.to_owned();
        }
        found = true;
        change(line.split(',').map(str::to_owned).collect()).join(",")
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    assert!(found, "no line of {start}");
    text
}

fn income(world: &World, key: &str) -> Value {
    world.household(key).values["income"].clone()
}

#[test]
fn everything_decided_stays_where_departments_say_nothing_new() {
    let world = World::new(2_000, 21);
    let old = world.with_members(3, 2);
    let (other, gone) = (world.with_members(2, 7), world.with_members(2, 8));
    let region = &old.region;
    let (me, leaver) = (number(&old, 0), number(&old, 1));
    world.apply(&[
        json!({ "seq": 1, "case": "a", "household": old.key,
            "household_values": { "income": 98_700, "cause": null },
            "persons": [
                { "id_number": me, "values": { "employment": "5", "severe_illness": true },
                  "aid": [{ "kind": "12", "start": "2026-11-01", "amount": 30_000 }] },
                { "id_number": leaver, "remove": true },
                { "id_number": nobody(1), "values": { "name": "张三" } }] }),
        warning(2, &old.key, "W1", "1"),
        warning(3, &other.key, "W2", "3"),
        json!({ "seq": 4, "case": "b", "household": gone.key, "cancel": true }),
        newcomer(5, "n", region, &nobody(2)),
        json!({ "seq": 6, "case": "c", "household": old.key,
            "household_values": { "income": 88_800 } }),
    ]);
    let decided = everything(&world.snapshot());
    let sorted = |household: &HouseholdRecord| {
        let mut household = household.clone();
        household.persons.sort_by(|a, b| a.key.cmp(&b.key));
        household
    };
    for round in 0..2 {
        fold_all(&world);
        let now = everything(&world.snapshot());
        assert_eq!(now.len(), decided.len(), "round {round}");
        for (key, household) in &decided {
            assert_eq!(sorted(&now[key]), sorted(household), "{key}, round {round}");
        }
    }
    assert!(now_without(&world, &gone.key, &leaver));
}

fn now_without(world: &World, gone: &str, leaver: &str) -> bool {
    let found = find_person(&world.snapshot(), &world.db, leaver).unwrap();
    world.find(gone).is_none() && found.is_none()
}

#[test]
fn a_newer_word_of_a_department_wins_and_an_older_one_does_not() {
    let world = World::new(2_000, 22);
    let text = std::fs::read_to_string(world.files.join("民政_家庭户籍.csv")).unwrap();
    let plain = |key: &&String| {
        text.lines().any(|line| line.starts_with(key.as_str()) && !line.contains('"'))
    };
    let key = world.keys.iter().filter(plain).nth(4).unwrap().clone();
    let decide = |seq: u64, income: i64| {
        world.apply(&[json!({ "seq": seq, "case": "i", "household": key,
            "household_values": { "income": income, "disaster_loss": 5 } })]);
    };
    let says = |yuan: &str| {
        world.deliver("家庭户籍", |text| {
            with_line(text, &key, |mut cells| {
                let place = cells.len() - 2;
                cells[place] = yuan.to_owned();
                cells
            })
        });
    };
    decide(1, 70_000);
    fold_all(&world);
    assert_eq!(income(&world, &key), 70_000, "the register says what it said before");
    decide(2, 60_000);
    fold_all(&world);
    assert_eq!(income(&world, &key), 60_000);
    says("1234.50");
    assert_eq!(income(&world, &key), 123_450, "the register knows something new");
    assert_eq!(world.household(&key).values["disaster_loss"], 5, "of this nobody said anything");
    decide(3, 50_000);
    fold_all(&world);
    assert_eq!(income(&world, &key), 50_000, "that was known when it was decided");
    says("");
    assert_eq!(income(&world, &key), 50_000, "to say nothing is no news");
}

/// A form said that nobody was ill; the hospital's list, which comes later, must not be hidden.
#[test]
fn an_illness_that_is_reported_later_is_seen() {
    let world = World::new(2_000, 23);
    let well = |household: &HouseholdRecord| household.persons[0].values["severe_illness"] == false;
    let mut all = world.keys.iter().map(|key| world.household(key));
    let old = all.by_ref().find(well).unwrap();
    let me = number(&old, 0);
    world.apply(&[json!({ "seq": 1, "case": "f", "household": old.key,
        "persons": [{ "id_number": me, "values": { "severe_illness": false } }] })]);
    world.deliver("重病与死亡", |text| {
        let list = text.find('[').unwrap() + 1;
        let (head, rest) = text.split_at(list);
        let event = json!({ "身份证号": me, "登记类型": "重病", "病种": "恶性肿瘤",
            "登记日期": "2026-10-20" });
        format!("{head}\n{event},{rest}")
    });
    assert_eq!(world.household(&old.key).persons[0].values["severe_illness"], true);
}

#[test]
fn aid_that_the_department_lists_too_is_there_once() {
    let world = World::new(2_000, 24);
    let old = world.with_members(1, 6);
    let me = number(&old, 0);
    let spells = || {
        let aid = world.household(&old.key).persons[0].aid.clone();
        aid.into_iter().filter(|aid| aid["kind"] == "32").collect::<Vec<_>>()
    };
    world.apply(&[json!({ "seq": 1, "case": "f", "household": old.key,
        "persons": [{ "id_number": me,
            "aid": [{ "kind": "32", "start": "2026-11-01", "amount": 20_000 }] }] })]);
    world.deliver("救助名单", |text| {
        let first = text.lines().nth(1).unwrap();
        let mut cells: Vec<&str> = first.split(',').collect();
        assert_eq!(cells.len(), 6, "{first}");
        cells[..].copy_from_slice(&["A-new", &me, "32", "2026-11-01", "", "200.00"]);
        format!("{}\n{}\n", text.trim_end(), cells.join(","))
    });
    let found = spells();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["aid_id"], &found[0]["amount"]), (&json!("A-new"), &json!(20_000)));
}

/// The register lists a household that case-work made, and a member of another one elsewhere.
#[test]
fn a_household_goes_over_into_the_one_that_the_register_lists() {
    let world = World::new(2_000, 25);
    let (host, region) = (world.with_members(1, 3), world.household(&world.keys[9]).region);
    let mut made = newcomer(1, "m", &region, &nobody(1));
    let member = |seat: u64| {
        json!({ "id_number": nobody(seat), "values": { "name": "成员" },
        "aid": [{ "kind": "51", "start": "2026-11-01", "amount": 9_000 }] })
    };
    made["persons"].as_array_mut().unwrap().push(member(2));
    let mut second = newcomer(2, "s", &region, &nobody(3));
    second["persons"].as_array_mut().unwrap().push(member(4));
    world.apply(&[made, second, warning(3, "Cm", "W9", "1")]);
    let rows = |table: usize| world.snapshot().rows(table);
    let before = [rows(0), rows(1)];
    let list = |text: &str| {
        let line = text.lines().nth(1).unwrap();
        let cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        let own = |household: &str, id: &str| {
            let mut cells = cells.clone();
            (cells[0], cells[2]) = (household.to_owned(), id.to_owned());
            cells.join(",")
        };
        // The first head lives in a household of the register, and so does a member of the second.
        let added = [own("H-new", &nobody(1)), own(&host.key, &nobody(4))];
        format!("{}\n{}\n", text.trim_end(), added.join("\n"))
    };
    let households = |text: &str| {
        let line = text.lines().nth(1).unwrap();
        let rest = line.split_once(',').unwrap().1;
        format!("{}\nH-new,{rest}\n", text.trim_end())
    };
    world.deliver("家庭户籍", households);
    world.deliver("家庭成员", list);
    assert_eq!(world.find("Cm"), None);
    let new = world.household("H-new");
    let numbers: Vec<&str> =
        new.persons.iter().map(|p| p.values["id_number"].as_str().unwrap()).collect();
    assert_eq!(numbers, [nobody(1), nobody(2)]);
    assert_eq!((new.warnings.len(), &new.warnings[0]["warning_id"]), (1, &json!("W9")));
    assert!(new.persons[0].aid.iter().any(|aid| aid["amount"] == 45_000), "aid goes along");
    let there = find_person(&world.snapshot(), &world.db, &nobody(4)).unwrap().unwrap();
    assert_eq!(there.household, host.key);
    let now = world.household(&host.key);
    let person = now.persons.iter().find(|person| person.key == there.person).unwrap();
    assert!(person.aid.iter().any(|aid| aid["kind"] == "51"), "aid goes along");
    assert_eq!(world.household("Cs").persons.len(), 1);
    // One household went over into another that is new; nobody is there twice.
    assert_eq!([rows(0), rows(1)], before);
    // A decision that still names the old key finds the household by its head.
    world.apply(&[json!({ "seq": 4, "case": "m", "household": "Cm", "head": nobody(1),
        "household_values": { "income": 7 } })]);
    assert_eq!(income(&world, "H-new"), 7);
    fold_all(&world);
    assert_eq!((income(&world, "H-new"), [rows(0), rows(1)]), (json!(7), before));
}

/// A member of one household is decided to live in another, and one who lived alone too.
#[test]
fn who_came_from_another_household_stays_where_they_came_to() {
    let world = World::new(2_000, 27);
    let (old, host) = (world.with_members(3, 5), world.with_members(2, 9));
    let alone = world.keys.iter().map(|key| world.household(key));
    let alone = alone.into_iter().find(|household| household.persons.len() == 1).unwrap();
    let (mover, single) = (number(&old, 1), number(&alone, 0));
    let rows = |table: usize| world.snapshot().rows(table);
    let before = [rows(0), rows(1), rows(2), rows(3)];
    world.apply(&[json!({ "seq": 1, "case": "m", "household": host.key, "persons": [
        { "id_number": mover, "values": { "relation": "80", "monthly_income": 5 } },
        { "id_number": single, "values": { "relation": "50" } }] })]);
    let check = || {
        assert_eq!(world.find(&alone.key), None, "nobody is left in it");
        assert_eq!(
            [rows(0), rows(1), rows(2), rows(3)],
            [before[0] - 1, before[1], before[2], before[3]]
        );
        let (old_now, now) = (world.household(&old.key), world.household(&host.key));
        assert_eq!(old_now.persons.len(), old.persons.len() - 1);
        assert_eq!(now.persons.len(), host.persons.len() + 2);
        let find = |key: &str| now.persons.iter().find(|person| person.key == key).unwrap().clone();
        let (one, two) = (find(&old.persons[1].key), find(&alone.persons[0].key));
        assert_eq!(
            (&one.values["relation"], &two.values["relation"]),
            (&json!("80"), &json!("50"))
        );
        assert_eq!(one.values["monthly_income"], json!(5));
        for (now, then) in [(&one, &old.persons[1]), (&two, &alone.persons[0])] {
            assert_eq!((&now.aid, &now.observations), (&then.aid, &then.observations));
            assert_eq!(now.values.get("name"), then.values.get("name"));
        }
    };
    check();
    fold_all(&world);
    check();
    // What a department brings about them later goes along.
    let report = world.deliver("救助名单", |text| {
        let rows = format!("A-m,{mover},32,2026-11-01,,200.00\nA-s,{single},32,2026-11-01,,300.00");
        format!("{}\n{rows}\n", text.trim_end())
    });
    assert!(!report.unchanged);
    let now = world.household(&host.key);
    let new = now.persons.iter().flat_map(|person| &person.aid);
    let mut new: Vec<_> = new.filter(|aid| aid["kind"] == "32").map(|aid| &aid["amount"]).collect();
    new.sort_by_key(|amount| amount.as_i64());
    assert_eq!(new, [&json!(20_000), &json!(30_000)]);
    assert_eq!((world.find(&alone.key), rows(1)), (None, before[1]));
}

#[test]
fn it_does_not_matter_which_came_first() {
    let (one, two) = (World::new(1_500, 26), World::new(1_500, 26));
    // The same persons have the same numbers.
    std::fs::remove_dir_all(&two.db).unwrap();
    std::fs::create_dir_all(two.db.join("loads")).unwrap();
    let key = "loads/surrogate.key";
    std::fs::copy(one.db.join(key), two.db.join(key)).unwrap();
    load(&two.db, std::slice::from_ref(&two.files));
    let decisions: Vec<Value> = (1..60)
        .map(|seq| {
            let household = one.with_members(2, usize::try_from(seq).unwrap());
            match seq % 4 {
                0 => warning(seq, &household.key, &format!("W{seq}"), "1"),
                1 => newcomer(seq, &format!("n{seq}"), &household.region, &nobody(seq)),
                2 => json!({ "seq": seq, "case": "v", "household": household.key,
                    "persons": [{ "id_number": number(&household, 1), "remove": true }] }),
                _ => json!({ "seq": seq, "case": "w", "household": household.key,
                    "household_values": { "income": 1_000 * seq, "relapse_kind": "1" } }),
            }
        })
        .collect();
    let third = |text: &str| {
        let lines = text.lines().enumerate().filter(|(nth, _)| nth % 3 != 2);
        lines.map(|(_, line)| format!("{line}\n")).collect::<String>()
    };
    one.apply(&decisions);
    one.deliver("资金发放", third);
    two.deliver("资金发放", third);
    two.apply(&decisions);
    assert!(everything(&one.snapshot()) == everything(&two.snapshot()));
}
