//! The rows of a page of a list, found a piece of a segment at a time.
//!
//! Segments that lie apart in places are numbered in that order, so that the number of a row in
//! its segment tells where it stands among rows that the order leaves equal. Where they do not,
//! such rows are told apart by the keys of their root rows, and only where the page needs it.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::AtomicBool;

use yiku::{Predicate, RowSet, Segment, Snapshot};

use super::best::{Best, Bound, Entry};
use super::cursor::Position;
use super::list::List;
use super::morsels::Morsel;
use super::scan::Scan;
use super::standing::{Read, Standing, exact_of};
use super::subjects::keys;
use super::{fold, tell};
use crate::bound::Term;
use crate::check::{GroupKind, ListedKind};
use crate::error::Result;
use crate::explain::probe::About;
use crate::plan::{Plan, Within};

/// A row of a page: the place of its segment, and its number there.
pub(super) type Shown = (u32, u32);

/// Where a row lies: its place, the key of its root row, and its number beneath that.
type Place = (i64, String, u32);

/// The rows of a page.
#[derive(Debug, Default)]
pub(super) struct First {
    pub(super) rows: Vec<Shown>,
    /// Where the last of them lies.
    pub(super) last: Option<Place>,
    /// Rows that the filter left, and those of them that stand behind the cursor.
    pub(super) matched: u64,
    pub(super) behind: u64,
}

/// Where more than one row of so many may be in the list, those that stand too far behind are
/// found by a look at all values together.
const DENSE: u64 = 64;

/// What a list asks of every piece.
pub(super) struct Asked<'q, K> {
    pub(super) list: &'q List,
    pub(super) snapshot: &'q Snapshot,
    pub(super) within: Within<'q>,
    pub(super) bound: Bound,
    /// The numbers of the segments in the order of places, where they lie apart.
    pub(super) apart: Option<Vec<u32>>,
    /// The cursor: where its row stands, and by segment the first row that lies behind it.
    pub(super) after: Option<(K, Vec<u32>)>,
    /// Whether a known value was met that numbers do not tell from an unknown one.
    met_last: AtomicBool,
}

/// Where the rows of a piece lie.
enum Places<'a> {
    Apart(u64),
    Runs(Read<'a>),
}

impl Places<'_> {
    fn of(&self, row: u32) -> u64 {
        match self {
            Self::Apart(first) => first | u64::from(row),
            Self::Runs(read) => read.path(row).map_or(0, |path| path.cast_unsigned() ^ 1 << 63),
        }
    }
}

impl Plan {
    /// The rows of the page that the question asks for, the last of them the `wanted`-th of the
    /// list; none where numbers do not tell how they stand.
    pub(super) fn first_rows<K: Standing>(
        &self,
        list: &List,
        snapshot: &Snapshot,
        wanted: usize,
        within: Within<'_>,
    ) -> Result<Option<First>> {
        let mut morsels = self.morsels(snapshot, within)?;
        let within = self.worth(&morsels, within);
        let spans = spans(&morsels);
        let apart = self.apart(&spans, snapshot, within)?;
        if let Some(numbers) = &apart {
            morsels.sort_by_key(|morsel| numbers.get(morsel.segment).copied());
        }
        let met_last = AtomicBool::new(false);
        let after = match &list.after {
            None => None,
            Some(after) => {
                let falls = list.order.iter().map(|(_, falls)| *falls);
                let key = K::of_items(after.items.iter().zip(falls), &met_last);
                Some((key, self.first_behind(after, &spans, snapshot, within)?))
            }
        };
        // Whoever looks on is told of every segment once.
        let counts = within.limits.indexes && within.probe.is_none();
        if list.order.is_empty() && apart.is_some() && counts {
            let behind = after.as_ref().map(|(_, first)| first.as_slice());
            let (rows, matched, behind) =
                self.page_lying(&morsels, behind, wanted, snapshot, within)?;
            let (last, _) = self.place_of_last(&rows, snapshot, within)?;
            return Ok(Some(First { rows, last, matched, behind }));
        }
        let bound = Bound::new(wanted);
        let mut asked = Asked { list, snapshot, within, bound, apart, after, met_last };
        if let Some((rows, matched)) = self.ranked(&asked, &morsels)? {
            let (last, _) = self.place_of_last(&rows, snapshot, within)?;
            return Ok(Some(First { rows, last, matched, behind: matched }));
        }
        let is_guessed = self.guess(&asked, &morsels)?;
        let mut best = self.gathered(&asked, &morsels)?;
        let found = best.entries.len();
        if is_guessed && found < wanted && (found as u64) < best.behind {
            // The guess left too few.
            asked.bound = Bound::new(wanted);
            best = self.gathered(&asked, &morsels)?;
        }
        if asked.met_last.load(std::sync::atomic::Ordering::Relaxed) {
            return Ok(None);
        }
        let open = within.open(About::Cut, self);
        best.cut(&asked.bound);
        let (matched, behind) = (best.matched, best.behind);
        tell(open, matched, (best.entries.len() as u64).saturating_sub(self.offset as u64));
        let open = within.open(About::Places, self);
        let (rows, placed) = self.page(&asked, best.entries)?;
        let (last, more) = self.place_of_last(&rows, snapshot, within)?;
        let placed = placed + more;
        tell(open, placed, placed);
        Ok(Some(First { rows, last, matched, behind }))
    }

