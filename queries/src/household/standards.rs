//! Standards: amounts, ratios and ways of rounding by region, household registration and day.
//!
//! An amount of a month or a year is given to expressions as that of a year, so that both units
//! compare without a rest. The most particular region that has a standard decides; within it the
//! latest that is in force.

use serde::{Deserialize, Serialize};
use yiku::calendar;

use super::{Error, Result};

/// The unit a standard is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Yuan a month.
    #[serde(rename = "yuan/month")]
    YuanMonth,
    /// Yuan a year.
    #[serde(rename = "yuan/year")]
    YuanYear,
    /// Yuan.
    #[serde(rename = "yuan")]
    Yuan,
    /// A plain number: a ratio, a number of months or items.
    #[serde(rename = "number")]
    Number,
    /// A way of rounding amounts.
    #[serde(rename = "rounding")]
    Rounding,
}

impl Unit {
    pub(crate) fn is_money(self) -> bool {
        matches!(self, Self::YuanMonth | Self::YuanYear | Self::Yuan)
    }
}

/// How an amount is rounded, once, at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the fen, half up.
    None,
    /// Up to whole yuan.
    UpYuan,
    /// Up to five yuan.
    #[serde(rename = "up_5_yuan")]
    UpFive,
    /// Up to ten yuan.
    #[serde(rename = "up_10_yuan")]
    UpTen,
}

impl Rounding {
    /// An amount of `total / over` fen, rounded.
    pub(super) fn of(self, total: i128, over: i128) -> i128 {
        let over = over.max(1);
        let up = |unit: i128| -(-total).div_euclid(over * unit) * unit;
        match self {
            Self::None => (2 * total + over).div_euclid(2 * over),
            Self::UpYuan => up(100),
            Self::UpFive => up(500),
            Self::UpTen => up(1_000),
        }
    }

    /// What it is called: Chinese, English.
    pub(super) fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::None => ("不取整,保留到分", "to the fen"),
            Self::UpYuan => ("向上取整到元", "up to whole yuan"),
            Self::UpFive => ("向上取整到5元", "up to 5 yuan"),
            Self::UpTen => ("向上取整到10元", "up to 10 yuan"),
        }
    }
}

/// One standard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// Its name in expressions, without `$`.
    pub name: String,
    /// What it is called.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// The digits that places begin with where it is in force.
    pub region: String,
    /// Whether it is for urban or for rural households only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urban: Option<bool>,
    /// The first day it is in force, `2021-07-01`.
    pub from: String,
    /// The value as kept: `670.00`, `0.60`, or the name of a way of rounding.
    pub value: String,
    /// The unit it is kept in.
    pub unit: Unit,
    /// Where it was read; none where it is invented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whether it is invented, until the real one is known.
    #[serde(default)]
    pub invented: bool,
}

impl Standard {
    /// Which version it is: `dibao_line@1407@2021-01-01`, urban or rural where it matters.
    #[must_use]
    pub fn label(&self) -> String {
        let kind = match self.urban {
            Some(true) => ".urban",
            Some(false) => ".rural",
            None => "",
        };
        format!("{}{kind}@{}@{}", self.name, self.region, self.from)
    }

    /// How it stands in an expression: an amount of a month is that of twelve.
    pub(crate) fn literal(&self) -> Result<String> {
        if self.unit != Unit::YuanMonth {
            return Ok(self.value.clone());
        }
        let fen = fen(&self.value).ok_or_else(|| self.wrong())?;
        let year = fen.checked_mul(12).ok_or_else(|| self.wrong())?;
        Ok(format!("{}.{:02}", year / 100, year % 100))
    }

    pub(super) fn rounding(&self) -> Result<Rounding> {
        let value = toml::Value::String(self.value.clone());
        value.try_into().map_err(|_| self.wrong())
    }

    fn wrong(&self) -> Error {
        let what = format!("standard {}: `{}` is no value of its unit", self.label(), self.value);
        Error::Catalogue { what }
    }

    fn check(&self) -> Result<()> {
        let digits = self.region.bytes().all(|b| b.is_ascii_digit());
        if !digits || !(1..=18).contains(&self.region.len()) {
            return Err(self.wrong());
        }
        if calendar::parse_date(&self.from).is_none() || self.invented == self.source.is_some() {
            let what = format!("standard {} needs a day, and a source or `invented`", self.label());
            return Err(Error::Catalogue { what });
        }
        match self.unit {
            Unit::Rounding => self.rounding().map(|_| ()),
            Unit::Number => {
                crate::numbers::literal(&self.value).map(|_| ()).ok_or_else(|| self.wrong())
            }
            _ => self
                .literal()
                .and_then(|_| fen(&self.value).map(|_| ()).ok_or_else(|| self.wrong())),
        }
    }
}

/// Yuan as fen.
fn fen(text: &str) -> Option<i64> {
    let (number, scale) = crate::numbers::literal(text)?;
    let times = 10i64.checked_pow(u32::from(2u8.checked_sub(scale)?))?;
    number.checked_mul(times)
}

/// Standards as one list: what `$name` stands for in expressions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standards {
    #[serde(rename = "standard")]
    all: Vec<Standard>,
}

impl Standards {
    /// The text of the standards that come with the program.
    pub(crate) const BUILTIN: &str = include_str!("../../catalog/standards.toml");

    /// The standards that come with the program.
    ///
    /// # Errors
    /// [`Error::Catalogue`], which a test excludes.
    pub fn builtin() -> Result<Self> {
        Self::read(Self::BUILTIN)
    }

    /// Standards as they are kept: a TOML text with a table `[[standard]]` for each, with the
    /// fields of [`Standard`].
    ///
    /// # Errors
    /// [`Error::Catalogue`] when the text is none, or an entry says something wrong.
    pub fn read(text: &str) -> Result<Self> {
        let read = toml::from_str::<Self>(text);
        let read = read.map_err(|e| Error::Catalogue { what: format!("standards: {e}") })?;
        read.all.iter().try_for_each(Standard::check)?;
        Ok(read)
    }

    /// All of them, as they are kept.
    #[must_use]
    pub fn all(&self) -> &[Standard] {
        &self.all
    }

    /// The standard of a place on a day; where urban and rural ones differ, of a kind.
    pub(crate) fn find(
        &self,
        name: &str,
        region: &str,
        urban: Option<bool>,
        day: i64,
    ) -> Found<'_> {
        let here = |s: &&Standard| {
            s.name == name
                && region.starts_with(&s.region)
                && calendar::parse_date(&s.from).is_some_and(|from| from <= day)
        };
        let mut unclear = false;
        let mut best: Option<&Standard> = None;
        for standard in self.all.iter().filter(here) {
            match (standard.urban, urban) {
                (Some(_), None) => unclear = true,
                (Some(own), Some(asked)) if own != asked => {}
                _ => {
                    let rank = |s: &Standard| (s.region.len(), s.from.clone());
                    if best.is_none_or(|b| rank(b) < rank(standard)) {
                        best = Some(standard);
                    }
                }
            }
        }
        match best {
            Some(standard) => Found::Standard(standard),
            None if unclear => Found::Unclear,
            None => Found::Nothing,
        }
    }
}

/// What a search for a standard found.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found<'a> {
    Standard(&'a Standard),
    /// It depends on whether the household is urban, which is not told.
    Unclear,
    /// None is in force.
    Nothing,
}
