//! The values of one column as they come from DuckDB, turned into what the engine stores.
//!
//! Invariant: a value is taken or refused as [`yiku::rows::RowBuilder::put`] would take or refuse
//! the text of it.

use duckdb::arrow::array::{Array, AsArray, StringArray};
use duckdb::arrow::datatypes::{Date32Type, Decimal128Type, Int64Type};
use yiku::schema::Kind;
use yiku::{Batch, Value};

use super::source::Form;
use crate::error::{Error, Result};
use crate::reject::Reason;

/// What a cell is: the integer that is stored, unknown, or refused.
pub(super) type Found = std::result::Result<Option<i64>, Reason>;

/// Short texts that were looked up, by a number made of their bytes; a new one takes the slot of
/// another.
const SLOTS: u64 = 1_024;
/// The longest text of a slot.
const SLOT_BYTES: usize = 15;
/// The days of the years 0000 to 9999, which a text of a day can say.
const DAYS: std::ops::RangeInclusive<i32> = -719_528..=2_932_896;

/// The values of one column.
pub(super) struct Cells<'b> {
    /// What knows lists and places.
    batch: &'b Batch,
    table: usize,
    column: usize,
    form: Form,
    slots: Vec<Option<(u128, Found)>>,
}

impl<'b> Cells<'b> {
    pub(super) fn new(batch: &'b Batch, table: usize, column: usize, form: Form) -> Self {
        let slots = vec![None; usize::try_from(SLOTS).unwrap_or(0)];
        Self { batch, table, column, form, slots }
    }

    /// Calls `take` with each value of an array, in order.
    ///
    /// # Errors
    /// [`Error::DuckDb`] when the array is not of the form that was asked for.
    pub(super) fn each(
        &mut self,
        array: &dyn Array,
        mut take: impl FnMut(usize, Found),
    ) -> Result<()> {
        match self.form {
            Form::Flags => {
                let values = array.as_boolean_opt().ok_or_else(unlike)?;
                values.iter().enumerate().for_each(|(row, v)| take(row, Ok(v.map(i64::from))));
            }
            Form::Days => {
                let days = array.as_primitive_opt::<Date32Type>().ok_or_else(unlike)?;
                for (row, day) in days.iter().enumerate() {
                    take(
                        row,
                        match day {
                            Some(day) if !DAYS.contains(&day) => Err(Reason::ImpossibleDate),
                            day => Ok(day.map(i64::from)),
                        },
                    );
                }
            }
            Form::Decimals(behind) => {
                let values = array.as_primitive_opt::<Decimal128Type>().ok_or_else(unlike)?;
                let unit = 10i128.pow(2u32.saturating_sub(behind));
                for (row, value) in values.iter().enumerate() {
                    let cents = value.map(|value| i64::try_from(value.saturating_mul(unit)));
                    take(row, cents.transpose().map_err(|_| Reason::BadAmount));
                }
            }
            Form::Integers => {
                let values = array.as_primitive_opt::<Int64Type>().ok_or_else(unlike)?;
                values.iter().enumerate().for_each(|(row, value)| take(row, Ok(value)));
            }
            Form::Texts => {
                let texts = texts(array)?;
                texts.iter().enumerate().for_each(|(row, text)| take(row, self.text(text)));
            }
            Form::Lists => {
                let lists = array.as_list_opt::<i32>().ok_or_else(unlike)?;
                let texts = texts(lists.values())?;
                let mut ends =
                    lists.value_offsets().iter().filter_map(|at| usize::try_from(*at).ok());
                let mut from = ends.next().unwrap_or(0);
                for (row, to) in ends.enumerate() {
                    let known = lists.is_valid(row);
                    take(row, if known { self.set(texts, from..to) } else { Ok(None) });
                    from = to;
                }
            }
        }
        Ok(())
    }

    /// The set of the codes of a list.
    fn set(&mut self, texts: &StringArray, range: std::ops::Range<usize>) -> Found {
        let mut bits = 0;
        for place in range {
            if texts.is_valid(place) {
                bits |= self.look_up(texts.value(place))?.unwrap_or(0);
            }
        }
        Ok(Some(bits))
    }

    /// What a text says; an empty one says nothing.
    fn text(&mut self, text: Option<&str>) -> Found {
        match text {
            None | Some("") => Ok(None),
            Some(text) => self.look_up(text),
        }
    }

    fn look_up(&mut self, text: &str) -> Found {
        let Some(packed) = packed(text) else { return self.stored(text) };
        let mixed = (packed ^ packed >> 61).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let slot = usize::try_from(mixed % u128::from(SLOTS)).unwrap_or(0);
        if let Some((_, found)) = self.slots.get(slot).copied().flatten().filter(|s| s.0 == packed)
        {
            return found;
        }
        let found = self.stored(text);
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = Some((packed, found));
        }
        found
    }

    fn stored(&self, text: &str) -> Found {
        self.batch
            .stored(self.table, self.column, Value::Text(text))
            .map_err(|error| reason(&error))
    }
}

/// A short text as a number that no other text has.
fn packed(text: &str) -> Option<u128> {
    let mut bytes = [0u8; SLOT_BYTES + 1];
    bytes
        .get_mut(..text.len())
        .filter(|_| text.len() <= SLOT_BYTES)?
        .copy_from_slice(text.as_bytes());
    if let Some(last) = bytes.last_mut() {
        *last = u8::try_from(text.len()).ok()?;
    }
    Some(u128::from_le_bytes(bytes))
}

/// The texts of an array.
///
/// # Errors
/// As [`Cells::each`].
pub(super) fn texts(array: &dyn Array) -> Result<&StringArray> {
    array.as_string_opt::<i32>().ok_or_else(unlike)
}

fn unlike() -> Error {
    let source = duckdb::Error::InvalidQuery;
    Error::DuckDb { action: "read a column in the form that was asked for", source }
}

/// Why the engine does not take a value.
fn reason(error: &yiku::Error) -> Reason {
    match error {
        yiku::Error::UnknownCode { .. } | yiku::Error::UnknownPath { .. } => Reason::UnknownCode,
        yiku::Error::Limit { .. } => Reason::TooLong,
        yiku::Error::WrongType { expected: Kind::Date | Kind::Month, .. } => Reason::ImpossibleDate,
        yiku::Error::WrongType { expected: Kind::Money, .. } => Reason::BadAmount,
        yiku::Error::WrongType { expected: Kind::Flag, .. } => Reason::BadFlag,
        _ => Reason::BadNumber,
    }
}
