//! Lists of codes that the commands choose from, with their labels.

use super::table::label;
use crate::case::Label;

/// A list of codes.
pub type Codes = &'static [(&'static str, Label)];

/// Kinds of aid that can be applied for.
pub const AIDS: Codes = &[
    ("dibao", label("最低生活保障", "minimum living allowance")),
    ("tekun", label("特困人员救助供养", "support of persons in extreme hardship")),
    ("dibao_edge", label("低保边缘家庭认定", "recognition as edge household")),
    ("rigid", label("刚性支出困难家庭认定", "recognition for rigid expenditure")),
    ("temporary", label("临时救助", "temporary aid")),
];

/// Departments that may be asked and that may answer.
pub const DEPARTMENTS: Codes = &[
    ("civil_affairs", label("民政", "civil affairs")),
    ("agriculture", label("农业农村", "agriculture and rural affairs")),
    ("education", label("教育", "education")),
    ("union", label("工会", "trade union")),
    ("medical_insurance", label("医疗保障", "medical insurance")),
    ("human_resources", label("人力资源社会保障", "human resources and social security")),
    ("justice", label("司法行政", "justice")),
    ("emergency", label("应急管理", "emergency management")),
    ("housing", label("住房城乡建设", "housing")),
    ("health", label("卫生健康", "health")),
    ("disabled_federation", label("残疾人联合会", "disabled persons' federation")),
    ("police", label("公安", "public security")),
    ("tax", label("税务", "taxation")),
    ("natural_resources", label("自然资源(不动产登记)", "natural resources (land registry)")),
    ("market", label("市场监管", "market regulation")),
    ("finance", label("银行、证券、保险", "banks, securities, insurance")),
    ("charity", label("慈善", "charity")),
];

/// Why a household is not taken in, or an application refused.
pub const GROUNDS: Codes = &[
    ("income_over", label("收入超过标准", "income above the standard")),
    ("property_over", label("财产超过规定", "property above the limits")),
    ("not_resident", label("不属于本地管辖", "not of this region")),
    ("not_in_hardship", label("不属于低收入家庭", "not a low-income household")),
    ("untrue", label("申报情况不属实", "what was declared is not true")),
    ("duplicate", label("已在救助或重复申报", "already helped, or declared twice")),
    ("no_cooperation", label("不配合核对或调查", "check or survey not allowed")),
    ("other", label("其他", "other")),
];

/// Why aid ends.
pub const ENDINGS: Codes = &[
    ("death", label("死亡", "death")),
    ("income_over", label("收入超过标准", "income above the standard")),
    ("property_over", label("财产超过规定", "property above the limits")),
    ("moved", label("迁出", "moved away")),
    ("voluntary", label("自愿退出", "left of their own will")),
    ("custody", label("服刑", "in custody")),
    ("term", label("期满", "term is over")),
    ("other", label("其他", "other")),
];

/// Measures of a warning, and the results it may be closed with.
pub const RESULTS: Codes = &[
    ("dibao", label("纳入低保", "taken into the minimum living allowance")),
    ("tekun", label("纳入特困", "taken into support of extreme hardship")),
    ("dibao_edge", label("认定低保边缘", "recognised as edge household")),
    ("rigid", label("认定刚性支出困难", "recognised for rigid expenditure")),
    ("single_dibao", label("单人保", "allowance for a single member")),
    ("temporary", label("临时救助", "temporary aid")),
    ("transfer_medical", label("医疗救助转办", "transferred: medical aid")),
    ("transfer_education", label("教育转办", "transferred: education")),
    ("transfer_housing", label("住房转办", "transferred: housing")),
    ("transfer_employment", label("就业转办", "transferred: employment")),
    ("transfer_disabled", label("残联转办", "transferred: disabled persons' federation")),
    ("transfer_union", label("工会转办", "transferred: trade union")),
    ("transfer_justice", label("司法转办", "transferred: justice")),
    ("transfer_charity", label("慈善转办", "transferred: charity")),
    ("raise", label("待遇增发", "aid raised")),
    ("lower", label("待遇减发", "aid lowered")),
    ("stop", label("待遇停发", "aid stopped")),
    ("correct", label("信息更正", "record corrected")),
    ("watch", label("持续关注", "watched further")),
    ("none", label("无需救助", "no help needed")),
    ("false_alarm", label("误报", "false alarm")),
    ("death", label("死亡核销", "struck off after death")),
];

/// Results that need a confirmed application.
pub const ADMISSIONS: [&str; 6] =
    ["dibao", "tekun", "dibao_edge", "rigid", "single_dibao", "temporary"];

/// Whether a code is in a list.
#[must_use]
pub fn has(list: Codes, code: &str) -> bool {
    list.iter().any(|(known, _)| *known == code)
}

/// The label of a code.
#[must_use]
pub fn label_of(list: Codes, code: &str) -> Option<Label> {
    list.iter().find(|(known, _)| *known == code).map(|(_, label)| *label)
}
