-- Case-work, format 1. In the clear: numbers, kinds, states, regions, times, levels, blind indexes,
-- digests, department codes. All else is sealed (SM4-GCM) beside the version of its key.

CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    key INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE cases (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    region TEXT NOT NULL,
    version INTEGER NOT NULL,
    owner TEXT,
    author TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    due_on TEXT,
    level TEXT,
    departments TEXT NOT NULL,
    key INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX cases_by_region ON cases (region, kind, state);
CREATE INDEX cases_by_owner ON cases (owner) WHERE owner IS NOT NULL;
CREATE INDEX cases_by_author ON cases (author);
CREATE INDEX cases_by_change ON cases (changed_at, id);

-- Blind indexes under which a case is found: of ID numbers, names, phones, the household.
CREATE TABLE found_by (
    tag TEXT NOT NULL,
    case_id TEXT NOT NULL REFERENCES cases (id),
    PRIMARY KEY (tag, case_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX found_by_case ON found_by (case_id);

CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    case_id TEXT NOT NULL REFERENCES cases (id) DEFERRABLE INITIALLY DEFERRED,
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    region TEXT NOT NULL,
    level TEXT,
    departments TEXT NOT NULL,
    owner TEXT,
    author TEXT NOT NULL,
    account TEXT NOT NULL,
    command TEXT NOT NULL,
    state TEXT NOT NULL,
    key INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (case_id, version)
) STRICT;
CREATE INDEX event_by_region ON event (region, kind, state);
CREATE TRIGGER event_is_kept BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
CREATE TRIGGER event_is_fixed BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;

CREATE TABLE command (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    case_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    case_id TEXT NOT NULL,
    at TEXT NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    key INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE TRIGGER outbox_is_kept BEFORE DELETE ON outbox
BEGIN SELECT RAISE(ABORT, 'what was to be told is never deleted'); END;

CREATE TABLE payment (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    case_id TEXT NOT NULL,
    region TEXT NOT NULL,
    owner TEXT,
    aid TEXT NOT NULL,
    amount INTEGER NOT NULL,
    once INTEGER NOT NULL,
    first_month TEXT NOT NULL,
    last_month TEXT,
    code TEXT NOT NULL
) STRICT;
CREATE INDEX payment_by_case ON payment (case_id);
CREATE INDEX payment_by_region ON payment (region);

CREATE TABLE raised (
    rule TEXT NOT NULL,
    household TEXT NOT NULL,
    period TEXT NOT NULL,
    on_day TEXT NOT NULL,
    case_id TEXT NOT NULL,
    PRIMARY KEY (rule, household, period)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitation (
    code TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    account TEXT NOT NULL,
    until TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    used_at TEXT,
    key INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_by_person ON invitation (person);

CREATE TABLE attachment (
    digest TEXT PRIMARY KEY,
    media TEXT NOT NULL,
    size INTEGER NOT NULL,
    account TEXT NOT NULL,
    at TEXT NOT NULL,
    key INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Each row's digest covers the row and the digest before it; the head carries the platform's code.
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    role TEXT NOT NULL,
    ip TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    result TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    key INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    previous TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT;
CREATE INDEX journal_by_object ON journal (object);
CREATE TRIGGER journal_is_kept BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is never deleted'); END;
CREATE TRIGGER journal_is_fixed BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is never changed'); END;
CREATE TABLE journal_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL,
    digest TEXT NOT NULL,
    code TEXT NOT NULL
) STRICT;

-- A login name stays here when its account is disabled, so that it is never given again.
CREATE TABLE account (
    id TEXT PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    role TEXT,
    scope TEXT NOT NULL,
    department TEXT,
    person TEXT UNIQUE,
    state TEXT NOT NULL,
    must_change INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    seen_at TEXT,
    code TEXT NOT NULL,
    key INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE password (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL REFERENCES account (id),
    at TEXT NOT NULL,
    salt BLOB NOT NULL,
    cost TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX password_by_account ON password (account, seq);

CREATE TABLE failure (
    login TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    last_at TEXT NOT NULL,
    until TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE identity (
    subject TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    token TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    started_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    ip TEXT NOT NULL,
    only TEXT
) STRICT;
CREATE INDEX session_by_account ON session (account, started_at);
