//! How personal values are shown by default.

/// A value as it is shown: `kind` is a form's mask – `name` 张*, `id` 1401**********1234, `phone`
/// 138****5678, `bank` ****1234, `address` its first six characters, `illness` nothing of it.
/// An unknown kind shows nothing: a forgotten mask must not tell.
///
/// ```
/// use yiku_casework::secret::mask;
/// assert_eq!(mask("name", "张三丰"), "张*");
/// assert_eq!(mask("id", "99910119491231000X"), "9991**********000X");
/// assert_eq!(mask("phone", "13800005678"), "138****5678");
/// ```
pub fn mask(kind: &str, text: &str) -> String {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 {
        return String::new();
    }
    match kind {
        // One star whatever the length, which would tell something too.
        "name" => ends(text, 1, 0, "*"),
        "id" if length >= 15 => ends(text, 4, 4, &"*".repeat(length - 8)),
        "phone" if length >= 11 => ends(text, 3, 4, "****"),
        "bank" if length >= 8 => ends(text, 0, 4, "****"),
        "address" if length > 6 => ends(text, 6, 0, "****"),
        _ => "****".to_owned(),
    }
}

fn ends(text: &str, first: usize, last: usize, between: &str) -> String {
    let length = text.chars().count();
    let mut masked: String = text.chars().take(first).collect();
    masked.push_str(between);
    masked.extend(text.chars().skip(length - last));
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_shows_what_the_plan_allows() {
        for (kind, text, shown) in [
            ("name", "张三", "张*"),
            ("name", "张", "张*"),
            ("name", "阿卜杜拉", "阿*"),
            ("id", "999101199003076634", "9991**********6634"),
            ("id", "1401", "****"),
            ("phone", "13812345678", "138****5678"),
            ("phone", "0351-12", "****"),
            ("bank", "6222020200112233", "****2233"),
            ("address", "山西省方山县圪洞镇一村", "山西省方山县****"),
            ("address", "方山县", "****"),
            ("illness", "any", "****"),
            ("unheard", "any", "****"),
            ("name", "  ", ""),
        ] {
            assert_eq!(mask(kind, text), shown, "{kind} {text}");
        }
    }
}
