//! What is published cannot be differenced back.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a test stops where it fails, over small numbers"
)]

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{ALL, Counts, Leaf, Node, Table};
use crate::run::tests::{Drawn, House, answer, lines, refused, snapshot_of, written};

/// The table of a reader: every cell with its margins, by summing up.
type Cells = BTreeMap<Vec<Node>, Counts>;

/// All cells that hold a group.
fn holders(leaf: &Leaf) -> Vec<Vec<Node>> {
    let mut keys = vec![Vec::new()];
    for chain in &leaf.chains {
        let longer = |key: &Vec<Node>| {
            chain.iter().map(|node| [key.as_slice(), &[*node]].concat()).collect::<Vec<_>>()
        };
        keys = keys.iter().flat_map(longer).collect();
    }
    keys
}

fn cells(leaves: &[Leaf]) -> Cells {
    let mut cells = Cells::new();
    for leaf in leaves {
        for key in holders(leaf) {
            let zero = Counts { rows: 0, others: vec![0; leaf.counts.others.len()] };
            let cell = cells.entry(key).or_insert(zero);
            cell.rows += leaf.counts.rows;
            for (sum, own) in cell.others.iter_mut().zip(&leaf.counts.others) {
                *sum += own;
            }
        }
    }
    cells
}

/// Every line as the whole and its parts, found from the chains.
fn sums(leaves: &[Leaf]) -> Vec<(Vec<Node>, Vec<Vec<Node>>)> {
    let mut found: BTreeMap<(usize, Vec<Node>), BTreeSet<Vec<Node>>> = BTreeMap::new();
    for leaf in leaves {
        for key in holders(leaf) {
            for (at, chain) in leaf.chains.iter().enumerate() {
                let step = chain.iter().position(|node| *node == key[at]).unwrap();
                if let Some(above) = chain.get(step + 1) {
                    let mut whole = key.clone();
                    whole[at] = *above;
                    found.entry((at, whole)).or_default().insert(key.clone());
                }
            }
        }
    }
    found.into_iter().map(|((_, whole), parts)| (whole, parts.into_iter().collect())).collect()
}

const FIELD: i64 = 1_000_000_007;

fn power(mut base: i64, mut exponent: i64) -> i64 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % FIELD;
        }
        base = base * base % FIELD;
        exponent >>= 1;
    }
    result
}

/// The unknowns that dense elimination over another field leaves no choice.
fn told(equations: &[Vec<(usize, i64)>], unknowns: usize) -> Vec<usize> {
    let mut rows: Vec<Vec<i64>> = equations
        .iter()
        .map(|equation| {
            let mut row = vec![0; unknowns];
            equation.iter().for_each(|(at, sign)| row[*at] = (row[*at] + sign + FIELD) % FIELD);
            row
        })
        .collect();
    let mut done = 0;
    for column in 0..unknowns {
        let Some(pivot) = (done..rows.len()).find(|row| rows[*row][column] != 0) else { continue };
        rows.swap(done, pivot);
        let scale = power(rows[done][column], FIELD - 2);
        rows[done].iter_mut().for_each(|value| *value = *value * scale % FIELD);
        let own = rows[done].clone();
        for (place, row) in rows.iter_mut().enumerate() {
            if place != done && row[column] != 0 {
                let factor = row[column];
                for (value, own) in row.iter_mut().zip(&own) {
                    *value = ((*value - factor * own) % FIELD + FIELD) % FIELD;
                }
            }
        }
        done += 1;
    }
    let alone = |row: &Vec<i64>| row.iter().filter(|value| **value != 0).count() == 1;
    let place = |row: &Vec<i64>| row.iter().position(|value| *value != 0);
    rows.iter().filter(|row| alone(row)).filter_map(place).collect()
}

/// Groups of two or three keys; the first has a level above.
fn drawn(draw: &mut Drawn) -> Vec<Leaf> {
    let keys = 1 + draw.below(3);
    let sizes: Vec<u64> = (0..keys).map(|_| 1 + draw.below(5)).collect();
    let mut leaves = Vec::new();
    let count: u64 = sizes.iter().product();
    for number in 0..count {
        let mut rest = number;
        let mut chains = Vec::new();
        for (at, size) in sizes.iter().enumerate() {
            let node = (rest % size) as Node + 1;
            rest /= size;
            chains.push(match at {
                0 => vec![node, 100 + node / 2, ALL],
                _ => vec![node, ALL],
            });
        }
        if draw.below(5) == 0 {
            continue;
        }
        // As households are spread: many small cells, few large ones.
        let size = draw.below(8);
        let rows = 1 + draw.below(1 << size);
        let others = vec![draw.below(rows + 1), draw.below(rows + 1)];
        leaves.push(Leaf { chains, counts: Counts { rows, others } });
    }
    leaves
}

