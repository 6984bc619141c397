//! The document that a person signs, built from data: the same data give the same text.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::forms::{Text, list};
use crate::secret::{mask, sm3_hex};

/// The longest term of an authorisation.
const MONTHS_MAX: u32 = 12;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    zh: String,
    en: String,
    asked: BTreeMap<String, Text>,
}

static TEMPLATE: LazyLock<Option<Template>> =
    LazyLock::new(|| toml::from_str(include_str!("../../forms/authorisation-document.toml")).ok());

/// What an authorisation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation<'a> {
    /// What the platform is called.
    pub platform: &'a str,
    /// The signer's name; the document shows it masked, so that it can be handed on.
    pub name: &'a str,
    /// The signer's ID number; the document shows it masked.
    pub id_number: &'a str,
    /// Codes of the departments that may be asked.
    pub scope: &'a [&'a str],
    /// 1 to 12.
    pub months: u32,
    /// The first day.
    pub from: Date,
}

/// A text to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    text: String,
}

impl Document {
    /// A document of this text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self { text }
    }

    /// The authorisation to verify: pledge, purpose, scope by department, term, withdrawal; in
    /// Chinese, with English below. Departments stand in the order of their list, each once.
    ///
    /// # Errors
    /// A term of other than 1 to 12 months, no department, or one that is not of the list.
    pub fn authorisation(authorisation: &Authorisation<'_>) -> Result<Self> {
        let wrong = |name, reason| Error::Input { name, reason };
        if !(1..=MONTHS_MAX).contains(&authorisation.months) {
            return Err(wrong("months", "must be 1 to 12"));
        }
        let departments = list("department").map(|list| list.codes.as_slice()).unwrap_or_default();
        let unknown =
            |code: &&&str| !departments.iter().any(|(known, ..)| known.as_str() == **code);
        if authorisation.scope.is_empty() || authorisation.scope.iter().any(|code| unknown(&code)) {
            return Err(wrong("scope", "must be codes of the list of departments, one at least"));
        }
        let template = TEMPLATE.as_ref();
        let template = template.ok_or_else(|| wrong("document", "has no readable template"))?;
        let chosen = departments
            .iter()
            .filter(|(code, ..)| authorisation.scope.contains(&code.as_str()))
            .filter_map(|(code, zh, en)| Some((zh, en, template.asked.get(code)?)));
        let (mut scope_zh, mut scope_en) = (Vec::new(), Vec::new());
        for (zh, en, asked) in chosen {
            scope_zh.push(format!("  {zh}：{}；", asked.zh));
            scope_en.push(format!("  {en}: {};", asked.en));
        }
        let months = authorisation.months;
        let until = authorisation.from.checked_add(i64::from(months).months());
        let until = until.map_err(|_| wrong("from", "is too late a day"))?;
        let name = mask("name", authorisation.name);
        let id_number = mask("id", authorisation.id_number);
        let values = [
            ("name", name.as_str()),
            ("id_number", &id_number),
            ("platform", authorisation.platform),
            ("scope_zh", &scope_zh.join("\n")),
            ("scope_en", &scope_en.join("\n")),
            ("from", &authorisation.from.to_string()),
            ("until", &until.to_string()),
            ("months", &months.to_string()),
        ];
        let text = format!("{}\n{}", template.zh, template.en);
        Ok(Self { text: filled(text.trim_start(), &values) })
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The SM3 digest of the text in UTF-8, 64 hex digits.
    #[must_use]
    pub fn digest(&self) -> String {
        sm3_hex(self.text.as_bytes())
    }
}

/// Puts values in their places, in one pass: what a value says is never taken for a place.
fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let place = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value, after))
        });
        match place {
            Some((value, after)) => {
                text.push_str(value);
                rest = after;
            }
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use jiff::civil::date;

    use super::*;

    fn about<'a>(scope: &'a [&'a str]) -> Authorisation<'a> {
        Authorisation {
            platform: "某省低收入人口动态监测信息平台",
            name: "张三",
            id_number: "999101197001010018",
            scope,
            months: 6,
            from: date(2026, 8, 31),
        }
    }

    #[test]
    fn the_document_says_what_is_agreed_to_and_nothing_more_personal() {
        let document = Document::authorisation(&about(&["finance", "health"])).unwrap();
        let text = document.text();
        for part in [
            "授权人：张*，公民身份号码9991**********0018",
            "卫生健康：重大疾病、出生、死亡；",
            "银行、证券、保险：存款、证券、商业保险；",
            "自2026-08-31起至2027-02-28止，共6个月",
            "From 2026-08-31 to 2027-02-28, 6 months",
            "撤回",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        for absent in ["张三", "999101197001010018", "{", "}", "税务"] {
            assert!(!text.contains(absent), "{absent} is in {text}");
        }
        let other_order =
            Document::authorisation(&about(&["health", "finance", "health"])).unwrap();
        assert_eq!(document.digest(), other_order.digest());
        let fewer = Document::authorisation(&about(&["health"])).unwrap();
        assert_ne!(document.digest(), fewer.digest());
    }

    #[test]
    fn every_department_says_what_it_is_asked() {
        let template = TEMPLATE.as_ref().unwrap();
        let codes = list("department").unwrap().codes.iter().map(|(code, ..)| code);
        assert!(codes.eq(codes_in_order(template).iter()));
    }

    fn codes_in_order(template: &Template) -> Vec<String> {
        let list = &list("department").unwrap().codes;
        let mut codes: Vec<String> = template.asked.keys().cloned().collect();
        codes.sort_by_key(|code| list.iter().position(|(known, ..)| known == code));
        codes
    }

    #[test]
    fn what_cannot_be_agreed_to_is_refused() {
        let refused = |about: Authorisation<'_>, part: &str| {
            let error = Document::authorisation(&about).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        refused(about(&[]), "`scope` must be codes");
        refused(about(&["health", "nobody"]), "`scope` must be codes");
        refused(Authorisation { months: 0, ..about(&["health"]) }, "`months` must be 1 to 12");
        refused(Authorisation { months: 13, ..about(&["health"]) }, "`months` must be 1 to 12");
        refused(Authorisation { from: Date::MAX, ..about(&["health"]) }, "`from` is too late");
    }

    #[test]
    fn what_a_value_says_is_not_taken_for_a_place() {
        assert_eq!(filled("{a} {b} {c", &[("a", "{b}"), ("b", "2")]), "{b} 2 {c");
    }
}
