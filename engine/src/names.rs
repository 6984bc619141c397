//! Versions that are kept under a name.

use std::sync::Arc;

use crate::checkpoint;
use crate::commit::Tail;
use crate::database::{Database, Named, Shared};
use crate::error::{Error, Result};
use crate::limits::{NAME_BYTES_MAX, NAMES_MAX};
use crate::manifest::NameRecord;
use crate::month_ends;
use crate::version::Version;

impl Database {
    /// Keeps the newest version under a name until [`Database::drop_name`]. Its segments are shared
    /// with other versions: what it costs is what later versions no longer need.
    ///
    /// # Errors
    /// [`Error::NameTaken`], [`Error::Limit`] on a name longer than
    /// [`crate::limits::NAME_BYTES_MAX`], [`Error::Locked`], [`Error::Io`].
    pub fn keep(&self, name: &str) -> Result<Named> {
        let (what, found) = ("bytes of a name", name.len() as u64);
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(Error::Limit { what, found, limit: NAME_BYTES_MAX as u64 });
        }
        let version = self.change(|shared, tail| {
            if tail.version.names.iter().any(|record| record.name == name) {
                return Err(Error::NameTaken { name: name.to_owned() });
            }
            let found = tail.version.names.len() as u64;
            if tail.version.names.len() >= NAMES_MAX {
                let what = "versions under a name";
                return Err(Error::Limit { what, found: found + 1, limit: NAMES_MAX as u64 });
            }
            let mut before = Arc::clone(&tail.version);
            let moved = before.manifest.log_bytes.is_some();
            if moved {
                // A named version is a manifest without a log.
                before = checkpoint::write(shared, &before, false)?.version;
            }
            let mut next = Version::clone(&before);
            let mut names = next.names.to_vec();
            names.push(NameRecord {
                name: name.to_owned(),
                manifest: before.current,
                version: before.manifest.version,
                as_of: before.as_of,
                by_rule: false,
            });
            month_ends::trim(&mut names, usize::MAX);
            next.names = Arc::new(names);
            let written = checkpoint::write(shared, &next, false);
            // The log that commits would go on with is not the newest any more.
            written.map_err(|error| if moved { Error::Poisoned } else { error }).map(Some)
        })?;
        let (as_of, number) = (version.as_of, version.number());
        Ok(Named { name: name.to_owned(), version: number, as_of, by_rule: false })
    }

    /// Keeps the version of a name no longer. Files that nothing else needs go at once; who holds
    /// the version open may go on with it.
    ///
    /// # Errors
    /// [`Error::NoSuchName`], [`Error::Locked`], [`Error::Io`].
    pub fn drop_name(&self, name: &str) -> Result<()> {
        self.change(|shared, tail| {
            let mut names = tail.version.names.to_vec();
            names.retain(|record| record.name != name);
            if names.len() == tail.version.names.len() {
                return Err(Error::NoSuchName { name: name.to_owned() });
            }
            let mut next = Version::clone(&tail.version);
            next.names = Arc::new(names);
            checkpoint::write(shared, &next, false).map(Some)
        })?;
        Ok(())
    }

    /// From now on keeps the last version of each month under the name of the month (`2026-10`),
    /// and of those the newest `most`; none keeps none. A month ends with the first commit whose
    /// rows speak of a day of a later one.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Io`].
    pub fn keep_month_ends(&self, most: Option<u32>) -> Result<()> {
        self.change(|shared, tail| {
            let mut next = Version::clone(&tail.version);
            let mut names = next.names.to_vec();
            month_ends::trim(&mut names, most.map_or(0, |most| most as usize));
            (next.month_ends, next.names) = (most, Arc::new(names));
            checkpoint::write(shared, &next, false).map(Some)
        })?;
        Ok(())
    }

    /// How many month ends are kept by themselves; none: none is.
    ///
    /// # Errors
    /// As [`Database::snapshot`].
    pub fn month_ends(&self) -> Result<Option<u32>> {
        Ok(self.shared.newest()?.month_ends.filter(|most| *most > 0))
    }

    /// Does something that no commit may happen beside.
    pub(crate) fn change(
        &self,
        work: impl FnOnce(&Shared, &Tail) -> Result<Option<Tail>>,
    ) -> Result<Arc<Version>> {
        let _share = self.shared.right_to_write()?;
        self.shared.desk.alone(&self.shared, |tail| work(&self.shared, tail))
    }
}
