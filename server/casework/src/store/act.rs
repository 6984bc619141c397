//! Opening cases and giving them commands: idempotent, against a version, in one transaction.

use rusqlite::Transaction;
use serde_json::{Value, json};

use super::cases::{digest, load, new_id, save, save_event, unknown};
use super::journal::{Entry, append};
use super::reach::Reach;
use super::words::{kind_word, platform};
use super::{Sql, Store, commands, outbox, payments};
use crate::case::{Actor, CaseFile, Context, Decision, Effect, Event, Kind};
use crate::error::{Error, Result};
use crate::machine;

/// How deep platform-opened cases may open further ones.
const DEPTH_MAX: usize = 4;

/// The longest input of a command, as text.
const INPUT_BYTES_MAX: usize = 1 << 20;

/// How a command reached the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'a> {
    /// The client's number of it: the same number never acts twice.
    pub command_id: &'a str,
    /// The address it came from.
    pub ip: &'a str,
}

/// A command on a case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Command<'a> {
    /// Its name.
    pub name: &'a str,
    /// The version of the case that it is meant for.
    pub version: u64,
    /// What it brings.
    pub input: &'a Value,
}

/// A case to be opened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opening<'a> {
    /// Its kind.
    pub kind: Kind,
    /// The region it belongs to, 2 to 12 digits.
    pub region: &'a str,
    /// The ID number, in clear, of the person whose case it is.
    pub owner: Option<&'a str>,
    /// What its first command brings.
    pub input: &'a Value,
}

/// What goes with every change of one call.
struct Doing<'a> {
    store: &'a Store,
    transaction: &'a Transaction<'a>,
    context: &'a Context<'a>,
    ip: &'a str,
}

/// A case that is about to be opened, its owner already blind.
struct Fresh<'a> {
    kind: Kind,
    region: &'a str,
    owner: Option<&'a str>,
    /// The case that the platform opens it for.
    parent: Option<&'a str>,
    input: &'a Value,
}

/// A decision on its way into the file.
struct Change<'a> {
    actor: &'a Actor,
    command: &'a str,
    before: Option<&'a CaseFile>,
    parent: Option<&'a str>,
    depth: usize,
}

impl Store {
    /// Opens a case. A number that was used before for the same opening gives that case again.
    ///
    /// # Errors
    /// A refusal of the kind's rules; [`Error::CommandReused`]; input that is not of its form.
    pub fn open_case(
        &self,
        actor: &Actor,
        opening: &Opening<'_>,
        context: &Context<'_>,
        call: &Call<'_>,
    ) -> Result<CaseFile> {
        let command_id = commands::checked(call.command_id)?;
        let region = checked_region(opening.region)?;
        let owner = opening.owner.map(|owner| self.index(owner)).transpose()?;
        let digest = self.vault().integrity(
            "command",
            &[
                &actor.account,
                "open",
                kind_word(opening.kind),
                region,
                owner.as_deref().unwrap_or_default(),
                &checked_input(opening.input)?,
            ],
        )?;
        self.write(|transaction| {
            if let Some(id) = commands::earlier(transaction, command_id, &digest)? {
                return load(transaction, self.vault(), &id);
            }
            let doing = Doing { store: self, transaction, context, ip: call.ip };
            let fresh = Fresh {
                kind: opening.kind,
                region,
                owner: owner.as_deref(),
                parent: None,
                input: opening.input,
            };
            let case = doing.open(actor, &fresh, 0)?;
            commands::done(transaction, command_id, &digest, &case)?;
            Ok(case)
        })
    }

    /// The case of a kind that somebody opened with this number before. For openings whose content
    /// is drawn anew each time, such as digits to read out: their second sending cannot be known
    /// by its content.
    ///
    /// # Errors
    /// A number that is not of its form.
    pub fn opened_by(
        &self,
        actor: &Actor,
        kind: Kind,
        command_id: &str,
    ) -> Result<Option<CaseFile>> {
        let command_id = commands::checked(command_id)?;
        self.read(|transaction| {
            let Some(id) = commands::case_of(transaction, command_id)? else { return Ok(None) };
            let case = load(transaction, self.vault(), &id)?;
            Ok((case.kind == kind && case.author == actor.account).then_some(case))
        })
    }

