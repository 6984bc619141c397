//! Households drawn for any schema, and the places they live at.

use std::collections::BTreeSet;

use yiku::schema::{ColumnSchema, Kind, PathNode};
use yiku::{PathTree, Schema, calendar};

use super::{DAY, Draw};
use crate::household::Standards;
use crate::household::rows::{Cell, Rows};

impl Draw<'_> {
    /// A drawn value of a column, from few enough that comparisons turn out both ways.
    fn cell(&mut self, column: &ColumnSchema) -> Option<Cell> {
        if self.below(4) == 0 && !matches!(column.kind, Kind::Id | Kind::Path) {
            return None;
        }
        let codes = column.list.map_or(1, |list| self.schema.lists[list].codes.len());
        let day = calendar::parse_date(DAY).unwrap();
        let mut pick = |limit: usize| i64::try_from(self.below(limit)).unwrap();
        Some(match column.kind {
            Kind::Flag => Cell::Int(pick(2)),
            Kind::Code => Cell::Int(pick(codes.min(5))),
            Kind::Codes => Cell::Int(pick(16) & ((1 << codes.min(60)) - 1)),
            Kind::Int => match pick(30) {
                0 => Cell::Int(9_000_000_000_000_000_000),
                few => Cell::Int(few % 5 - 1),
            },
            Kind::Money => {
                let all = [0, 1, 9_999, 10_000, 33_333, 70_000, -100];
                Cell::Int(all[self.below(all.len())])
            }
            Kind::Date => Cell::Int(match pick(4) {
                0 => day - pick(400) + 100,
                1 | 2 => day - 365 * pick(90),
                _ => day,
            }),
            Kind::Month => Cell::Int(calendar::month_of(day) - pick(15)),
            Kind::Path => {
                let all = places(self.schema);
                let lowest = self.schema.path.levels.len() - 1;
                let lowest = all.iter().filter(|(_, level)| usize::from(*level) == lowest);
                let codes: Vec<u64> = lowest.map(|(code, _)| *code).collect();
                Cell::Int(self.of(&codes).cast_signed())
            }
            Kind::Text | Kind::Id => {
                Cell::Text(self.of(&["王", "王小", "李", "a", "it's"]).to_owned())
            }
        })
    }

    /// A household with what lies beneath it; `place` makes its keys its own.
    pub(in crate::household) fn household(&mut self, place: usize) -> Rows {
        let mut rows = Rows::new(self.schema);
        for table in 1..self.schema.tables.len() {
            let above = self.schema.tables[table].parent.unwrap();
            for parent in 0..rows.tables[above].len() {
                for _ in 0..self.below(4) {
                    rows.add(self.schema, table, parent);
                }
            }
        }
        for table in 0..self.schema.tables.len() {
            for row in 0..rows.tables[table].len() {
                for (column, declared) in self.schema.tables[table].columns.iter().enumerate() {
                    let cell = if self.schema.tables[table].key == column {
                        Some(Cell::Text(format!("{place:03}_{table}_{row:03}")))
                    } else {
                        self.cell(declared)
                    };
                    if let Some(cell) = cell {
                        rows.set(table, row, column, cell);
                    }
                }
            }
        }
        rows
    }
}

/// Two places of every level, one beneath the other, as code and level.
pub(super) fn places(schema: &Schema) -> Vec<(u64, u8)> {
    let levels = &schema.path.levels;
    let width = usize::from(schema.path.digits());
    let mut found = BTreeSet::new();
    for start in ["14", "15"] {
        for (level, declared) in levels.iter().enumerate() {
            let digits = usize::from(declared.digits);
            let mut code = format!("{start:1<digits$}");
            code.truncate(digits);
            let code: u64 = format!("{code:0<width$}").parse().unwrap();
            found.insert((code, u8::try_from(level).unwrap()));
        }
    }
    found.into_iter().collect()
}

pub(in crate::household) fn tree(schema: &Schema) -> PathTree {
    let node = |(code, level): (u64, u8)| PathNode { code, level, name: format!("p{code}") };
    PathTree::new(&schema.path, places(schema).into_iter().map(node).collect()).unwrap()
}

/// The platform's schema, and two others.
pub(in crate::household) fn schemas() -> Vec<Schema> {
    let own = Schema::from_toml(include_str!("../../../../indexer/registry.toml")).unwrap();
    let others = [
        include_str!("../../../tests/schemas/school.toml"),
        include_str!("../../../tests/schemas/farm.toml"),
    ];
    let others = others.into_iter().map(|text| Schema::from_toml(text).unwrap());
    std::iter::once(own).chain(others).collect()
}

/// What `$line` stands for: of every place something else, of some from another day on, and of
/// the platform's urban households apart.
pub(in crate::household) fn standards(schema: &Schema) -> Standards {
    let digits: Vec<usize> =
        schema.path.levels.iter().map(|level| usize::from(level.digits)).collect();
    let width = usize::from(schema.path.digits());
    let has_urban = schema.tables[0].column_index("urban").is_some();
    let mut text = String::new();
    for (place, (code, level)) in places(schema).into_iter().enumerate() {
        let mut region = format!("{code:0width$}");
        region.truncate(digits[usize::from(level)]);
        let from = if place % 3 == 0 { "2027-01-01" } else { "2020-01-01" };
        let urban = match (has_urban, place % 4) {
            (true, 1) => "urban = true\n",
            (true, 2) => "urban = false\n",
            _ => "",
        };
        text += &format!(
            "[[standard]]\nname = \"line\"\nzh = \"z\"\nen = \"e\"\nregion = \"{region}\"\n\
             from = \"{from}\"\nvalue = \"{}.33\"\nunit = \"yuan\"\ninvented = true\n{urban}",
            place * 100
        );
    }
    Standards::read(&text).unwrap()
}

/// The sets that drawn expressions name, one of each table.
pub(in crate::household) fn sets(schema: &Schema) -> String {
    let of = |(at, table): (usize, &yiku::schema::TableSchema)| {
        let key = &table.columns[table.key].name;
        format!("few_{at} of {} = {key} starts '00' or {key} starts '02'", table.name)
    };
    schema.tables.iter().enumerate().map(of).collect::<Vec<_>>().join(", ")
}
