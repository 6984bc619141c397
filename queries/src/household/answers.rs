//! The answers of one household, by block as forms give them, read into rows.
//!
//! Money is whole fen, days are `2026-10-31`, codes are the texts of their lists. What is absent,
//! null or an empty text is unknown. Three columns are worked out: `size` counts the members who
//! are counted; `income12` is the sum of the five parts, or, where no part is told, twelve times
//! what the counted members earn in a month; `rigid12` is the sum of the expenses less aid. A
//! member's day of birth may be told by the ID number or by `age`, in years.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use yiku::schema::Kind;
use yiku::{Schema, calendar};

use super::rows::{Cell, Rows};
use super::{Error, Result};

/// What the answers may say, as a schema of the language.
const SCHEMA: &str = include_str!("../../catalog/answers.toml");

/// Members of a household that are read.
const MEMBERS_MAX: usize = 64;
/// The greatest amount that is believed, in fen.
const MONEY_MAX: i64 = 100_000_000_000_000;
/// The greatest whole number that is believed.
const INT_MAX: i64 = 10_000;
/// The greatest age that is believed.
const AGE_MAX: i64 = 150;
/// The longest text, in bytes.
const TEXT_MAX: usize = 8_000;

pub(super) const HOUSEHOLD: usize = 0;
pub(super) const PERSON: usize = 1;

/// Columns of the household: name, block and field of the answers, English label.
const COLUMNS: [(&str, &str, &str, &str); 22] = [
    ("region", "family", "region", "region"),
    ("urban", "family", "urban", "whether the household is urban"),
    ("cause", "family", "cause", "main cause of hardship"),
    ("wages12", "income", "wages12", "wages of 12 months"),
    ("business12", "income", "business12", "net business income of 12 months"),
    ("property12", "income", "property12", "property income of 12 months"),
    ("transfer12", "income", "transfer12", "transfer income of 12 months"),
    ("other_income12", "income", "other12", "other income of 12 months"),
    ("medical12", "expense", "medical12", "own medical costs of 12 months"),
    ("education12", "expense", "education12", "costs of education of 12 months"),
    ("rehabilitation12", "expense", "rehabilitation12", "costs of rehabilitation of 12 months"),
    ("housing12", "expense", "housing12", "costs of housing of 12 months"),
    ("other_expense12", "expense", "other12", "other unavoidable costs of 12 months"),
    ("aid12", "expense", "aid12", "aid received in 12 months"),
    ("deposits", "property", "deposits", "deposits and securities"),
    ("houses", "property", "houses", "number of houses"),
    ("vehicle_value", "property", "vehicle_value", "value of vehicles"),
    ("machinery_value", "property", "machinery_value", "value of large farm machines"),
    ("company", "property", "company", "whether a company is owned"),
    ("housing_grade", "housing", "housing_grade", "grade of the house"),
    ("urgent", "aid", "urgent", "the sudden hardship"),
    ("months", "aid", "months", "months of aid needed"),
];

const INCOME: [&str; 5] = ["wages12", "business12", "property12", "transfer12", "other_income12"];
const EXPENSE: [&str; 5] =
    ["medical12", "education12", "rehabilitation12", "housing12", "other_expense12"];

/// Columns of a member, which are their fields too, with the English label.
const FIELDS: [(&str, &str); 15] = [
    ("relation", "relation to the head"),
    ("sex", "sex"),
    ("birth_date", "date of birth"),
    ("marital", "marital status"),
    ("education", "education"),
    ("labour_ability", "ability to work"),
    ("employment", "employment"),
    ("school_stage", "stage of school"),
    ("severe_illness", "grave illness"),
    ("disability_type", "type of disability"),
    ("disability_grade", "grade of disability"),
    ("monthly_income", "monthly income"),
    ("counted", "whether the member is counted"),
    ("self_care", "items of self-care"),
    ("obligor", "whether the member is an obligation-bearer"),
];

/// Something that the answers do not tell: where it belongs, and its name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Missing {
    /// The field: `members[1].birth_date`.
    pub path: String,
    /// What it is called in Chinese.
    pub zh: String,
    /// What it is called in English.
    pub en: String,
}

