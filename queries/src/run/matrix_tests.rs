//! Conditions counted each with each.

use super::tests::{answer, column, refused, written};

#[test]
fn conditions_are_counted_each_with_each() {
    let rows: [(&str, &[(&str, &str)]); 5] = [
        ("1101", &[("a", "true"), ("b", "true"), ("floors", "3")]),
        ("1101", &[("a", "true"), ("b", "false"), ("floors", "1")]),
        ("1102", &[("a", "false"), ("b", "true"), ("floors", "3")]),
        ("1201", &[("b", "true")]),
        ("1201", &[("a", "true"), ("b", "true"), ("floors", "2")]),
    ];
    let (_folder, snapshot) = written(&rows, &[]);
    let matrix = "matrix a, b, high = floors > 2, floors is known";
    let found = answer(&snapshot, &format!("from house {matrix}"));
    let names: Vec<&str> = found.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["condition", "a", "b", "high", "floors is known"]);
    assert_eq!(column(&found, 0), ["a", "b", "high", "floors is known"]);
    let counts: Vec<String> = (1..5).map(|at| column(&found, at).join(" ")).collect();
    assert_eq!(counts, ["3 2 1 3", "2 4 2 3", "1 2 2 2", "3 3 2 4"]);
    assert_eq!((found.matched, found.rows), (5, 4));
    let found = answer(&snapshot, &format!("from house where place within 11 {matrix}"));
    assert_eq!((column(&found, 2).join(" "), found.matched), ("1 2 2 2".to_owned(), 3));
    let found = answer(&snapshot, &format!("from house where floors > 9 {matrix}"));
    assert_eq!((column(&found, 1).join(" "), found.matched), ("0 0 0 0".to_owned(), 0));
    for (rest, said) in [
        ("matrix a by place", "goes without `by`"),
        ("matrix a measure count()", "goes without `measure`"),
        ("matrix a limit 3", "goes without `limit`"),
        ("matrix a, floors", "expected a condition"),
        ("matrix a select id", "goes without `matrix`"),
        ("matrix a, a", "two conditions of the matrix"),
    ] {
        let error = refused(&snapshot, &format!("from house {rest}"));
        assert!(error.contains(said), "{rest}: {error}");
    }
}
