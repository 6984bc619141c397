"""One engine that answers over pipes: `rivals.py ENGINE THREADS FILES STORE`.

A line of JSON comes in, a line of JSON goes out. The first names words that stand for others in
the texts; then `check` asks for the rows of an answer and `time` for its milliseconds alone. Time
is taken around the engine's own work, until the answer is in this process. Nothing is kept from
one answer to the next.
"""

import datetime
import decimal
import importlib
import json
import math
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
AIDS = (
    "orphan_allowance disaster_relief winter_relief begging_relief tekun_urban rigid tekun_rural legal_aid "
    "temporary work_relief disability_care housing_aid education_aid disability_living dibao_urban dibao_rural"
).split()
MARKS = (
    "homeless martyr_family de_facto_orphan orphan in_custody rare_disease fire_hit lost_contact released "
    "flood_hit drought_hit unsafe_water dilapidated_house long_term_care left_behind_child party_help relocated "
    "veteran major_disease debt hardship_worker severe_illness single_parent student_grant no_labour "
    "left_behind_elder living_alone migrant chronic_illness landed pension_insured medical_insured"
).split()
SETS = {"aids": AIDS, "marks": MARKS}


def mask(column, names):
    """The bits of some codes of a set."""
    return sum(1 << SETS[column].index(name.strip()) for name in names.split(","))


def texts(names, macros):
    """The texts of some files by their names; a later file takes the place of an earlier one.

    `{any marks a, b}` and the like are made by `macros`, a function for each first word.
    """
    found = {}
    for name in names:
        with open(os.path.join(HERE, "sql", name + ".sql")) as file:
            for part in re.split(r"^-- question: ", file.read(), flags=re.M)[1:]:
                title, text = part.split("\n", 1)
                found[title.strip()] = text.strip().rstrip(";")

    def put(match):
        word, _, rest = match.group(1).partition(" ")
        return macros[word](rest)

    for title, text in found.items():
        # From the inside out.
        while True:
            made = re.sub(r"\{([^{}]+)\}", put, text)
            if made == text:
                break
            text = made
        found[title] = text
    return found


def sql_macros(words, bit_and="({0} & {1})", count="sum(case when {0} then 1 else 0 end)", **others):
    """What stands for a part of a text in every dialect, and what a dialect says otherwise."""

    def held(column, bits):
        return bit_and.format(column, bits)

    def split(rest):
        column, _, names = rest.partition(" ")
        return column, mask(column, names)

    def any_of(rest):
        return f"{held(*split(rest))} <> 0"

    def none_of(rest):
        return f"{held(*split(rest))} = 0"

    def all_of(rest):
        column, bits = split(rest)
        return f"{held(column, bits)} = {bits}"

    def only(rest):
        column, _, names = rest.partition(" ")
        yes, no = (mask(column, part) for part in names.split("|"))
        return f"{held(column, yes | no)} = {yes}"

    macros = {
        "only": only,
        "any": any_of,
        "none": none_of,
        "all": all_of,
        "pid": lambda _: str(int(words["person"][1:])),
        "hid": lambda _: str(int(words["household"][1:])),
        "materialized": lambda _: "",
        "disabled": lambda _: "disability_grade is not null",
        "severely": lambda _: "disability_grade <= 2",
        "at_work": lambda _: "employment <= 3",
        "year": lambda rest: f"year({rest})",
        "month": lambda rest: f"month({rest})",
        "distinct": lambda rest: f"count(distinct {rest})",
        "count": lambda rest: count.format(rest),
        "each_aid": lambda _: ", ".join(
            f"coalesce(sum(case when {any_of('aids ' + name)} then n else 0 end), 0) as {name}" for name in AIDS
        ),
        "band": lambda _: (
            "case when birth_date > date '2008-10-31' then 0 when birth_date > date '1991-10-31' then 18 "
            "when birth_date > date '1966-10-31' then 35 when birth_date > date '1946-10-31' then 60 else 80 end"
        ),
    }
    macros.update(others)
    return macros


def plain(value):
    """A value as JSON has it."""
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()[:10]
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and math.isnan(value):
        return None
    if hasattr(value, "item"):
        return plain(value.item())
    return value


def rows_of(table):
    """The rows of an Arrow table."""
    columns = [column.to_pylist() for column in table.columns]
    return [[plain(value) for value in row] for row in zip(*columns)]


def size(path):
    """The bytes of a file or a folder."""
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(path) for name in names)


def main():
    name, threads, files, store = sys.argv[1:]
    # What an engine prints must not come between the answers.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(what):
        out.write(json.dumps(what) + "\n")
        out.flush()

    engine = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if "end" in asked:
                break
            if "words" in asked:
                made = importlib.import_module("on_" + name)
                engine = made.Engine(files, store, int(threads), asked["words"])
                say(engine.ready)
                continue
            question = asked.get("check") or asked.get("time")
            start = time.perf_counter()
            answer = engine.answer(question)
            took = (time.perf_counter() - start) * 1000
            said = {"ms": took}
            if "check" in asked:
                said["rows"] = engine.rows(answer)
            say(said)
        except Exception as error:  # whatever it is, the other side must hear of it
            say({"error": f"{type(error).__name__}: {error}"[:2000]})


if __name__ == "__main__":
    main()
