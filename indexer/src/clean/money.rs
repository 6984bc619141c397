//! Sums of money in decimal digits, to whole hundredths without a float on the way.

/// Decimals from which a number can only be a spreadsheet's float, to be rounded.
const FLOAT_DECIMALS: usize = 10;

/// `3250.50`, `3,250.5`, `¥3250`, `3250元` with so many places between the unit that is written and
/// fen: 2 for yuan, 6 for ten thousand yuan. Nothing below zero, nothing finer than a fen.
pub(super) fn parse(text: &str, places: usize) -> Option<i64> {
    let text = text.strip_prefix(['¥', '￥']).unwrap_or(text);
    let text = text.strip_suffix('元').unwrap_or(text).trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole = whole_number(whole)?;
    if !part.bytes().all(|byte| byte.is_ascii_digit()) || (part.is_empty() && text.ends_with('.')) {
        return None;
    }
    let mut fen = whole;
    for place in 0..places {
        let digit = part.as_bytes().get(place).map_or(0, |byte| i64::from(byte - b'0'));
        fen = fen.checked_mul(10)?.checked_add(digit)?;
    }
    let finer = part.as_bytes().get(places..).unwrap_or_default();
    if finer.iter().any(|byte| *byte != b'0') {
        if part.len() < FLOAT_DECIMALS {
            return None;
        }
        let up = finer.first().is_some_and(|byte| *byte >= b'5');
        fen = fen.checked_add(i64::from(up))?;
    }
    Some(fen)
}

/// Digits, with or without commas between the thousands.
fn whole_number(text: &str) -> Option<i64> {
    let mut groups = text.split(',');
    let first = groups.next()?;
    let good = |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    if !good(first) || (text.contains(',') && first.len() > 3) {
        return None;
    }
    let mut number: i64 = first.parse().ok()?;
    for group in groups {
        if !good(group) || group.len() != 3 {
            return None;
        }
        number = number.checked_mul(1_000)?.checked_add(group.parse().ok()?)?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_become_fen_exactly() {
        for (text, places, expected) in [
            ("3250.50", 2, Some(325_050)),
            ("3,250.5", 2, Some(325_050)),
            ("1,234,567.89", 2, Some(123_456_789)),
            ("0.07", 2, Some(7)),
            ("0", 2, Some(0)),
            ("¥12元", 2, Some(1_200)),
            ("3250.500", 2, Some(325_050)),
            ("1.2345", 6, Some(1_234_500)),
            ("0.30000000000000004", 2, Some(30)),
            ("90071992547409.93", 2, Some(9_007_199_254_740_993)),
            ("12a.5", 2, None),
            ("-350.00", 2, None),
            ("1.2.3", 2, None),
            ("暂无", 2, None),
            ("1,23.00", 2, None),
            ("1234,567", 2, None),
            ("12.345", 2, None),
            ("12.", 2, None),
            (".5", 2, None),
            ("1e5", 2, None),
            ("99999999999999999999", 2, None),
        ] {
            assert_eq!(parse(text, places), expected, "{text}");
        }
    }
}
