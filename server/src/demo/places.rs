//! Where the demonstration takes place: two neighbouring counties with people in them.

use yiku::Snapshot;
use yiku_queries::{Limits, Plan, Query, Values};

use crate::problem::Problem;

/// Counties that lie side by side, the ones to take first.
const NEIGHBOURS: [(&str, &str); 3] =
    [("141128", "141124"), ("140121", "140122"), ("140728", "140727")];

/// A village with the places above it.
#[derive(Debug, Clone)]
pub(super) struct Village {
    /// Twelve digits.
    pub(super) code: String,
}

impl Village {
    pub(super) fn township(&self) -> &str {
        self.code.get(..9).unwrap_or_default()
    }

    pub(super) fn county(&self) -> &str {
        self.code.get(..6).unwrap_or_default()
    }

    pub(super) fn city(&self) -> &str {
        self.code.get(..4).unwrap_or_default()
    }
}

/// The villages of the demonstration.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// The village in which most of it happens.
    pub(super) here: Village,
    /// Its neighbour in the other county.
    pub(super) there: Village,
}

impl Places {
    /// The villages with most households, in two neighbouring counties where there are any.
    pub(super) fn find(snapshot: &Snapshot) -> Result<Places, Problem> {
        for (here, there) in NEIGHBOURS {
            if let (Some(here), Some(there)) = (largest(snapshot, here)?, largest(snapshot, there)?)
            {
                return Ok(Places { here, there });
            }
        }
        let here = largest(snapshot, "14")?.unwrap_or(Village { code: "140000000000".to_owned() });
        Ok(Places { there: here.clone(), here })
    }
}

fn largest(snapshot: &Snapshot, within: &str) -> Result<Option<Village>, Problem> {
    if snapshot.tree().find(within).is_none() {
        return Ok(None);
    }
    let text = format!(
        "from household where region within {within} by region.village \
         measure n = count() order -n limit 1"
    );
    let wrong = |error: yiku_queries::Error| Problem::of_query(&error);
    let query = Query::parse(&text).map_err(wrong)?;
    let plan = Plan::new(&query, snapshot).map_err(wrong)?;
    let answer = plan.run(snapshot, &Limits::default()).map_err(wrong)?;
    let codes = answer.columns.first().map(|column| &column.values);
    let code = match codes {
        Some(Values::Text(codes)) => codes.first().cloned().flatten().map(String::from),
        _ => None,
    };
    Ok(code.filter(|code| code.len() == 12).map(|code| Village { code }))
}