/// The answers of one household, ready to be asked.
#[derive(Debug, Clone)]
pub struct Answers {
    pub(super) schema: Schema,
    pub(super) rows: Rows,
    /// Digits of the place, 2 to 12; empty where not told.
    pub(super) region: String,
    pub(super) urban: Option<bool>,
    /// For a worked out column that is unknown, the fields that would make it known.
    beneath: BTreeMap<&'static str, Vec<Missing>>,
}

/// The schema of the answers.
pub(super) fn schema() -> Result<Schema> {
    Schema::from_toml(SCHEMA).map_err(|source| Error::Schema { source })
}

/// One field being read.
struct Field<'a> {
    path: String,
    value: Option<&'a Value>,
}

impl Answers {
    /// Reads the answers, as of a day (days since 1970-01-01).
    ///
    /// # Errors
    /// [`Error::Answers`] with the field that is not what it should be.
    pub fn read(answers: &Value, as_of: i64) -> Result<Self> {
        let Value::Object(blocks) = answers else {
            return Err(wrong("answers", "an object of blocks"));
        };
        let schema = schema()?;
        let rows = Rows::new(&schema);
        let mut read =
            Self { schema, rows, region: String::new(), urban: None, beneath: BTreeMap::new() };
        let nothing = Map::new();
        for (column, block, field, _) in COLUMNS {
            let fields = match blocks.get(block) {
                None | Some(Value::Null) => &nothing,
                Some(Value::Object(fields)) => fields,
                Some(_) => return Err(wrong(block, "an object of fields")),
            };
            let field = Field { path: format!("{block}.{field}"), value: fields.get(field) };
            read.column(HOUSEHOLD, 0, column, &field, as_of)?;
        }
        read.members(blocks.get("members"), as_of)?;
        read.urban = match read.of_household("urban") {
            Some(Cell::Int(urban)) => Some(*urban == 1),
            _ => None,
        };
        read.work_out();
        Ok(read)
    }

