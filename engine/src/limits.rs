//! The widths of the engine, said once, and the relations between them.

/// Rows of a block: of a zone map, of a roaring container, of one step of a scan.
pub const BLOCK_ROWS: u32 = 65_536;
/// Blocks of the largest table of a segment.
pub const SEGMENT_BLOCKS_MAX: u32 = 16;
/// Rows of the largest table of a segment.
pub const SEGMENT_ROWS_MAX: u32 = BLOCK_ROWS * SEGMENT_BLOCKS_MAX;
/// Bytes of one text value.
pub const TEXT_BYTES_MAX: usize = 4_096;
/// Codes of one code list.
pub const LIST_CODES_MAX: usize = 65_535;
/// Codes of a list that a set column (`codes`) uses: a set is one 64-bit integer, its sign unused.
pub const SET_CODES_MAX: usize = 63;
/// Codes of a list whose pairs are counted.
pub const PAIR_CODES_MAX: usize = 64;
/// Codes and columns of a table whose pairs are counted.
pub const PAIR_MARKS_MAX: usize = 128;
/// Tables of a schema.
pub const TABLES_MAX: usize = 64;
/// Columns of a table.
pub const COLUMNS_MAX: usize = 1_024;
/// Levels of a path.
pub const LEVELS_MAX: usize = 16;
/// Decimal digits of a path code: what an `i64` holds whatever the digits are.
pub const PATH_DIGITS_MAX: u8 = 18;
/// Rows of one batch in one table: row numbers of a batch are `u32`.
pub const BATCH_ROWS_MAX: usize = u32::MAX as usize - 1;
/// Bytes of a metadata record (manifest, table of contents) that is read back.
pub const RECORD_BYTES_MAX: usize = 256 << 20;
/// Memory of one list of a metadata record, in bytes.
pub const LIST_BYTES_MAX: usize = 64 << 20;
/// Places of a path tree: entries of 40 bytes in one list.
pub const PLACES_MAX: usize = LIST_BYTES_MAX / 40;
/// Segments of one version: entries of 80 bytes in one list.
pub const SEGMENTS_MAX: usize = LIST_BYTES_MAX / 80;
/// Versions that are kept under a name: each of them is read when files are looked through.
pub const NAMES_MAX: usize = 4_096;
/// Notes of one version: entries of 48 bytes in one list.
pub const NOTES_MAX: usize = LIST_BYTES_MAX / 48;
/// Bytes of the name that a version is kept under.
pub const NAME_BYTES_MAX: usize = 128;
/// Bytes of the log of a small database.
pub const LOG_BYTES_MIN: u64 = 256 << 10;
/// Bytes of the log of a large database.
pub const LOG_BYTES_MAX: u64 = 32 << 20;
/// Bytes of the segments that one commit puts into the log.
pub const LOGGED_BYTES_MAX: usize = 4 << 20;

const _: () = assert!(BLOCK_ROWS == 1 << 16, "a block is a roaring container");
const _: () = assert!(BLOCK_ROWS.is_multiple_of(64), "a block is whole words of a row set");
const _: () = assert!(SEGMENT_ROWS_MAX < u32::MAX, "row numbers of a segment are u32");
const _: () = assert!(TEXT_BYTES_MAX * BLOCK_ROWS as usize <= 1 << 28, "a text block fits memory");

/// Number of blocks that `rows` rows take.
#[must_use]
pub const fn blocks(rows: u32) -> u32 {
    rows.div_ceil(BLOCK_ROWS)
}

