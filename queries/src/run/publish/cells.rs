//! The table that a question publishes, with all its margins, and which cells of it are hidden.
//!
//! A cell is a group, or what several groups make when some of their keys are left out or read at
//! a higher level of the path: the margins that this answer or another may tell. A line is a
//! cell with those that make it up along one key: it is their sum.
//!
//! Invariants: a cell whose count is small is hidden; of every line none is hidden or two at
//! least, and those hidden in a line whose sum is told count together as much as a cell must; no
//! small cell follows from what is told, by whatever sums of lines. Which others are hidden
//! depends on the counts and keys alone, not on the order of the groups.

use std::collections::HashMap;

use super::solve;
use crate::error::{Error, Result};

/// The most cells of a table with its margins.
const CELLS_MAX: usize = 4_000_000;

/// A key of a group at some level, by its number; 0 is all.
pub(super) type Node = u32;

/// What all keys together are.
pub(super) const ALL: Node = 0;

/// The counts of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counts {
    /// Rows.
    pub(super) rows: u64,
    /// What else is told of it: how many rows, or rows above, each other figure is of.
    pub(super) others: Vec<u64>,
}

/// What is not told of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::run) struct Hidden {
    /// Nothing is.
    pub(super) rows: bool,
    /// Only how many rows it has.
    pub(super) others: bool,
}

/// A group: for each key its node and those above it, up to all, and its counts.
pub(super) struct Leaf {
    pub(super) chains: Vec<Vec<Node>>,
    pub(super) counts: Counts,
}

struct Cell {
    key: Box<[Node]>,
    counts: Counts,
    hidden: Hidden,
    /// The lines that it is part of, and those that it is the sum of.
    lines: Vec<u32>,
}

/// A sum and its parts.
struct Line {
    whole: u32,
    parts: Vec<u32>,
}

/// A table with all its margins.
pub(super) struct Table {
    cells: Vec<Cell>,
    places: HashMap<Box<[Node]>, u32>,
    lines: Vec<Line>,
    least: u64,
}

/// Which of the two kinds of figures is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    Rows,
    Others,
}

impl Table {
    /// The margins of some groups, which stand in the order of their keys.
    pub(super) fn new(leaves: &[Leaf], least: u64) -> Result<Self> {
        let combined = |leaf: &Leaf| leaf.chains.iter().map(Vec::len).product::<usize>();
        let found = leaves.iter().map(combined).fold(0, usize::saturating_add);
        if found > CELLS_MAX {
            return Err(Error::Limit {
                what: "the number of cells that `publish` protects, with their margins",
                found: found as u64,
                limit: CELLS_MAX as u64,
                place: None,
            });
        }
        let (cells, places, lines) = (Vec::new(), HashMap::new(), Vec::new());
        let mut table = Self { cells, places, lines, least };
        let mut starts: HashMap<(usize, u32), u32> = HashMap::new();
        for leaf in leaves {
            table.add(leaf, &mut starts);
        }
        for number in 0..table.lines.len() {
            let Some(line) = table.lines.get(number) else { continue };
            let own: Vec<u32> = line.parts.iter().copied().chain([line.whole]).collect();
            for cell in own {
                if let Some(cell) = table.cells.get_mut(cell as usize) {
                    cell.lines.push(u32::try_from(number).unwrap_or(u32::MAX));
                }
            }
        }
        Ok(table)
    }

    /// Adds a group to every cell that holds it.
    fn add(&mut self, leaf: &Leaf, starts: &mut HashMap<(usize, u32), u32>) {
        let mut steps = vec![0usize; leaf.chains.len()];
        loop {
            let node = |(at, step): (usize, usize)| {
                leaf.chains.get(at).and_then(|chain| chain.get(step)).copied().unwrap_or(ALL)
            };
            let key: Box<[Node]> = steps.iter().copied().enumerate().map(node).collect();
            let (place, new) = self.place(&key, leaf.counts.others.len());
            if let Some(cell) = self.cells.get_mut(place as usize) {
                cell.counts.rows += leaf.counts.rows;
                for (sum, own) in cell.counts.others.iter_mut().zip(&leaf.counts.others) {
                    *sum += own;
                }
            }
            if new {
                for (at, step) in steps.iter().copied().enumerate() {
                    let Some(above) = leaf.chains.get(at).and_then(|c| c.get(step + 1)) else {
                        continue;
                    };
                    let mut whole = key.clone();
                    if let Some(slot) = whole.get_mut(at) {
                        *slot = *above;
                    }
                    let (whole, _) = self.place_only(&whole, leaf.counts.others.len());
                    self.part(at, whole, place, starts);
                }
            }
            // The next cell that holds it.
            let mut at = 0;
            loop {
                let (Some(step), Some(chain)) = (steps.get_mut(at), leaf.chains.get(at)) else {
                    return;
                };
                *step += 1;
                if *step < chain.len() {
                    break;
                }
                *step = 0;
                at += 1;
            }
        }
    }

