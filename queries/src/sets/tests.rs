//! Sets are kept, read again, joined and asked about.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops where it fails; it damages files of its own"
)]

use std::path::Path;

use yiku::{Batch, CommitInfo, Database, PathTree, Schema, Snapshot};

use super::{Joining, Origin, SavedSet, SetFolder};
use crate::context::SetSource;
use crate::household::Standards;
use crate::{Context, Limits, Plan, Query};

const SCHEMA: &str = r#"
name = "s"
[path]
name = "place"
levels = [{ name = "city", digits = 2 }]
[[table]]
name = "house"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "rent", kind = "money" },
]
"#;

fn write(batch: &mut Batch, id: &str, place: &str, rent: &str) {
    let row = batch.row("house").unwrap().set("id", id).unwrap();
    row.set("place", place).unwrap().set("rent", rent).unwrap();
}

fn database(folder: &Path) -> (Database, Snapshot) {
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let nodes = [11, 12].map(|code| yiku::schema::PathNode { code, level: 0, name: "n".into() });
    let tree = PathTree::new(&schema.path, nodes.to_vec()).unwrap();
    let database = Database::create(folder, schema, tree).unwrap();
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    for (id, place, rent) in [("a", "11", "10"), ("b", "11", "20"), ("\n'\u{1f3e0}", "12", "30")] {
        write(&mut batch, id, place, rent);
    }
    writer.write(&batch).unwrap();
    let as_of = yiku::calendar::parse_date("2026-10-31");
    let snapshot = writer.commit(CommitInfo { as_of, ..CommitInfo::default() }).unwrap();
    (database, snapshot)
}

fn asked(text: &str, snapshot: &Snapshot, context: &Context<'_>) -> SavedSet {
    let query = Query::parse(text).unwrap();
    SavedSet::ask(&query, snapshot, context, &Limits::default()).unwrap()
}

fn found(text: &str, snapshot: &Snapshot, sets: &SetFolder) -> Vec<String> {
    let query = Query::parse(&format!("{text} select id")).unwrap();
    let plan = Plan::bind(&query, snapshot, &Context::default().sets(sets)).unwrap();
    let answer = plan.run(snapshot, &Limits::default()).unwrap();
    match &answer.columns[0].values {
        crate::Values::Text(ids) => ids.iter().flatten().map(|id| id.to_string()).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_set_keeps_its_rows_when_they_change() {
    let folder = tempfile::tempdir().unwrap();
    let (database, before) = database(&folder.path().join("d"));
    let sets = SetFolder::of(folder.path());
    assert!(sets.names().unwrap().is_empty());
    let standards = Standards::read(
        "[[standard]]\nname = \"line\"\nzh = \"z\"\nen = \"e\"\nregion = \"11\"\n\
         from = \"2020-01-01\"\nvalue = \"15.00\"\nunit = \"yuan\"\ninvented = true\n",
    )
    .unwrap();
    let context = Context::default().parameters(&standards);
    let poor = asked("from house where rent < $line", &before, &context);
    assert_eq!(poor.members(), ["a"]);
    let Origin::Asked { question, version, as_of, scope, parameters } = poor.origin() else {
        unreachable!()
    };
    assert_eq!(question, "from house where rent < $line");
    assert_eq!((*version, as_of.as_deref()), (before.version(), Some("2026-10-31")));
    assert_eq!(scope, &None);
    assert_eq!(parameters, &[("line@11@2020-01-01".to_owned(), "15.00".to_owned())]);
    let dear = asked("from house where rent >= 20", &before, &context);
    sets.keep("poor", &poor, false).unwrap();
    sets.keep("dear", &dear, false).unwrap();
    assert_eq!(sets.names().unwrap(), ["dear", "poor"]);
    assert_eq!(*sets.set("dear").unwrap().unwrap(), dear);
    assert!(sets.keep("dear", &poor, false).unwrap_err().to_string().contains("there already"));
    sets.keep("dear", &dear, true).unwrap();

    // The poor one gets richer and moves: it is asked about as one of those that were poor.
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    write(&mut batch, "a", "12", "90");
    writer.write(&batch).unwrap();
    let after = writer.commit(CommitInfo::default()).unwrap();
    assert_eq!(found("from house where house in set poor and rent > 50", &after, &sets), ["a"]);
    assert_eq!(found("from house where not in set poor", &after, &sets), ["b", "\n'\u{1f3e0}"]);
    // A set of the question goes before one that is kept.
    let text = "from house where in set poor sets poor = rent = 20";
    let query = Query::parse(text).unwrap();
    let context = Context::default().sets(&sets);
    assert_eq!(asked(text, &after, &context).members(), ["b"]);
    let within = SavedSet::ask(&query, &after, &context.scope("12"), &Limits::default()).unwrap();
    assert!(within.members().is_empty());
    sets.drop("poor").unwrap();
    assert!(sets.drop("poor").is_err());
    let error =
        Plan::bind(&Query::parse("from house where in set pool").unwrap(), &after, &context);
    assert!(error.unwrap_err().to_string().contains("no set `pool`"));
}

#[test]
fn sets_are_joined() {
    let folder = tempfile::tempdir().unwrap();
    let (_database, snapshot) = database(&folder.path().join("d"));
    let ask = |text: &str| asked(text, &snapshot, &Context::default());
    let (low, mid) = (ask("from house where rent <= 20"), ask("from house where rent >= 20"));
    let joined = |how| SavedSet::joined(how, ("low", &low), ("mid", &mid)).unwrap();
    assert_eq!(joined(Joining::Union).members().len(), 3);
    assert_eq!(joined(Joining::Intersection).members(), ["b"]);
    assert_eq!(joined(Joining::Difference).members(), ["a"]);
    let Origin::Joined { how, of } = joined(Joining::Difference).origin().clone() else {
        unreachable!()
    };
    assert_eq!((how, of[1].0.as_str()), (Joining::Difference, "mid"));
    assert_eq!(&of[1].1, mid.origin());
}

#[test]
fn a_file_that_is_not_whole_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_database, snapshot) = database(&folder.path().join("d"));
    let sets = SetFolder::of(folder.path());
    let set = asked("from house", &snapshot, &Context::default());
    sets.keep("all", &set, false).unwrap();
    let path = folder.path().join("sets/all.set");
    let whole = std::fs::read(&path).unwrap();
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        // A name inside the first line may be another; the rows never are.
        if let Ok(found) = sets.set("all") {
            assert_eq!(found.unwrap().members(), set.members(), "byte {place}");
        }
        std::fs::write(&path, &whole[..place]).unwrap();
        assert!(sets.set("all").is_err(), "cut at {place}");
    }
    for name in ["", "../all", "a/b", "a.b", "and", "with space", &"x".repeat(65)] {
        assert!(sets.keep(name, &set, true).is_err(), "{name}");
        assert!(sets.set(name).unwrap().is_none(), "{name}");
    }
    for text in ["from house by place.city", "from house select id", "from house limit 3"] {
        let query = Query::parse(text).unwrap();
        let error = SavedSet::ask(&query, &snapshot, &Context::default(), &Limits::default());
        assert!(error.unwrap_err().to_string().contains("a set is made of rows"), "{text}");
    }
}
