//! The index of the words in texts: which rows have them, found without reading the texts.
//!
//! It stands in the folder `words` beside the segments, a folder `vVERSION` for the version that it
//! was made of, and is made anew as a whole; tantivy keeps it. How a text is read as tokens is told
//! by the caller, who also looks at what is found: the index only narrows where to look.
//!
//! Invariants: a folder gets its name when all that is in it lasts; the newest is used, and the
//! others are taken away when a newer one stands.
#![expect(clippy::disallowed_methods, reason = "the index is no part of the engine's format")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tantivy::collector::DocSetCollector;
use tantivy::query::{BooleanQuery, PhraseQuery, Query, TermQuery};
use tantivy::schema::{
    FAST, Field, IndexRecordOption, Schema as Fields, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};
use yiku::schema::Kind;
use yiku::{Segment, Snapshot, limits};

use crate::error::{Error, Result};

/// Reads a text as tokens: calls back with each, in their order.
pub type Tokens = fn(&str, &mut dyn FnMut(&str));

/// The field with the key of a row.
const KEY: &str = "_key";
/// The name of the way of reading texts.
const TOKENIZER: &str = "tokens";
/// What the folder of a version is called.
const PREFIX: &str = "v";
/// Bytes that the writer fills before it writes them out.
const BUFFER_BYTES: usize = 128 << 20;

/// The index of a version, open.
pub struct WordIndex {
    version: u64,
    fields: Fields,
    reader: IndexReader,
}

impl std::fmt::Debug for WordIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WordIndex").field("version", &self.version).finish_non_exhaustive()
    }
}

/// What an index was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordsMade {
    /// The version.
    pub version: u64,
    /// Rows with some text.
    pub rows: u64,
    /// Columns with texts.
    pub columns: usize,
}

#[derive(Clone)]
struct Reading(Tokens);

struct Read {
    tokens: Vec<Token>,
    next: usize,
}

impl Tokenizer for Reading {
    type TokenStream<'a> = Read;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Read {
        let mut tokens = Vec::new();
        (self.0)(text, &mut |token| {
            let position = tokens.len();
            let text = token.to_owned();
            tokens.push(Token { offset_from: 0, offset_to: 0, position, text, position_length: 1 });
        });
        Read { tokens, next: 0 }
    }
}

impl TokenStream for Read {
    fn advance(&mut self) -> bool {
        self.next += 1;
        self.next <= self.tokens.len()
    }

    #[expect(clippy::indexing_slicing, reason = "asked only after `advance` said yes")]
    fn token(&self) -> &Token {
        &self.tokens[self.next.saturating_sub(1)]
    }

    #[expect(clippy::indexing_slicing, reason = "asked only after `advance` said yes")]
    fn token_mut(&mut self) -> &mut Token {
        &mut self.tokens[self.next.saturating_sub(1)]
    }
}

fn failed(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Io { action, path: path.to_owned(), source }
}

fn wrong(source: tantivy::TantivyError) -> Error {
    Error::Words { source: Box::new(source) }
}

/// The text columns of every table: table, place, and the name of their field.
fn columns(schema: &yiku::Schema) -> Vec<(usize, usize, String)> {
    let tables = schema.tables.iter().enumerate();
    let own = tables.flat_map(|(at, table)| {
        let texts = table.columns.iter().enumerate().filter(|(_, c)| c.kind == Kind::Text);
        texts.map(move |(place, column)| (at, place, format!("{}.{}", table.name, column.name)))
    });
    own.collect()
}

/// Makes the index of a version anew beside the database in `db`; one that is there of the same
/// version is replaced.
///
/// # Errors
/// [`Error::Engine`] when the version cannot be read, [`Error::Io`] and [`Error::Words`] when the
/// index cannot be written. The one that was there stays.
pub fn make_words(db: &Path, snapshot: &Snapshot, tokens: Tokens) -> Result<WordsMade> {
    let folder = db.join("words");
    let version = snapshot.version();
    let (new, ready) = (folder.join("new"), folder.join(format!("{PREFIX}{version}")));
    if new.exists() {
        fs::remove_dir_all(&new).map_err(failed("remove", &new))?;
    }
    fs::create_dir_all(&new).map_err(failed("create", &new))?;
    let columns = columns(snapshot.schema());
    let mut builder = Fields::builder();
    let key = builder.add_text_field(KEY, FAST);
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(TOKENIZER)
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let options = TextOptions::default().set_indexing_options(indexing);
    let fields: Vec<Field> =
        columns.iter().map(|(_, _, name)| builder.add_text_field(name, options.clone())).collect();
    let index = Index::create_in_dir(&new, builder.build()).map_err(wrong)?;
    index.tokenizers().register(TOKENIZER, Reading(tokens));
    let mut writer: IndexWriter = index.writer(BUFFER_BYTES).map_err(wrong)?;
    let mut rows = 0;
    for segment in snapshot.segments() {
        for (at, table) in snapshot.schema().tables.iter().enumerate() {
            let own = columns.iter().zip(&fields).filter(|((table, _, _), _)| *table == at);
            let own: Vec<(usize, Field)> = own.map(|((_, c, _), field)| (*c, *field)).collect();
            if !own.is_empty() {
                rows += add(segment, (at, table.key), (key, &own), &writer)?;
            }
        }
    }
    writer.commit().map_err(wrong)?;
    writer.wait_merging_threads().map_err(wrong)?;
    let sync = |path: &Path| {
        File::open(path).and_then(|file| file.sync_all()).map_err(failed("sync", path))
    };
    for entry in fs::read_dir(&new).map_err(failed("read", &new))? {
        sync(&entry.map_err(failed("read", &new))?.path())?;
    }
    sync(&new)?;
    if ready.exists() {
        fs::remove_dir_all(&ready).map_err(failed("remove", &ready))?;
    }
    fs::rename(&new, &ready).map_err(failed("rename", &new))?;
    sync(&folder)?;
    for (other, path) in versions(&folder)? {
        if other != version {
            fs::remove_dir_all(&path).map_err(failed("remove", &path))?;
        }
    }
    Ok(WordsMade { version, rows, columns: columns.len() })
}