    fn part(&mut self, at: usize, whole: u32, part: u32, starts: &mut HashMap<(usize, u32), u32>) {
        let next = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        let line = *starts.entry((at, whole)).or_insert(next);
        if line == next {
            self.lines.push(Line { whole, parts: Vec::new() });
        }
        if let Some(line) = self.lines.get_mut(line as usize) {
            line.parts.push(part);
        }
    }

    /// The place of a cell, and whether it was met for the first time as one that holds a group.
    fn place(&mut self, key: &[Node], others: usize) -> (u32, bool) {
        let (place, _) = self.place_only(key, others);
        let cell = self.cells.get(place as usize);
        (place, cell.is_some_and(|cell| cell.counts.rows == 0))
    }

    fn place_only(&mut self, key: &[Node], others: usize) -> (u32, bool) {
        if let Some(place) = self.places.get(key) {
            return (*place, false);
        }
        let place = u32::try_from(self.cells.len()).unwrap_or(u32::MAX);
        let counts = Counts { rows: 0, others: vec![0; others] };
        let (key, hidden) = (Box::from(key), Hidden::default());
        self.places.insert(Clone::clone(&key), place);
        self.cells.push(Cell { key, counts, hidden, lines: Vec::new() });
        (place, true)
    }

    /// What is not told of a cell; of one that holds nothing everything is.
    pub(super) fn hidden(&self, key: &[Node]) -> Hidden {
        let place = self.places.get(key);
        let cell = place.and_then(|place| self.cells.get(*place as usize));
        cell.map_or_else(Hidden::default, |cell| cell.hidden)
    }

    /// Decides which cells are hidden; `shares` says of which of the other figures the rest of
    /// the rows is told by them too, for they count rows with a condition.
    pub(super) fn protect(&mut self, shares: &[bool]) -> Result<()> {
        let small = |count: u64| count > 0 && count < self.least;
        let primary: Vec<Hidden> = self
            .cells
            .iter()
            .map(|cell| {
                let Counts { rows, others } = &cell.counts;
                let rest = |(own, share): (&u64, &bool)| *share && small(rows.saturating_sub(*own));
                let rows = small(*rows);
                let others = rows
                    || others.iter().any(|own| small(*own))
                    || others.iter().zip(shares).any(rest);
                Hidden { rows, others }
            })
            .collect();
        for (cell, hidden) in self.cells.iter_mut().zip(&primary) {
            cell.hidden = *hidden;
        }
        self.settle(Layer::Rows, &primary)?;
        for cell in &mut self.cells {
            cell.hidden.others |= cell.hidden.rows;
        }
        self.settle(Layer::Others, &primary)
    }

    /// Hides more until nothing that is small follows from what is told.
    fn settle(&mut self, layer: Layer, primary: &[Hidden]) -> Result<()> {
        let mut waiting: Vec<u32> =
            (0..self.lines.len()).filter_map(|n| n.try_into().ok()).collect();
        let mut queued = vec![true; self.lines.len()];
        loop {
            while let Some(line) = waiting.pop() {
                if let Some(queued) = queued.get_mut(line as usize) {
                    *queued = false;
                }
                while let Some(cell) = self.lacking(layer, line) {
                    self.hide(layer, cell, &mut waiting, &mut queued);
                }
            }
            let is_small = |cell: u32| {
                let own = primary.get(cell as usize).copied().unwrap_or_default();
                if layer == Layer::Rows { own.rows } else { own.others }
            };
            let equations = self.lines.iter().filter_map(|line| self.equation(layer, line));
            let told = solve::determined(equations, is_small)?;
            if told.is_empty() {
                return Ok(());
            }
            let near: Vec<u32> = told.iter().filter_map(|cell| self.beside(layer, *cell)).collect();
            // Where all around it is hidden it follows from afar.
            let far = if near.is_empty() { self.anywhere(layer) } else { None };
            let next: Vec<u32> = near.into_iter().chain(far).collect();
            if next.is_empty() {
                // Nothing at all is told.
                return Ok(());
            }
            for cell in next {
                self.hide(layer, cell, &mut waiting, &mut queued);
            }
        }
    }

