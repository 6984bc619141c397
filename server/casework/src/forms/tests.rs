//! Definitions that do not fit together are refused; those built in do.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::error::Error as _;

use super::read::{built_in, read};

const FIELDS: &str = r#"
[[block]]
name = "family"
label = { zh = "家", en = "Family" }
fields = [
    { name = "region", kind = "region", label = { zh = "地区", en = "Region" } },
    { name = "cause", kind = "code", list = "cause", label = { zh = "原因", en = "Cause" } },
]
"#;
const LISTS: &str = "[cause]\ncodes = [[\"1\", \"因病\", \"Illness\"]]\n";

fn form(part: &str) -> String {
    format!("name = \"f\"\nlabel = {{ zh = \"表\", en = \"F\" }}\n[[part]]\n{part}")
}

fn refusal(fields: &str, lists: &str, form: &str) -> String {
    let error = read(fields, lists, &[("f", form)]).unwrap_err();
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

#[test]
fn definitions_that_do_not_fit_are_refused() {
    let good = form("block = \"family\"\nfields = [\"region\"]");
    assert!(read(FIELDS, LISTS, &[("f", &good)]).is_ok());
    let parts = [
        ("block = \"house\"\nfields = []", "`f` names block `house`, which is not declared"),
        ("block = \"family\"\nfields = [\"size\"]", "`f` names field `family.size`"),
        ("block = \"family\"\nfields = []\nrequired = [\"region\"]", "names field `region`"),
        (
            "block = \"family\"\nfields = [\"region\"]\nwhen = { field = \"cause\", is = [\"1\"] }",
            "names field `cause`",
        ),
        ("block = \"family\"\nfields = [\"region\"]\ncolour = 1", "unknown field `colour`"),
    ];
    for (part, expected) in parts {
        let found = refusal(FIELDS, LISTS, &form(part));
        assert!(found.contains(expected), "{found}");
    }
    let without_list = FIELDS.replace(" list = \"cause\",", "");
    let found = refusal(&without_list, LISTS, &good);
    assert!(found.contains("field `family.cause` must have a list"), "{found}");
    let found = refusal(FIELDS, "", &good);
    assert!(found.contains("`fields` names list `cause`"), "{found}");
}

#[test]
fn a_condition_on_what_is_not_asked_is_left_out() {
    let fields = FIELDS.replace(
        "list = \"cause\",",
        "list = \"cause\", when = { field = \"region\", is = [\"999101\"] },",
    );
    let of = |part: &str| read(&fields, LISTS, &[("f", &form(part))]).unwrap();
    let alone = of("block = \"family\"\nfields = [\"cause\"]");
    assert!(alone.form("f").unwrap().field("family.cause").unwrap().when.is_none());
    let both = of("block = \"family\"\nfields = [\"region\", \"cause\"]");
    assert!(both.form("f").unwrap().field("family.cause").unwrap().when.is_some());
}

/// Each field and list is declared to be used; a label is there in both languages.
#[test]
fn what_is_built_in_fits_and_is_used() {
    let forms = built_in().unwrap();
    let parts = || forms.forms.iter().flat_map(|form| &form.parts);
    for name in forms.lists.keys() {
        let mut fields = parts().flat_map(|part| &part.fields);
        assert!(fields.any(|field| field.list.as_ref() == Some(name)), "list {name} is not used");
    }
    for part in parts() {
        for field in &part.fields {
            let texts = [Some(&field.label), field.help.as_ref(), field.unit.as_ref()];
            for text in texts.into_iter().flatten() {
                let place = format!("{}.{}", part.name, field.name);
                assert!(!text.zh.is_ascii() && text.en.is_ascii() || text.en == "m²", "{place}");
            }
        }
    }
}