    fn members(&mut self, members: Option<&Value>, as_of: i64) -> Result<()> {
        let members = match members {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Array(members)) if members.len() <= MEMBERS_MAX => members,
            Some(_) => return Err(wrong("members", &format!("a list of up to {MEMBERS_MAX}"))),
        };
        for (place, member) in members.iter().enumerate() {
            let path = format!("members[{place}]");
            let Value::Object(fields) = member else {
                return Err(wrong(&path, "an object of fields"));
            };
            let row = self.rows.add(&self.schema, PERSON, 0);
            for (name, _) in FIELDS {
                let field = Field { path: format!("{path}.{name}"), value: fields.get(name) };
                self.column(PERSON, row, name, &field, as_of)?;
            }
            self.born(row, &path, fields, as_of)?;
            // Who is obliged to keep the family does not live of its purse, unless it says so.
            let obligor = self.flag(row, "obligor") == Some(true);
            self.set_flag(row, "obligor", obligor);
            let counted = self.flag(row, "counted").unwrap_or(!obligor);
            self.set_flag(row, "counted", counted);
        }
        Ok(())
    }

    /// A day of birth that is not told is read off the ID number, else off the age in years.
    fn born(
        &mut self,
        row: usize,
        path: &str,
        fields: &Map<String, Value>,
        as_of: i64,
    ) -> Result<()> {
        let place = self.place(PERSON, "birth_date");
        if self.rows.cell(PERSON, row, place).is_some() {
            return Ok(());
        }
        let number = fields.get("id_number").and_then(Value::as_str).unwrap_or("");
        let of_number = number.get(6..14).filter(|_| number.len() == 18).and_then(|digits| {
            let (year, rest) = digits.split_at_checked(4)?;
            let (month, day) = rest.split_at_checked(2)?;
            calendar::parse_date(&format!("{year}-{month}-{day}")).filter(|day| *day <= as_of)
        });
        let of_age = match fields.get("age") {
            None | Some(Value::Null) => None,
            Some(age) => {
                let field = Field { path: format!("{path}.age"), value: None };
                let years = int(&field, age, AGE_MAX, "whole years from 0 to 150")?;
                Some(calendar::add_months(as_of, -12 * years))
            }
        };
        if let Some(day) = of_number.or(of_age) {
            self.rows.set(PERSON, row, place, Cell::Int(day));
        }
        Ok(())
    }

    fn column(
        &mut self,
        table: usize,
        row: usize,
        column: &str,
        field: &Field<'_>,
        as_of: i64,
    ) -> Result<()> {
        let value = match field.value {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::String(text)) if text.trim().is_empty() => return Ok(()),
            Some(value) => value,
        };
        let found = self.schema.tables.get(table);
        let place = found.and_then(|t| t.column_index(column));
        let Some(place) = place else { return Ok(()) };
        let kind = found.and_then(|t| t.columns.get(place)).map_or(Kind::Text, |c| c.kind);
        let list = found.and_then(|t| t.columns.get(place)).and_then(|c| c.list);
        let cell = match kind {
            Kind::Flag => Cell::Int(i64::from(flag(field, value)?)),
            Kind::Money => Cell::Int(int(field, value, MONEY_MAX, "whole fen from 0 upward")?),
            Kind::Int => Cell::Int(int(field, value, INT_MAX, "a whole number from 0 upward")?),
            Kind::Date => Cell::Int(date(field, value, as_of)?),
            Kind::Code => {
                let codes = list.and_then(|list| self.schema.lists.get(list));
                let place = value.as_str().zip(codes).and_then(|(text, codes)| codes.find(text));
                let name = codes.map_or("", |codes| codes.name.as_str());
                let wanted = format!("a code of the list {name}");
                Cell::Int(i64::from(place.ok_or_else(|| wrong(&field.path, &wanted))?))
            }
            Kind::Path => {
                self.region = digits(field, value)?;
                let code = format!("{:0<12}", self.region).parse();
                Cell::Int(code.map_err(|_| wrong(&field.path, "the digits of a place"))?)
            }
            _ => match value.as_str() {
                Some(text) if text.len() <= TEXT_MAX => Cell::Text(text.to_owned()),
                _ => return Err(wrong(&field.path, "a text of no more than 8000 bytes")),
            },
        };
        self.rows.set(table, row, place, cell);
        Ok(())
    }

    fn place(&self, table: usize, column: &str) -> usize {
        let found = self.schema.tables.get(table).and_then(|t| t.column_index(column));
        found.unwrap_or(usize::MAX)
    }

    fn of_household(&self, column: &str) -> Option<&Cell> {
        self.rows.cell(HOUSEHOLD, 0, self.place(HOUSEHOLD, column))
    }

    fn amount(&self, column: &str) -> Option<i64> {
        match self.of_household(column) {
            Some(Cell::Int(value)) => Some(*value),
            _ => None,
        }
    }

    fn flag(&self, row: usize, column: &str) -> Option<bool> {
        match self.rows.cell(PERSON, row, self.place(PERSON, column)) {
            Some(Cell::Int(value)) => Some(*value == 1),
            _ => None,
        }
    }

    fn set_flag(&mut self, row: usize, column: &str, flag: bool) {
        let place = self.place(PERSON, column);
        self.rows.set(PERSON, row, place, Cell::Int(i64::from(flag)));
    }

    /// How many members there are, counted or not.
    pub(super) fn members_count(&self) -> usize {
        self.rows.tables.get(PERSON).map_or(0, Vec::len)
    }

    /// What is missing where nobody is told of.
    pub(super) fn no_members() -> Vec<Missing> {
        vec![named("members", "共同生活的家庭成员", "the members of the household")]
    }

    /// Whether a member is counted.
    pub(super) fn is_counted(&self, row: usize) -> bool {
        self.flag(row, "counted") == Some(true)
    }

    fn work_out(&mut self) {
        let counted: Vec<usize> =
            (0..self.members_count()).filter(|row| self.is_counted(*row)).collect();
        if counted.is_empty() {
            let missing = Self::no_members();
            self.beneath.insert("size", missing);
        } else {
            let size = i64::try_from(counted.len()).unwrap_or(i64::MAX);
            self.set_household("size", size);
        }
        let parts = INCOME.map(|column| self.amount(column));
        let earned = self.place(PERSON, "monthly_income");
        let earnings = counted.iter().map(|row| match self.rows.cell(PERSON, *row, earned) {
            Some(Cell::Int(value)) => Some(*value),
            _ => None,
        });
        let earnings: Option<i64> = earnings.sum();
        let monthly = earnings.filter(|_| parts == [None; 5] && !counted.is_empty());
        let whole: Option<i64> = parts.into_iter().sum();
        match whole.or(monthly.map(|month| month.saturating_mul(12))) {
            Some(income) => self.set_household("income12", income),
            None => {
                let missing = self.missing_of(&INCOME);
                self.beneath.insert("income12", missing);
            }
        }
        let spent: Option<i64> = EXPENSE.iter().map(|column| self.amount(column)).sum();
        match spent.zip(self.amount("aid12")) {
            Some((spent, aid)) => self.set_household("rigid12", (spent - aid).max(0)),
            None => {
                let mut missing = self.missing_of(&EXPENSE);
                missing.extend(self.missing_of(&["aid12"]));
                self.beneath.insert("rigid12", missing);
            }
        }
    }

    fn set_household(&mut self, column: &str, value: i64) {
        let place = self.place(HOUSEHOLD, column);
        self.rows.set(HOUSEHOLD, 0, place, Cell::Int(value));
    }

    fn missing_of(&self, columns: &[&str]) -> Vec<Missing> {
        let unknown = columns.iter().filter(|column| self.of_household(column).is_none());
        unknown.filter_map(|column| self.field(column)).collect()
    }

    /// The field of a column of the household.
    fn field(&self, column: &str) -> Option<Missing> {
        let (_, block, field, en) = COLUMNS.iter().find(|(name, ..)| *name == column)?;
        let table = self.schema.tables.get(HOUSEHOLD)?;
        let label = table.columns.get(table.column_index(column)?)?.label.as_str();
        Some(named(&format!("{block}.{field}"), label, en))
    }

    /// The fields that would make an unknown value known.
    pub(super) fn missing(&self, table: usize, column: usize, row: usize) -> Vec<Missing> {
        let found = self.schema.tables.get(table).and_then(|t| t.columns.get(column));
        let Some(schema) = found else { return Vec::new() };
        if table == HOUSEHOLD {
            let worked_out = self.beneath.get(schema.name.as_str());
            return worked_out
                .cloned()
                .unwrap_or_else(|| self.field(&schema.name).into_iter().collect());
        }
        let en = FIELDS.iter().find(|(name, _)| *name == schema.name).map_or("", |(_, en)| en);
        let path = format!("members[{row}].{}", schema.name);
        let zh = format!("第{}位成员的{}", row + 1, schema.label);
        vec![named(&path, &zh, &format!("{en} of member {}", row + 1))]
    }
}

