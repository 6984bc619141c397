//! 生存认证: somebody reads digits aloud to show that they live.
//!
//! A recording that does not convince makes a visit. No way through this table ends aid.

use jiff::ToSpan;
use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::brings::Brings;
use super::refuse::{refuse, wrong};
use super::step::Step;
use super::table::{Spec, StateInfo, always_offered, ask, done, label, open, plain_missing, step};
use crate::case::Role::{Citizen, Township, Village};
use crate::case::{Action, Decision, Effect, Kind, Label, Refusal};

pub(super) static SPEC: Spec = Spec {
    opening: "issue",
    states: STATES,
    actions: ACTIONS,
    clock,
    decide,
    missing: plain_missing,
    offered: always_offered,
};

/// Minutes for which the digits may be read.
const MINUTES: i64 = 5;

const STATES: &[StateInfo] = &[
    open("issued", "待朗读", "issued"),
    done("passed", "已通过", "passed"),
    open("visit_due", "待上门", "visit due"),
    done("visited", "已上门", "visited"),
];

const OUTCOMES: &[(&str, Label)] = &[
    ("alive", label("健在", "alive")),
    ("deceased", label("已去世", "deceased")),
    ("not_found", label("未找到", "not found")),
];

const ACTIONS: &[Action] = &[
    step("issue", "开始认证", "Begin").by(&[Citizen, Village]),
    step("record", "提交录音", "Send the recording")
        .from(&["issued"])
        .by(&[Citizen, Village])
        .own()
        .primary()
        .asks(&[ask("recording", "text", "录音", "Recording").must()]),
    step("visit_result", "登记上门结果", "Record the visit")
        .from(&["visit_due"])
        .by(&[Village, Township])
        .primary()
        .asks(&[
            ask("outcome", "code", "上门结果", "Outcome").must().of(OUTCOMES),
            ask("note", "long_text", "说明", "Note").must(),
        ]),
];

fn clock(state: &str, _: Option<&str>) -> Option<u32> {
    (state == "visit_due").then_some(10)
}

fn decide(step: &Step<'_>) -> Result<Decision, Refusal> {
    match step.action.name {
        "issue" => issue(step),
        "record" => record(step),
        _ => {
            let brings = Brings::nothing()
                .fact("outcome", step.need("outcome")?)
                .fact("visited_on", step.today().to_string())
                .note(Some(step.need("note")?));
            Ok(step.go("visited", brings))
        }
    }
}

fn issue(step: &Step<'_>) -> Result<Decision, Refusal> {
    if step.case.owner.is_none() {
        return Err(refuse("owner.missing", "请填写认证对象。", "say whose life is checked"));
    }
    let digits = step.text("digits").unwrap_or_default();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong("digits", "应为6位数字", "they must be six digits"));
    }
    let until = step.context.now.checked_add(MINUTES.minutes()).unwrap_or(DateTime::MAX);
    let brings = Brings::nothing().fact("digits", digits).fact("valid_until", until.to_string());
    Ok(step.go("issued", brings))
}

fn record(step: &Step<'_>) -> Result<Decision, Refusal> {
    let until = step.fact("valid_until").and_then(|until| until.parse::<DateTime>().ok());
    if until.is_none_or(|until| step.context.now > until) {
        return Err(refuse(
            "life_check.expired",
            "数字已过期，请重新开始认证。",
            "the digits have run out: begin again",
        ));
    }
    let recording = step.need("recording")?;
    let held = &step.evidence().attachments;
    let is_sound =
        held.iter().any(|(known, media)| known == recording && media.starts_with("audio/"));
    let voice = step.evidence().voice.as_ref().filter(|voice| voice.is_object());
    let (true, Some(voice)) = (is_sound, voice) else {
        return Err(refuse(
            "life_check.no_recording",
            "没有收到可用的录音，请重新录制。",
            "no usable recording was received: record again",
        )
        .at("recording"));
    };
    let number = |name: &str| voice.get(name).and_then(Value::as_f64);
    let (quality, least) = (number("quality"), number("quality_least"));
    if !matches!((quality, least), (Some(quality), Some(least)) if quality >= least) {
        return Err(refuse(
            "life_check.quality",
            "录音不够清晰，请在安静的地方靠近话筒重新录制。",
            "the recording is not clear enough: record again in a quiet place, near the microphone",
        )
        .at("recording"));
    }
    let reference = voice.get("reference") == Some(&Value::Bool(true));
    let (score, threshold) = (number("score"), number("threshold"));
    let alike = matches!((score, threshold), (Some(score), Some(least)) if score >= least);
    let brings = Brings::nothing()
        .fact("voice", voice.clone())
        .fact("recording", recording)
        .fact("recorded_on", step.today().to_string())
        .attach([recording]);
    if reference && alike {
        return Ok(step.go("passed", brings));
    }
    let why = if reference { "unlike" } else { "no_reference" };
    let input = json!({"purpose": "life_check", "case": step.case.id});
    let effect = Effect::Open { kind: Kind::Survey, region: step.case.region.clone(), input };
    Ok(step.go_with("visit_due", brings.fact("visit_because", why), effect))
}
