//! What administrators do with accounts.

use jiff::civil::DateTime;

use super::{Account, Accounts, Grant, State, login_form, password, rows, session, unnamed};
use crate::case::{Actor, Role};
use crate::error::{Error, Result};
use crate::rights::within;
use crate::secret::is_id_number;
use crate::store::{Entry, append, platform};

impl Accounts {
    /// Makes an account without a role; gives it with its first password, which is shown once and
    /// must be changed.
    ///
    /// # Errors
    /// When the actor is no system administrator, or the login name is taken or not of its form.
    pub fn create(
        &self,
        by: &Actor,
        (login, name): (&str, &str),
        now: DateTime,
        ip: &str,
    ) -> Result<(Account, String)> {
        only(by, &[Role::SystemAdmin], "creating accounts")?;
        let first = password::temporary()?;
        let account = fresh(by, login, name, now)?;
        self.add(&account, Some(&first), &Entry::by(by, ip, now))?;
        Ok((account, first))
    }

    /// Makes an account with role and password in one step: the platform's own first accounts,
    /// from its command line and its demonstration, never from a page.
    ///
    /// # Errors
    /// When login name, password or grant are not of their form, or the name is taken.
    pub fn establish(
        &self,
        (login, name): (&str, &str),
        grant: &Grant<'_>,
        password: &str,
        must_change: bool,
        now: DateTime,
    ) -> Result<Account> {
        let by = platform();
        let mut account = fresh(&by, login, name, now)?;
        password::check(password, &account.login)?;
        self.give(&mut account, grant)?;
        account.must_change = must_change;
        self.add(&account, Some(password), &Entry::by(&by, "", now))?;
        Ok(account)
    }

    /// Gives an account a role, or another one of the same sort. Administrators keep theirs.
    ///
    /// # Errors
    /// When the actor is no security administrator, or the role is not theirs to give.
    pub fn grant(
        &self,
        by: &Actor,
        id: &str,
        grant: &Grant<'_>,
        now: DateTime,
        ip: &str,
    ) -> Result<Account> {
        only(by, &[Role::SecurityAdmin], "granting roles")?;
        if by.account == id {
            return Err(Error::Forbidden { what: "granting a role to oneself" });
        }
        if matches!(grant.role, Role::SystemAdmin | Role::AuditAdmin | Role::Citizen | Role::System)
        {
            return Err(Error::Forbidden { what: "granting this role" });
        }
        self.change(id, &Entry { action: "account.grant", ..Entry::by(by, ip, now) }, |account| {
            let held = account.role.is_some_and(|held| {
                held == Role::Citizen || is_admin(held) || is_admin(grant.role)
            });
            if held { Err(Error::RoleHeld) } else { self.give(account, grant) }
        })
    }

    /// Forbids an account; its sessions end now.
    ///
    /// # Errors
    /// When the actor is no system administrator, or it is their own account.
    pub fn disable(&self, by: &Actor, id: &str, now: DateTime, ip: &str) -> Result<Account> {
        only(by, &[Role::SystemAdmin], "disabling accounts")?;
        if by.account == id {
            return Err(Error::Forbidden { what: "disabling oneself" });
        }
        let entry = Entry { action: "account.disable", ..Entry::by(by, ip, now) };
        self.change(id, &entry, |account| {
            account.state = State::Disabled;
            Ok(())
        })
    }

    /// Allows a disabled account again.
    ///
    /// # Errors
    /// When the actor is no system administrator.
    pub fn enable(&self, by: &Actor, id: &str, now: DateTime, ip: &str) -> Result<Account> {
        only(by, &[Role::SystemAdmin], "enabling accounts")?;
        let entry = Entry { action: "account.enable", ..Entry::by(by, ip, now) };
        self.change(id, &entry, |account| {
            account.state = State::Active;
            Ok(())
        })
    }

    /// Opens an account that too many failures locked.
    ///
    /// # Errors
    /// When the actor is no security administrator.
    pub fn unlock(&self, by: &Actor, id: &str, now: DateTime, ip: &str) -> Result<Account> {
        only(by, &[Role::SecurityAdmin], "unlocking accounts")?;
        self.store.write(|transaction| {
            let account = rows::load(transaction, self.vault(), id)?;
            self.forget_failures(transaction, &account.login)?;
            let entry = Entry { action: "account.unlock", object: id, ..Entry::by(by, ip, now) };
            append(transaction, self.vault(), &entry)?;
            Ok(account)
        })
    }

