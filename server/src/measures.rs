//! The measures a map can show: a catalogue in the language, with what each figure means.
//!
//! Invariant: what leaves this module are questions of the language for one day; the marks for the
//! month of that day are replaced here and nowhere else.

use serde::{Deserialize, Serialize};
use yiku::calendar;
use yiku::{Schema, Snapshot};

use crate::error::Error;

/// The catalogue that is built into the program.
const BUILT_IN: &str = include_str!("../measures.toml");

/// Measures of a schema.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalogue {
    /// The name of the schema that they are about.
    schema: String,
    #[serde(rename = "measure")]
    measures: Vec<Measure>,
}

/// One measure.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measure {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) label_en: String,
    pub(crate) unit: String,
    /// How its values are shown, by the word of the kind.
    pub(crate) kind: String,
    /// The table whose rows it is about.
    pub(crate) from: String,
    /// The text of the measure; in the file with marks for the month.
    #[serde(rename(serialize = "q_measure", deserialize = "measure"))]
    pub(crate) text: String,
    pub(crate) definition: String,
    pub(crate) definition_en: String,
    pub(crate) source: String,
}

impl Catalogue {
    /// The catalogue that is built into the program.
    pub(crate) fn built_in() -> Result<Self, Error> {
        toml::from_str(BUILT_IN).map_err(|source| Error::Measures { source: Box::new(source) })
    }

    /// The measures for a snapshot, for the month of its day. None of another schema's; none that
    /// asks for a month where the snapshot has no day.
    pub(crate) fn of(&self, snapshot: &Snapshot) -> Vec<Measure> {
        self.for_day(snapshot.schema(), snapshot.as_of())
    }

    fn for_day(&self, schema: &Schema, day: Option<i64>) -> Vec<Measure> {
        if schema.name != self.schema {
            return Vec::new();
        }
        self.measures.iter().filter_map(|measure| measure.for_day(day)).collect()
    }
}

impl Measure {
    fn for_day(&self, day: Option<i64>) -> Option<Self> {
        if !self.text.contains('{') {
            return Some(self.clone());
        }
        let month = calendar::month_of(day?);
        let (first, last) = (calendar::month_start(month), calendar::month_end(month));
        let text = self.text.replace("{month}", &calendar::month_text(month));
        let text = text.replace("{month_start}", &calendar::date_text(first));
        let text = text.replace("{month_end}", &calendar::date_text(last));
        Some(Self { text, ..self.clone() })
    }

    /// The question for its value in every place of a level, and in all of them together.
    pub(crate) fn question(&self, path: &str, level: &str, area: Option<&str>) -> String {
        let within = area.map_or_else(String::new, |code| format!(" where {path} within {code}"));
        let Self { from, text, .. } = self;
        format!("from {from}{within} by {path}.{level} measure value = {text} totals")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::collections::BTreeSet;

    use yiku_queries::Query;

    use super::*;

    fn schema() -> Schema {
        yiku_indexer::registry_schema().unwrap()
    }

    #[test]
    fn every_measure_is_a_question() {
        let day = calendar::parse_date("2026-10-31");
        let measures = Catalogue::built_in().unwrap().for_day(&schema(), day);
        let ids: BTreeSet<&str> = measures.iter().map(|m| m.id.as_str()).collect();
        assert!(ids.len() == measures.len() && ids.len() >= 15, "{ids:?}");
        for measure in &measures {
            let text = measure.question("region", "county", Some("14"));
            assert!(!text.contains(['{', '}', '$']), "{text}");
            assert!(Query::parse(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn months_are_those_of_the_day() {
        let catalogue = Catalogue::built_in().unwrap();
        let text = |day, id: &str| {
            let measures = catalogue.for_day(&schema(), calendar::parse_date(day));
            measures.into_iter().find(|m| m.id == id).unwrap().text
        };
        assert!(text("2026-02-03", "aid_paid").contains("month = 2026-02)"));
        let new = text("2026-02-03", "aid_new");
        assert!(new.contains("between 2026-02-01 and 2026-02-28"), "{new}");
        let without_day = catalogue.for_day(&schema(), None);
        assert!(without_day.iter().any(|m| m.id == "persons"));
        assert!(without_day.iter().all(|m| m.id != "aid_paid"));
    }

    #[test]
    fn another_schema_has_no_measures() {
        let other = Schema { name: "schools".to_owned(), ..schema() };
        assert!(Catalogue::built_in().unwrap().for_day(&other, Some(0)).is_empty());
    }
}
