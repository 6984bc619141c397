//! Any registry: the school register of `docs/embedding.md`, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use yiku::Schema;
use yiku_indexer::{LoadOptions, LoadReport, Result, load_tables, read_tree};

use crate::register::{Cell, Register};

fn school() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/school")
}

fn schema() -> Schema {
    Schema::from_toml(&fs::read_to_string(school().join("school.toml")).unwrap()).unwrap()
}

/// Loads a folder's files of these tables.
fn load(db: &Path, files: &[(&str, PathBuf)]) -> Result<LoadReport> {
    let schema = schema();
    let tree = read_tree(&school().join("places.csv"), &schema.path)?;
    let options = LoadOptions { db, tree: Some(tree), as_of: Some(20_000), threads: 2 };
    let files = files.iter().map(|(table, path)| ((*table).to_owned(), path.clone()));
    load_tables(Some(schema), &files.collect::<Vec<_>>(), &options, &mut |_| {})
}

fn own_files() -> Vec<(&'static str, PathBuf)> {
    let file = |name: &str| school().join(name);
    // Any order will do.
    vec![
        ("pupil", file("pupils.csv")),
        ("school", file("schools.csv")),
        ("class", file("classes.csv")),
    ]
}

#[test]
fn the_school_register_is_loaded_as_the_page_says() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("db");
    let report = load(&db, &own_files()).unwrap();
    let rows = |table: &str| report.rows.iter().find(|(name, _)| name == table).unwrap().1;
    assert_eq!((rows("school"), rows("class"), rows("pupil")), (3, 4, 7));
    assert_eq!(report.files.iter().map(|file| file.rejected).sum::<u64>(), 0, "{report}");
    let register = Register::read(&db);
    let titles = register.column("school", "title");
    assert!(titles.contains(&Cell::Text("Harbour School, South".to_owned())));
    assert_eq!(register.integers("school", "place"), [Some(1101), Some(1102), Some(1201)]);
    assert_eq!(register.integers("class", "stage"), [Some(0), Some(1), Some(2), Some(0)]);
    let free = [Some(1), Some(0), Some(0), Some(1), None, Some(0), Some(1)];
    assert_eq!(register.integers("pupil", "free_meals"), free);
    let fees = [0, 12_050, 12_050, 6_025, 31_000, 31_000, 0].map(Some);
    assert_eq!(register.integers("pupil", "fees"), fees);
    let needs = [Some(1), None, Some(3), Some(4), None, None, Some(1)];
    assert_eq!(register.integers("pupil", "needs"), needs);
    let above: Vec<usize> = register.tables[2].iter().map(|row| row.parent).collect();
    assert_eq!(above, [0, 0, 1, 2, 2, 2, 3]);

    let again = load(&db, &own_files()).unwrap();
    assert!(again.unchanged && again.version == report.version);
}

#[test]
fn other_files_replace_the_bundles_that_they_name() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("db");
    load(&db, &own_files()).unwrap();
    let path = dir.path().join("schools.csv");
    fs::write(&path, "school_id,place,title\nS1,12,Moved\n").unwrap();
    let report = load(&db, &[("school", path)]).unwrap();
    assert!(!report.unchanged);
    let register = Register::read(&db);
    let (mut places, mut titles) =
        (register.integers("school", "place"), register.column("school", "title"));
    places.sort();
    titles.sort();
    assert_eq!(places, [Some(1102), Some(1200), Some(1201)]);
    assert!(titles.contains(&Cell::Text("Moved".to_owned())));
    let rows: Vec<usize> = register.tables.iter().map(Vec::len).collect();
    assert_eq!(rows, [3, 2, 4], "what stood beneath the school has gone");
    assert!(!load(&db, &own_files()).unwrap().unchanged);
    assert_eq!(Register::read(&db).tables[2].len(), 7);
}

#[test]
fn parquet_gives_the_same_rows() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("db1"), dir.path().join("db2"));
    load(&first, &own_files()).unwrap();
    let duckdb = duckdb::Connection::open_in_memory().unwrap();
    let turned = own_files().into_iter().map(|(table, csv)| {
        let parquet = dir.path().join(format!("{table}.parquet"));
        let sql = format!(
            "copy (select * from read_csv('{}')) to '{}' (format parquet)",
            csv.display(),
            parquet.display()
        );
        duckdb.execute_batch(&sql).unwrap();
        (table, parquet)
    });
    let turned: Vec<_> = turned.collect();
    load(&second, &turned).unwrap();
    assert!(Register::read(&first).sorted() == Register::read(&second).sorted());
}

