"""What Polars is asked instead of the questions of questions.toml."""

from datetime import date

import polars as pl
import rivals
from polars import col

TEN = (
    "debt hardship_worker severe_illness single_parent student_grant no_labour left_behind_elder "
    "living_alone migrant chronic_illness"
).split()
RARE = (
    "homeless martyr_family de_facto_orphan orphan in_custody rare_disease fire_hit lost_contact released flood_hit"
).split()
SIX = "landed pension_insured medical_insured chronic_illness migrant living_alone".split()
ASKED = {}


def asked(name):
    """Puts a question under its name."""

    def put(function):
        ASKED[name] = function
        return function

    return put


def any_of(*names):
    return pl.any_horizontal(*names) if len(names) > 2 else (col(names[0]) | col(names[-1]))


def none_of(*names):
    return col("known") & ~any_of(*names)


def band():
    bounds = [(date(2008, 10, 31), 0), (date(1991, 10, 31), 18), (date(1966, 10, 31), 35), (date(1946, 10, 31), 60)]
    found = pl.lit(80, pl.Int8)
    for day, least in reversed(bounds):
        found = pl.when(col("birth_date") > day).then(pl.lit(least, pl.Int8)).otherwise(found)
    return found.alias("band")


def key(letter, column):
    return pl.concat_str(pl.lit(letter), col(column).cast(pl.String).str.zfill(10)).alias(column)


class Questions:
    def __init__(self, persons, homes, words):
        self.persons, self.homes = persons, homes
        self.pid, self.hid = int(words["person"][1:]), int(words["household"][1:])

    def answer(self, name):
        found = ASKED[name](self)
        return found.collect() if isinstance(found, pl.LazyFrame) else found

    @staticmethod
    def members(rows, persons):
        """The persons of some households."""
        return persons.lazy().filter(col("row").is_in(rows.implode()))

    @staticmethod
    def within(frame, level, code):
        """The rows of a place or a key by which a frame is sorted."""
        low = frame[level].search_sorted(code, "left")
        return frame.slice(low, frame[level].search_sorted(code, "right") - low)

    def of_rows(self, rows):
        """The households of sorted rows."""
        return self.homes[rows]

    def having(self, condition, persons=None):
        """The rows of the households of persons for which a condition is true, sorted."""
        persons = self.persons if persons is None else persons
        return persons.lazy().filter(condition).select(col("row").unique(maintain_order=True)).collect()["row"]


def each_aid():
    return [col(name).sum() for name in rivals.AIDS]


@asked("county by aid: one county")
def _(q):
    return q.within(q.persons, "county", 140105).lazy().select(each_aid())


@asked("county by aid: one city")
def _(q):
    return q.within(q.persons, "city", 1408).lazy().select(each_aid())


@asked("county by aid: women of a township")
def _(q):
    return q.within(q.persons, "township", 140506003).lazy().filter("female").select(each_aid())


@asked("city by aid: persons")
def _(q):
    sets = q.persons.lazy().filter(~col("unaided")).group_by("city", "aids").len()
    bits = [(name, rivals.mask("aids", name)) for name in rivals.AIDS]
    sums = [(col("aids") & bit != 0).cast(pl.UInt32).dot(col("len")).alias(name) for name, bit in bits]
    return sets.group_by("city").agg(sums)


@asked("city by aid: old persons")
def _(q):
    old = q.persons.lazy().filter(~col("unaided") & (col("birth_date") <= date(1966, 10, 31)))
    return old.group_by("city").agg(each_aid())


@asked("city by aid: households of four aids")
def _(q):
    names = ["dibao_rural", "dibao_urban", "housing_aid", "disability_care"]
    few = q.persons.lazy().filter(any_of(*names)).select("city", "row", *names)
    return few.group_by("city").agg(col("row").filter(name).n_unique().alias(name) for name in names)


def rate(persons, level, yes, no):
    n = (col(yes) & none_of(no)).sum().alias("n")
    groups = persons.lazy().group_by(level).agg(n, pl.len().alias("total"))
    return groups.select(level, "n", 1000.0 * col("n") / col("total"))


for _level, _name in [("county", "counties"), ("township", "townships"), ("village", "villages")]:
    ASKED[f"map: {_name}, frequent flag"] = lambda q, level=_level: rate(q.persons, level, "landed", "chronic_illness")
    ASKED[f"map: {_name}, rare flag"] = lambda q, level=_level: rate(
        q.persons, level, "rare_disease", "medical_insured"
    )


