//! Live sets on disk: one file for all that a manifest changed.

use std::collections::{BTreeMap, HashMap};

use roaring::RoaringBitmap;
use wincode::{SchemaRead, SchemaWrite};

use super::RecordRef;
use crate::error::Result;
use crate::format::FileKind;
use crate::records::{RecordFile, corrupt, write_record};
use crate::row_set::RowSet;
use crate::storage::Storage;

/// Live sets in roaring's portable format, by the number of their segment.
#[derive(SchemaRead, SchemaWrite)]
struct LiveRecord {
    sets: Vec<(u64, Vec<u8>)>,
}

/// What format 1 wrote: one live set a file.
#[derive(SchemaRead, SchemaWrite)]
struct FirstLiveRecord {
    roots: Vec<u8>,
}

/// The name of the file that a manifest of a number wrote.
fn live_name(number: u64) -> String {
    format!("live-{number:010}")
}

/// The name of a file of format 1.
fn first_name(segment: u64, version: u64) -> String {
    format!("live-{segment:010}-{version:010}")
}

/// The name of the file that holds the live set of a segment.
pub(crate) fn file_name(segment: u64, live: RecordRef, format: u16) -> String {
    if format == 1 { first_name(segment, live.number) } else { live_name(live.number) }
}

/// Writes the live root rows of segments, by number, for a manifest of this number.
pub(crate) fn write_live(
    storage: &dyn Storage,
    number: u64,
    sets: &BTreeMap<u64, RowSet>,
) -> Result<RecordRef> {
    let sets = sets.iter().map(|(segment, roots)| {
        let mut bitmap = roots.to_bitmap();
        bitmap.optimize();
        let mut bytes = Vec::with_capacity(bitmap.serialized_size());
        // Writing to memory does not fail.
        let _ = bitmap.serialize_into(&mut bytes);
        (*segment, bytes)
    });
    let record = LiveRecord { sets: sets.collect() };
    let checksum = write_record(storage, &live_name(number), FileKind::Live, &record)?;
    Ok(RecordRef { number, checksum })
}

/// The files of live sets that one manifest names, each read once.
#[derive(Default)]
pub(crate) struct LiveFiles(HashMap<String, (u64, HashMap<u64, Vec<u8>>)>);

impl LiveFiles {
    /// Reads the file that has the live set of a segment, unless it was read before; its name.
    pub(crate) fn open(
        &mut self,
        storage: &dyn Storage,
        segment: u64,
        wanted: RecordRef,
        format: u16,
    ) -> Result<String> {
        let name = file_name(segment, wanted, format);
        if !self.0.contains_key(&name) {
            let file = RecordFile::read(storage, &name, FileKind::Live, Some(wanted.checksum))?;
            let sets = match file.format() {
                1 => vec![(segment, file.decode::<FirstLiveRecord>()?.roots)],
                _ => file.decode::<LiveRecord>()?.sets,
            };
            self.0.insert(name.clone(), (wanted.checksum, sets.into_iter().collect()));
        }
        Ok(name)
    }

    /// The live root rows of a segment of `rows` root rows.
    pub(crate) fn read(
        &mut self,
        storage: &dyn Storage,
        segment: u64,
        wanted: RecordRef,
        rows: u32,
        format: u16,
    ) -> Result<RowSet> {
        let name = self.open(storage, segment, wanted, format)?;
        let file = self.0.get(&name).filter(|(checksum, _)| *checksum == wanted.checksum);
        let found = file.and_then(|(_, sets)| sets.get(&segment));
        let bytes = found.ok_or_else(|| {
            corrupt(storage, &name, "it has no live set of a segment that the version names")
        })?;
        let bitmap = RoaringBitmap::deserialize_from(bytes.as_slice())
            .map_err(|_| corrupt(storage, &name, "the live set does not read back"))?;
        if bitmap.max().is_some_and(|last| last >= rows) {
            return Err(corrupt(storage, &name, "the live set has rows that its segment has not"));
        }
        Ok(RowSet::from_bitmap(rows, &bitmap))
    }
}
