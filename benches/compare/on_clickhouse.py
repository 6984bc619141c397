"""ClickHouse in process (chdb): MergeTree tables in the order of places and households, with the
least and greatest key of each granule; no column may be null where a 0 can say it."""

import json
import os
import re
import shutil
import time

import flat
import rivals
from chdb import session

ORDER = "(city, county, township, village, hid{})"
HOUSEHOLD = """
 hid UInt32, city UInt16, county UInt32, township UInt32, village UInt64, urban Bool, address String,
 members UInt8, income Nullable(Int32), cause UInt8, housing_grade UInt8, registered_on Date,
 index keys hid type minmax granularity 1
"""
PERSON = """
 pid UInt32, hid UInt32, city UInt16, county UInt32, township UInt32, village UInt64, urban Bool,
 name String, id_number String, birth_date Date32, sex UInt8, ethnicity UInt8, relation UInt8,
 marital UInt8, education UInt8, labour_ability UInt8, employment UInt8, school_stage UInt8,
 disability_type UInt8, disability_grade UInt8, disability_since Date, monthly_income Nullable(Int32),
 medical_paid Nullable(Int32), pension Nullable(Int32), insured_until UInt16, checked_on Date,
 aids UInt16, marks UInt32, known Bool,
 index keys pid type minmax granularity 1, index homes hid type minmax granularity 1
"""


def pairs(condition):
    """How many have both of two flags: from how many have each set of flags."""
    return (
        f"with g as (select marks, count() as n from person where {condition} and marks <> 0 group by marks) "
        "select i, j, sum(n) from (select n, bitPositionsToArray(marks) as l, arrayJoin(l) as i, "
        "arrayJoin(arrayFilter(x -> x >= i, l)) as j from g) group by i, j"
    )


MACROS = {
    "pairs": pairs,
    "div": lambda rest: "intDiv({}, {})".format(*rest.split()),
    "person_id": lambda key: f"concat('P', leftPad(toString({key}), 10, '0'))",
    "household_id": lambda key: f"concat('H', leftPad(toString({key}), 10, '0'))",
    "disabled": lambda _: "disability_grade <> 0",
    "severely": lambda _: "disability_grade between 1 and 2",
    "at_work": lambda _: "employment between 1 and 3",
    "distinct": lambda rest: f"uniqExact({rest})",
}


class Engine:
    def __init__(self, files, store, threads, words):
        (household, person), _ = flat.make(files, os.path.join(os.path.dirname(store), "flat"), threads)
        told = os.path.join(store, "loaded.json")
        kept = os.path.join(store, "tables")
        fresh = not os.path.exists(told)
        if fresh:
            shutil.rmtree(kept, ignore_errors=True)
        self.session = session.Session(kept)
        self.query(f"set max_threads = {threads}")
        self.query("create database if not exists province")
        self.query("use province")
        if fresh:
            loaded = self.load(household, person, threads)
            with open(told, "w") as file:
                json.dump(loaded, file)
        with open(told) as file:
            loaded = json.load(file)
        macros = rivals.sql_macros(words, bit_and="bitAnd({0}, {1})", count="countIf({0})", **MACROS)
        # A literal of the type Date begins with the year 1970.
        self.texts = {
            name: re.sub(r"date ('[0-9-]+')", r"toDate32(\1)", text)
            for name, text in rivals.texts(["shared", "clickhouse"], macros).items()
        }
        self.ready = {
            "version": "{} (ClickHouse {})".format(
                __import__("chdb").__version__, self.query("select version() as v")["v"][0].as_py()
            ),
            "licence": "Apache-2.0",
            "layout": "MergeTree sorted by place and household; sets as bits; least and greatest key of each granule",
            "disk_bytes": rivals.size(kept),
            **loaded,
        }

    def query(self, text):
        return self.session.query(text, "ArrowTable")

    def load(self, household, person, threads):
        start = time.perf_counter()
        for name, columns, path, more in [("household", HOUSEHOLD, household, ""), ("person", PERSON, person, ", pid")]:
            order = ORDER.format(more)
            self.query(f"create table province.{name} ({columns}) engine = MergeTree order by {order}")
            names = [line.split()[0] for line in columns.replace("\n", "").split(", ") if "index" not in line]
            known = {"known": "isNotNull(marks) as known"}
            values = ", ".join(known.get(name, name) for name in names)
            self.query(
                f"insert into province.{name} ({', '.join(names)}) select {values} from file('{path}', Parquet) "
                "settings input_format_null_as_default = 1, max_insert_threads = 1"
            )
        loaded = time.perf_counter()
        for name in ("household", "person"):
            self.query(f"optimize table province.{name} final")
        merged = time.perf_counter()
        return {"load_s": round(loaded - start, 1), "index_s": round(merged - loaded, 1)}

    def answer(self, question):
        return self.query(self.texts[question])

    def rows(self, answer):
        return rivals.rows_of(answer)
