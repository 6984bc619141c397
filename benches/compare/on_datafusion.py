"""DataFusion: tables in memory in the order of places, in a part for each thread; a place or a key
is looked for in Parquet, whose row groups it leaves out by their least and greatest values."""

import os
import re
import time

import datafusion
import flat
import pyarrow as pa
import pyarrow.parquet as pq
import rivals

KEPT = (
    "pid hid city county township village urban name birth_date sex relation employment disability_grade "
    "disability_since monthly_income medical_paid insured_until checked_on aids marks"
).split()
BATCH = 65_536
# What is looked for in Parquet.
PLACED = re.compile(r"\b(county|township|pid|hid) = \d")
TYPES = {"marks": "int unsigned", "aids": "smallint unsigned"}


class Masked(str):
    """A part of a text with the mask of a set in the type of its column."""

    def format(self, column, bits):
        return f"({column} & cast({bits} as {TYPES[column]}))"


def pairs(condition):
    """How many have both of two flags: from how many have each set of flags."""
    return (
        f"with g as (select marks, count(*) as n from person where {condition} and marks <> 0 group by marks) "
        "select i, j, sum(n) from pair join g on (marks & bits) = bits group by i, j"
    )


MACROS = {
    "pairs": pairs,
    "div": lambda rest: "({} / {})".format(*rest.split()),
    "year": lambda day: f"date_part('year', {day})",
    "month": lambda day: f"date_part('month', {day})",
    "person_id": lambda key: f"concat('P', lpad(cast({key} as varchar), 10, '0'))",
    "household_id": lambda key: f"concat('H', lpad(cast({key} as varchar), 10, '0'))",
}


class Engine:
    def __init__(self, files, store, threads, words):
        (household, person), _ = flat.make(files, os.path.join(os.path.dirname(store), "flat"), threads)
        config = datafusion.SessionConfig().with_target_partitions(threads)
        self.context = datafusion.SessionContext(config)
        for word in ("pushdown_filters", "reorder_filters"):
            config = config.set(f"datafusion.execution.parquet.{word}", "true")
        self.kept = datafusion.SessionContext(config)
        self.kept.register_parquet("household", household)
        self.kept.register_parquet("person", person)
        start = time.perf_counter()
        self.register("household", pq.read_table(household), threads)
        self.register("person", pq.read_table(person, columns=KEPT), threads)
        loaded = time.perf_counter() - start
        pa.default_memory_pool().release_unused()
        marks = len(rivals.MARKS)
        both = [(low, high, 1 << low | 1 << high) for low in range(marks) for high in range(low, marks)]
        columns = [pa.array(column, kind) for column, kind in zip(zip(*both), (pa.int32(), pa.int32(), pa.uint32()))]
        pairs_of = pa.table(columns, names=["i", "j", "bits"])
        self.register("pair", pairs_of, 1)
        self.kept.register_record_batches("pair", [pairs_of.to_batches()])
        self.texts = rivals.texts(
            ["shared", "datafusion"], rivals.sql_macros(words, bit_and=Masked(), **MACROS)
        )
        self.ready = {
            "version": datafusion.__version__,
            "licence": "Apache-2.0",
            "layout": "tables in memory sorted by place, in a part for each thread, and Parquet for places and keys; sets as bits",
            "load_s": round(loaded, 1),
            "index_s": 0,
            "disk_bytes": "-",
        }

    def register(self, name, table, parts):
        rows = -(-table.num_rows // parts)
        batches = [table.slice(part * rows, rows).combine_chunks().to_batches(BATCH) for part in range(parts)]
        self.context.register_record_batches(name, batches)

    def answer(self, question):
        text = self.texts[question]
        frame = (self.kept if PLACED.search(text) else self.context).sql(text)
        return pa.Table.from_batches(frame.collect(), frame.schema())

    def rows(self, answer):
        return rivals.rows_of(answer)