#[test]
fn no_small_cell_follows_from_what_is_told() {
    let mut draw = Drawn(20_261_127);
    let (mut hidden, mut shown, mut beyond) = (0, 0, 0);
    for _ in 0..1_500 {
        let leaves = drawn(&mut draw);
        let least = 2 + draw.below(6);
        let mut table = Table::new(&leaves, least).unwrap();
        table.protect(&[true, true]).unwrap();
        let (all, sums) = (cells(&leaves), sums(&leaves));
        let small = |count: u64| count > 0 && count < least;
        for layer in [false, true] {
            let is_hidden = |key: &Vec<Node>| {
                let own = table.hidden(key);
                if layer { own.others } else { own.rows }
            };
            let is_small = |counts: &Counts| {
                let own = counts.others.iter();
                small(counts.rows)
                    || layer && own.clone().any(|own| small(*own) || small(counts.rows - own))
            };
            let unknowns: Vec<&Vec<Node>> = all.keys().filter(|key| is_hidden(key)).collect();
            let place = |key: &Vec<Node>| unknowns.binary_search(&key);
            for (key, counts) in &all {
                assert!(is_hidden(key) || !is_small(counts), "{key:?} is small and told");
                hidden += usize::from(is_hidden(key) && !is_small(counts));
                shown += usize::from(!is_hidden(key));
            }
            let mut equations = Vec::new();
            for (whole, parts) in &sums {
                let own: Vec<&Vec<Node>> = parts.iter().filter(|part| is_hidden(part)).collect();
                if own.is_empty() {
                    assert!(!is_hidden(whole), "{whole:?} is the sum of what is told");
                    continue;
                }
                if !is_hidden(whole) {
                    assert!(own.len() > 1, "{own:?} follows from {whole:?}");
                    let sum = |of: &dyn Fn(&Counts) -> u64| -> u64 {
                        own.iter().map(|key| of(&all[*key])).sum()
                    };
                    let of: [&dyn Fn(&Counts) -> u64; 3] =
                        [&|c| c.rows, &|c| c.others[0], &|c| c.others[1]];
                    let asked = if layer { &of[1..] } else { &of[..1] };
                    assert!(asked.iter().all(|of| !small(sum(of))), "{own:?} of {whole:?}");
                }
                let mut equation: Vec<(usize, i64)> =
                    own.iter().map(|key| (place(key).unwrap(), 1)).collect();
                equation.extend(place(whole).ok().map(|at| (at, -1)));
                equations.push(equation);
            }
            for at in told(&equations, unknowns.len()) {
                let key = unknowns[at];
                // All that there is may be one small cell: then nothing is told of it at all.
                let only = all.keys().all(is_hidden);
                assert!(only || !is_small(&all[key]), "{key:?} follows from sums of lines");
                beyond += 1;
            }
        }
    }
    println!("{shown} told, {hidden} hidden beside small ones, {beyond} of these follow");
    assert!(shown > 10_000 && hidden > 1_000);
}

#[test]
fn what_is_hidden_does_not_depend_on_the_order_of_groups() {
    let mut draw = Drawn(7);
    for _ in 0..200 {
        let leaves = drawn(&mut draw);
        let ask = |leaves: &[Leaf]| {
            let mut table = Table::new(leaves, 4).unwrap();
            table.protect(&[true, true]).unwrap();
            cells(leaves).keys().map(|key| table.hidden(key)).collect::<Vec<_>>()
        };
        assert_eq!(ask(&leaves), ask(&leaves));
    }
}

const HOUSES: [House<'_>; 11] = [
    ("1101", &[("rent", "10"), ("a", "true")]),
    ("1101", &[("rent", "10"), ("a", "true")]),
    ("1101", &[("rent", "10"), ("a", "false")]),
    ("1101", &[("rent", "20"), ("a", "true")]),
    ("1101", &[("rent", "20"), ("a", "true")]),
    ("1102", &[("a", "true")]),
    ("1102", &[("rent", "50")]),
    ("1201", &[("rent", "1"), ("a", "true")]),
    ("1201", &[("rent", "2"), ("a", "false")]),
    ("1201", &[("rent", "3"), ("a", "true")]),
    ("1201", &[("rent", "4"), ("a", "false")]),
];