    /// The first rows of all pieces.
    fn gathered<'r, K: Standing>(
        &self,
        asked: &Asked<'r, K>,
        morsels: &[Morsel],
    ) -> Result<Best<'r, K>> {
        let within = asked.within;
        let state = || Ok(Best::new(within.run, &asked.bound));
        let states = fold(within, morsels.len(), state, |best: &mut Best<'_, K>, item| {
            morsels.get(item).map_or(Ok(()), |morsel| self.listed_in(asked, best, morsel))
        })?;
        let mut best = Best::new(within.run, &asked.bound);
        for other in states {
            best.join(other)?;
        }
        Ok(best)
    }

    /// Where the last row of a page lies, and how many rows had to be placed for that.
    fn place_of_last(
        &self,
        rows: &[Shown],
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<(Option<Place>, u64)> {
        let Some((at, row)) = rows.last() else { return Ok((None, 0)) };
        let Some(segment) = within.segments(snapshot).get(*at as usize) else {
            return Ok((None, 0));
        };
        within.begin(snapshot, *at as usize);
        Ok((self.places(segment, &[*row])?.remove(row), 1))
    }

    /// The rows of a page of those that were found, and how many of these had to be placed.
    fn page<K: Standing>(
        &self,
        asked: &Asked<'_, K>,
        mut entries: Vec<Entry<K>>,
    ) -> Result<(Vec<Shown>, u64)> {
        let mut placed = 0;
        let page = self.offset.min(entries.len())..asked.bound.wanted.min(entries.len());
        if asked.apart.is_some() {
            if page.start > 0 && page.start < entries.len() {
                entries.select_nth_unstable(page.start);
            }
            entries.get_mut(page.clone()).unwrap_or_default().sort_unstable();
        } else {
            entries.sort_unstable();
            let mut start = 0;
            for equal in entries.chunk_by_mut(Entry::ties) {
                let own = start..start + equal.len();
                start = own.end;
                let is_shown = own.start < page.end && page.start < own.end;
                let one = equal.first().map(|entry| entry.segment);
                if is_shown && equal.iter().any(|entry| Some(entry.segment) != one) {
                    placed += equal.len() as u64;
                    self.tell_apart(asked, equal)?;
                }
            }
        }
        let page = entries.get(page).unwrap_or_default();
        Ok((page.iter().map(|entry| (entry.segment, entry.row)).collect(), placed))
    }

    /// Orders rows of one standing and place by the keys of their root rows.
    fn tell_apart<K: Standing>(&self, asked: &Asked<'_, K>, equal: &mut [Entry<K>]) -> Result<()> {
        let segments = asked.within.segments(asked.snapshot);
        let mut places: HashMap<Shown, Place> = HashMap::new();
        for own in equal.chunk_by(|a, b| a.segment == b.segment) {
            let Some(at) = own.first().map(|entry| entry.segment) else { continue };
            let Some(segment) = segments.get(at as usize) else { continue };
            asked.within.begin(asked.snapshot, at as usize);
            let rows: Vec<u32> = own.iter().map(|entry| entry.row).collect();
            let found = self.places(segment, &rows)?;
            places.extend(found.into_iter().map(|(row, place)| ((at, row), place)));
        }
        let place = |entry: &Entry<K>| places.get(&(entry.segment, entry.row));
        equal.sort_by(|a, b| place(a).cmp(&place(b)));
        Ok(())
    }

    /// Adds the rows of a piece that may be in the list.
    fn listed_in<'a, K: Standing>(
        &self,
        asked: &Asked<'a, K>,
        best: &mut Best<'_, K>,
        morsel: &Morsel,
    ) -> Result<()> {
        let Asked { list, snapshot, within, .. } = *asked;
        within.run.check()?;
        let Some(segment) = within.segments(snapshot).get(morsel.segment) else { return Ok(()) };
        within.begin(snapshot, morsel.segment);
        let scan = self.scan(segment, morsel, within)?;
        let mut rows = self.matching(&scan)?;
        let matched = rows.count();
        best.matched += matched;
        if matched == 0 {
            return Ok(());
        }
        let at = u32::try_from(morsel.segment).unwrap_or(u32::MAX);
        let first = asked
            .after
            .as_ref()
            .and_then(|(key, first)| Some((key, first.get(morsel.segment).copied()?)));
        if list.order.is_empty() {
            if let Some((_, first)) = first {
                rows = rows.within(first..u32::MAX).within(rows.window());
            }
            best.behind += rows.count();
            return self.as_they_lie(asked, best, &scan, at, &rows);
        }
        if first.is_none() {
            best.behind += matched;
            self.narrow(asked, &scan, &mut rows)?;
        }
        let mut columns = Vec::with_capacity(list.order.len());
        for (column, falls) in list.ordered() {
            let open = within.open(About::Ordered, column);
            columns.push((scan.listed(column, self.table, snapshot.tree(), &rows)?, falls));
            tell(open, matched, matched);
        }
        let places = self.lying(asked, &scan, at, &rows)?;
        for (nth, row) in rows.iter().enumerate() {
            let key = K::of(&columns, (nth, row), &asked.met_last);
            if let Some((after, first)) = first {
                match key.cmp(after) {
                    Ordering::Less => continue,
                    Ordering::Equal if row < first => continue,
                    _ => best.behind += 1,
                }
            }
            if key.lead() <= asked.bound.lead() {
                let place = places.of(row);
                best.push(Entry { key, place, segment: at, row }, &asked.bound)?;
            }
        }
        best.settle(&asked.bound);
        Ok(())
    }

    /// Adds the first rows of a piece of a list without an order.
    fn as_they_lie<K: Standing>(
        &self,
        asked: &Asked<'_, K>,
        best: &mut Best<'_, K>,
        scan: &Scan<'_>,
        at: u32,
        rows: &RowSet,
    ) -> Result<()> {
        let wanted = asked.bound.wanted;
        if wanted == 0 || rows.is_empty() {
            return Ok(());
        }
        let places = self.lying(asked, scan, at, rows)?;
        for row in rows.iter().take(wanted) {
            let place = places.of(row);
            if place > asked.bound.lead() {
                break;
            }
            let entry = Entry { key: K::of_place(place), place, segment: at, row };
            best.push(entry, &asked.bound)?;
        }
        best.settle(&asked.bound);
        Ok(())
    }

    /// Leaves out rows that stand behind all that the list may want by the first column that it
    /// is ordered by, without reading their values one by one.
    fn narrow<K: Standing>(
        &self,
        asked: &Asked<'_, K>,
        scan: &Scan<'_>,
        rows: &mut RowSet,
    ) -> Result<()> {
        let lead = asked.bound.lead();
        let is_dense = rows.count() > u64::from(rows.len_rows()) / DENSE;
        if lead == u64::MAX || !is_dense {
            return Ok(());
        }
        let Some((column, falls)) = self.leading(asked) else { return Ok(()) };
        let predicate = match falls {
            true => Predicate::Range { min: exact_of(!lead), max: i64::MAX },
            false => Predicate::Range { min: i64::MIN, max: exact_of(lead) },
        };
        scan.segment.column(self.table, column)?.keep_in(&predicate, rows)?;
        Ok(())
    }

    /// The column of the question's table whose numbers decide first where a row stands, and
    /// whether they fall; none where they are not to be asked for together.
    pub(super) fn leading<K: Standing>(&self, asked: &Asked<'_, K>) -> Option<(usize, bool)> {
        let within = asked.within;
        if !K::NUMBERS || !within.limits.indexes || within.probe.is_some() {
            return None;
        }
        let (column, falls) = asked.list.ordered().next()?;
        let ListedKind::Group(
            GroupKind::Int { value, .. } | GroupKind::Date(value) | GroupKind::Month(value),
        ) = &column.kind
        else {
            return None;
        };
        let Term::Column(column) = value.kind else { return None };
        (value.table == self.table).then_some((column, falls))
    }

    /// Where the rows of a piece lie.
    fn lying<'s, K>(
        &self,
        asked: &Asked<'_, K>,
        scan: &'s Scan<'_>,
        at: u32,
        rows: &RowSet,
    ) -> Result<Places<'s>> {
        let number = asked.apart.as_ref().and_then(|numbers| numbers.get(at as usize));
        Ok(match number {
            Some(number) => Places::Apart(u64::from(*number) << 32),
            None => Places::Runs(scan.runs(None, self.table, asked.snapshot.tree(), rows)?),
        })
    }

    /// The numbers of segments in the order of places, where no two of them share a stretch of it.
    fn apart(
        &self,
        spans: &[(usize, Range<u32>)],
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<Option<Vec<u32>>> {
        let segments = within.segments(snapshot);
        let mut ends = Vec::with_capacity(spans.len());
        for (at, roots) in spans {
            let Some(segment) = segments.get(*at).filter(|_| !roots.is_empty()) else { continue };
            let runs = segment.path_runs()?;
            let path = |row: u32| runs.get(runs.partition_point(|(end, _)| *end <= row));
            let path = |row: u32| path(row).map_or(0, |(_, path)| *path);
            let last = roots.end - 1;
            ends.push((path(roots.start), path(last), *at, segment, roots.start, last));
        }
        ends.sort_unstable_by_key(|(first, last, at, ..)| (*first, *last, *at));
        for pair in ends.windows(2) {
            let [(_, before, _, a, _, last), (behind, _, _, b, first, _)] = pair else { continue };
            if before < behind {
                continue;
            }
            let key = |segment: &Segment, row: u32| -> Result<Option<String>> {
                Ok(keys(segment, &self.schema, 0, &RowSet::all_in(row..row + 1))?.remove(&row))
            };
            if before > behind || key(a, *last)? >= key(b, *first)? {
                return Ok(None);
            }
        }
        let mut numbers = vec![u32::MAX; segments.len()];
        for (number, (_, _, at, ..)) in (0..).zip(ends) {
            if let Some(slot) = numbers.get_mut(at) {
                *slot = number;
            }
        }
        Ok(Some(numbers))
    }

    /// The root row above a row of the question's table.
    pub(super) fn root_of(&self, segment: &Segment, row: u32) -> Result<u32> {
        if self.table == 0 {
            return Ok(row);
        }
        let offsets = segment.offsets_between(0, self.table)?;
        let place = offsets.partition_point(|start| *start <= row).saturating_sub(1);
        Ok(u32::try_from(place).unwrap_or(u32::MAX))
    }

    /// Where some rows of a segment lie.
    fn places(&self, segment: &Segment, rows: &[u32]) -> Result<HashMap<u32, Place>> {
        let mut roots = Vec::with_capacity(rows.len());
        for row in rows {
            roots.push(self.root_of(segment, *row)?);
        }
        let (first, last) = (roots.iter().min(), roots.iter().max());
        let window = first.copied().unwrap_or(0)..last.map_or(0, |last| last.saturating_add(1));
        let mut set = RowSet::none_in(window);
        roots.iter().for_each(|root| set.insert(*root));
        let keys = keys(segment, &self.schema, 0, &set)?;
        let runs = segment.path_runs()?;
        let offsets = match self.table {
            0 => &[][..],
            table => segment.offsets_between(0, table)?,
        };
        let place = |(row, root): (&u32, u32)| {
            let run = runs.get(runs.partition_point(|(end, _)| *end <= root));
            let path = run.map_or(0, |(_, path)| *path);
            let first = offsets.get(root as usize).copied().unwrap_or(*row);
            let key = keys.get(&root).cloned().unwrap_or_default();
            (*row, (path, key, row.saturating_sub(first)))
        };
        Ok(rows.iter().zip(roots).map(place).collect())
    }

    /// The first row of each segment that lies behind a position, by place, key and number.
    fn first_behind(
        &self,
        after: &Position,
        spans: &[(usize, Range<u32>)],
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<Vec<u32>> {
        let segments = within.segments(snapshot);
        let mut found = vec![0; segments.len()];
        for (at, _) in spans {
            let (Some(segment), Some(slot)) = (segments.get(*at), found.get_mut(*at)) else {
                continue;
            };
            within.run.check()?;
            *slot = self.behind(segment, after)?;
        }
        Ok(found)
    }

    fn behind(&self, segment: &Segment, after: &Position) -> Result<u32> {
        let path = u64::try_from(after.path).unwrap_or(0);
        let span = segment.path_rows(path, path)?;
        let root_keys = keys(segment, &self.schema, 0, &RowSet::all_in(span.clone()))?;
        let before =
            |row: &u32| root_keys.get(row).is_some_and(|key| key.as_str() < after.root.as_str());
        let root = span.start + u32::try_from(span.clone().filter(before).count()).unwrap_or(0);
        let same = root < span.end && root_keys.get(&root).is_some_and(|key| *key == after.root);
        if self.table == 0 {
            return Ok(root + u32::from(same));
        }
        let offsets = segment.offsets_between(0, self.table)?;
        let start = |root: u32| offsets.get(root as usize).copied().unwrap_or(u32::MAX);
        if !same {
            return Ok(start(root));
        }
        let own = start(root).saturating_add(after.ordinal).saturating_add(1);
        Ok(own.min(start(root.saturating_add(1))))
    }
}

/// The root rows of each segment from the first piece to the last.
fn spans(morsels: &[Morsel]) -> Vec<(usize, Range<u32>)> {
    let mut spans: Vec<(usize, Range<u32>)> = Vec::new();
    for Morsel { segment, roots } in morsels {
        match spans.last_mut().filter(|(at, _)| at == segment) {
            Some((_, own)) => own.end = own.end.max(roots.end),
            None => spans.push((*segment, roots.clone())),
        }
    }
    spans
}