    /// Gives a case a command. A number that was used before for the same command changes nothing
    /// and gives the case as it stands.
    ///
    /// # Errors
    /// A refusal of the kind's rules; [`Error::Stale`]; [`Error::CommandReused`]; no such case.
    pub fn act(
        &self,
        actor: &Actor,
        id: &str,
        command: &Command<'_>,
        context: &Context<'_>,
        call: &Call<'_>,
    ) -> Result<CaseFile> {
        let command_id = commands::checked(call.command_id)?;
        let version = command.version.to_string();
        let input = checked_input(command.input)?;
        let parts = [&actor.account, "act", id, command.name, &version, &input];
        let digest = self.vault().integrity("command", &parts)?;
        self.write(|transaction| {
            if let Some(id) = commands::earlier(transaction, command_id, &digest)? {
                return load(transaction, self.vault(), &id);
            }
            let before = load(transaction, self.vault(), id)?;
            if before.version != command.version {
                return Err(Error::Stale { id: before.id, found: before.version });
            }
            let decision = machine::decide(&before, actor, command.name, command.input, context)?;
            let doing = Doing { store: self, transaction, context, ip: call.ip };
            let change = Change {
                actor,
                command: command.name,
                before: Some(&before),
                parent: None,
                depth: 0,
            };
            let case = doing.settle(&change, before.clone(), decision)?;
            commands::done(transaction, command_id, &digest, &case)?;
            Ok(case)
        })
    }

    /// Opens a warning within a transaction of its own caller's.
    pub(super) fn open_warning(
        &self,
        transaction: &Transaction<'_>,
        region: &str,
        input: &Value,
        context: &Context<'_>,
    ) -> Result<CaseFile> {
        let doing = Doing { store: self, transaction, context, ip: "" };
        let region = checked_region(region)?;
        let fresh = Fresh { kind: Kind::Warning, region, owner: None, parent: None, input };
        doing.open(&platform(), &fresh, 0)
    }
}

