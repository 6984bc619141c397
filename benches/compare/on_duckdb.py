"""DuckDB in process: native tables in a file, sorted by place, an index on each key."""

import json
import os
import time

import duckdb
import flat
import rivals

MACROS = {
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
        self.db = self.open(path, threads, read_only=True)
        with open(told) as file:
            loaded = json.load(file)
        self.texts = rivals.texts(["common", "duckdb"], rivals.sql_macros(words, **MACROS))
        self.ready = {
            "version": duckdb.__version__,
            "licence": "MIT",
            "layout": "native tables in a file, sorted by place; sets as bits; an ART index on each key",
            "disk_bytes": rivals.size(path),
            **loaded,
        }

    @staticmethod
    def open(path, threads, read_only):
        db = duckdb.connect(path, read_only=read_only)
        db.execute(f"set threads = {threads}")
        db.execute("set memory_limit = '8GB'")
        db.execute("set preserve_insertion_order = true")
        return db

    def load(self, path, household, person, threads):
        db = self.open(path, threads, read_only=False)
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
        return self.db.execute(self.texts[question]).to_arrow_table()

    def rows(self, answer):
        return rivals.rows_of(answer)

