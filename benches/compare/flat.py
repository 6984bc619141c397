"""The same rows as the experts of other engines would keep them: two Parquet files made once of
those that a registry hands over.

Persons carry the place of their household and whether it is urban, so that few questions need a
join; sets of codes are the bits of an integer, codes and amounts of fen small integers, keys the
numbers within them, days are days and months are counted from year 0. Rows stand in the order of
places, of households in a place and of persons in a household, as they came.
"""

import os
import time

import duckdb

MONEY = "({0} * 100)::integer"
CODE = "{0}::utinyint"


def bits(column, count, kind):
    """The codes '01', '02', ... of a list as bits, unknown where the list is."""
    parts = (
        f"case when list_contains({column}, '{place + 1:02}') then {1 << place}::{kind} else 0::{kind} end"
        for place in range(count)
    )
    return f"(case when {column} is not null then {' + '.join(parts)} end)::{kind}"


def place(digits, kind):
    return f"left(region, {digits})::{kind}"


PLACES = (
    f"{place(4, 'smallint')} as city, {place(6, 'integer')} as county, "
    f"{place(9, 'integer')} as township, {place(12, 'bigint')} as village"
)
HOUSEHOLD = (
    f"select substr(household_id, 2)::integer as hid, {PLACES}, urban, address, "
    f"members::utinyint as members, {MONEY.format('income')} as income, "
    f"{CODE.format('cause')} as cause, (ascii(housing_grade) - 64)::utinyint as housing_grade, registered_on"
)
CODES = (
    "sex ethnicity relation marital education labour_ability employment school_stage "
    "disability_type disability_grade"
).split()
MONTH = "(left(insured_until, 4)::integer * 12 + right(insured_until, 2)::integer - 1)::integer"
PERSON = (
    "select substr(p.person_id, 2)::integer as pid, h.hid, h.city, h.county, h.township, h.village, "
    "h.urban, p.name, p.id_number, p.birth_date, "
    + ", ".join(f"{CODE.format('p.' + code)} as {code}" for code in CODES)
    + ", p.disability_since, "
    + ", ".join(f"{MONEY.format('p.' + name)} as {name}" for name in ("monthly_income", "medical_paid", "pension"))
    + f", {MONTH} as insured_until, p.checked_on, "
    + f"{bits('p.aids', 16, 'usmallint')} as aids, {bits('p.marks', 32, 'uinteger')} as marks"
)


def make(files, folder, threads):
    """The paths of the households and the persons, and the seconds that it took to make them."""
    paths = [os.path.join(folder, name + ".parquet") for name in ("household", "person")]
    took = os.path.join(folder, "seconds")
    if not os.path.exists(took):
        os.makedirs(folder, exist_ok=True)
        start = time.perf_counter()
        with duckdb.connect() as db:
            db.execute(f"set threads = {threads}")
            db.execute("set memory_limit = '6GB'")
            db.execute(f"set temp_directory = '{os.path.join(folder, 'spill')}'")
            db.execute(f"create table h as {HOUSEHOLD} from read_parquet('{files}/household.parquet')")
            out = "(format parquet, compression zstd, row_group_size 122880)"
            db.execute(f"copy (select * from h order by village, hid) to '{paths[0]}' {out}")
            # Persons come in the order of their households.
            join = f"from read_parquet('{files}/person.parquet') p join h on h.hid = substr(p.household_id, 2)::integer"
            db.execute(f"copy ({PERSON} {join} order by h.village, h.hid, pid) to '{paths[1]}' {out}")
        with open(took, "w") as file:
            file.write(f"{time.perf_counter() - start:.1f}")
    with open(took) as file:
        return paths, float(file.read())
