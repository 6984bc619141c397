//! The questions of questions.toml, with what stands between braces put in.

use serde::Deserialize;
use yiku::Schema;

use crate::Outcome;

/// What every engine is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    pub(crate) family: String,
    pub(crate) variant: String,
    /// The text that is asked here.
    pub(crate) yiku: String,
    /// Whether rows are compared as they stand.
    #[serde(default)]
    pub(crate) ordered: bool,
    /// Whether lists within a row are made rows before they are compared.
    #[serde(default)]
    pub(crate) flat: Option<Flat>,
    /// How far the floats of an engine may be off, as a part of the greater, where it is not exact.
    #[serde(default)]
    pub(crate) near: std::collections::BTreeMap<String, f64>,
    /// What must be read at the least.
    pub(crate) touch: Vec<String>,
    /// The place that is asked about; none for all.
    #[serde(default)]
    pub(crate) within: Option<String>,
}

/// What becomes rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Flat {
    /// The counts of a histogram.
    Bins,
    /// The upper half of a matrix.
    Pairs,
}

impl Question {
    /// The name that the texts of the other engines stand under.
    pub(crate) fn name(&self) -> String {
        format!("{}: {}", self.family, self.variant)
    }
}

/// Words that stand for others in the texts of every engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words(pub(crate) Vec<(&'static str, String)>);

#[derive(Deserialize)]
struct File {
    question: Vec<Question>,
}

/// The questions whose name has `only` in it.
pub(crate) fn read(schema: &Schema, words: &Words, only: &[String]) -> Outcome<Vec<Question>> {
    let file: File = toml::from_str(include_str!("questions.toml"))?;
    let names = |list: &str| -> Vec<String> {
        let found = schema.lists.iter().find(|found| found.name == list);
        found
            .map(|list| list.codes.iter().map(|code| code.name.clone()).collect())
            .unwrap_or_default()
    };
    let has = |set: &str, name: &String| format!("{set} has any ({name})");
    let (aids, marks) = (names("aid"), names("mark"));
    let each_aid: Vec<String> =
        aids.iter().map(|name| format!("{name} = count(where {})", has("aids", name))).collect();
    let each_mark: Vec<String> =
        marks.iter().map(|name| format!("{name} = {}", has("marks", name))).collect();
    let mut questions = file.question;
    for question in &mut questions {
        let mut text = question.yiku.replace("{each_aid}", &each_aid.join(", "));
        text = text.replace("{each_mark}", &each_mark.join(", "));
        text = text.replace("{aids}", &aids.join(", "));
        for (word, value) in &words.0 {
            text = text.replace(&format!("{{{word}}}"), value);
        }
        question.yiku = text;
    }
    questions.retain(|question| {
        only.is_empty() || only.iter().any(|word| question.name().contains(word.as_str()))
    });
    Ok(questions)
}
