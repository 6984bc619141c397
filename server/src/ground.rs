//! What questions may speak of besides their snapshot: the standards that come with the program,
//! the sets and the index of words kept beside the database, its other versions.

use std::path::Path;

use yiku::Database;
use yiku_queries::Context;
use yiku_queries::household::{Error, Standards};
use yiku_queries::sets::SetFolder;

use crate::words::Words;

/// Where the names in questions are looked up.
#[derive(Debug)]
pub(crate) struct Ground {
    standards: Standards,
    beside: Option<(SetFolder, Words)>,
}

impl Ground {
    /// With what is kept in the folder of a database, if there is one.
    pub(crate) fn new(folder: Option<&Path>) -> Result<Self, Error> {
        let beside = folder.map(|folder| (SetFolder::of(folder), Words::of(folder)));
        Ok(Self { standards: Standards::builtin()?, beside })
    }

    /// With other standards than those of the program: a text as its own are kept.
    pub(crate) fn with_standards(self, text: &str) -> Result<Self, Error> {
        Ok(Self { standards: Standards::read(text)?, ..self })
    }

    /// What a question of the database may name.
    pub(crate) fn context<'a>(&'a self, database: &'a Database) -> Context<'a> {
        let context = Context::default().parameters(&self.standards).versions(database);
        let beside = self.beside.as_ref();
        beside.map_or(context, |(sets, words)| context.sets(sets).texts(words))
    }
}
