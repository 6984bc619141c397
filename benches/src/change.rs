//! Households of the whole province as a department delivers them anew: keys and places that are
//! there, everything else drawn.

use yiku::{Batch, Error, Result, Snapshot, Value};

use crate::mixed;

/// Given names of a delivery.
const NAMES: [&str; 8] = ["王伟", "李芳", "张秀英", "刘洋", "陈静怡", "杨建国", "赵敏", "黄海燕"];

/// Keys and places of households that are there.
#[derive(Debug, Default)]
pub struct Changes {
    households: Vec<(String, i64)>,
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Changes {
    /// About so many households of a version, drawn without a pattern.
    ///
    /// # Errors
    /// Whatever the engine says.
    pub fn of(snapshot: &Snapshot, about: u64) -> Result<Self> {
        let one_in = (snapshot.rows(0) / about.max(1)).max(1);
        let mut households = Vec::new();
        for (nth, segment) in (0u64..).zip(snapshot.segments()) {
            let live = segment.live(0)?;
            let (keys, paths) = (segment.column(0, 0)?, segment.column(0, 1)?);
            let mut places = Vec::new();
            paths.integers(0..segment.rows(0), &mut places)?;
            keys.texts(0..segment.rows(0), &mut |row, key| {
                let drawn = mixed(nth << 32 | u64::from(row)).is_multiple_of(one_in);
                if let (true, Some(key), true) = (drawn, key, live.contains(row)) {
                    let place = places.get(row as usize).copied().unwrap_or(0);
                    households.push((key.to_owned(), place));
                }
            })?;
        }
        // In an order that is not the database's.
        households.sort_by_cached_key(|(key, _)| {
            key.bytes().fold(7, |sum, byte| mixed(sum ^ u64::from(byte)))
        });
        Ok(Self { households })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.households.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.households.is_empty()
    }

    /// Puts a household, changed for the `nth` time, into a batch.
    ///
    /// # Errors
    /// Whatever the engine says.
    pub fn put(&self, batch: &mut Batch, at: usize, nth: u64) -> Result<()> {
        let place = at % self.households.len().max(1);
        let (key, region) =
            self.households.get(place).ok_or(Error::UnknownTable { table: "household".into() })?;
        let own = mixed(nth ^ signed_place(place));
        let drawn = |salt: u64, below: u64| signed(mixed(own + salt) % below);
        let sometimes = |salt: u64, value: i64| (drawn(salt, 3) == 0).then_some(value);
        let members = 1 + drawn(1, 4);
        let address = format!("{}组{}号", 1 + drawn(2, 9), 1 + drawn(3, 120));
        let household: [Value<'_>; 9] = [
            key.as_str().into(),
            (*region).into(),
            (drawn(4, 3) == 0).into(),
            address.as_str().into(),
            members.into(),
            (drawn(5, 15_000) * 1_000).into(),
            sometimes(6, drawn(7, 6)).into(),
            sometimes(8, drawn(9, 4)).into(),
            (20_757 - drawn(10, 5_000)).into(),
        ];
        let mut row = batch.push(0)?;
        for (column, value) in household.into_iter().enumerate() {
            row.put(column, value)?;
        }
        for member in 0..members {
            let own = own.wrapping_add(member.cast_unsigned() << 20);
            let drawn = |salt: u64, below: u64| signed(mixed(own + salt) % below);
            let sometimes = |salt: u64, value: i64| (drawn(salt, 5) == 0).then_some(value);
            // Beneath its household a person keeps its key.
            let id = format!("P{}{member}", key.get(1..).unwrap_or_default());
            let born = 20_757 - drawn(11, 32_000);
            let number = format!("999{:03}{:08}{:04}", drawn(12, 121), born, drawn(13, 9_999));
            let name = NAMES.get(usize::try_from(drawn(14, 8)).unwrap_or(0)).copied();
            let codes = [2, 4, 4, 4, 5, 4, 6];
            let mut row = batch.push(1)?;
            row.put(0, id.as_str().into())?;
            row.put(1, name.into())?;
            row.put(2, number.as_str().into())?;
            row.put(3, drawn(15, 2).into())?;
            row.put(4, born.into())?;
            for (column, codes) in (5..).zip(codes.into_iter().skip(1)) {
                row.put(column, drawn(16, codes).into())?;
            }
            row.put(15, sometimes(17, drawn(18, 900) * 1_000).into())?;
            row.put(16, sometimes(19, drawn(20, 4_000_000)).into())?;
            row.put(18, sometimes(21, 2026 * 12 + 9 - drawn(22, 30)).into())?;
            row.put(19, (20_757 - drawn(23, 365)).into())?;
            row.put(20, (if drawn(24, 8) == 0 { 1 << drawn(25, 16) } else { 0 }).into())?;
            row.put(21, (1i64 << drawn(26, 32)).into())?;
        }
        Ok(())
    }
}

fn signed_place(place: usize) -> u64 {
    (place as u64) << 24
}
