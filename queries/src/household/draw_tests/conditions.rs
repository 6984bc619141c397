//! Conditions drawn for the rows of a table.

use yiku::schema::Kind;

use super::{Draw, SIGNS, Unit, places};

impl Draw<'_> {
    /// A list of one to four parts between brackets.
    fn list(&mut self, mut part: impl FnMut(&mut Self) -> String) -> String {
        let count = 1 + self.below(4);
        let parts: Vec<String> = (0..count).map(|_| part(self)).collect();
        format!("({})", parts.join(", "))
    }

    fn sign(&mut self) -> &'static str {
        let sign = self.of(&SIGNS);
        self.mark(sign);
        sign
    }

    fn equality(&mut self) -> &'static str {
        let sign = self.of(&["=", "!=", "<>"]);
        self.mark(sign);
        sign
    }

    /// `in` or `not in`.
    fn among(&mut self) -> &'static str {
        let inverse = self.below(3) == 0;
        self.mark(if inverse { "not_in" } else { "in" });
        if inverse { "not in" } else { "in" }
    }

    /// A condition of one row that joins no others.
    fn comparison(&mut self, table: usize, depth: usize) -> String {
        match self.below(20) {
            0..=3 => self.numbers_compared(table, depth),
            4 | 5 => self.days_compared(table, depth),
            6 => {
                self.mark("month_compare");
                let sign = self.sign();
                format!("{} {sign} {}", self.month(table, depth), self.month(table, 0))
            }
            7 | 8 => self.codes_compared(table, depth),
            9 | 10 => match self.column(table, &[Kind::Flag]) {
                Some((name, _)) if self.below(2) == 0 => {
                    self.mark("flag_compare");
                    let right = self.of(&["true", "false"]);
                    self.mark(right);
                    let sign = self.equality();
                    format!("{name} {sign} {right}")
                }
                Some((name, _)) => {
                    self.mark("flag_alone");
                    name
                }
                None => self.of(&["true", "false"]).to_owned(),
            },
            11 if self.below(2) == 0 => self.in_set(table),
            11 => self.set_tested(table),
            12 => self.text_tested(table),
            13 => self.placed(),
            14 | 15 => self.known(table, depth),
            16 => self.window(table),
            17 => self.number_listed(table, depth),
            18 => {
                self.mark("between");
                let inverse = self.below(3) == 0;
                if inverse {
                    self.mark("not_between");
                }
                let not = if inverse { "not " } else { "" };
                let unit = self.of(&[Unit::Plain, Unit::Money]);
                let value = self.number(table, unit, depth);
                let (low, high) = (self.number(table, unit, 0), self.number(table, unit, 0));
                format!("{value} {not}between {low} and {high}")
            }
            _ => {
                let spells: Vec<&str> =
                    self.schema.tables[table].columns.iter().map(|c| c.name.as_str()).collect();
                if spells.contains(&"start") && spells.contains(&"end") {
                    self.mark("running");
                    return "running".to_owned();
                }
                self.numbers_compared(table, depth)
            }
        }
    }

    /// A row of the table or of one above it is in a set of the question.
    fn in_set(&mut self, table: usize) -> String {
        let mut line = vec![table];
        while let Some(above) = self.schema.tables[line[line.len() - 1]].parent {
            line.push(above);
        }
        let of = self.of(&line);
        let (name, set) = (self.name(of), format!("in set few_{of}"));
        if self.below(3) == 0 {
            self.mark("in_set_bare");
            return set;
        }
        self.mark("in_set");
        format!("{name} {set}")
    }

    fn numbers_compared(&mut self, table: usize, depth: usize) -> String {
        let unit = self.of(&[Unit::Plain, Unit::Money]);
        let other = if unit == Unit::Money && self.below(3) == 0 {
            self.mark("money_with_number");
            Unit::Plain
        } else {
            self.mark(if unit == Unit::Money { "money_compare" } else { "number_compare" });
            unit
        };
        let less = depth.saturating_sub(1);
        let (a, b) = (self.number(table, unit, depth), self.number(table, other, less));
        let sign = self.sign();
        format!("{a} {sign} {b}")
    }

    fn days_compared(&mut self, table: usize, depth: usize) -> String {
        if self.below(4) == 0 {
            self.mark("date_in");
            let (value, not) = (self.date(table, depth), self.among());
            let list = self.list(|draw| draw.date(table, 0));
            return format!("{value} {not} {list}");
        }
        let sign = self.sign();
        if self.below(4) == 0 {
            self.mark("date_with_month");
            return format!("{} {sign} {}", self.date(table, depth), self.month(table, 0));
        }
        self.mark("date_compare");
        format!("{} {sign} {}", self.date(table, depth), self.date(table, 0))
    }

    fn codes_compared(&mut self, table: usize, depth: usize) -> String {
        let Some((value, list)) = self.code_value(table, depth) else {
            return self.numbers_compared(table, depth);
        };
        if self.below(2) == 0 {
            self.mark("code_in");
            let not = self.among();
            let list = self.list(|draw| draw.code(list));
            return format!("{value} {not} {list}");
        }
        self.mark("code_compare");
        let sign = self.equality();
        format!("{value} {sign} {}", self.code(list))
    }

    fn set_tested(&mut self, table: usize) -> String {
        let Some((name, column)) = self.column(table, &[Kind::Codes]) else {
            return self.known(table, 0);
        };
        let of = column.list.unwrap();
        let (word, mark) = self.of(&[("any", "has_any"), ("all", "has_all"), ("none", "has_none")]);
        self.mark(mark);
        if self.below(4) == 0 {
            self.mark("has_one");
            let name_of = self.schema.lists[of].codes[0].name.clone();
            return format!("{name} has {word} {name_of}");
        }
        let list = self.list(|draw| draw.code(of));
        format!("{name} has {word} {list}")
    }

    fn text_tested(&mut self, table: usize) -> String {
        let Some((name, _)) = self.column(table, &[Kind::Text, Kind::Id]) else {
            return self.known(table, 0);
        };
        match self.below(5) {
            0 => {
                self.mark("texts_compared");
                let sign = self.equality();
                let other =
                    self.column(table, &[Kind::Text, Kind::Id]).map_or(name.clone(), |c| c.0);
                format!("{name} {sign} {other}")
            }
            1 => {
                self.mark("matches");
                format!("matches({name}, {})", self.of(&["'王'", "'小 王'", "'a'"]))
            }
            2 => {
                self.mark("text_in");
                let not = self.among();
                let list = self.list(Self::text);
                format!("{name} {not} {list}")
            }
            3 => {
                self.mark("text_equal");
                let sign = self.equality();
                format!("{name} {sign} {}", self.text())
            }
            _ => {
                self.mark("starts");
                format!("{name} starts {}", self.text())
            }
        }
    }

    /// Where the root row lies.
    fn placed(&mut self) -> String {
        let path = self.schema.path.clone();
        if self.below(5) == 0 {
            self.mark("path_is_known");
            return format!("{} is known", path.name);
        }
        let codes: Vec<String> = places(self.schema)
            .iter()
            .map(|(code, level)| {
                let digits = usize::from(path.levels[usize::from(*level)].digits);
                code.to_string()[..digits].to_owned()
            })
            .collect();
        if self.below(2) == 0 {
            self.mark("within");
            return format!("{} within {}", path.name, self.of(&codes));
        }
        self.mark("within_list");
        let list = self.list(|draw| draw.of(&codes));
        format!("{} within {list}", path.name)
    }

    fn known(&mut self, table: usize, depth: usize) -> String {
        let (words, mark) = self.of(&[
            ("is known", "is_known"),
            ("is unknown", "is_unknown"),
            ("is not known", "is_not_known"),
            ("is not unknown", "is_known"),
        ]);
        self.mark(mark);
        let all = [
            Kind::Flag,
            Kind::Code,
            Kind::Int,
            Kind::Money,
            Kind::Date,
            Kind::Month,
            Kind::Text,
            Kind::Codes,
        ];
        match self.below(4) {
            0 => {
                self.mark("is_known_of_condition");
                format!("({}) {words}", self.condition(table, depth))
            }
            1 => {
                self.mark("is_known_of_value");
                let unit = self.of(&[Unit::Plain, Unit::Money]);
                format!("({}) {words}", self.number(table, unit, depth))
            }
            _ => match self.column(table, &all) {
                Some((name, column)) => {
                    if column.kind == Kind::Codes {
                        self.mark("codes_is_known");
                    }
                    format!("{name} {words}")
                }
                None => "true".to_owned(),
            },
        }
    }

    /// A day or a month within a time before the day.
    fn window(&mut self, table: usize) -> String {
        self.mark("window");
        let length = self.of(&["3 months", "12 months", "1 year", "30 days", "2 years"]);
        if !length.contains("day")
            && let Some((name, _)) = self.column(table, &[Kind::Month])
        {
            return format!("{name} > as_of - {length}");
        }
        match self.column(table, &[Kind::Date]) {
            Some((name, _)) => format!("{name} between as_of - {length} and as_of"),
            None => self.numbers_compared(table, 0),
        }
    }

    fn number_listed(&mut self, table: usize, depth: usize) -> String {
        if self.below(4) == 0 {
            self.mark("month_in");
            let (value, not) = (self.month(table, depth), self.among());
            let list = self.list(|draw| draw.month(table, 0));
            return format!("{value} {not} {list}");
        }
        let unit = self.of(&[Unit::Plain, Unit::Money]);
        let (value, not) = (self.number(table, unit, depth), self.among());
        let list = if self.below(2) == 0 {
            self.mark("number_in");
            self.list(|draw| draw.literal(unit))
        } else {
            self.mark("number_in_values");
            self.list(|draw| draw.number(table, unit, 0))
        };
        format!("{value} {not} {list}")
    }

    /// A condition for the rows of a table.
    pub(in crate::household) fn condition(&mut self, table: usize, depth: usize) -> String {
        if depth == 0 {
            return self.comparison(table, 0);
        }
        let less = depth - 1;
        match self.below(14) {
            0 | 1 => {
                let (word, mark) = self.of(&[(" and ", "and"), (" or ", "or")]);
                self.mark(mark);
                self.mark("brackets");
                let count = 2 + self.below(2);
                let parts: Vec<String> = (0..count).map(|_| self.condition(table, less)).collect();
                format!("({})", parts.join(word))
            }
            2 => {
                self.mark("not");
                format!("not ({})", self.condition(table, less))
            }
            3 => {
                self.mark("if_condition");
                let parts = [(); 3].map(|()| self.condition(table, less));
                format!("if({})", parts.join(", "))
            }
            4 => {
                self.mark("coalesce_condition");
                let (a, b) = (self.condition(table, less), self.condition(table, less));
                format!("coalesce({a}, {b})")
            }
            5 => {
                self.mark("conditions_compared");
                let sign = self.equality();
                let (a, b) = (self.condition(table, less), self.condition(table, less));
                format!("({a}) {sign} ({b})")
            }
            6 => self.known(table, less),
            7..=9 => self.quantified(table, less),
            _ => self.comparison(table, depth),
        }
    }

    fn quantified(&mut self, table: usize, depth: usize) -> String {
        let Some(child) = self.child(table) else { return self.comparison(table, depth) };
        let all = [
            ("any", "any", "any_alone"),
            ("none", "none", "none_alone"),
            ("all", "all", "all_alone"),
        ];
        let (word, with, alone) = self.of(&all);
        let name = self.name(child);
        if self.below(6) == 0 {
            self.mark(alone);
            return format!("{word}({name})");
        }
        self.mark(with);
        format!("{word}({name} where {})", self.condition(child, depth))
    }
}
