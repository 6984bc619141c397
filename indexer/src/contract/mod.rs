//! Contracts: what each department's file is agreed to contain, read from `contracts/*.toml`.
//!
//! Invariants: a contract's columns stand in one order, that of chunks, of staged tables and of
//! kept loads; a column that a record cannot do without is `required`, and a bad cell there makes
//! the record a reject; elsewhere a bad cell is unknown.

mod text;

use std::collections::HashMap;

use yiku::Schema;

use crate::error::Result;

/// What a cell of a column is cleaned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellKind {
    /// Text, trimmed.
    Text,
    /// An ID number: its first seventeen digits as an integer.
    IdNumber,
    /// A place of the path tree: its full-width code.
    Path,
    /// A code of a list: its place in the list.
    Code,
    /// A day: days since 1970-01-01.
    Date,
    /// A month: twelve times the year plus the month from 0.
    Month,
    /// Yuan, to fen.
    Money,
    /// Ten thousand yuan, to fen.
    MoneyWan,
    /// Yes or no.
    Flag,
    /// A whole number.
    Int,
    /// In the contract, so that the file is known by it; not kept.
    Ignored,
}

impl CellKind {
    /// The type of the staged column.
    pub(crate) fn sql(self) -> &'static str {
        if self == Self::Text { "VARCHAR" } else { "BIGINT" }
    }
}

/// One column of a contract.
#[derive(Debug)]
pub(crate) struct ColumnContract {
    /// Its name in staged tables.
    pub(crate) name: String,
    /// How departments head it; a group and a name are joined by `/`.
    pub(crate) headers: Vec<String>,
    pub(crate) kind: CellKind,
    /// The words of a code or flag column, and what each stands for.
    pub(crate) words: HashMap<String, i64>,
    /// Whether a record cannot do without it.
    pub(crate) required: bool,
    /// Whether what stands in it must not be shown.
    pub(crate) personal: bool,
    /// Bytes in a record of fixed width.
    pub(crate) bytes: usize,
}

impl ColumnContract {
    /// Whether the column is cleaned and staged.
    pub(crate) fn kept(&self) -> bool {
        self.kind != CellKind::Ignored
    }

    /// The header that people know it by.
    pub(crate) fn header(&self) -> &str {
        self.headers.first().map_or(self.name.as_str(), String::as_str)
    }
}

/// What a department's file is agreed to contain.
#[derive(Debug)]
pub(crate) struct Contract {
    /// `department.dataset`.
    pub(crate) id: String,
    /// What people call it.
    pub(crate) label: String,
    pub(crate) columns: Vec<ColumnContract>,
    /// The columns by which two records are the same; none: all kept columns.
    pub(crate) key: Vec<String>,
    /// The column with the month that a file speaks of; none when it speaks of the present.
    pub(crate) period: Option<usize>,
    /// Whether records of fixed width are expected, in GB 18030.
    pub(crate) fixed: bool,
    /// The name of the list in a JSON object.
    pub(crate) array: Option<String>,
    /// Words in the first cell that mark a line of totals.
    pub(crate) totals: Vec<String>,
}

impl Contract {
    /// The table that its records are staged in.
    pub(crate) fn table(&self) -> String {
        format!("stage_{}", self.id.replace('.', "_"))
    }

    /// The columns that are staged, with their places.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (usize, &ColumnContract)> {
        self.columns.iter().enumerate().filter(|(_, column)| column.kept())
    }

    /// The place of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The names by which records are compared for sameness.
    pub(crate) fn key_columns(&self) -> Vec<&str> {
        if self.key.is_empty() {
            return self.kept().map(|(_, column)| column.name.as_str()).collect();
        }
        self.key.iter().map(String::as_str).collect()
    }

    /// For each column, where its header stands among those found; none when a required column
    /// is missing or fewer than half of the columns are there.
    pub(crate) fn places(&self, found: &[String]) -> Option<Vec<Option<usize>>> {
        let place = |column: &ColumnContract| {
            found.iter().position(|header| column.headers.contains(header))
        };
        let places: Vec<Option<usize>> = self.columns.iter().map(place).collect();
        let lacking = self.columns.iter().zip(&places);
        let lacking = lacking.filter(|(column, place)| column.required && place.is_none()).count();
        let there = places.iter().flatten().count();
        (lacking == 0 && there * 2 > self.columns.len()).then_some(places)
    }

    /// How many of the headers found are of this contract.
    fn likeness(&self, found: &[String]) -> usize {
        let known = |header: &&String| self.columns.iter().any(|c| c.headers.contains(header));
        found.iter().filter(known).count()
    }

    /// Bytes of a record of fixed width, without its line end.
    pub(crate) fn record_bytes(&self) -> usize {
        self.columns.iter().map(|column| column.bytes).sum()
    }
}

/// All contracts.
#[derive(Debug)]
pub(crate) struct Contracts(Vec<Contract>);

const TEXTS: [&str; 14] = [
    include_str!("../../contracts/civil_affairs.households.toml"),
    include_str!("../../contracts/civil_affairs.members.toml"),
    include_str!("../../contracts/civil_affairs.aid.toml"),
    include_str!("../../contracts/civil_affairs.payments.toml"),
    include_str!("../../contracts/disabled_federation.cards.toml"),
    include_str!("../../contracts/medical_insurance.settlements.toml"),
    include_str!("../../contracts/human_resources.employment.toml"),
    include_str!("../../contracts/education.students.toml"),
    include_str!("../../contracts/housing.inspections.toml"),
    include_str!("../../contracts/justice.custody.toml"),
    include_str!("../../contracts/emergency.disasters.toml"),
    include_str!("../../contracts/rural_revitalisation.monitored.toml"),
    include_str!("../../contracts/trade_union.hardship.toml"),
    include_str!("../../contracts/health.events.toml"),
];