@asked("map: villages of a county")
def _(q):
    return rate(q.within(q.persons, "county", 140105), "village", "landed", "chronic_illness")


def crosstab(persons):
    return persons.group_by(band(), "sex", "disability_grade").len()


@asked("crosstab: province")
def _(q):
    return crosstab(q.persons.lazy())


@asked("crosstab: one county")
def _(q):
    return crosstab(q.within(q.persons, "county", 140105).lazy())


@asked("crosstab: living alone")
def _(q):
    return crosstab(q.persons.lazy().filter("living_alone"))


@asked("crosstab: sex by grade by county")
def _(q):
    return q.persons.lazy().filter("disabled").group_by("county", "sex", "disability_grade").len()


def sums(homes, level, value):
    return homes.lazy().group_by(level, "urban").agg(
        pl.len(), col(value).cast(pl.Int64).sum().alias("sum"), col(value).mean().alias("mean")
    )


@asked("ill households: income")
def _(q):
    return sums(q.of_rows(q.having(col("severe_illness"))), "city", "income")


@asked("ill households: paid by all members")
def _(q):
    members = q.members(q.having(col("severe_illness")), q.persons)
    paid = members.group_by("row").agg(
        col("city").first(), col("urban").first(), col("medical_paid").cast(pl.Int64).sum()
    )
    return sums(paid, "city", "medical_paid")


@asked("ill households: rare disease")
def _(q):
    return sums(q.of_rows(q.having(col("rare_disease"))), "city", "income")


@asked("ill households: one county")
def _(q):
    rows = q.having(col("severe_illness"), q.within(q.persons, "county", 140105))
    return sums(q.of_rows(rows), "township", "income")


def heads(homes, level):
    known = homes.lazy().select(level, head=col("income") / col("members")).drop_nulls()
    shares = [("middle", 0.5), ("nine", 0.9)]
    return known.group_by(level).agg(col("head").quantile(share, "linear").alias(name) for name, share in shares)


@asked("income per head: counties")
def _(q):
    return heads(q.homes, "county")


@asked("income per head: aided households")
def _(q):
    return heads(q.of_rows(q.having(any_of("dibao_rural", "dibao_urban"))), "county")


@asked("income per head: townships of a county")
def _(q):
    return heads(q.within(q.homes, "county", 140105), "township")


def two_disabled(q, persons, which):
    """The rows of households with two of a kind and none at work."""
    two = persons.lazy().filter(which).group_by("row").len().filter(col("len") >= 2).select("row").collect()
    members = q.members(two["row"], persons).select("row", "at_work")
    return members.group_by("row").agg(col("at_work").any()).filter(~col("at_work")).collect()["row"]


@asked("two disabled, none at work: counties")
def _(q):
    return q.of_rows(two_disabled(q, q.persons, "disabled")).lazy().group_by("county").len()


@asked("two disabled, none at work: severely, province")
def _(q):
    return pl.DataFrame({"n": [two_disabled(q, q.persons, "severely").len()]})


@asked("two disabled, none at work: villages of a county")
def _(q):
    rows = two_disabled(q, q.within(q.persons, "county", 140105), "disabled")
    return q.of_rows(rows).lazy().group_by("village").len()


@asked("six flags, two aids: any of each")
def _(q):
    found = q.persons.lazy().filter(
        any_of("severe_illness", "major_disease", "chronic_illness")
        & any_of("living_alone", "left_behind_elder", "single_parent")
        & any_of("dibao_rural", "dibao_urban")
    )
    return found.select(pl.len(), col("row").n_unique())


@asked("six flags, two aids: all six")
def _(q):
    return q.persons.lazy().select(pl.all_horizontal(*SIX).sum())


@asked("six flags, two aids: yes and no")
def _(q):
    found = q.persons.lazy().filter(
        col("dibao_rural")
        & ~col("housing_aid")
        & col("landed")
        & col("pension_insured")
        & ~col("migrant")
        & ~col("chronic_illness")
        & any_of("debt", "single_parent")
    )
    return found.group_by("county").agg(pl.len(), col("row").n_unique())


@asked("six flags, two aids: wide, distinct households")
def _(q):
    found = q.persons.lazy().filter(any_of(*SIX) & ~any_of("dibao_rural", "dibao_urban"))
    return found.group_by("city").agg(pl.len(), col("row").n_unique())


