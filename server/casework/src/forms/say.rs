//! What is told about a fault: what would be right, in both languages, never what was answered.

use super::{Field, Part};

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    Required,
    AnyOf(Vec<String>, Vec<String>),
    Unknown,
    Shape,
    Few(usize),
    Many(i64),
    Long(i64),
    Signs,
    Money,
    Number(i64, i64),
    Flag,
    Agree,
    Code,
    Twice,
    Date,
    Future,
    IdLength,
    IdCharacters,
    IdBirth,
    IdCheck,
    IdSex,
    IdBirthDate,
    Phone,
    Bank,
    BankCheck,
    Region(Vec<usize>),
    File,
    NoHead,
    Heads,
    TooManyFaults,
}

impl Wrong {
    /// The stable word of a fault.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Required | Self::AnyOf(..) => "required",
            Self::Unknown => "unknown",
            Self::Shape | Self::Flag | Self::File | Self::Signs => "kind",
            Self::Few(_) => "few",
            Self::Many(_) | Self::TooManyFaults => "many",
            Self::Long(_) => "long",
            Self::Money => "money",
            Self::Number(..) => "number",
            Self::Agree => "agree",
            Self::Code => "code",
            Self::Twice => "twice",
            Self::Date => "date",
            Self::Future => "future",
            Self::IdLength => "id_number.length",
            Self::IdCharacters => "id_number.characters",
            Self::IdBirth => "id_number.birth",
            Self::IdCheck => "id_number.check",
            Self::IdSex => "id_number.sex",
            Self::IdBirthDate => "id_number.birth_date",
            Self::Phone => "phone",
            Self::Bank => "bank",
            Self::BankCheck => "bank.check",
            Self::Region(_) => "region",
            Self::NoHead => "head.missing",
            Self::Heads => "head.twice",
        }
    }

    /// What would be right, in Chinese and in English.
    pub(super) fn texts(&self) -> (String, String) {
        match self {
            Self::AnyOf(zh, en) => (
                format!("请至少填写一项：{}", zh.join("、")),
                format!("fill in {}", en.join(" or ")),
            ),
            Self::Few(least) => (format!("至少填写{least}项"), format!("give at least {least}")),
            Self::Many(most) => (format!("最多{most}项"), format!("give at most {most}")),
            Self::Long(most) => {
                (format!("最多{most}个字"), format!("write at most {most} characters"))
            }
            Self::Number(least, most) => (
                format!("应为{least}至{most}的整数"),
                format!("give a whole number from {least} to {most}"),
            ),
            Self::Region(digits) => {
                let digits: Vec<String> = digits.iter().map(ToString::to_string).collect();
                (
                    format!("应为{}位行政区划代码", digits.join("、")),
                    format!("give a region of {} digits", digits.join(", ")),
                )
            }
            other => {
                let (zh, en) = other.plain();
                (zh.to_owned(), en.to_owned())
            }
        }
    }

    fn plain(&self) -> (&'static str, &'static str) {
        match self {
            Self::Required => ("请填写这一项", "fill this in"),
            Self::Unknown => ("表单没有这一项，请删除", "the form does not ask this; leave it out"),
            Self::Signs => ("不能含有控制字符", "write plain text without control characters"),
            Self::Money => (
                "应为0元以上、1000亿元以下的金额(以分为单位的整数)",
                "give a whole number of fen, 0 or more, below 100 billion yuan",
            ),
            Self::Flag => ("应选择是或否", "answer yes or no"),
            Self::Agree => ("需要同意后才能提交", "this must be agreed to"),
            Self::Code => ("请从给出的选项中选择", "choose one of the codes of the list"),
            Self::Twice => ("不能与前面的相同", "it must differ from the entries before"),
            Self::Date => (
                "应为存在的日期，格式为年-月-日，1880年以后",
                "give a day that exists, as YYYY-MM-DD, from 1880 on",
            ),
            Self::Future => ("日期不能晚于今天", "the day must not be later than today"),
            Self::IdLength => ("身份证号应为18位", "an ID number has 18 characters"),
            Self::IdCharacters => (
                "身份证号应为17位数字加1位数字或X，不能有空格",
                "an ID number is 17 digits and a digit or X, without blanks",
            ),
            Self::IdBirth => (
                "身份证号第7至14位应为出生日期，请对照证件核对",
                "digits 7 to 14 of an ID number are the day of birth: compare with the card",
            ),
            Self::IdCheck => (
                "身份证号校验不符，请逐位对照证件核对",
                "the check character does not fit: compare each digit with the card",
            ),
            Self::IdSex => (
                "性别与身份证号不一致：第17位单数为男、双数为女",
                "the sex does not agree with the ID number: digit 17 is odd for male, else even",
            ),
            Self::IdBirthDate => (
                "出生日期与身份证号第7至14位不一致",
                "the date of birth does not agree with digits 7 to 14 of the ID number",
            ),
            Self::Phone => ("应为11位数字的电话号码", "give a phone number of 11 digits"),
            Self::Bank => {
                ("应为12至19位数字的银行账号", "give an account number of 12 to 19 digits")
            }
            Self::BankCheck => (
                "银行账号校验位少见，请再核对一遍",
                "the check digit of the account is unusual: look at it once more",
            ),
            Self::File => ("应为已上传的附件", "give what was uploaded"),
            Self::NoHead => ("家庭成员中应有一名户主", "one of the members must be the head"),
            Self::Heads => ("户主只能有一名", "only one of the members can be the head"),
            Self::TooManyFaults => {
                ("错误过多，其余未列出", "there are more faults than are listed")
            }
            _ => ("填写的内容形式不对", "the answer is not of the right kind"),
        }
    }
}

/// What a fault is about, to stand before its text.
pub(super) fn place(part: &Part, entry: Option<usize>, field: Option<&Field>) -> (String, String) {
    let (zh, en) = match entry {
        Some(entry) => (
            format!("{}第{}项", part.label.zh, entry + 1),
            format!("{}, entry {}", part.label.en, entry + 1),
        ),
        None => (part.label.zh.clone(), part.label.en.clone()),
    };
    match (field, entry) {
        (Some(field), Some(_)) => {
            (format!("{zh}“{}”", field.label.zh), format!("{en}, {}", field.label.en))
        }
        (Some(field), None) => (format!("“{}”", field.label.zh), field.label.en.clone()),
        (None, _) => (zh, en),
    }
}