impl Contracts {
    /// The contracts that the program carries.
    ///
    /// # Errors
    /// [`crate::Error::Contract`] if one of them contradicts itself or the schema.
    pub(crate) fn embedded(schema: &Schema) -> Result<Contracts> {
        let contracts = TEXTS.iter().map(|text| text::parse(text, schema));
        Ok(Contracts(contracts.collect::<Result<_>>()?))
    }

    /// All of them; a contract's place here is its number.
    pub(crate) fn all(&self) -> &[Contract] {
        &self.0
    }

    /// The contract of that id.
    pub(crate) fn get(&self, id: &str) -> Option<&Contract> {
        self.0.iter().find(|contract| contract.id == id)
    }

    /// The contract whose headers were found, and where each of its columns stands.
    pub(crate) fn by_headers(&self, found: &[String]) -> Option<(usize, Vec<Option<usize>>)> {
        let fitting = self.0.iter().enumerate();
        let fitting = fitting.filter_map(|(nth, c)| Some((nth, c.places(found)?)));
        fitting.max_by_key(|(_, places)| places.iter().flatten().count())
    }

    /// The contract of fixed width whose records look like this line.
    pub(crate) fn by_width(&self, line: &[u8]) -> Option<usize> {
        let fits = |contract: &Contract| {
            let first = contract.columns.first().map_or(0, |column| column.bytes);
            let number = line.get(..first).unwrap_or_default();
            contract.fixed
                && line.len() == contract.record_bytes()
                && number.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'X' | b'x'))
        };
        self.0.iter().position(fits)
    }

    /// Which contract comes nearest to the headers, in words.
    pub(crate) fn nearest(&self, found: &[String]) -> String {
        let nearest = self.0.iter().max_by_key(|contract| contract.likeness(found));
        match nearest.filter(|contract| contract.likeness(found) > 0) {
            Some(contract) => {
                let missing = contract.columns.iter();
                let missing = missing.filter(|c| !c.headers.iter().any(|h| found.contains(h)));
                let missing: Vec<&str> = missing.map(ColumnContract::header).collect();
                format!(
                    "nearest is {} ({}), which also has {}",
                    contract.id,
                    contract.label,
                    missing.join(", ")
                )
            }
            None => "no contract has any of these".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    fn contracts() -> Contracts {
        Contracts::embedded(&crate::registry_schema().unwrap()).unwrap()
    }

    fn own(headers: &[&str]) -> Vec<String> {
        headers.iter().map(|header| (*header).to_owned()).collect()
    }

    #[test]
    fn every_contract_is_known_by_its_own_headers_in_any_order() {
        let contracts = contracts();
        for (place, contract) in contracts.all().iter().enumerate() {
            let headers: Vec<String> =
                contract.columns.iter().rev().map(|c| c.header().to_owned()).collect();
            let (found, places) = contracts.by_headers(&headers).unwrap();
            assert_eq!(found, place, "{}", contract.id);
            let reversed: Vec<_> = (0..headers.len()).rev().map(Some).collect();
            assert_eq!(places, reversed, "{}", contract.id);
        }
    }

    #[test]
    fn a_required_column_must_be_there_and_others_may_lack_or_be_more() {
        let contracts = contracts();
        let id = |headers: &[&str]| {
            let (place, _) = contracts.by_headers(&own(headers))?;
            contracts.all().get(place).map(|contract| contract.id.as_str())
        };
        let payments = ["公民身份号码", "发放月份", "发放金额(元)", "救助类别", "备注"];
        assert_eq!(id(&payments), Some("civil_affairs.payments"));
        assert_eq!(id(&payments[..3]), None);
        assert_eq!(id(&["xm", "sfzh", "xd"]), Some("education.students"));
        assert_eq!(id(&["xm", "sfzh"]), None);
        assert_eq!(id(&[]), None);
    }

    #[test]
    fn the_nearest_contract_is_named_with_what_it_lacks() {
        let nearest = contracts().nearest(&own(&["公民身份号码", "发放月份", "救助类别"]));
        assert!(nearest.contains("civil_affairs.payments"), "{nearest}");
        assert!(nearest.ends_with("which also has 发放金额(元)"), "{nearest}");
        assert_eq!(contracts().nearest(&own(&["x"])), "no contract has any of these");
    }

    #[test]
    fn records_of_fixed_width_are_known_by_their_bytes() {
        let contracts = contracts();
        let place = contracts.all().iter().position(|contract| contract.fixed);
        let line = format!("{:<56}", "99900119900307001X");
        assert_eq!(contracts.by_width(line.as_bytes()), place);
        assert_eq!(contracts.by_width(&line.as_bytes()[..55]), None);
        assert_eq!(contracts.by_width(format!("{:<56}", "notes").as_bytes()), None);
    }

    #[test]
    fn a_contract_that_contradicts_itself_is_refused() {
        let schema = crate::registry_schema().unwrap();
        let good = TEXTS.iter().find(|text| text.contains("civil_affairs.payments")).unwrap();
        for (from, to, expected) in [
            ("list = \"aid_kind\"", "list = \"aids\"", "no list `aids`"),
            ("list = \"aid_kind\"", "", "have words"),
            ("kind = \"money\"", "kind = \"gold\"", "no kind `gold`"),
            ("period = \"month\"", "period = \"week\"", "its period `week` is no column"),
            ("period = \"month\"", "key = [\"x\"]", "its key `x` is not a column"),
            ("required = true", "needed = true", "unknown field `needed`"),
        ] {
            let error = text::parse(&good.replace(from, to), &schema).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
