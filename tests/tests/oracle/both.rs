//! One expression in both languages, written side by side from the page on the language: the
//! text of the statistics language and the SQL that says the same.

/// How strongly the outermost operator of a text binds.
pub(crate) const OR: u8 = 1;
pub(crate) const AND: u8 = 2;
pub(crate) const NOT: u8 = 3;
pub(crate) const COMPARE: u8 = 4;
pub(crate) const SUM: u8 = 5;
pub(crate) const PRODUCT: u8 = 6;
pub(crate) const SIGNED: u8 = 7;
pub(crate) const PRIMARY: u8 = 8;

/// An expression in both languages.
#[derive(Debug, Clone)]
pub(crate) struct Both {
    pub(crate) text: String,
    pub(crate) sql: String,
    strength: u8,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Money, in its smallest unit; else plain.
    pub(crate) money: bool,
    /// A whole number, without decimals of any kind.
    pub(crate) whole: bool,
}

/// A number with its unit.
#[derive(Debug, Clone)]
pub(crate) struct Numeric {
    pub(crate) both: Both,
    pub(crate) unit: Unit,
}

impl Both {
    pub(crate) fn new(strength: u8, text: impl Into<String>, sql: impl Into<String>) -> Self {
        Self { text: text.into(), sql: format!("({})", sql.into()), strength }
    }

    pub(crate) fn primary(text: impl Into<String>, sql: impl Into<String>) -> Self {
        Self::new(PRIMARY, text, sql)
    }

    /// The text where something of a strength is wanted: in brackets when it binds less.
    pub(crate) fn at(&self, strength: u8) -> String {
        if self.strength < strength { format!("({})", self.text) } else { self.text.clone() }
    }

    pub(crate) fn not(&self) -> Self {
        Self::new(NOT, format!("not {}", self.at(NOT)), format!("NOT {}", self.sql))
    }

    /// `and` or `or` of some.
    pub(crate) fn joined(parts: &[Self], word: &str, strength: u8) -> Self {
        let texts: Vec<String> = parts.iter().map(|part| part.at(strength + 1)).collect();
        let sql: Vec<&str> = parts.iter().map(|part| part.sql.as_str()).collect();
        let (text, sql) = (texts.join(&format!(" {word} ")), sql.join(&format!(" {word} ")));
        if parts.len() == 1 { parts[0].clone() } else { Self::new(strength, text, sql) }
    }

    /// A comparison of two.
    pub(crate) fn compared(&self, sign: &str, other: &Self) -> Self {
        let text = format!("{} {sign} {}", self.at(SUM), other.at(SUM));
        Self::new(COMPARE, text, format!("{} {sign} {}", self.sql, other.sql))
    }
}

impl Numeric {
    pub(crate) fn whole(both: Both) -> Self {
        Self { both, unit: Unit { money: false, whole: true } }
    }

    pub(crate) fn money(both: Both) -> Self {
        Self { both, unit: Unit { money: true, whole: true } }
    }

    /// The SQL of the number in the smallest unit of money, if it must be money.
    fn sql_as(&self, money: bool) -> String {
        let sql = &self.both.sql;
        if money && !self.unit.money { format!("({sql} * 100)") } else { sql.clone() }
    }

    /// The SQL of two numbers in one unit, and that unit.
    pub(crate) fn aligned(&self, other: &Self) -> (String, String, Unit) {
        let money = self.unit.money || other.unit.money;
        let whole = self.unit.whole && other.unit.whole;
        (self.sql_as(money), other.sql_as(money), Unit { money, whole })
    }

    /// Two numbers and an operator; none where the units have no result.
    pub(crate) fn combined(&self, sign: char, other: &Self) -> Option<Self> {
        let (a, b) = (&self.both, &other.both);
        let strength = if matches!(sign, '+' | '-') { SUM } else { PRODUCT };
        let text = format!("{} {sign} {}", a.at(strength), b.at(strength + 1));
        let (money, others) = (self.unit.money, other.unit.money);
        let whole = self.unit.whole && other.unit.whole;
        let (sql, unit) = match sign {
            '+' | '-' => {
                let (a, b, unit) = self.aligned(other);
                (format!("{a} {sign} {b}"), unit)
            }
            '*' if money && others => return None,
            '*' => (format!("{} * {}", a.sql, b.sql), Unit { money: money || others, whole }),
            _ if others && !money => return None,
            _ => {
                let sql = format!("{}::DOUBLE / nullif({}::DOUBLE, 0)", a.sql, b.sql);
                (sql, Unit { money: money && !others, whole: false })
            }
        };
        Some(Self { both: Both::new(strength, text, sql), unit })
    }

    /// A comparison of two numbers.
    pub(crate) fn compared(&self, sign: &str, other: &Self) -> Both {
        let text = format!("{} {sign} {}", self.both.at(SUM), other.both.at(SUM));
        let (a, b, _) = self.aligned(other);
        Both::new(COMPARE, text, format!("{a} {sign} {b}"))
    }

    pub(crate) fn negative(&self) -> Self {
        let text = format!("-{}", self.both.at(SIGNED));
        let both = Both::new(SIGNED, text, format!("-{}", self.both.sql));
        Self { both, unit: self.unit }
    }
}