    /// The smallest cell that is told of the lines where something is hidden; of all, if these
    /// tell nothing.
    fn anywhere(&self, layer: Layer) -> Option<u32> {
        let has_hidden = |line: &&Line| {
            let all = || line.parts.iter().copied().chain([line.whole]);
            all().any(|cell| self.is_hidden(layer, cell))
        };
        let told = |cell: &u32| !self.is_hidden(layer, *cell);
        let lines = self.lines.iter().filter(has_hidden);
        let near = lines.flat_map(|line| line.parts.iter().copied().chain([line.whole]));
        let near = near.filter(told).min_by_key(|cell| self.order(*cell));
        let all = (0..self.cells.len()).filter_map(|cell| u32::try_from(cell).ok());
        near.or_else(|| all.filter(told).min_by_key(|cell| self.order(*cell)))
    }

    fn is_hidden(&self, layer: Layer, cell: u32) -> bool {
        let hidden = self.cells.get(cell as usize).map(|cell| cell.hidden).unwrap_or_default();
        if layer == Layer::Rows { hidden.rows } else { hidden.others }
    }

    fn rows(&self, cell: u32) -> u64 {
        self.cells.get(cell as usize).map_or(0, |cell| cell.counts.rows)
    }

    /// The cell that must be hidden next in a line, if any must.
    fn lacking(&self, layer: Layer, line: u32) -> Option<u32> {
        let line = self.lines.get(line as usize)?;
        let hidden: Vec<u32> =
            line.parts.iter().copied().filter(|part| self.is_hidden(layer, *part)).collect();
        let whole = self.is_hidden(layer, line.whole);
        let count = hidden.len() + usize::from(whole);
        let enough = match (hidden.len(), whole) {
            (0, false) => true,
            (_, true) => count > 1,
            (_, false) => count > 1 && self.weighs(layer, &hidden),
        };
        if enough {
            return None;
        }
        let shown = line.parts.iter().copied().filter(|part| !self.is_hidden(layer, *part));
        let least = shown.min_by_key(|part| self.order(*part));
        least.or((!whole).then_some(line.whole))
    }

    /// Whether what is hidden counts together as much as a cell must, or nothing.
    fn weighs(&self, layer: Layer, hidden: &[u32]) -> bool {
        let cells = || hidden.iter().filter_map(|cell| self.cells.get(*cell as usize));
        if layer == Layer::Rows {
            return cells().map(|cell| cell.counts.rows).sum::<u64>() >= self.least;
        }
        let figures = cells().map(|cell| cell.counts.others.len()).max().unwrap_or(0);
        (0..figures).all(|figure| {
            let own = |cell: &Cell| cell.counts.others.get(figure).copied().unwrap_or(0);
            let sum: u64 = cells().map(own).sum();
            sum == 0 || sum >= self.least
        })
    }

    /// In which order cells are hidden: the smallest first, those of one size by their keys.
    fn order(&self, cell: u32) -> (u64, &[Node]) {
        let key = self.cells.get(cell as usize).map_or(&[][..], |cell| &cell.key);
        (self.rows(cell), key)
    }

    fn hide(&mut self, layer: Layer, cell: u32, waiting: &mut Vec<u32>, queued: &mut [bool]) {
        let Some(cell) = self.cells.get_mut(cell as usize) else { return };
        match layer {
            Layer::Rows => cell.hidden = Hidden { rows: true, others: true },
            Layer::Others => cell.hidden.others = true,
        }
        for line in &cell.lines {
            if let Some(queued) = queued.get_mut(*line as usize)
                && !*queued
            {
                *queued = true;
                waiting.push(*line);
            }
        }
    }

    /// What a line says of hidden cells: their sum, as signs.
    fn equation(&self, layer: Layer, line: &Line) -> Option<Vec<(u32, bool)>> {
        let parts = line.parts.iter().copied().filter(|part| self.is_hidden(layer, *part));
        let mut signs: Vec<(u32, bool)> = parts.map(|part| (part, true)).collect();
        if self.is_hidden(layer, line.whole) {
            signs.push((line.whole, false));
        }
        (!signs.is_empty()).then_some(signs)
    }

    /// A cell to hide so that another no longer follows: the smallest of its lines.
    fn beside(&self, layer: Layer, cell: u32) -> Option<u32> {
        let lines = &self.cells.get(cell as usize)?.lines;
        let lines = lines.iter().filter_map(|line| self.lines.get(*line as usize));
        let near = lines.flat_map(|line| line.parts.iter().copied().chain([line.whole]));
        near.filter(|near| !self.is_hidden(layer, *near)).min_by_key(|near| self.order(*near))
    }
}
