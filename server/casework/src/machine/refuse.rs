//! The words of a refusal: a stable ground, and a polite text in both languages.

use crate::case::Refusal;

/// A refusal.
pub(super) fn refuse(
    ground: &'static str,
    zh: impl Into<String>,
    en: impl Into<String>,
) -> Refusal {
    Refusal { ground, zh: zh.into(), en: en.into(), field: None }
}

impl Refusal {
    /// The input or answer that it is about.
    pub(super) fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

/// An input that cannot be read.
pub(super) fn wrong(field: &str, zh: &str, en: &str) -> Refusal {
    refuse(
        "input.wrong",
        format!("“{field}”填写有误：{zh}。"),
        format!("“{field}” cannot be used: {en}."),
    )
    .at(field)
}

/// The form is not complete.
pub(super) fn incomplete(faults: &[(String, String, String)]) -> Option<Refusal> {
    let (path, zh, en) = faults.first()?;
    let more = faults.len().saturating_sub(1);
    let (zh, en) = if more == 0 {
        (format!("表格尚未填写完整：{zh}"), format!("the form is not complete: {en}"))
    } else {
        (
            format!("表格尚未填写完整：{zh}（另有{more}处）"),
            format!("the form is not complete: {en} (and {more} more)"),
        )
    };
    Some(refuse("form.incomplete", zh, en).at(path.clone()))
}
