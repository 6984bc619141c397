//! The manifest of format 1, read for good and never written.

use wincode::{SchemaRead, SchemaWrite};

use super::{Manifest, RecordRef, SegmentRecord};

#[derive(SchemaRead, SchemaWrite)]
struct FirstSegment {
    number: u64,
    size_bytes: u64,
    checksum: u64,
    live: Option<RecordRef>,
    rows: Vec<u32>,
}

/// One version, as format 1 wrote it: every version had a manifest of its number.
#[derive(SchemaRead, SchemaWrite)]
pub(super) struct FirstManifest {
    version: u64,
    schema: String,
    tree: RecordRef,
    as_of: Option<i64>,
    notes: Vec<(String, String)>,
    next_segment: u64,
    segments: Vec<FirstSegment>,
}

impl From<FirstManifest> for Manifest {
    fn from(found: FirstManifest) -> Self {
        let segments = found.segments.into_iter().map(|segment| SegmentRecord {
            number: segment.number,
            size_bytes: segment.size_bytes,
            checksum: segment.checksum,
            // Rows of format 1 do not say when they were written: before everything else.
            version: super::FIRST_VERSION,
            live: segment.live,
            rows: segment.rows,
        });
        Self {
            number: found.version,
            version: found.version,
            schema: found.schema,
            tree: found.tree,
            as_of: found.as_of,
            notes: found.notes,
            next_segment: found.next_segment,
            log_bytes: None,
            month_ends: None,
            names: Vec::new(),
            segments: segments.collect(),
        }
    }
}
