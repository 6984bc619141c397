//! Records on their way to be cleaned: text cells, column by column.

use crate::reject::Reason;

/// Records of a full chunk.
pub(crate) const CHUNK_ROWS: usize = 32_768;

/// The cells of one column, one after the other in one text.
#[derive(Debug, Default)]
struct Cells {
    text: String,
    ends: Vec<usize>,
}

/// Some records of one file.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// The line that each record begins on, from 1.
    pub(crate) lines: Vec<u64>,
    /// Records that could not be taken apart: line, why, what stood there.
    pub(crate) broken: Vec<(u64, Reason, String)>,
    kept: Vec<bool>,
    columns: Vec<Cells>,
}

impl Chunk {
    /// An empty one with as many columns; cells of columns that are not kept are dropped.
    pub(crate) fn new(kept: Vec<bool>) -> Chunk {
        let columns = kept.iter().map(|_| Cells::default()).collect();
        Chunk { lines: Vec::new(), broken: Vec::new(), kept, columns }
    }

    /// One more cell of a column.
    pub(crate) fn cell(&mut self, column: usize, cell: &str) {
        if self.kept.get(column) != Some(&true) {
            return;
        }
        if let Some(cells) = self.columns.get_mut(column) {
            cells.text.push_str(cell);
            cells.ends.push(cells.text.len());
        }
    }

    /// Ends a record of which every column was given a cell.
    pub(crate) fn end(&mut self, line: u64) {
        self.lines.push(line);
    }

    /// Notes a record that could not be taken apart.
    pub(crate) fn broken(&mut self, line: u64, reason: Reason, text: &str) {
        self.broken.push((line, reason, text.to_owned()));
    }

    /// Whether it should be handed over.
    pub(crate) fn is_full(&self) -> bool {
        self.lines.len() + self.broken.len() >= CHUNK_ROWS
    }

    /// Ready for the next records.
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
        self.broken.clear();
        for cells in &mut self.columns {
            cells.text.clear();
            cells.ends.clear();
        }
    }

    /// The cells of a column, a cell for each line.
    pub(crate) fn column(&self, column: usize) -> impl Iterator<Item = &str> {
        let cells = self.columns.get(column);
        let text = cells.map_or("", |cells| cells.text.as_str());
        let mut start = 0;
        cells.map(|cells| cells.ends.as_slice()).unwrap_or_default().iter().map(move |end| {
            let cell = text.get(start..*end).unwrap_or_default();
            start = *end;
            cell
        })
    }
}