impl Doing<'_> {
    fn open(&self, actor: &Actor, fresh: &Fresh<'_>, depth: usize) -> Result<CaseFile> {
        if depth > DEPTH_MAX {
            let (found, limit) = (depth as u64, DEPTH_MAX as u64);
            return Err(Error::Limit { what: "chain of opened cases", found, limit });
        }
        let Fresh { kind, region, owner, parent, input } = *fresh;
        let (mut opened, mut decision) =
            machine::open(kind, actor, region, owner, input, self.context)?;
        let now = self.context.now;
        let id = new_id(kind, now.year())?;
        machine::identify(&mut opened, &mut decision, &id);
        // The case is built again event by event, so that each event's row has its version.
        let case = machine::blank(kind, &id, region, owner, &actor.account, now);
        let change = Change { actor, command: "open", before: None, parent, depth };
        self.settle(&change, case, decision)
    }

    /// Applies a decision to a case and writes everything that comes of it.
    fn settle(
        &self,
        change: &Change<'_>,
        mut case: CaseFile,
        decision: Decision,
    ) -> Result<CaseFile> {
        assert!(!decision.events.is_empty(), "a decision has at least one event");
        let vault = self.store.vault();
        let earlier = digest(self.transaction, &case.id)?;
        self.take(&mut case, &decision.events)?;
        if let Some(parent) = change.parent {
            self.link(&mut case, parent)?;
        }
        for effect in decision.effects {
            self.effect(&mut case, effect, change.depth)?;
        }
        self.attached(&case)?;
        let after = save(self.transaction, vault, &case)?;
        let entry = Entry {
            action: &format!("{}.{}", kind_word(case.kind), change.command),
            object: &case.id,
            result: &case.state,
            before: &earlier,
            after: &after,
            ..Entry::by(change.actor, self.ip, self.context.now)
        };
        append(self.transaction, vault, &entry)?;
        self.link_back(change, &case)?;
        Ok(case)
    }

    /// Applies events and writes each with the version it leads to. Their rows refer to the case,
    /// which is written last: the file checks that at the end of the transaction.
    fn take(&self, case: &mut CaseFile, events: &[Event]) -> Result<()> {
        for event in events {
            let next = case.version + 1;
            machine::apply(case, event);
            assert_eq!(case.version, next, "an event leads to the next version");
            save_event(self.transaction, self.store.vault(), case, event)?;
        }
        Ok(())
    }

    /// Links a case to another, as an event of its own.
    fn link(&self, case: &mut CaseFile, other: &str) -> Result<()> {
        if case.links.iter().any(|known| known == other) {
            return Ok(());
        }
        let input = json!({ "case": other });
        let decision = machine::decide(case, &platform(), machine::LINK, &input, self.context)?;
        self.take(case, &decision.events)
    }

    fn effect(&self, case: &mut CaseFile, effect: Effect, depth: usize) -> Result<()> {
        let (transaction, vault) = (self.transaction, self.store.vault());
        match effect {
            Effect::Registry { body } => outbox::add(transaction, vault, case, &body),
            Effect::Pay { from, aid, amount, once } => {
                let line = payments::Line { from: &from, aid: &aid, amount, once };
                payments::add(transaction, vault, case, &line)
            }
            Effect::StopPay { last } => payments::stop(transaction, vault, case, &last),
            Effect::Open { kind, region, input } => {
                let fresh = Fresh {
                    kind,
                    region: checked_region(&region)?,
                    owner: None,
                    parent: Some(&case.id),
                    input: &input,
                };
                let child = self.open(&platform(), &fresh, depth + 1)?;
                self.link(case, &child.id)
            }
        }
    }

    /// What a case says is attached must be there.
    fn attached(&self, case: &CaseFile) -> Result<()> {
        let mut statement = self
            .transaction
            .prepare_cached("SELECT 1 FROM attachment WHERE digest = ?1")
            .doing("prepare looking for an attachment")?;
        for digest in &case.attachments {
            if !statement.exists([digest]).doing("look for an attachment")? {
                return Err(Error::Unknown { what: "attachment", id: digest.clone() });
            }
        }
        Ok(())
    }

    /// A case that this one newly links to links back. Its parent, which is still being written,
    /// and its children have that link already.
    fn link_back(&self, change: &Change<'_>, case: &CaseFile) -> Result<()> {
        let (vault, platform) = (self.store.vault(), platform());
        let known: &[String] = change.before.map_or(&[], |before| &before.links);
        let reach = Reach::of(change.actor);
        let fresh = |id: &&String| !known.contains(*id) && change.parent != Some(id.as_str());
        for id in case.links.iter().filter(fresh) {
            let mut other = load(self.transaction, vault, id)?;
            if other.links.contains(&case.id) {
                continue;
            }
            // Nobody puts a link into a case that they cannot see. A member of the family may have
            // authorised from elsewhere.
            if !reach.covers(&other) && other.kind != Kind::Authorisation {
                return Err(unknown(id));
            }
            let earlier = digest(self.transaction, id)?;
            self.link(&mut other, &case.id)?;
            let after = save(self.transaction, vault, &other)?;
            let entry = Entry {
                action: &format!("{}.link", kind_word(other.kind)),
                object: id,
                result: &other.state,
                before: &earlier,
                after: &after,
                ..Entry::by(&platform, self.ip, self.context.now)
            };
            append(self.transaction, vault, &entry)?;
        }
        Ok(())
    }
}

fn checked_region(region: &str) -> Result<&str> {
    let digits = region.bytes().all(|byte| byte.is_ascii_digit());
    if digits && matches!(region.len(), 2 | 4 | 6 | 9 | 12) {
        return Ok(region);
    }
    Err(Error::Input { name: "region", reason: "must be 2, 4, 6, 9 or 12 digits" })
}

fn checked_input(input: &Value) -> Result<String> {
    let text = input.to_string();
    if text.len() > INPUT_BYTES_MAX {
        let (found, limit) = (text.len() as u64, INPUT_BYTES_MAX as u64);
        return Err(Error::Limit { what: "bytes of a command's input", found, limit });
    }
    Ok(text)
}