#[test]
fn rows_that_break_the_schema_are_rejected_with_their_line() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("db");
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let files = vec![
        (
            "school",
            file(
                "s.csv",
                "place,school_id,boarding,opened\n1101,S1,true,2001-09-01\n9999,S2,,\n\
                 1102,S3,maybe,\n1102,S4,,2001-02-30\n1102,,,\n1102,S1,,\n12,S5,0,\n",
            ),
        ),
        (
            "class",
            file("c.csv", "school_id,class_id,stage,year\nS1,C1,1,3\nS2,C2,,\nS1,C3,9,\n,C4,,\n"),
        ),
        (
            "pupil",
            file(
                "p.csv",
                "class_id,pupil_id,fees,needs\nC1,P1,1.5,A;B\nC1,P2,1e3,\nC1,P3,,A;Z\nC2,P4,,\n\
                 C1,P5\n",
            ),
        ),
    ];
    let report = load(&db, &files).unwrap();
    let found: Vec<(String, u64, String)> = report
        .files
        .iter()
        .flat_map(|file| &file.samples)
        .map(|reject| (reject.reason.code().to_owned(), reject.line, reject.column.clone()))
        .collect();
    let expected = [
        ("unknown_code", 3, "place"),
        ("bad_flag", 4, "boarding"),
        ("impossible_date", 5, "opened"),
        ("missing_key", 6, "school_id"),
        ("duplicate", 7, "school_id"),
        ("unknown_code", 4, "stage"),
        ("missing_key", 5, "school_id"),
        ("orphan", 3, "school_id"),
        ("bad_amount", 3, "fees"),
        ("unknown_code", 4, "needs"),
        ("wrong_cells", 6, ""),
        ("orphan", 5, "class_id"),
    ];
    let mut expected = expected.map(|(r, line, c)| (r.to_owned(), line, c.to_owned())).to_vec();
    let mut found = found;
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "{report}");
    let rows: Vec<u64> = report.rows.iter().map(|(_, rows)| *rows).collect();
    assert_eq!(rows, [2, 1, 1]);
    let rejects = fs::read_to_string(report.rejects.unwrap()).unwrap();
    assert_eq!(rejects.lines().count(), 1 + 12);
}

#[test]
fn what_does_not_fit_the_schema_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("db");
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let schools = || ("school", school().join("schools.csv"));
    for (files, words) in [
        (vec![("teacher", school().join("schools.csv"))], "the schema has only school, class"),
        (vec![("class", school().join("classes.csv"))], "table `school`: it has no file"),
        (vec![schools(), ("school", school().join("classes.csv"))], "it has two files"),
        (vec![schools(), ("pupil", school().join("pupils.csv"))], "table `class`: it has no file"),
        (vec![("school", file("a.csv", "school_id,place,hue\n"))], "no column `hue`"),
        (vec![("school", file("b.csv", "school_id\nS1\n"))], "the column `place` is missing"),
        (
            vec![schools(), ("class", file("c.csv", "class_id,stage\nC1,1\n"))],
            "the column `school_id` is missing",
        ),
        (vec![("school", file("d.csv", "school_id,place\nS\"1,1101\n"))], "line 2: a stray quote"),
        (vec![("school", file("e.csv", ""))], "the file is empty"),
    ] {
        let message = load(&db, &files).unwrap_err().to_string();
        assert!(message.contains(words), "`{words}` is not in: {message}");
        assert!(!db.exists(), "{words}");
    }
    let options = LoadOptions { db: &db, tree: None, as_of: None, threads: 1 };
    let files = [("school".to_owned(), school().join("schools.csv"))];
    let missing = load_tables(None, &files, &options, &mut |_| {}).unwrap_err().to_string();
    assert!(missing.contains("give the schema"), "{missing}");
    let missing = load_tables(Some(schema()), &files, &options, &mut |_| {}).unwrap_err();
    assert!(missing.to_string().contains("needs the tree of its places"), "{missing}");
}
