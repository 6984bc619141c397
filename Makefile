# Every command works from any directory and may be run again at any time.
# CARGO_TARGET_DIR set outside is respected; the demo's folder and size can be set:
#   make demo PERSONS=50000 YIKU_DEMO_DIR=/data/demo DEMO_ARGS="--listen 127.0.0.1:9000"

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
ifdef CARGO_TARGET_DIR
override CARGO_TARGET_DIR := $(abspath $(CARGO_TARGET_DIR))
else
CARGO_TARGET_DIR := $(ROOT)/target
endif
export CARGO_TARGET_DIR

PERSONS ?= 300000
YIKU_DEMO_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/yiku/demo
DEMO_ARGS ?=
# Where bench-write makes its Parquet files and its database, and for how many minutes it compacts.
BENCH_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/yiku/bench-write
MINUTES ?= 1

NATIVE := $(ROOT)/indexer/native
WEB := $(ROOT)/server/web
NATIVE_READY := $(NATIVE)/node_modules/.package-lock.json
WEB_READY := $(WEB)/node_modules/.package-lock.json
BROWSER := $(ROOT)/tests/browser
BROWSER_READY := $(BROWSER)/node_modules/.package-lock.json
OIDC := $(ROOT)/tests/oidc
OIDC_READY := $(OIDC)/node_modules/.package-lock.json
WEB_DIST := $(WEB)/dist/index.html
WEB_SOURCES := $(shell find '$(WEB)/src' '$(WEB)/public' -type f -not -name '*.test.ts') \
	$(addprefix $(WEB)/,index.html work.html public.html sign.html package.json package-lock.json tsconfig.json vite.config.ts)

RUST_LEAST := 1.95.0
NODE_LEAST := 20.19.0

say = @printf '\n== %s\n' $(1)
# older,FOUND,LEAST: succeeds when version FOUND is older than LEAST.
older = [ "$$(printf '%s\n' "$(1)" "$(2)" | sort -V | head -n 1)" != "$(2)" ]

.PHONY: help setup tools browser breakers native web build demo test lint deny bench bench-write bench-compare bench-check soak fuzz

help: ## what there is
	@echo 'make demo    build, generate a province, load it, serve it; prints the address'
	@echo 'make test    everything that is tested, page and browser included'
	@echo 'make lint    formatting, clippy and documentation without a warning, dependencies and licences if cargo-deny is there'
	@echo 'make bench   the benches'
	@echo 'make bench-write PERSONS=35000000 MINUTES=60    a province written to $(BENCH_DIR): loading, changes, compaction'
	@echo 'make bench-compare PERSONS=35000000    the same questions to this engine and to others; what it makes is kept in $(BENCH_DIR)'
	@echo 'make bench-check    the same at 3.5 million persons: fails where it is not so many times as fast as benches/compare/least.toml says'
	@echo 'make soak    the long reliability tests: hours; make fuzz: FUZZ_SECONDS of each fuzz target'
	@echo 'make build   the program only:' '$(CARGO_TARGET_DIR)/release/yiku'
	@echo 'make setup   everything the other commands need, the browser included'
	@echo 'make web     the page only; make deny: the dependency check, installed when missing'

setup: tools native $(WEB_READY) browser breakers $(BROWSER_READY) $(OIDC_READY) ## all that a fresh machine lacks