/// Adds the rows of a segment's table that live and have some text; how many.
fn add(
    segment: &Segment,
    (table, key_column): (usize, usize),
    (key, own): (Field, &[(usize, Field)]),
    writer: &IndexWriter,
) -> Result<u64> {
    let live = segment.live(table)?;
    let (mut added, mut start) = (0, 0);
    while start < segment.rows(table) {
        let span = start..segment.rows(table).min(start + limits::BLOCK_ROWS);
        start = span.end;
        let mut documents: BTreeMap<u32, TantivyDocument> = BTreeMap::new();
        for (column, field) in own {
            segment.column(table, *column)?.texts(span.clone(), &mut |row, text| {
                if let (Some(text), true) = (text.filter(|t| !t.is_empty()), live.contains(row)) {
                    documents.entry(row).or_default().add_text(*field, text);
                }
            })?;
        }
        segment.column(table, key_column)?.texts(span, &mut |row, text| {
            if let (Some(text), Some(document)) = (text, documents.get_mut(&row)) {
                document.add_text(key, text);
            }
        })?;
        for (_, document) in documents {
            writer.add_document(document).map_err(wrong)?;
            added += 1;
        }
    }
    Ok(added)
}

/// The versions that there is an index of, with their folders.
fn versions(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("read", folder)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed("read", folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let version = name.strip_prefix(PREFIX).and_then(|digits| digits.parse().ok());
        found.extend(version.map(|version| (version, path)));
    }
    found.sort_unstable();
    Ok(found)
}

impl WordIndex {
    /// The newest index beside the database in `db`; none where none was made.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Words`] when it is there and cannot be read.
    pub fn open(db: &Path, tokens: Tokens) -> Result<Option<Self>> {
        let Some((version, path)) = versions(&db.join("words"))?.pop() else { return Ok(None) };
        let index = Index::open_in_dir(&path).map_err(wrong)?;
        index.tokenizers().register(TOKENIZER, Reading(tokens));
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        let reader = reader.try_into().map_err(wrong)?;
        Ok(Some(Self { version, fields: index.schema(), reader }))
    }

    /// The newest version that there is an index of.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn newest(db: &Path) -> Result<Option<u64>> {
        Ok(versions(&db.join("words"))?.pop().map(|(version, _)| version))
    }

    /// The version that it was made of.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The keys of the rows whose text in a column has the tokens of every term one behind the
    /// other; none where the index does not have the column, or more rows than `most` are found.
    ///
    /// # Errors
    /// [`Error::Words`] when the index cannot be read.
    pub fn find(
        &self,
        (table, column): (&str, &str),
        terms: &[Vec<String>],
        most: usize,
    ) -> Result<Option<Vec<String>>> {
        let Ok(field) = self.fields.get_field(&format!("{table}.{column}")) else {
            return Ok(None);
        };
        let term = |token: &String| Term::from_field_text(field, token);
        let asked = terms.iter().map(|tokens| -> Box<dyn Query> {
            match tokens.as_slice() {
                [only] => Box::new(TermQuery::new(term(only), IndexRecordOption::Basic)),
                several => Box::new(PhraseQuery::new(several.iter().map(term).collect())),
            }
        });
        let query = BooleanQuery::intersection(asked.collect());
        let searcher = self.reader.searcher();
        let found = searcher.search(&query, &DocSetCollector).map_err(wrong)?;
        if found.len() > most {
            return Ok(None);
        }
        let mut places: Vec<(u32, u32)> =
            found.into_iter().map(|at| (at.segment_ord, at.doc_id)).collect();
        places.sort_unstable();
        let mut keys = Vec::with_capacity(places.len());
        let mut own: Option<(u32, tantivy::columnar::StrColumn)> = None;
        for (segment, row) in places {
            if own.as_ref().is_none_or(|(open, _)| *open != segment) {
                let reader = searcher.segment_reader(segment);
                own = reader.fast_fields().str(KEY).map_err(wrong)?.map(|found| (segment, found));
            }
            let Some((_, column)) = &own else { return Ok(None) };
            let mut key = String::new();
            let told = match column.ords().first(row) {
                Some(ord) => column.ord_to_str(ord, &mut key).map_err(|e| wrong(e.into()))?,
                None => false,
            };
            if !told {
                return Ok(None);
            }
            keys.push(key);
        }
        Ok(Some(keys))
    }
}