#[test]
fn small_cells_are_hidden_and_counts_rounded() {
    let (_folder, snapshot) = written(&HOUSES, &[]);
    let ask = |text: &str| lines(&snapshot, &format!("from house {text}"));
    // Street 1102 has two; 1101 is hidden with it, or it would follow from the city.
    let streets = ["1101 ?", "1102 ?", "1201 4"];
    assert_eq!(ask("by place.street publish min_cell 3"), streets);
    assert_eq!(
        ask("by place.street totals publish min_cell 3"),
        ["1101 ?", "1102 ?", "1201 4", "? 11"]
    );
    assert_eq!(ask("by place.city publish min_cell 3"), ["11 7", "12 4"]);
    assert_eq!(ask("by place.city publish min_cell 5"), ["11 ?", "12 ?"]);
    assert_eq!(ask("by place.city publish min_cell 3 round 5"), ["11 5", "12 5"]);
    assert_eq!(ask("by place.city totals publish min_cell 5"), ["11 ?", "12 ?", "? 11"]);
    // The total is told, and neither part: what is hidden is as much as a cell must be.
    assert_eq!(ask("publish min_cell 12"), ["?"]);
    let found = answer(&snapshot, "from house by place.street publish min_cell 3 round 5");
    assert_eq!(found.columns[1].hidden, [true, true, false]);
    assert_eq!((found.columns[0].hidden.len(), found.matched), (0, 10), "eleven, rounded");
    assert_eq!(answer(&snapshot, "from house publish min_cell 12").matched, 0);
    // Without a small cell nothing is hidden; an order puts what is hidden last.
    assert_eq!(ask("by place.street publish min_cell 2"), ["1101 5", "1102 2", "1201 4"]);
    assert_eq!(ask("by place.street order count limit 2 publish min_cell 3"), ["1201 4", "1101 ?"]);
    // One with the condition leaves one without: both counts are small, though the rows are not.
    let share = "measure n = count(), yes = count(where a), s = share(count(where a))";
    assert_eq!(
        ask(&format!("by place.city {share} publish min_cell 3")),
        ["11 7 ? ?", "12 4 ? ?"],
        "five of seven have it in 11, so two have not or are not known; two of four in 12"
    );
    // A sum is told where it is of enough known values.
    assert_eq!(
        ask("by place.street measure n = count(), r = sum(rent), m = avg(rent) publish min_cell 2"),
        ["1101 5 ? ?", "1102 2 ? ?", "1201 4 1000 250"]
    );
    assert_eq!(
        ask("by place.city measure homes = count_distinct(house) publish min_cell 3"),
        ["11 7", "12 4"]
    );
}

#[test]
fn what_tells_of_single_rows_is_not_published() {
    let (_folder, snapshot) = snapshot_of(&HOUSES, &[&[("2026-01-01", "")]]);
    for (text, says) in [
        ("measure m = max(rent)", "this tells of single rows"),
        ("measure n = count(), q = 2 * median(rent)", "this tells of single rows"),
        ("measure h = histogram(rent, 0, 10, 2)", "this tells of single rows"),
        ("measure d = count_distinct(rent)", "this tells of single rows"),
        ("by id", "`id` tells one row from others"),
        ("by built", "`built` tells one row from others"),
        ("select id", "goes without `publish`"),
        ("matrix a, b", "goes without `publish`"),
        ("by a having count() > 3", "goes without `having`"),
        ("by a compare month", "goes without `compare`"),
        ("by a flow 2026-01-01 to 2026-02-01", "goes without"),
        ("by a top 2 by count", "goes without `top`"),
    ] {
        let found = refused(&snapshot, &format!("from house {text} publish min_cell 3"));
        assert!(found.contains(says), "{text}: {found}");
    }
    // One house is of neither kind: it is small, and so it takes another with it.
    let text = "from house by a over month 2026-09 to 2026-10 publish min_cell 3";
    let month = |month: &str| ["false ?", "true 7", "? ?"].map(|rest| format!("{month} {rest}"));
    assert_eq!(lines(&snapshot, text), [month("2026-09"), month("2026-10")].concat());
}