def top(persons, flag):
    groups = persons.group_by("township").agg(pl.len().alias("n"), col(flag).sum().alias("of"))
    rates = groups.filter(col("n") >= 200).select("township", "n", (1000.0 * col("of") / col("n")).alias("rate"))
    return rates.sort("rate", "township", descending=[True, False]).head(20)


@asked("top townships: living alone")
def _(q):
    return top(q.persons.lazy(), "living_alone")


@asked("top townships: rare disease")
def _(q):
    return top(q.persons.lazy(), "rare_disease")


@asked("top townships: of the old on the land")
def _(q):
    return top(q.persons.lazy().filter(~col("urban") & (col("birth_date") <= date(1946, 10, 31))), "living_alone")


@asked("ten flags, no aid: frequent")
def _(q):
    return q.persons.lazy().filter(any_of(*TEN) & col("unaided")).group_by("county", "urban").len()


@asked("ten flags, no aid: rare")
def _(q):
    return q.persons.lazy().filter(any_of(*RARE) & col("unaided")).group_by("county", "urban").len()


@asked("ten flags, no aid: one county, villages")
def _(q):
    persons = q.within(q.persons, "county", 140105).lazy()
    return persons.filter(any_of(*TEN) & col("unaided")).group_by("village", "urban").len()


def long(wide):
    """A row for each pair that somebody has."""
    found = wide.unpivot().filter(col("value") > 0)
    low, high = (col("variable").str.split(" ").list.get(at).cast(pl.Int32) for at in (0, 1))
    return found.select(low.alias("low"), high.alias("high"), "value")


PAIRS = [(low, high) for low in range(len(rivals.MARKS)) for high in range(low, len(rivals.MARKS))]


def pairs(persons):
    """Every pair of flags: the bits of a conjunction are counted."""
    names = rivals.MARKS
    both = [(col(names[low]) & col(names[high])).sum().alias(f"{low} {high}") for low, high in PAIRS]
    return long(persons.select(both).collect())


@asked("32 by 32: province")
def _(q):
    sets = q.persons.lazy().filter(col("marks") != 0).group_by("marks").len().collect(engine="streaming")
    sets = sets.select("len", *((col("marks") & (1 << bit) != 0).alias(str(bit)) for bit in range(len(rivals.MARKS))))
    both = [
        (col(str(low)) & col(str(high))).cast(pl.UInt32).dot(col("len")).alias(f"{low} {high}") for low, high in PAIRS
    ]
    return long(sets.lazy().select(both).collect())


@asked("32 by 32: aided")
def _(q):
    return pairs(q.persons.lazy().filter(any_of("dibao_rural", "dibao_urban")).select(rivals.MARKS))


@asked("32 by 32: one county")
def _(q):
    return pairs(q.within(q.persons, "county", 140105).lazy())


