//! The table of a warning: its states, commands and clocks.

use crate::case::Role::{City, County, Department, System, Township, Village};
use crate::case::{Action, Label};
use crate::machine::lists::{DEPARTMENTS, RESULTS};
use crate::machine::table::{StateInfo, ask, done, label, open, step};

pub(super) const STATES: &[StateInfo] = &[
    open("generated", "已生成", "generated"),
    open("assessed", "待派发", "assessed"),
    open("dispatched", "待签收", "dispatched"),
    open("signed", "已签收", "signed for"),
    open("investigating", "核查中", "investigating"),
    open("verified", "已核实", "verified"),
    open("handling", "处置中", "handling"),
    open("feedback", "已反馈", "answered"),
    open("review", "待复核", "in review"),
    done("closed", "已办结", "closed"),
    done("archived", "已归档", "archived"),
];

const OUTCOMES: &[(&str, Label)] = &[
    ("false", label("不属实", "not true")),
    ("helped", label("属实，已有帮扶", "true, already helped")),
    ("needs_help", label("属实，需要救助", "true, needs help")),
    ("unreachable", label("无法联系", "cannot be reached")),
];

const ANSWERS: &[(&str, Label)] =
    &[("accept", label("受理", "accept")), ("decline", label("不予受理", "decline"))];

pub(super) const LEVELS: &[(&str, Label)] = &[
    ("red", label("红色", "red")),
    ("orange", label("橙色", "orange")),
    ("yellow", label("黄色", "yellow")),
];

pub(super) const ACTIONS: &[Action] = &[
    step("raise", "生成预警", "Raise").by(&[System]).asks(&[
        ask("rule", "text", "规则", "Rule").must(),
        ask("level", "code", "级别", "Level").must().of(LEVELS),
        ask("household", "text", "家庭", "Household").must(),
        ask("period", "text", "期间", "Period").must(),
        ask("snapshot", "number", "快照版本", "Snapshot").must(),
    ]),
    step("dispatch", "派发", "Dispatch")
        .from(&["assessed"])
        .by(&[Township, County])
        .primary()
        .asks(&[ask("region", "region", "派往的区划", "Region to dispatch to").must()]),
    step("send_back", "退回重派", "Send back")
        .from(&["dispatched"])
        .by(&[Village, Township])
        .asks(&[ask("reason", "long_text", "退回理由", "Reason").must()]),
    step("sign", "签收", "Sign for").from(&["dispatched"]).by(&[Village, Township]).primary(),
    step("visit", "开始核查", "Start the visit")
        .from(&["signed"])
        .by(&[Village, Township])
        .primary(),
    step("attempt", "登记未联系上", "Record an attempt")
        .from(&["investigating"])
        .by(&[Village, Township])
        .asks(&[ask("note", "long_text", "联系情况", "What was tried").must()]),
    step("verify", "核实", "Verify")
        .from(&["investigating"])
        .by(&[Village, Township])
        .primary()
        .asks(&[
            ask("outcome", "code", "核实结果", "Outcome").must().of(OUTCOMES),
            ask("note", "long_text", "说明", "Note"),
            ask("photos", "files", "照片", "Photos"),
            ask("measure", "text", "已有的帮扶措施", "Help already given"),
            ask("survey", "case", "入户调查", "Survey"),
        ]),
    step("measure", "处置措施", "Add a measure")
        .from(&["verified", "handling"])
        .by(&[Township, County])
        .primary()
        .asks(&[
            ask("code", "code", "措施", "Measure").must().of(RESULTS),
            ask("department", "code", "转办部门", "Department").of(DEPARTMENTS),
            ask("text", "long_text", "说明", "Note"),
        ]),
    step("reply", "答复转办", "Answer a transfer")
        .from(&["handling"])
        .by(&[Department])
        .primary()
        .asks(&[
            ask("answer", "code", "答复", "Answer").must().of(ANSWERS),
            ask("measure", "number", "措施序号", "Number of the measure"),
            ask("reason", "long_text", "说明", "Reason"),
        ]),
    step("finish", "处置完毕", "Finish").from(&["verified", "handling"]).by(&[Township]).primary(),
    step("submit", "提交复核", "Submit for review")
        .from(&["feedback"])
        .by(&[Township])
        .primary()
        .asks(&[ask("note", "long_text", "反馈", "Feedback")]),
    step("send_again", "退回核查", "Send back to investigate")
        .from(&["review"])
        .by(&[County])
        .asks(&[ask("reason", "long_text", "退回理由", "Reason").must()]),
    step("close", "办结", "Close").from(&["review"]).by(&[County]).primary().asks(&[
        ask("result", "code", "处置结果", "Result").must().of(RESULTS),
        ask("reason", "long_text", "理由", "Reason"),
        ask("watch_until", "date", "持续关注至", "Watch until"),
        ask("application", "case", "已确认的申请", "Confirmed application"),
    ]),
    step("reopen", "抽查重开", "Reopen")
        .from(&["closed"])
        .by(&[County, City])
        .danger()
        .asks(&[ask("reason", "long_text", "重开理由", "Reason").must()]),
    step("archive", "归档", "Archive").from(&["closed"]).by(&[County]),
];

/// Working days from the dispatch until it is signed for, visited, decided and closed.
pub(super) fn limits(level: Option<&str>) -> [u32; 4] {
    match level {
        Some("red") => [1, 3, 5, 15],
        Some("orange") => [2, 7, 10, 20],
        _ => [3, 15, 20, 30],
    }
}

/// Which of the limits a state is under.
pub(super) fn limit_of(state: &str) -> Option<usize> {
    match state {
        "dispatched" => Some(0),
        "signed" | "investigating" => Some(1),
        "verified" => Some(2),
        "handling" | "feedback" | "review" => Some(3),
        _ => None,
    }
}

/// Working days from the dispatch; a warning that came back is dispatched again within one.
pub(super) fn clock(state: &str, level: Option<&str>) -> Option<u32> {
    if matches!(state, "generated" | "assessed") {
        return Some(1);
    }
    limits(level).get(limit_of(state)?).copied()
}