/// The tables of `docs/limits.md`.
#[must_use]
pub fn tables() -> String {
    let refused = |when: &str| format!("`Limit`, {when}");
    let (schema, row) = (refused("when the schema is checked"), refused("when it is set"));
    let next = |what: &str| format!("nothing: {what}");
    let (begun, commit) = (refused("when it is begun"), refused("from the commit"));
    let declared = [
        ("tables of a schema", TABLES_MAX as u64, schema.clone()),
        ("columns of a table", COLUMNS_MAX as u64, schema.clone()),
        ("code lists: codes of one", LIST_CODES_MAX as u64, schema.clone()),
        ("codes of the list of a set", SET_CODES_MAX as u64, "`Schema`, as before".to_owned()),
        ("codes of a list counted in pairs", PAIR_CODES_MAX as u64, next("the rows are read")),
        ("codes of a table counted in pairs", PAIR_MARKS_MAX as u64, next("the rows are read")),
        ("levels of the path", LEVELS_MAX as u64, schema.clone()),
        ("digits of a path code", u64::from(PATH_DIGITS_MAX), schema),
        ("places of the path tree", PLACES_MAX as u64, commit.clone()),
    ];
    let beneath = SEGMENTS_MAX as u64 * u64::from(SEGMENT_ROWS_MAX);
    let rows = [
        ("bytes of a text", TEXT_BYTES_MAX as u64, row),
        ("bytes of all texts of a row", (COLUMNS_MAX * TEXT_BYTES_MAX) as u64, next("it follows")),
        ("rows of a batch in one table", BATCH_ROWS_MAX as u64, begun),
        (
            "rows of a bundle in one table",
            u64::from(SEGMENT_ROWS_MAX),
            refused("when its batch is written or prepared"),
        ),
        ("rows of a block", u64::from(BLOCK_ROWS), next("the next is begun")),
        ("rows of a segment in one table", u64::from(SEGMENT_ROWS_MAX), next("the next is begun")),
        ("segments of a version", SEGMENTS_MAX as u64, commit.clone()),
        ("rows of a database in one table", beneath, commit.clone()),
    ];
    let kept = [
        ("bytes of a metadata record", RECORD_BYTES_MAX as u64, commit.clone()),
        ("notes of a version", NOTES_MAX as u64, commit),
        ("bytes of the name of a version", NAME_BYTES_MAX as u64, refused("from `keep`")),
        ("versions under a name", NAMES_MAX as u64, refused("from `keep`")),
        ("bytes of a log, least", LOG_BYTES_MIN, next("it follows")),
        ("bytes of a log, most", LOG_BYTES_MAX, next("a full one becomes segments")),
        (
            "bytes of a commit in the log",
            LOGGED_BYTES_MAX as u64,
            next("a larger one becomes segments"),
        ),
        ("number of a version, a segment or a manifest", u64::MAX - 1, refused("from the writer")),
    ];
    let mut text = String::new();
    for (heading, lines) in [
        ("what is declared", declared.as_slice()),
        ("rows", rows.as_slice()),
        ("versions", kept.as_slice()),
    ] {
        text.push_str(&format!("| {heading} | most | beyond it |\n| --- | --- | --- |\n"));
        for (what, most, beyond) in lines {
            text.push_str(&format!("| {what} | {} | {beyond} |\n", grouped(*most)));
        }
        text.push('\n');
    }
    text
}

/// A number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let places = digits.chars().zip((1..=digits.len()).rev());
    places.fold(String::new(), |mut text, (digit, left)| {
        text.push(digit);
        if left > 1 && left % 3 == 1 {
            text.push(',');
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Manifest, NameRecord, RecordRef, SegmentRecord};
    use crate::path::PathNode;

    #[test]
    fn thousands_are_grouped() {
        let found = [0, 999, 1_000, 65_536, 1_234_567].map(grouped);
        assert_eq!(found, ["0", "999", "1,000", "65,536", "1,234,567"]);
    }

    #[test]
    fn lists_of_records_are_as_long_as_is_said() {
        let most = |size: usize| LIST_BYTES_MAX / size;
        assert_eq!(most(size_of::<SegmentRecord>()), SEGMENTS_MAX);
        assert!(most(size_of::<NameRecord>()) >= NAMES_MAX);
        assert_eq!(most(size_of::<PathNode>()), PLACES_MAX);
        assert_eq!(most(size_of::<(String, String)>()), NOTES_MAX);
    }

    #[test]
    fn a_segment_more_than_is_said_is_refused() {
        let none = RecordRef { number: 1, checksum: 0 };
        let record = SegmentRecord {
            number: 1,
            size_bytes: 0,
            checksum: 0,
            version: 1,
            live: None,
            rows: Vec::new(),
        };
        let mut manifest = Manifest {
            number: 1,
            version: 1,
            schema: String::new(),
            tree: none,
            as_of: None,
            notes: Vec::new(),
            next_segment: 1,
            log_bytes: None,
            month_ends: None,
            names: Vec::new(),
            segments: vec![record.clone(); SEGMENTS_MAX],
        };
        assert!(crate::codec::encode(&manifest).is_ok());
        manifest.segments.push(record);
        let refused = crate::codec::encode(&manifest);
        assert!(matches!(refused, Err(crate::Error::Limit { .. })));
    }
}
