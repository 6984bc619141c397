//! Sets of rows obey the laws of sets, compared with a tree of numbers.

use std::collections::BTreeSet;

use yiku::RowSet;

/// Sets of a table of so many rows: of every shape, none of them random.
fn shapes(len: u32) -> Vec<BTreeSet<u32>> {
    let some = |keep: &dyn Fn(u32) -> bool| (0..len).filter(|row| keep(*row)).collect();
    vec![
        BTreeSet::new(),
        some(&|_| true),
        some(&|row| row % 3 == 1),
        some(&|row| row / 50 % 2 == 0),
        some(&|row| row == 0 || row + 1 == len),
        some(&|row| row * row % 7 == 2),
    ]
}

fn set(len: u32, rows: &BTreeSet<u32>) -> RowSet {
    let mut set = RowSet::none(len);
    rows.iter().for_each(|row| set.insert(*row));
    set
}

fn check(found: &RowSet, expected: impl IntoIterator<Item = u32>, what: &str) {
    let expected: Vec<u32> = expected.into_iter().collect();
    assert_eq!(found.iter().collect::<Vec<u32>>(), expected, "{what}");
    assert_eq!(found.count(), expected.len() as u64, "{what}");
    assert_eq!(found.is_empty(), expected.is_empty(), "{what}");
    assert_eq!(&RowSet::from_bitmap(found.len_rows(), &found.to_bitmap()), found, "{what}");
    let runs: Vec<u32> = found.runs().flatten().collect();
    assert_eq!(runs, expected, "{what}: runs");
}

#[test]
fn two_sets_make_the_sets_they_should() {
    for len in [1, 63, 64, 65, 300] {
        let shapes = shapes(len);
        for (a, b) in shapes.iter().flat_map(|a| shapes.iter().map(move |b| (a, b))) {
            let (left, right) = (set(len, a), set(len, b));
            let combined = |combine: &dyn Fn(&mut RowSet, &RowSet)| {
                let mut found = left.clone();
                combine(&mut found, &right);
                found
            };
            check(&combined(&RowSet::and), a.intersection(b).copied(), "and");
            check(&combined(&RowSet::or), a.union(b).copied(), "or");
            check(&combined(&RowSet::and_not), a.difference(b).copied(), "and not");
            // Not (a or b) is not a and not b.
            let mut neither = combined(&RowSet::or);
            neither.invert();
            let (mut not_a, mut not_b) = (left.clone(), right.clone());
            not_a.invert();
            not_b.invert();
            not_a.and(&not_b);
            assert_eq!(neither, not_a);
        }
    }
}

#[test]
fn nothing_reaches_beyond_the_table() {
    let mut set = RowSet::none(70);
    set.insert(70);
    set.insert(u32::MAX);
    set.remove(u32::MAX);
    set.insert_range(68..u32::MAX);
    check(&set, [68, 69], "beyond");
    assert!(!set.contains(70) && set.contains(69));
    set.words_mut().fill(u64::MAX);
    set.trim();
    assert_eq!((set.count(), set.words().len()), (70, 2));
    let far = [3, 70, 1_000_000].into_iter().collect();
    check(&RowSet::from_bitmap(70, &far), [3], "a bitmap of a larger table");
}
