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
/// Bytes of the name that a version is kept under.
pub const NAME_BYTES_MAX: usize = 128;
/// Bytes of the log of a small database.
pub const LOG_BYTES_MIN: u64 = 256 << 10;
/// Bytes of the log of a large database.
pub const LOG_BYTES_MAX: u64 = 32 << 20;

const _: () = assert!(BLOCK_ROWS == 1 << 16, "a block is a roaring container");
const _: () = assert!(BLOCK_ROWS.is_multiple_of(64), "a block is whole words of a row set");
const _: () = assert!(SEGMENT_ROWS_MAX < u32::MAX, "row numbers of a segment are u32");
const _: () = assert!(TEXT_BYTES_MAX * BLOCK_ROWS as usize <= 1 << 28, "a text block fits memory");

/// Number of blocks that `rows` rows take.
#[must_use]
pub const fn blocks(rows: u32) -> u32 {
    rows.div_ceil(BLOCK_ROWS)
}
