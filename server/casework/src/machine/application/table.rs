//! The table of an application: its states, commands and clocks.

use crate::case::Role::{Citizen, County, Township, Village};
use crate::case::{Action, Label};
use crate::machine::lists::{AIDS, ENDINGS, GROUNDS};
use crate::machine::table::{StateInfo, ask, done, label, open, step};

pub(super) const STATES: &[StateInfo] = &[
    open("draft", "草稿", "draft"),
    open("submitted", "待受理", "submitted"),
    open("supplementing", "待补正", "to be supplemented"),
    open("accepted", "已受理", "accepted"),
    open("checked", "已核对", "checked"),
    open("surveyed", "已入户", "surveyed"),
    open("reviewed", "乡镇已审核", "reviewed"),
    open("posted", "公示中", "posted"),
    open("confirmed", "已确认", "confirmed"),
    done("paying", "发放中", "paying"),
    done("refused", "不予确认", "refused"),
    done("withdrawn", "已撤回", "withdrawn"),
    done("ended", "已终止", "ended"),
];

const OPINIONS: &[(&str, Label)] =
    &[("support", label("建议予以救助", "support")), ("oppose", label("建议不予救助", "oppose"))];

pub(super) const ACTIONS: &[Action] = &[
    step("begin", "开始申请", "Begin").by(&[Citizen, Village]).asks(&[
        ask("aid", "code", "申请的救助", "Aid applied for").of(AIDS),
        ask("notice_read", "flag", "已阅读告知书", "Notice has been read"),
    ]),
    step("save", "保存", "Save")
        .from(&["draft", "supplementing"])
        .by(&[Citizen, Village])
        .own()
        .asks(&[ask("notice_read", "flag", "已阅读告知书", "Notice has been read")]),
    step("submit", "提交", "Submit")
        .from(&["draft"])
        .by(&[Citizen, Village])
        .own()
        .primary()
        .asks(&[ask("notice_read", "flag", "已阅读告知书", "Notice has been read")]),
    step("request_supplement", "一次性告知补正", "Ask for what is missing")
        .from(&["submitted"])
        .by(&[Township])
        .asks(&[
            ask("reason", "long_text", "需补正的材料", "What is missing").must(),
            ask("marks", "marks", "需要修改的栏目", "Fields to correct"),
        ]),
    step("supplement", "提交补正", "Supplement")
        .from(&["supplementing"])
        .by(&[Citizen, Village])
        .own()
        .primary(),
    step("accept", "受理", "Accept").from(&["submitted"]).by(&[Township]).primary(),
    step("check", "信息核对", "Check with departments")
        .from(&["accepted"])
        .by(&[Township, County])
        .primary(),
    step("record_survey", "登记入户调查", "Record the survey")
        .from(&["checked"])
        .by(&[Village, Township])
        .primary()
        .asks(&[ask("survey", "case", "已完成的入户调查", "Completed survey").must()]),
    step("review", "审核", "Review").from(&["surveyed"]).by(&[Township]).primary().asks(&[
        ask("opinion", "code", "审核意见", "Opinion").must().of(OPINIONS),
        ask("reason", "long_text", "理由", "Reason").must(),
        ask("amount", "amount", "拟救助金额", "Proposed amount"),
    ]),
    step("post", "公示", "Post publicly").from(&["reviewed"]).by(&[Township]).primary(),
    step("object", "登记异议", "Record an objection")
        .from(&["posted"])
        .by(&[Township, County])
        .asks(&[ask("text", "long_text", "异议内容", "Objection").must()]),
    step("settle", "异议核查结论", "Settle an objection")
        .from(&["posted"])
        .by(&[Township, County])
        .asks(&[
            ask("finding", "long_text", "核查结论", "Finding").must(),
            ask("objection", "number", "异议序号", "Number of the objection"),
            ask("upheld", "flag", "异议成立", "Objection is right"),
        ]),
    step("confirm", "确认", "Confirm").from(&["reviewed", "posted"]).by(&[County]).primary().asks(
        &[
            ask("amount", "amount", "救助金额", "Amount"),
            ask("deviation_reason", "long_text", "与计算金额不一致的理由", "Reason to deviate"),
        ],
    ),
    step("refuse", "不予确认", "Refuse")
        .from(&["submitted", "accepted", "checked", "surveyed", "reviewed", "posted"])
        .by(&[County])
        .danger()
        .asks(REFUSE),
    step("refuse", "不予确认", "Refuse")
        .from(&["submitted", "accepted", "checked", "surveyed", "reviewed"])
        .by(&[Township])
        .danger()
        .asks(REFUSE),
    step("pay", "列入发放名册", "Put on the payment list")
        .from(&["confirmed"])
        .by(&[County])
        .primary(),
    step("end", "终止救助", "End the aid")
        .from(&["confirmed", "paying"])
        .by(&[County])
        .danger()
        .asks(&[
            ask("ground", "code", "终止原因", "Cause").must().of(ENDINGS),
            ask("reason", "long_text", "说明", "Explanation").must(),
        ]),
    step("withdraw", "撤回申请", "Withdraw")
        .from(&[
            "draft",
            "submitted",
            "supplementing",
            "accepted",
            "checked",
            "surveyed",
            "reviewed",
            "posted",
        ])
        .by(&[Citizen, Village])
        .own()
        .danger(),
];

const REFUSE: &[crate::case::Input] = &[
    ask("ground", "code", "不予确认的依据", "Ground").must().of(GROUNDS),
    ask("reason", "long_text", "书面理由", "Written reason").must(),
];

/// Working days; the posting's end and the decision after it are counted where it is posted.
pub(super) fn clock(state: &str, _: Option<&str>) -> Option<u32> {
    match state {
        "submitted" | "accepted" | "confirmed" => Some(3),
        "checked" | "surveyed" => Some(5),
        "supplementing" | "reviewed" | "posted" => Some(10),
        _ => None,
    }
}
