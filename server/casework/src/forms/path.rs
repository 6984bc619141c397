//! Paths into answers: `family.address`, `members[1].id_number`.
//!
//! Invariants: a path has at most [`STEPS_MAX`] steps and no entry beyond [`ENTRIES_MAX`], so that
//! a hostile path makes no large list; reading never fails, it finds nothing.

use serde_json::{Map, Value};

/// The most steps of a path.
pub const STEPS_MAX: usize = 8;
/// Entries of a list are numbered below this.
pub const ENTRIES_MAX: usize = 200;
const NAME_CHARS_MAX: usize = 40;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To a value by name.
    Name(String),
    /// To an entry of a list, from 0.
    Entry(usize),
}

/// The steps of a path; nothing where it is none.
#[must_use]
pub fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for piece in path.split('.') {
        let (name, mut rest) = piece.split_at(piece.find('[').unwrap_or(piece.len()));
        if !is_name(name) {
            return None;
        }
        steps.push(Step::Name(name.to_owned()));
        while !rest.is_empty() {
            let (number, after) = rest.strip_prefix('[')?.split_once(']')?;
            let plain = number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit());
            let entry = number.parse().ok().filter(|entry| plain && *entry < ENTRIES_MAX)?;
            steps.push(Step::Entry(entry));
            rest = after;
        }
    }
    (steps.len() <= STEPS_MAX).then_some(steps)
}

/// Whether a text can be the name of an answer.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= NAME_CHARS_MAX
        && bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// What stands at a path.
///
/// ```
/// use serde_json::json;
/// use yiku_casework::forms::path;
/// let answers = json!({"members": [{"name": "甲"}, {"name": "乙"}]});
/// assert_eq!(path::get(&answers, "members[1].name"), Some(&json!("乙")));
/// assert_eq!(path::get(&answers, "members[2].name"), None);
/// ```
#[must_use]
pub fn get<'a>(answers: &'a Value, path: &str) -> Option<&'a Value> {
    steps(path)?.iter().try_fold(answers, |value, step| match step {
        Step::Name(name) => value.as_object()?.get(name),
        Step::Entry(entry) => value.as_array()?.get(*entry),
    })
}

/// Puts a value at a path; what is missing on the way is made, an entry only at the end of its
/// list. Whether it was put: not where the path is none, or leads through a value of another kind.
///
/// ```
/// use serde_json::json;
/// use yiku_casework::forms::path;
/// let mut answers = json!({});
/// assert!(path::set(&mut answers, "members[0].name", json!("甲")));
/// assert_eq!(answers, json!({"members": [{"name": "甲"}]}));
/// assert!(!path::set(&mut answers, "members[5].name", json!("乙")));
/// ```
pub fn set(answers: &mut Value, path: &str, value: Value) -> bool {
    let Some(steps) = steps(path) else { return false };
    // What a refused path made on its way does not stay.
    let mut changed = answers.clone();
    let done = put(&mut changed, &steps, value);
    if done {
        *answers = changed;
    }
    done
}

fn put(place: &mut Value, steps: &[Step], value: Value) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        *place = value;
        return true;
    };
    if place.is_null() {
        *place = match step {
            Step::Name(_) => Value::Object(Map::new()),
            Step::Entry(_) => Value::Array(Vec::new()),
        };
    }
    match (step, place) {
        (Step::Name(name), Value::Object(object)) => {
            put(object.entry(name.as_str()).or_insert(Value::Null), rest, value)
        }
        (Step::Entry(entry), Value::Array(list)) => {
            if *entry == list.len() {
                list.push(Value::Null);
            }
            list.get_mut(*entry).is_some_and(|place| put(place, rest, value))
        }
        _ => false,
    }
}
