//! The built program from outside: what it prints where, and its exit status.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops where it fails, and reads what was written"
)]

mod program;
#[expect(clippy::cast_possible_truncation, reason = "a test's registry")]
mod small;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use program::{done, refused, yiku};
use serde_json::{Value, json};

/// A folder with the small registry in `db`.
fn registry() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("db");
    small::create(&db);
    (folder, db.to_str().unwrap().to_owned())
}

fn persons() -> i64 {
    (0..=small::HOUSEHOLDS).map(small::size).sum()
}

#[test]
fn a_question_is_printed_as_table_csv_and_json() {
    let (_folder, db) = registry();
    let q = "from observation by region.city measure paid = sum(value), n = count() totals";
    let on_dibao = (0..small::HOUSEHOLDS).filter(|h| small::is_on_dibao(*h));
    let (paid, n) = on_dibao.fold((0, 0), |(paid, n), h| (paid + small::paid(h), n + 1));
    let yuan = format!("{}.{:02}", paid / 100, paid % 100);
    let table = done(&["query", "--db", &db, q]);
    assert!(table.contains("│ region.city ┆ paid (元) ┆ n │"), "{table}");
    assert!(table.contains("1401 太原市") && table.contains("合计"), "{table}");
    assert_eq!(table.matches(&yuan).count(), 2, "one city and the total: {table}");
    assert!(
        table.ends_with("1 rows, 1 of totals, 6 matched, version 2, as of 2026-10-31\n"),
        "{table}"
    );
    let csv = done(&["query", "--db", &db, "--format", "csv", q]);
    let expected = format!(
        "region.city,region.city label,paid (元),n\n1401,太原市,{yuan},{n}\n,合计,{yuan},{n}\n"
    );
    assert_eq!(csv, expected);
    let answer = done(&["query", "--db", &db, "--json", q]);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["columns"][1]["values"], json!([paid, paid]), "fen");
    assert_eq!(answer["levels"], json!([0, 1]));
    let cut = done(&["query", "--db", &db, "from person by sex limit 1"]);
    assert!(cut.contains("1 of 2 rows,") && cut.contains("│ 男"), "{cut}");
    let form = r#"{"from": "person", "measures": {"n": "count()"}}"#;
    let form = done(&["query", "--db", &db, "--format", "csv", form]);
    assert_eq!(form, format!("n\n{}\n", persons()));
}

/// The answer of `yiku sql` to what `yiku query --as-sql` prints is that of `yiku query`.
#[test]
fn a_question_says_itself_in_sql() {
    let (_folder, db) = registry();
    for q in [
        "from person where severe_illness by sex measure n = count(), m = median(age(birth_date))",
        "from observation by region.city measure paid = sum(value), n = count() totals",
        "from household where any(aid where running) by region.county \
         flow 2024-10-31 to 2026-10-31",
        "from person select person_id, birth_date, region limit 3",
    ] {
        let said = done(&["query", "--db", &db, "--as-sql", q]);
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let ours = read(&done(&["query", "--db", &db, "--json", q]));
        let theirs = read(&done(&["sql", "--db", &db, "--json", &said]));
        let columns = |answer: &Value| -> Vec<(Value, Value)> {
            let columns = answer["columns"].as_array().unwrap().iter();
            columns.map(|column| (column["name"].clone(), column["values"].clone())).collect()
        };
        assert_eq!(columns(&theirs), columns(&ours), "{said}");
    }
}

#[test]
fn free_sql_reads_and_does_nothing_else() {
    let (_folder, db) = registry();
    let q = "SELECT sex, count(*) AS n FROM person GROUP BY sex ORDER BY sex DESC";
    let men = small::HOUSEHOLDS + 1;
    let women = persons() - men;
    let csv = done(&["sql", "--db", &db, "--format", "csv", q]);
    assert_eq!(csv, format!("sex,n\nmale,{men}\nfemale,{women}\n"));
    let table = done(&["sql", "--db", &db, q]);
    assert!(table.contains(&format!("│ male   ┆ {men} │")), "{table}");
    assert!(table.ends_with("2 rows\n"), "{table}");
    for (wrong, part) in [
        ("COPY person TO '/tmp/yiku-x.csv'", "`COPY` is not answered"),
        ("ATTACH 'x.db'", "begin with one of SELECT"),
        ("INSTALL httpfs", "the tables of a snapshot are only read"),
        ("PRAGMA version", "`PRAGMA` is not answered"),
        ("SET threads = 1", "`SET` is not answered"),
        ("INSERT INTO person VALUES (1)", "`INSERT` is not answered"),
        ("SELECT 1; SELECT 2", "one statement is answered at a time"),
        ("SELECT * FROM read_csv('/etc/passwd')", "disabled"),
        ("SELECT sexx FROM person", "sexx"),
    ] {
        refused(&["sql", "--db", &db, wrong], 1, part);
    }
}