# The compilers. What the system's packages can bring is installed; the rest is said plainly.
tools:
	@need() { command -v "$$1" >/dev/null 2>&1; }; \
	install() { \
	  if need apt-get && [ "$$(id -u)" = 0 ]; then \
	    printf '\n== installing %s\n' "$$*"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$$@"; \
	  fi; }; \
	need cc || install build-essential; \
	need cc || { echo 'no C compiler: install one (Debian, Ubuntu: build-essential)' >&2; exit 1; }; \
	{ need node && need npm; } || install nodejs npm || true; \
	need cargo || { echo 'no cargo: install Rust $(RUST_LEAST) or newer (rustup.rs)' >&2; exit 1; }; \
	{ need node && need npm; } || { \
	  echo 'no node or npm: install Node.js $(NODE_LEAST) or newer (nodejs.org)' >&2; exit 1; }; \
	rust=$$(cargo --version | cut -d ' ' -f 2); \
	if $(call older,$$rust,$(RUST_LEAST)); then \
	  echo "cargo is $$rust, needed is $(RUST_LEAST) or newer: rustup update stable" >&2; exit 1; fi; \
	node=$$(node --version | tr -d v); \
	if $(call older,$$node,$(NODE_LEAST)); then \
	  echo "node is $$node, needed is $(NODE_LEAST) or newer" >&2; exit 1; fi

# Chromium and a Chinese font, for the tests that look at the page.
browser:
	@missing=(); \
	command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || \
	  command -v google-chrome >/dev/null 2>&1 || missing+=(chromium); \
	[ -n "$$(fc-list :lang=zh 2>/dev/null | head -n 1)" ] || missing+=(fontconfig fonts-noto-cjk); \
	if [ $${#missing[@]} -gt 0 ]; then \
	  if command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
	    printf '\n== installing %s\n' "$${missing[*]}"; \
	    apt-get update -qq; \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${missing[@]}"; \
	  else \
	    echo "the browser tests need: $${missing[*]}" >&2; \
	    echo 'install them (as root: apt-get install ...) and run this again' >&2; exit 1; \
	  fi; \
	fi

# What makes system calls fail and cuts file systems off, for tests of the engine on a real disk.
# They say what they could not try, where this is missing.
breakers:
	@missing=(); \
	command -v strace >/dev/null 2>&1 || missing+=(strace); \
	command -v mkfs.ext4 >/dev/null 2>&1 || [ -x /usr/sbin/mkfs.ext4 ] || missing+=(e2fsprogs); \
	command -v xfs_io >/dev/null 2>&1 || [ -x /usr/sbin/xfs_io ] || missing+=(xfsprogs); \
	if [ $${#missing[@]} -gt 0 ] && command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
	  printf '\n== installing %s\n' "$${missing[*]}"; \
	  apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${missing[@]}"; \
	fi

# DuckDB's shared library, pinned by the integrity hash in indexer/native/package-lock.json.
native: $(NATIVE_READY)

$(NATIVE_READY): $(NATIVE)/package.json $(NATIVE)/package-lock.json | tools
	$(call say,'DuckDB')
	@cd '$(NATIVE)' && npm ci --no-progress --loglevel=error && touch '$@'

$(WEB_READY): $(WEB)/package.json $(WEB)/package-lock.json | tools
	$(call say,'packages of the page')
	@cd '$(WEB)' && npm ci --no-progress --loglevel=error && touch '$@'

$(BROWSER_READY): $(BROWSER)/package.json $(BROWSER)/package-lock.json | tools
	$(call say,'packages of the browser tests')
	@cd '$(BROWSER)' && npm ci --no-progress --loglevel=error && touch '$@'

$(OIDC_READY): $(OIDC)/package.json $(OIDC)/package-lock.json | tools
	$(call say,'packages of the sign-in service for tests')
	@cd '$(OIDC)' && npm ci --no-progress --loglevel=error && touch '$@'

web: $(WEB_DIST)

$(WEB_DIST): $(WEB_SOURCES) $(WEB_READY)
	$(call say,'the page')
	@cd '$(WEB)' && npm run --silent build && touch '$@'

build: tools native web
	$(call say,'the program')
	@cd '$(ROOT)' && cargo build --release --locked -p yiku-server

demo: build
	$(call say,'the demo in $(YIKU_DEMO_DIR)')
	@'$(CARGO_TARGET_DIR)/release/yiku' demo --persons '$(PERSONS)' --dir '$(YIKU_DEMO_DIR)' $(DEMO_ARGS)

test: setup web
	$(call say,'tests of the page')
	@cd '$(WEB)' && npm test --silent
	$(call say,'tests of the program')
	@cd '$(ROOT)' && cargo test --release --locked --workspace
	$(call say,'tests in the browser')
	@cd '$(BROWSER)' && YIKU='$(CARGO_TARGET_DIR)/release/yiku' npm test --silent
	@$(MAKE) --no-print-directory -f '$(ROOT)/Makefile' fuzz FUZZ_SECONDS=5

lint: tools native web
	@cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 || \
	  rustup component add rustfmt clippy
	$(call say,'formatting')
	@cd '$(ROOT)' && cargo fmt --all --check
	$(call say,'clippy')
	@cd '$(ROOT)' && cargo clippy --release --locked --workspace --all-targets -- -D warnings
	$(call say,'documentation of the engine')
	@cd '$(ROOT)' && RUSTDOCFLAGS='-D warnings' cargo doc --release --locked --no-deps -p yiku
	@if command -v cargo-deny >/dev/null 2>&1; then \
	  $(MAKE) --no-print-directory -f '$(ROOT)/Makefile' deny; \
	else echo 'licences and dependencies not checked: cargo-deny is not installed (make deny installs it)'; fi

deny: tools
	$(call say,'licences and dependencies')
	@command -v cargo-deny >/dev/null 2>&1 || cargo install cargo-deny --locked
	@cd '$(ROOT)' && cargo deny --all-features check licenses bans sources

bench: tools native web
	$(call say,'benches')
	@cd '$(ROOT)' && cargo bench --locked -p yiku-benches

# The Parquet files are made once for a number of persons; the database is loaded anew each time.
bench-write: tools native
	$(call say,'a province of $(PERSONS) persons as Parquet')
	@cd '$(ROOT)' && cargo build --release --locked -p yiku-benches --examples
	@files='$(BENCH_DIR)/$(PERSONS)'; run='$(CARGO_TARGET_DIR)/release/examples'; \
	[ -f "$$files/places.csv" ] || "$$run/parquet" "$$files" '$(PERSONS)'; \
	rm -rf '$(BENCH_DIR)/db'; \
	printf '\n== loading\n'; "$$run/load" "$$files" '$(BENCH_DIR)/db'; \
	printf '\n== changes and compaction\n'; "$$run/write" '$(BENCH_DIR)/db' '$(MINUTES)'

# The other engines come from Python packages of pinned versions; nothing of them is in the program.
COMPARE := $(ROOT)/benches/compare
COMPARE_PYTHON := $(BENCH_DIR)/venv/bin/python
COMPARE_READY := $(BENCH_DIR)/venv/requirements.txt
COMPARE_ARGS ?=
# The size of bench-check, unless one is given.
CHECKED := $(if $(filter command line environment,$(origin PERSONS)),$(PERSONS),3500000)

$(COMPARE_READY): $(COMPARE)/requirements.txt
	@python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || { \
	  if command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
	    printf '\n== installing %s\n' 'python3 python3-venv'; \
	    apt-get update -qq; \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv; \
	  else echo 'no Python with venv: install one (Debian, Ubuntu: python3 python3-venv)' >&2; exit 1; fi; }
	$(call say,'the other engines')
	@rm -rf '$(BENCH_DIR)/venv' && python3 -m venv '$(BENCH_DIR)/venv' && \
	  '$(COMPARE_PYTHON)' -m pip install --quiet --disable-pip-version-check --requirement '$<' && cp '$<' '$@'

# compare,PERSONS,MORE: the files and the tables of all engines are made once for a number of persons.
define compare
	$(call say,'a province of $(1) persons asked by all engines')
	@cd '$(ROOT)' && cargo build --release --locked -p yiku-benches --examples
	@files='$(BENCH_DIR)/$(1)'; run='$(CARGO_TARGET_DIR)/release/examples'; \
	[ -f "$$files/places.csv" ] || "$$run/parquet" "$$files" '$(1)'; \
	"$$run/compare" "$$files" "$$files/db" "$$files/others" --python '$(COMPARE_PYTHON)' \
	  --out "$$files/compare.jsonl" $(2) $(COMPARE_ARGS)
endef

bench-compare: tools native $(COMPARE_READY)
	$(call compare,$(PERSONS),)

bench-check: tools native $(COMPARE_READY)
	$(call compare,$(CHECKED),--least '$(COMPARE)/least.toml')

# How long, and how much of it; `make test` does a little of each.
SOAK_SECONDS ?= 3600
FUZZ_SECONDS ?= 3600
RELIABILITY := cargo test --release --locked -p yiku-tests

soak: tools native breakers
	$(call say,'sequences against a model')
	@cd '$(ROOT)' && YIKU_SEQUENCES=10000 $(RELIABILITY) --test model -- --nocapture
	$(call say,'kills and faults and cut off file systems')
	@cd '$(ROOT)' && YIKU_KILLS=300 YIKU_CUTS=100 YIKU_FAULTS_EVERY=1 \
	  $(RELIABILITY) --test process -- --nocapture
	$(call say,'every byte changed and every file cut short')
	@cd '$(ROOT)' && YIKU_THOROUGH=1 $(RELIABILITY) --test corruption -- --nocapture
	$(call say,'stops and faults in every operation')
	@cd '$(ROOT)' && YIKU_THOROUGH=1 $(RELIABILITY) --test crash -- --nocapture
	$(call say,'everything at once')
	@cd '$(ROOT)' && YIKU_SOAK_SECONDS='$(SOAK_SECONDS)' $(RELIABILITY) --test soak -- --nocapture

# libFuzzer over the engine with counters in every branch: what cargo-fuzz would say to the
# compiler, so that the stable one does.
FUZZ := $(ROOT)/tests/fuzz
FUZZ_TARGET := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
FUZZ_FLAGS := --cfg fuzzing -Cpasses=sancov-module \
	-Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
	-Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares
FUZZ_LIMITS := -rss_limit_mb=2048 -malloc_limit_mb=512 -timeout=20 -print_final_stats=1 -verbosity=0

fuzz: tools
	$(call say,'fuzz targets for $(FUZZ_SECONDS) s each')
	@cd '$(FUZZ)' && RUSTFLAGS='$(FUZZ_FLAGS)' CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)/fuzz' \
	  cargo build --release --locked --target '$(FUZZ_TARGET)'
	@cd '$(FUZZ)' && for target in open predicate question; do \
	  mkdir -p "corpus/$$target" "artifacts/$$target"; seeds=''; \
	  if [ $$target = question ]; then seeds='$(ROOT)/fixtures/queries'; fi; \
	  '$(CARGO_TARGET_DIR)/fuzz/$(FUZZ_TARGET)/release/'"$$target" "corpus/$$target" $$seeds \
	    -artifact_prefix="artifacts/$$target/" -max_len=1024 \
	    -max_total_time='$(FUZZ_SECONDS)' $(FUZZ_LIMITS); done
