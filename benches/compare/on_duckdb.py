"""DuckDB in process: native tables in a file, sorted by place, an index on each key."""

import json
import os
import time

import duckdb
import flat
import rivals
# The columns of persons that are kept in memory.
ASKED = (
    "pid hid city county township village urban birth_date sex employment disability_grade disability_since "
    "monthly_income medical_paid insured_until checked_on aids marks"
).split()


def pairs(condition):
    """How many have both of two flags: from how many have each set of flags."""
    return (
        f"with g as materialized (select marks, count(*) as n from person where {condition} and marks <> 0 "
        "group by marks), b as (select i, j, ((1::uinteger << i) | (1::uinteger << j))::uinteger as pair "
        "from range(32) a(i), range(32) b(j) where i <= j) "
        "select i, j, sum(n) from b join g on (marks & pair) = pair group by i, j"
    )


MACROS = {
    "pairs": pairs,
    "materialized": lambda _: "materialized",
    "div": lambda rest: "({} // {})".format(*rest.split()),
    "person_id": lambda key: f"printf('P%010d', {key})",
    "household_id": lambda key: f"printf('H%010d', {key})",
}


class Engine:
    def __init__(self, files, store, threads, words):
        (household, person), _ = flat.make(files, os.path.join(os.path.dirname(store), "flat"), threads)
        path = os.path.join(store, "province.duckdb")
        told = os.path.join(store, "loaded.json")
        if not os.path.exists(told):
            if os.path.exists(path):
                os.remove(path)
            loaded = self.load(path, household, person, threads)
            with open(told, "w") as file:
                json.dump(loaded, file)
        # Tables in memory answer a little faster than those of the file, which has the indexes.
        self.db = self.open(":memory:", threads)
        self.db.execute(f"attach '{path}' as kept (read_only)")
        self.db.execute("create table household as select * exclude (address) from kept.household")
        self.db.execute(f"create table person as select {', '.join(ASKED)} from kept.person")
        with open(told) as file:
            loaded = json.load(file)
        self.texts = rivals.texts(["shared", "duckdb"], rivals.sql_macros(words, **MACROS))
        self.ready = {
            "version": duckdb.__version__,
            "licence": "MIT",
            "layout": "native tables sorted by place, copied into memory; sets as bits; an ART index on each key in the file",
            "disk_bytes": rivals.size(path),
            **loaded,
        }

    @staticmethod
    def open(path, threads):
        db = duckdb.connect(path)
        db.execute(f"set threads = {threads}")
        db.execute("set memory_limit = '8GB'")
        db.execute("set preserve_insertion_order = true")
        return db

    def load(self, path, household, person, threads):
        db = self.open(path, threads)
        start = time.perf_counter()
        db.execute(f"create table household as from read_parquet('{household}')")
        db.execute(f"create table person as from read_parquet('{person}')")
        db.execute("checkpoint")
        loaded = time.perf_counter()
        db.execute("create unique index household_key on household (hid)")
        db.execute("create unique index person_key on person (pid)")
        db.execute("create index person_household on person (hid)")
        db.execute("checkpoint")
        indexed = time.perf_counter()
        db.close()
        return {"load_s": round(loaded - start, 1), "index_s": round(indexed - loaded, 1)}

    def answer(self, question):
        return self.db.sql(self.texts[question]).to_arrow_table()

    def rows(self, answer):
        return rivals.rows_of(answer)