#[test]
fn a_wrong_question_is_marked_and_exits_1() {
    let (_folder, db) = registry();
    let typo = "from person where sevre_illness";
    refused(&["query", "--db", &db, typo], 1, "did you mean `severe_illness`?");
    refused(&["query", "--db", &db, typo], 1, "\n                    ^^^^^^^^^^^^^\n");
    refused(&["explain", "--db", &db, typo], 1, "did you mean `severe_illness`?");
    let nowhere = "from person where region within 990000";
    refused(&["query", "--db", &db, nowhere], 1, "no region `990000`");
    refused(&["query", "--db", &db, "from person with line = 7"], 1, "no parameter `$line`");
    refused(&["query", "--db", &db, "{\"from\": 1}"], 1, "JSON");
    refused(&["query", "--db", "/nowhere/at/all", "from person"], 1, "holds no database");
}

#[test]
fn wrong_usage_exits_2_and_help_exits_0() {
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["query", "from person"],
        &["query", "--db", "x", "--format", "xml", "from person"],
        &["query", "--db", "x", "--as-sql", "--json", "from person"],
        &["query", "--db", "x", "--as-sql", "--dialect", "klingon", "from person"],
        &["sql", "SELECT 1"],
        &["generate", "--out", "/tmp/x", "--persons", "0"],
        &["generate", "--out", "/tmp/x", "--months", "99"],
        &["load", "--db", "x"],
        &["load", "--db", "x", "--table", "nofile"],
        &["load", "--db", "x", "--table", "a=b", "c.csv"],
        &["load", "--db", "x", "--schema", "s.toml", "c.csv"],
        &["load", "--db", "x", "--as-of", "2026-02-30", "c.csv"],
        &["load", "--db", "x", "--wait", "soon", "c.csv"],
        &["snapshot", "--db", "x"],
        &["snapshot", "keep", "--db", "x"],
        &["snapshot", "month-ends", "many", "--db", "x"],
        &["serve", "--db", "x", "--listen", "8080"],
    ] {
        refused(arguments, 2, "help");
    }
    for command in [
        "demo", "generate", "load", "query", "sql", "check", "explain", "snapshot", "compact",
        "verify", "serve",
    ] {
        let help = done(&[command, "--help"]);
        assert!(help.contains(&format!("yiku {command} ")), "{help}");
    }
    assert!(done(&["--version"]).starts_with("yiku "));
}

#[test]
fn a_question_is_printed_in_every_spelling_without_a_database() {
    let text = "from person  by sex where age( birth_date )>60 limit 3 measure n=count()";
    let one = "from person where age(birth_date) > 60 by sex measure n = count() limit 3\n";
    let lines = "from person\nwhere age(birth_date) > 60\nby sex\nmeasure n = count()\nlimit 3\n";
    assert_eq!(done(&["check", "--format", "text", text]), one);
    assert_eq!(done(&["check", "--format", "lines", text]), lines);
    let json = done(&["check", "--format", "json", text]);
    for spelling in [text, one, lines, &json] {
        assert_eq!(done(&["check", "--format", "text", spelling]), one);
        assert_eq!(done(&["check", "--format", "json", spelling]), json);
    }
    refused(&["check", "--format", "text", "from person where"], 1, "expected");
    refused(&["check", "--format", "text", "--json", text], 2, "cannot be used with");
}

#[test]
fn an_expression_has_a_kind_or_a_mark() {
    let kind = done(&["check", "age(birth_date) between 18 and 59", "--table", "person"]);
    assert_eq!(kind, "person: flag\n");
    let every = done(&["check", "household.income * 12", "--json"]);
    let every: Value = serde_json::from_str(&every).unwrap();
    assert!(every.as_array().unwrap().contains(&json!({ "table": "person", "kind": "money" })));
    refused(&["check", "agee(birth_date)", "--table", "person"], 1, "did you mean `age`?");
    refused(&["check", "sex = 'x'"], 1, "no code `x`");
    refused(&["check", "true", "--table", "persn"], 1, "no table `persn` in the schema; it has ");
    refused(&["check", "true", "--schema", "/nowhere.toml"], 1, "cannot read /nowhere.toml");
}