    /// Gives an account a new password, which is shown once and must be changed; its sessions end
    /// and its lock opens.
    ///
    /// # Errors
    /// When the actor is no security administrator.
    pub fn reset(&self, by: &Actor, id: &str, now: DateTime, ip: &str) -> Result<String> {
        only(by, &[Role::SecurityAdmin], "resetting passwords")?;
        let first = password::temporary()?;
        let kept = password::Kept::new(&first, self.cost)?;
        self.store.write(|transaction| {
            let mut account = rows::load(transaction, self.vault(), id)?;
            account.must_change = true;
            self.save(transaction, &account)?;
            self.keep_password(transaction, id, &kept, now)?;
            self.forget_failures(transaction, &account.login)?;
            session::end_all(transaction, id)?;
            let entry = Entry { action: "account.reset", object: id, ..Entry::by(by, ip, now) };
            append(transaction, self.vault(), &entry)
        })?;
        Ok(first)
    }

    /// Adds an account, its password and their journal row.
    fn add(&self, account: &Account, password: Option<&str>, entry: &Entry<'_>) -> Result<()> {
        let kept = password.map(|text| password::Kept::new(text, self.cost)).transpose()?;
        let login = self.login_index(&account.login)?;
        self.store.write(|transaction| {
            if rows::by_login(transaction, self.vault(), &login)?.is_some() {
                return Err(Error::LoginTaken);
            }
            if let Some(person) = &account.person
                && rows::by_person(transaction, self.vault(), person)?.is_some()
            {
                return Err(Error::OtherPerson);
            }
            rows::save(transaction, self.vault(), account, &login)?;
            if let Some(kept) = &kept {
                self.keep_password(transaction, &account.id, kept, entry.at)?;
            }
            let entry = Entry { action: "account.create", object: &account.id, ..*entry };
            append(transaction, self.vault(), &entry)
        })
    }

    /// Changes an account and ends the sessions of one that may no longer be used.
    fn change(
        &self,
        id: &str,
        entry: &Entry<'_>,
        change: impl FnOnce(&mut Account) -> Result<()>,
    ) -> Result<Account> {
        self.store.write(|transaction| {
            let mut account = rows::load(transaction, self.vault(), id)?;
            change(&mut account)?;
            self.save(transaction, &account)?;
            if account.state == State::Disabled {
                session::end_all(transaction, id)?;
            }
            let result = account.role.map_or("", crate::store::role_word);
            let entry = Entry { object: id, result, ..*entry };
            append(transaction, self.vault(), &entry)?;
            Ok(account)
        })
    }

    fn give(&self, account: &mut Account, grant: &Grant<'_>) -> Result<()> {
        let lengths: &[usize] = match grant.role {
            Role::Village => &[12],
            Role::Township => &[9],
            Role::County => &[6],
            Role::City => &[4],
            Role::Province => &[2],
            Role::Department => &[2, 4, 6],
            Role::Citizen | Role::SystemAdmin | Role::SecurityAdmin | Role::AuditAdmin => &[0],
            Role::System => return Err(Error::Forbidden { what: "the platform's own role" }),
        };
        let formed = grant.scope.is_empty() || within(grant.scope, grant.scope);
        if !formed || !lengths.contains(&grant.scope.len()) {
            let reason = "must have the digits of the role's level, or none for a role without one";
            return Err(Error::Input { name: "scope", reason });
        }
        let department = grant.department.filter(|department| !department.is_empty());
        if department.is_some() != (grant.role == Role::Department) {
            let reason = "must be given for a department's user and for nobody else";
            return Err(Error::Input { name: "department", reason });
        }
        if grant.id_number.is_some() != (grant.role == Role::Citizen)
            || grant.id_number.is_some_and(|number| !is_id_number(number))
        {
            let reason = "must be a valid one for a citizen, and absent for everybody else";
            return Err(Error::Input { name: "id_number", reason });
        }
        account.role = Some(grant.role);
        grant.scope.clone_into(&mut account.scope);
        account.department = department.map(str::to_owned);
        account.person = grant.id_number.map(|number| self.store.index(number)).transpose()?;
        account.number = grant.id_number.map(crate::secret::normalise);
        Ok(())
    }
}

fn is_admin(role: Role) -> bool {
    matches!(role, Role::SystemAdmin | Role::SecurityAdmin | Role::AuditAdmin)
}

fn only(by: &Actor, roles: &[Role], what: &'static str) -> Result<()> {
    if roles.contains(&by.role) { Ok(()) } else { Err(Error::Forbidden { what }) }
}

fn fresh(by: &Actor, login: &str, name: &str, now: DateTime) -> Result<Account> {
    let login = login_form(login);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    if !(2..=64).contains(&login.chars().count()) || !login.chars().all(plain) {
        let reason = "must have 2 to 64 letters, digits, - _ . @";
        return Err(Error::Input { name: "login", reason });
    }
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
        return Err(Error::Input { name: "name", reason: "must have 1 to 64 characters" });
    }
    unnamed(by, login, name, now)
}