@asked("histogram: income of households")
def _(q):
    return q.homes.lazy().select((col("income") // 50_000).alias("part")).drop_nulls().group_by("part").len()


@asked("histogram: income of persons by city")
def _(q):
    parts = q.persons.lazy().select("city", (col("monthly_income") // 45_000).alias("part")).drop_nulls()
    return parts.group_by("city", "part").len()


@asked("histogram: paid by the disabled")
def _(q):
    few = q.persons.lazy().filter("severely").select((col("medical_paid") // 100_000).alias("part"))
    return few.drop_nulls().group_by("part").len()


def registered(homes):
    days = homes.lazy().filter(col("registered_on").is_between(date(2016, 11, 1), date(2026, 10, 31)))
    days = days.group_by("registered_on").agg(pl.len(), col("income").cast(pl.Int64).sum())
    months = days.group_by(col("registered_on").dt.year().alias("y"), col("registered_on").dt.month().alias("m"))
    return months.agg(col("len").sum(), col("income").sum())


@asked("ten years by month: registered")
def _(q):
    return registered(q.homes)


@asked("ten years by month: registered, one city")
def _(q):
    return registered(q.within(q.homes, "city", 1408))


def stock(persons, *groups):
    days = persons.lazy().filter("disabled").group_by("disability_since", *groups).len()
    day = col("disability_since")
    month = pl.max_horizontal(day.dt.year() * 12 + day.dt.month() - 1, 24202).alias("month")
    months = days.group_by(month, *groups).agg(col("len").sum()).sort("month")
    total = col("len").cum_sum()
    return months.select("month", *groups, total.over(*groups) if groups else total)


@asked("ten years by month: stock of the disabled")
def _(q):
    return stock(q.persons)


@asked("ten years by month: stock by city")
def _(q):
    return stock(q.persons, "city")


@asked("one person: with the household")
def _(q):
    person = q.within(q.persons, "pid", q.pid)
    home = q.homes[person["row"]]
    own = person.select(
        key("P", "pid"), "name", "sex", "birth_date", "disability_grade", "monthly_income", "aids", "marks"
    )
    return own.hstack(home.select(key("H", "hid"), "village", "address", "members", "income"))


@asked("one person: all of a household")
def _(q):
    return q.within(q.persons, "hid", q.hid).select(
        key("P", "pid"), "name", "sex", "birth_date", "relation", "disability_grade", "monthly_income", "aids", "marks"
    )


LISTED = [key("P", "pid"), "birth_date", "monthly_income"]


def plain_list(persons):
    return persons.select("pid", "birth_date", "monthly_income")


@asked("deep page: one county")
def _(q):
    found = plain_list(q.within(q.persons, "county", 140105).lazy().filter("living_alone"))
    found = found.collect()
    return found[found["birth_date"].arg_sort().slice(1_000, 50)].select(LISTED)


@asked("deep page: province")
def _(q):
    found = plain_list(q.persons.lazy().filter("disabled"))
    found = found.collect()
    # The places of sorted values keep the order of equal ones, and are found in a tenth of the time of rows.
    places = found["monthly_income"].fill_null(-1).arg_sort(descending=True)
    return found[places.slice(100_000, 50)].select(LISTED)


@asked("deep page: in the order of places")
def _(q):
    return plain_list(q.persons.lazy().filter(col("medical_insured") & col("female"))).slice(200_000, 50).select(LISTED)


def moves(persons, level):
    old = persons.lazy().filter((col("birth_date") <= date(1966, 10, 31)) & (col("insured_until") >= 24_320))
    sides = old.select(
        level,
        before=col("birth_date") <= date(1966, 9, 30),
        after=col("insured_until") >= 24_321,
    ).filter(col("before") | col("after"))
    groups = sides.group_by(level, "before", "after").len()
    move = pl.when(col("before") & col("after")).then(pl.lit("stayed"))
    move = move.when("after").then(pl.lit("entered")).otherwise(pl.lit("left"))
    return groups.select(
        move.alias("move"),
        pl.when("before").then(level).alias("from"),
        pl.when("after").then(level).alias("to"),
        "len",
    )


@asked("entered and left: old and insured, by city")
def _(q):
    return moves(q.persons, "city")


@asked("entered and left: insured of a county")
def _(q):
    return moves(q.within(q.persons, "county", 140105), "township")


def three(q, persons, level):
    members = q.members(q.having(col("disabled"), persons), persons)
    groups = members.group_by("row").agg(col("checked_on").max(), col("medical_paid").cast(pl.Int64).sum())
    found = groups.filter((col("checked_on") >= date(2026, 4, 30)) & (col("medical_paid") > 0)).collect()
    homes = q.of_rows(found["row"]).select(level, "income").hstack(found.select("medical_paid")).lazy()
    return homes.filter(col("medical_paid") > 2 * col("income")).group_by(level).agg(pl.len(), col("medical_paid").sum())


@asked("three aggregates: cities")
def _(q):
    return three(q, q.persons, "city")


@asked("three aggregates: one county")
def _(q):
    return three(q, q.within(q.persons, "county", 140105), "village")


@asked("three aggregates: paid within a window")
def _(q):
    members = q.members(q.having(col("severe_illness")), q.persons)
    late = pl.when(col("checked_on") > date(2026, 7, 31)).then("medical_paid").otherwise(0)
    groups = members.group_by("row").agg(
        col("county").first(),
        col("birth_date").max(),
        late.cast(pl.Int64).sum().alias("paid"),
        col("monthly_income").cast(pl.Int64).sum().alias("earned"),
    )
    found = groups.filter((col("birth_date") >= date(2010, 1, 1)) & (col("paid") > 6 * col("earned")))
    return found.group_by("county").len()


@asked("scan: rare amount")
def _(q):
    found = q.persons.lazy().filter(col("medical_paid") >= 3_995_000)
    return found.select(pl.len(), col("medical_paid").cast(pl.Int64).sum())


@asked("scan: frequent amount")
def _(q):
    found = q.persons.lazy().filter(col("monthly_income") < 300_000)
    return found.select(pl.len(), col("monthly_income").cast(pl.Int64).sum())


@asked("scan: one birthday")
def _(q):
    return q.persons.lazy().filter(col("birth_date") == date(1980, 5, 17)).group_by("city").len()
