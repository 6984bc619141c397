//! Values of one block on their way to its bytes.

/// Integers, and which of them are known.
#[derive(Debug, Default)]
pub(crate) struct Integers {
    /// A number a row; 0 where it is not known.
    pub values: Vec<i64>,
    /// A bit a row, the first the lowest.
    pub known: Vec<u64>,
}

/// Texts one behind the other, and which of them are known.
#[derive(Debug, Default)]
pub(crate) struct TextList {
    bytes: String,
    ends: Vec<usize>,
    /// A bit a row, the first the lowest.
    pub known: Vec<u64>,
}

/// Adds the bit of row `row`, the next one.
fn mark(known: &mut Vec<u64>, row: usize, is_known: bool) {
    if row.is_multiple_of(64) {
        known.push(0);
    }
    if let Some(word) = known.last_mut() {
        *word |= u64::from(is_known) << (row % 64);
    }
}

impl Integers {
    /// No value.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.known.clear();
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, value: Option<i64>) {
        mark(&mut self.known, self.values.len(), value.is_some());
        self.values.push(value.unwrap_or(0));
    }

    /// Adds rows.
    pub(crate) fn extend(&mut self, values: impl ExactSizeIterator<Item = Option<i64>>) {
        self.values.reserve(values.len());
        if !self.values.len().is_multiple_of(64) {
            values.for_each(|value| self.push(value));
            return;
        }
        let (mut word, mut bit) = (0u64, 0u32);
        for value in values {
            self.values.push(value.unwrap_or(0));
            word |= u64::from(value.is_some()) << bit;
            bit += 1;
            if bit == 64 {
                self.known.push(word);
                (word, bit) = (0, 0);
            }
        }
        if bit > 0 {
            self.known.push(word);
        }
    }
}

impl TextList {
    /// No text.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.known.clear();
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, text: Option<&str>) {
        mark(&mut self.known, self.ends.len(), text.is_some());
        self.bytes.push_str(text.unwrap_or_default());
        self.ends.push(self.bytes.len());
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of a row.
    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        let known = self.known.get(row / 64).is_some_and(|w| w >> (row % 64) & 1 == 1);
        let start = row.checked_sub(1).map_or(Some(&0), |before| self.ends.get(before));
        let end = self.ends.get(row).filter(|_| known)?;
        self.bytes.get(*start?..*end)
    }

    /// The text of every row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        (0..self.ends.len()).map(|row| self.get(row))
    }
}
