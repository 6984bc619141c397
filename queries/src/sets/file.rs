//! A set as a text: a line of JSON that says what it is, then a line of JSON for each key.

use serde::{Deserialize, Serialize};

use super::{Origin, SavedSet};

/// The number of this way of writing.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: u32,
    table: String,
    count: u64,
    /// The engine's checksum of the lines behind this one.
    checksum: String,
    origin: Origin,
}

fn checksum(bytes: &[u8]) -> String {
    format!("{:016x}", yiku::format::checksum(bytes))
}

impl SavedSet {
    /// The set as a text.
    pub(super) fn text(&self) -> Result<String, serde_json::Error> {
        let mut keys = String::new();
        for key in &self.members {
            keys.push_str(&serde_json::to_string(key)?);
            keys.push('\n');
        }
        let head = Head {
            format: FORMAT,
            table: self.table.clone(),
            count: self.members.len() as u64,
            checksum: checksum(keys.as_bytes()),
            origin: self.origin.clone(),
        };
        Ok(format!("{}\n{keys}", serde_json::to_string(&head)?))
    }

    /// A set from its text, or what is wrong with that.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (head, keys) = text.split_once('\n').ok_or("it is cut off")?;
        let head: Head = serde_json::from_str(head).map_err(|e| format!("its first line: {e}"))?;
        if head.format != FORMAT {
            return Err(format!("it has format {}; this program reads {FORMAT}", head.format));
        }
        if checksum(keys.as_bytes()) != head.checksum {
            return Err("its checksum is another: it was changed or cut off".to_owned());
        }
        let members: Result<Vec<String>, _> = keys.lines().map(serde_json::from_str).collect();
        let members = members.map_err(|e| format!("a key: {e}"))?;
        if members.len() as u64 != head.count || !members.is_sorted_by(|a, b| a < b) {
            return Err("its keys are not as many as it says, or not sorted".to_owned());
        }
        Ok(Self { table: head.table, origin: head.origin, members })
    }
}