#[test]
fn an_expression_is_asked_of_one_household() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("family.json");
    let family = json!({
        "income": 2000.5, "region": "140105",
        "person": [{ "person_id": "P1", "birth_date": "1950-03-01", "employed": true }, {}],
    });
    std::fs::write(&file, family.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let asked = "per_capita(income) < 680 and any(person where employed)";
    let text = done(&["check", asked, "--household", file]);
    let expected = "\
household: not met
  not met     per_capita(income) < 680 and any(person where employed)
    would turn  income: 2000.50 -> 1359.99 (-640.51)
    not met     per_capita(income) < 680
      is          per_capita(income) = 1000.25
      read        income = 2000.50
      would turn  income: 2000.50 -> 1359.99 (-640.51)
    met         any(person where employed)
      read        person[0].employed = true
      read        person[1].employed = unknown
      would turn  person[0].employed: true -> false
      would turn  count(person where employed): 1 -> 0 (-1)
";
    assert_eq!(text, expected);
    let told = done(&["check", asked, "--household", file, "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["rows"][0]["clause"]["parts"][0]["changes"][0]["to"], json!(["1359.99"]));
    assert_eq!(told["rows"][0]["clause"]["outcome"], "not_met");
    let age = "age(birth_date) >= 60";
    let of_person = &["check", age, "--household", file, "--table", "person"];
    refused(of_person, 1, "the question needs a day");
    let dated = [&of_person[..], &["--as-of", "2026-10-31"]].concat();
    let text = done(&dated);
    assert!(text.starts_with("person[0] (P1): met\n"), "{text}");
    assert!(text.contains("\nperson[1]: cannot tell\n"), "{text}");
    refused(&["check", "agee(birth_date)", "--household", file], 1, "did you mean `age`?");
    std::fs::write(file, r#"{"person": [{"birth_date": "1.3.1950"}]}"#).unwrap();
    refused(of_person, 1, "yiku: person[0].birth_date: expected a day like ");
    refused(&["check", "true", "--household", "/nowhere.json"], 1, "cannot read /nowhere.json");
    refused(&["check", "true", "--as-of", "2026-10-31"], 2, "--household");
}

#[test]
fn a_plan_says_what_answers_each_clause() {
    let (_folder, db) = registry();
    let q = "from person where severe_illness and region within 140105 by sex";
    let plan = done(&["explain", "--db", &db, q]);
    assert!(plan.contains("where severe_illness") && plan.contains("rows matched"), "{plan}");
    let line = plan.lines().find(|line| line.starts_with("where severe_illness")).unwrap();
    assert!(line.contains(" index ") && line.ends_with('s'), "{line}");
    assert!(plan.lines().all(|line| line.chars().count() <= 100), "{plan}");
    let asked = done(&["query", "--db", &db, &format!("{q} explain")]);
    let clauses = |plan: &str| -> Vec<String> {
        plan.lines().map(|line| line.split("  ").next().unwrap_or("").to_owned()).collect()
    };
    assert_eq!(clauses(&asked)[1..6], clauses(&plan)[1..6]);
    let told: Value = serde_json::from_str(&done(&["explain", "--db", &db, "--json", q])).unwrap();
    // The place is looked at first: of the ill, those who live there.
    let there = |h: &i64| h % 4 == 0 && small::village(*h).starts_with("140105");
    let ill = (0..=small::HOUSEHOLDS).filter(there).count();
    let steps = told["explain"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["clause"] == "where severe_illness").unwrap();
    assert_eq!((&step["rows"], &step["by"]), (&json!(ill), &json!("index")));
    let json = "{\"from\": \"person\", \"explain\": true}";
    let told: Value =
        serde_json::from_str(&done(&["query", "--db", &db, "--json", json])).unwrap();
    assert_eq!(told["explain"]["steps"][0]["clause"], "from person");
}

#[test]
fn a_reader_that_goes_is_no_failure() {
    let (_folder, db) = registry();
    let q = "from person by person_id, region.village, birth_date measure n = count(), m = count()";
    for format in ["table", "csv", "json"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yiku"));
        command.args(["query", "--db", &db, "--format", format, q]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""), "{format}");
    }
}

/// A program that serves.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yiku"));
        command.args(arguments).args(["--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        assert!(!address.ends_with(":0"), "{address}");
        Self { child, address }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Interrupts it as Ctrl-C does.
    fn interrupt(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Already gone where the test went well.
        let _ = self.child.kill();
    }
}

#[test]
fn a_server_says_its_address_answers_and_stops_when_asked() {
    let (_folder, db) = registry();
    let serving = Serving::start(&["serve", "--db", &db]);
    let answer = serving.get("/api/v1/query?q=from+person+measure+n+=+count()");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains(&format!("\"values\":[{}]", persons())), "{answer}");
    // Another process writes; the server follows.
    small::change(&yiku::Database::open(Path::new(&db)).unwrap());
    assert!(serving.get("/api/v1/meta").contains("\"data_version\":\"3\""));
    let taken = serving.address.clone();
    refused(&["serve", "--db", &db, "--listen", &taken], 1, "cannot listen on");
    assert_eq!(serving.interrupt(), Some(0));
    refused(&["serve", "--db", "/nowhere/at/all"], 1, "holds no database");
}

/// Names of every file of a folder, with what tells its bytes from others.
fn files(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let mut bytes = DefaultHasher::new();
            std::fs::read(&path).unwrap().hash(&mut bytes);
            found.push((path, bytes.finish()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_province_is_generated_loaded_and_asked() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (out, db) = (at("province"), at("db"));
    let generate = ["generate", "--out", &out, "--persons", "3000", "--months", "1", "--seed", "5"];
    assert!(done(&generate).contains(" records, "));
    let loaded: Value =
        serde_json::from_str(&done(&["load", "--db", &db, "--json", &out])).unwrap();
    assert_eq!(loaded["unchanged"], false, "{loaded}");
    let expected: Value = serde_json::from_slice(
        &std::fs::read(Path::new(&out).join("truth/expected.json")).unwrap(),
    )
    .unwrap();
    let count = done(&["query", "--db", &db, "--format", "csv", "from person measure n = count()"]);
    assert_eq!(count, format!("n\n{}\n", expected["persons"]), "{expected}");
    let before = files(Path::new(&db));
    let again: Value = serde_json::from_str(&done(&["load", "--db", &db, "--json", &out])).unwrap();
    assert_eq!(again["unchanged"], true, "{again}");
    assert_eq!(files(Path::new(&db)), before, "the same bytes twice change nothing");
    let strange = at("strange.csv");
    std::fs::write(&strange, "a,b\n1,2\n").unwrap();
    refused(&["load", "--db", &db, &strange], 1, "no contract knows this file");
    refused(&["load", "--db", &db, &at("missing.csv")], 1, "missing.csv");
    assert_eq!(files(Path::new(&db)), before, "a refused load changes nothing");
}

#[test]
fn a_file_cannot_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("db").to_str().unwrap().to_owned();
    let file = folder.path().join("no\u{1b}[2Jname.csv");
    std::fs::write(&file, "a\u{1b}[31mb,c\n1,2\n").unwrap();
    let ended = yiku(&["load", "--db", &db, file.to_str().unwrap()]);
    assert_eq!(ended.status, 1);
    assert!(ended.err.contains("no contract knows this file"), "{}", ended.err);
    assert!(!ended.err.contains('\u{1b}'), "{:?}", ended.err);
}

#[test]
fn another_registry_is_loaded_by_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("schools").to_str().unwrap().to_owned();
    let school = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/school");
    let file = |name: &str| school.join(name).to_str().unwrap().to_owned();
    let table = |name: &str, path: &str| format!("{name}={}", file(path));
    let (schema, tree) = (file("school.toml"), file("places.csv"));
    let schools = table("school", "schools.csv");
    let (classes, pupils) = (table("class", "classes.csv"), table("pupil", "pupils.csv"));
    let load = [
        "load", "--schema", &schema, "--tree", &tree, "--db", &db, "--table", &schools, "--table",
        &classes, "--table", &pupils,
    ];
    done(&load);
    let lines = std::fs::read_to_string(file("pupils.csv")).unwrap().lines().count();
    let q = "from pupil measure n = count()";
    assert_eq!(done(&["query", "--db", &db, "--format", "csv", q]), format!("n\n{}\n", lines - 1));
    refused(&["load", "--db", &db, "--table", &table("teacher", "pupils.csv")], 1, "`teacher`");
}

#[test]
fn a_demo_takes_up_what_was_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap().to_owned();
    let demo = ["demo", "--persons", "400", "--statistics", "--dir", &dir];
    let first = Serving::start(&demo);
    assert!(first.get("/api/v1/areas/14").contains("\"name\":\"山西省\""));
    assert_eq!(first.interrupt(), Some(0));
    let db = folder.path().join("persons-400/db");
    let before = files(&db);
    let second = Serving::start(&demo);
    assert!(second.get("/readyz").contains("ready"));
    assert_eq!(second.interrupt(), Some(0));
    assert_eq!(files(&db), before, "nothing is loaded twice");
    // As if it had been killed while it wrote the province, and before the first commit.
    let mark = folder.path().join("persons-400/files/truth/province.json");
    let text = std::fs::read_to_string(&mark).unwrap();
    std::fs::write(&mark, text.replace("\"complete\": true", "\"complete\": false")).unwrap();
    std::fs::remove_dir_all(&db).unwrap();
    let third = Serving::start(&demo);
    assert!(third.get("/api/v1/query?q=from+person").contains("\"matched\":"));
    assert_eq!(third.interrupt(), Some(0));
}

#[test]
fn a_demo_asks_who_is_there_and_says_who_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap().to_owned();
    let demo = ["demo", "--persons", "400", "--dir", &dir];
    for _ in 0..2 {
        let serving = Serving::start(&demo);
        assert!(serving.get("/api/v1/query?q=from+person").contains("session.missing"));
        let session = serving.get("/api/v1/session");
        assert!(session.contains("\"login\":\"xiang\"") && session.contains("\"demo\":true"));
        assert_eq!(serving.interrupt(), Some(0));
    }
}