fn named(path: &str, zh: &str, en: &str) -> Missing {
    Missing { path: path.to_owned(), zh: zh.to_owned(), en: en.to_owned() }
}

fn wrong(path: &str, wanted: &str) -> Error {
    Error::Answers { path: path.to_owned(), wanted: wanted.to_owned() }
}

fn flag(field: &Field<'_>, value: &Value) -> Result<bool> {
    value.as_bool().ok_or_else(|| wrong(&field.path, "true or false"))
}

fn int(field: &Field<'_>, value: &Value, most: i64, wanted: &str) -> Result<i64> {
    let found = value.as_i64().filter(|value| (0..=most).contains(value));
    found.ok_or_else(|| wrong(&field.path, wanted))
}

fn date(field: &Field<'_>, value: &Value, as_of: i64) -> Result<i64> {
    let day = value.as_str().and_then(calendar::parse_date);
    match day {
        Some(day) if day <= as_of => Ok(day),
        Some(_) => Err(wrong(&field.path, "a day that is not to come")),
        None => Err(wrong(&field.path, "a day such as 1960-05-31")),
    }
}

fn digits(field: &Field<'_>, value: &Value) -> Result<String> {
    let text = value.as_str().unwrap_or("");
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    if digits && matches!(text.len(), 2 | 4 | 6 | 9 | 12) {
        return Ok(text.to_owned());
    }
    Err(wrong(&field.path, "the code of a place, 2 to 12 digits"))
}
