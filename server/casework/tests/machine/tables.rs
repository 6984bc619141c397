//! What every command does, written by hand: command, states it is given in, who may give it (with
//! `*` only the owner or author), and the state it leads to. What is not here must be refused.

use yiku_casework::case::{Kind, Role};

/// A line of a table.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) command: &'static str,
    pub(crate) from: Vec<&'static str>,
    pub(crate) roles: Vec<Role>,
    pub(crate) own: bool,
    /// The state after it; none where it stays.
    pub(crate) to: Option<&'static str>,
}

const DECLARATION: &str = "
save     | draft returned           | citizen* village* | .
submit   | draft returned           | citizen* village* | submitted
withdraw | draft submitted returned | citizen* village* | withdrawn
agree    | submitted                | township county   | agreed
return   | submitted                | township county   | returned
reject   | submitted                | township county   | rejected
";

const CHANGE: &str = "
save     | draft returned           | citizen* village* | .
submit   | draft returned           | citizen* village* | submitted
withdraw | draft submitted returned | citizen* village* | withdrawn
agree    | submitted                | township county   | agreed
return   | submitted                | township county   | returned
";

const REPORT: &str = "
save     | draft returned           | village* | .
submit   | draft returned           | village* | submitted
withdraw | draft submitted returned | village* | withdrawn
pass     | submitted                | township | county_review
return   | submitted                | township | returned
return   | county_review            | county   | returned
agree    | county_review            | county   | agreed
reject   | county_review            | county   | rejected
";

const APPLICATION: &str = "
save               | draft supplementing | citizen* village*  | .
submit             | draft               | citizen* village*  | submitted
request_supplement | submitted           | township           | supplementing
supplement         | supplementing       | citizen* village*  | submitted
accept             | submitted           | township           | accepted
check              | accepted            | township county    | checked
record_survey      | checked             | village township   | surveyed
review             | surveyed            | township           | reviewed
post               | reviewed            | township           | posted
object             | posted              | township county    | .
settle             | posted              | township county    | .
confirm            | reviewed posted     | county             | confirmed
refuse             | submitted accepted checked surveyed reviewed posted | county   | refused
refuse             | submitted accepted checked surveyed reviewed        | township | refused
pay                | confirmed           | county             | paying
end                | confirmed paying    | county             | ended
withdraw | draft submitted supplementing accepted checked surveyed reviewed posted \
         | citizen* village* | withdrawn
";

const AUTHORISATION: &str = "
withdraw | signed | citizen* village* | withdrawn
";

const WARNING: &str = "
dispatch   | assessed          | township county  | dispatched
send_back  | dispatched        | village township | assessed
sign       | dispatched        | village township | signed
visit      | signed            | village township | investigating
attempt    | investigating     | village township | .
verify     | investigating     | village township | verified
measure    | verified handling | township county  | handling
reply      | handling          | department       | .
finish     | verified          | township         | review
finish     | handling          | township         | feedback
submit     | feedback          | township         | review
send_again | review            | county           | investigating
close      | review            | county           | closed
reopen     | closed            | county city      | investigating
archive    | closed            | county           | archived
";

const SURVEY: &str = "
save     | planned drafting | village township        | drafting
complete | drafting         | village township        | completed
cancel   | planned drafting | system village township | cancelled
";

const LIFE_CHECK: &str = "
record       | issued    | citizen* village* | passed
visit_result | visit_due | village township  | visited
";

/// The lines of a kind.
pub(crate) fn lines(kind: Kind) -> Vec<Line> {
    let text = match kind {
        Kind::Declaration => DECLARATION,
        Kind::Change => CHANGE,
        Kind::Report => REPORT,
        Kind::Application => APPLICATION,
        Kind::Authorisation => AUTHORISATION,
        Kind::Warning => WARNING,
        Kind::Survey => SURVEY,
        Kind::LifeCheck => LIFE_CHECK,
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(line).collect()
}

/// Who may open a case of a kind.
pub(crate) fn openers(kind: Kind) -> &'static [Role] {
    match kind {
        Kind::Declaration
        | Kind::Change
        | Kind::Application
        | Kind::Authorisation
        | Kind::LifeCheck => &[Role::Citizen, Role::Village],
        Kind::Report => &[Role::Village],
        Kind::Warning => &[Role::System],
        Kind::Survey => &[Role::System, Role::Township, Role::Village],
    }
}

fn line(text: &'static str) -> Line {
    let parts: Vec<&str> = text.split('|').map(str::trim).collect();
    let [command, from, roles, to] = parts[..] else { panic!("not a line: {text}") };
    Line {
        command,
        from: from.split_whitespace().collect(),
        own: roles.contains('*'),
        roles: roles
            .split_whitespace()
            .map(|role| self::role(role.trim_end_matches('*')))
            .collect(),
        to: (to != ".").then_some(to),
    }
}

fn role(name: &str) -> Role {
    match name {
        "citizen" => Role::Citizen,
        "village" => Role::Village,
        "township" => Role::Township,
        "county" => Role::County,
        "city" => Role::City,
        "department" => Role::Department,
        "system" => Role::System,
        _ => panic!("no role `{name}`"),
    }
}
