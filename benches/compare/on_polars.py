"""Polars: two frames in memory in the order of places, every code of a set a column of bits.

What an expert makes of the order: places, keys and places of households are told to be sorted, so
that the rows of a place or a key are found by searching twice and a grouping by them is of runs.
Persons carry the row of their household, so that a household is taken by its row, not joined.
"""

import os
import time

import flat
import rivals

KEPT = (
    "pid hid city county township village urban name birth_date sex relation employment disability_grade "
    "disability_since monthly_income medical_paid insured_until checked_on aids marks"
).split()


class Engine:
    def __init__(self, files, store, threads, words):
        os.environ["POLARS_MAX_THREADS"] = str(threads)
        # Read when it is first imported.
        import polars as pl

        import polar_questions

        (household, person), _ = flat.make(files, os.path.join(os.path.dirname(store), "flat"), threads)
        start = time.perf_counter()
        homes = pl.read_parquet(household).with_row_index("row")
        persons = pl.read_parquet(person, columns=KEPT)
        persons = persons.with_columns(row=homes["hid"].search_sorted(persons["hid"]).cast(pl.UInt32))
        bits = [
            (pl.col(column).fill_null(0) & rivals.mask(column, name) != 0).alias(name)
            for column, names in rivals.SETS.items()
            for name in names
        ]
        # A code column of few rows, or of half of them, is asked as bits too.
        own = [
            pl.col("marks").is_not_null().alias("known"),
            (pl.col("aids") == 0).alias("unaided"),
            (pl.col("sex") == 2).alias("female"),
            (pl.col("employment") <= 3).fill_null(False).alias("at_work"),
            pl.col("disability_grade").is_not_null().alias("disabled"),
            (pl.col("disability_grade") <= 2).fill_null(False).alias("severely"),
        ]
        persons = persons.with_columns(bits + own)
        ordered = ["hid", "city", "county", "township", "village"]
        homes = homes.with_columns(pl.col(ordered + ["row"]).set_sorted())
        persons = persons.with_columns(pl.col(ordered + ["pid", "row"]).set_sorted())
        loaded = time.perf_counter() - start
        self.questions = polar_questions.Questions(persons, homes, words)
        self.ready = {
            "version": pl.__version__,
            "licence": "MIT",
            "layout": "frames in memory sorted by place; codes of sets as bits; rows of households in persons",
            "load_s": round(loaded, 1),
            "index_s": 0,
            "disk_bytes": "-",
            "memory_bytes": persons.estimated_size() + homes.estimated_size(),
        }

    def answer(self, question):
        return self.questions.answer(question)

    def rows(self, answer):
        return [[rivals.plain(value) for value in row] for row in answer.rows()]
