-- Portable DDL. {rowkey} {bytes} {folded} {clustered} differ by engine.

CREATE TABLE store (
    one        BIGINT PRIMARY KEY CHECK (one = 1),
    id         TEXT NOT NULL,
    schema     BIGINT NOT NULL,
    origin     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    frozen_for TEXT NOT NULL DEFAULT '', -- why it is frozen
    moved_to   TEXT NOT NULL DEFAULT ''  -- where it moves, or has moved to
);

CREATE TABLE policy (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) {clustered};

CREATE TABLE account (
    n                  {rowkey} PRIMARY KEY,
    id                 TEXT NOT NULL UNIQUE,
    username           TEXT NOT NULL,
    username_key       TEXT {folded} NOT NULL UNIQUE,
    email              TEXT NOT NULL,
    email_key          TEXT {folded} NOT NULL UNIQUE,
    name               TEXT NOT NULL,
    phone              TEXT NOT NULL,
    role               TEXT NOT NULL,
    status             TEXT NOT NULL,
    auth               TEXT NOT NULL,
    protected          BIGINT NOT NULL,
    toggle             BIGINT NOT NULL,
    contact_changed_at BIGINT NOT NULL,
    contact_changed_by TEXT NOT NULL,
    password_hash      TEXT NOT NULL,
    password_misses    BIGINT NOT NULL,
    password_until     BIGINT NOT NULL,
    password_told      BIGINT NOT NULL,
    code_misses        BIGINT NOT NULL,
    code_until         BIGINT NOT NULL,
    code_told          BIGINT NOT NULL,
    reset_at           BIGINT NOT NULL,
    reset_by           TEXT NOT NULL,
    reset_seen         BIGINT NOT NULL,
    held_at            BIGINT NOT NULL,
    window_at          BIGINT NOT NULL,
    told               BIGINT NOT NULL,
    last_success_at    BIGINT NOT NULL,
    failure_at         BIGINT NOT NULL,
    failure_reason     TEXT NOT NULL,
    failure_host       TEXT NOT NULL,
    version            BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL
);
-- The few accounts that lists are filtered down to.
CREATE INDEX account_role ON account (role, username_key) WHERE role <> 'user';
CREATE INDEX account_protected ON account (username_key) WHERE protected = 1;
CREATE INDEX account_inactive ON account (username_key) WHERE status = 'inactive';
CREATE INDEX account_reset ON account (reset_at) WHERE reset_at > 0;

-- The folded name from each of its words on, so that any word finds it, and
-- the folded email where it is another than the email's key.
CREATE TABLE account_word (
    word TEXT {folded} NOT NULL,
    n    BIGINT NOT NULL,
    PRIMARY KEY (word, n)
) {clustered};

-- An account has at most one enrolment of each state.
CREATE TABLE enrolment (
    user_id      TEXT NOT NULL REFERENCES account (id),
    state        TEXT NOT NULL CHECK (state IN ('pending', 'enrolled')),
    id           TEXT NOT NULL UNIQUE,
    sealed       TEXT NOT NULL,
    last_step    BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    enrolled_at  BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    code_id      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (user_id, state)
) {clustered};

-- The code without which an account does not enrol, dead or alive.
CREATE TABLE enrolment_code (
    user_id    TEXT PRIMARY KEY REFERENCES account (id),
    id         TEXT NOT NULL UNIQUE,
    hash       TEXT NOT NULL,
    tries      BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) {clustered};

CREATE TABLE recovery_code (
    enrolment_id TEXT NOT NULL REFERENCES enrolment (id) ON DELETE CASCADE,
    hash         {bytes} NOT NULL,
    PRIMARY KEY (enrolment_id, hash)
) {clustered};

CREATE TABLE session (
    id           TEXT PRIMARY KEY,
    hash         {bytes} NOT NULL UNIQUE,
    user_id      TEXT NOT NULL REFERENCES account (id),
    purpose      TEXT NOT NULL,
    stage        TEXT NOT NULL,
    host         TEXT NOT NULL,
    ip           TEXT NOT NULL,
    app          TEXT NOT NULL,
    code_id      TEXT NOT NULL,
    signed_in_at BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
) {clustered};
CREATE INDEX session_account ON session (user_id);
CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE token (
    id           TEXT PRIMARY KEY,
    hash         {bytes} NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    user_id      TEXT NOT NULL REFERENCES account (id),
    role         TEXT NOT NULL,
    allow        TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    revoked_at   BIGINT NOT NULL
) {clustered};

-- What a second operator is, or was, asked to approve. mark is the account's
-- enrolment as it was asked for; code_hash an enrolment code to come in force.
CREATE TABLE approval (
    id            TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES account (id),
    requester_id  TEXT NOT NULL REFERENCES account (id),
    mark          TEXT NOT NULL,
    run           TEXT NOT NULL,
    reason        TEXT NOT NULL,
    ticket        TEXT NOT NULL,
    verified_by   TEXT NOT NULL,
    keep_sessions BIGINT NOT NULL,
    hold          BIGINT NOT NULL,
    code_hash     TEXT NOT NULL,
    code_until    BIGINT NOT NULL,
    requested_at  BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'rejected')),
    decider_id    TEXT NOT NULL,
    decided_at    BIGINT NOT NULL,
    reset_seq     BIGINT NOT NULL
) {clustered};
CREATE INDEX approval_requested ON approval (requested_at);
CREATE INDEX approval_decided ON approval (decider_id, decided_at) WHERE decided_at > 0;

-- What an actor's request answered, for a retry of it.
CREATE TABLE request (
    actor      TEXT NOT NULL,
    command    TEXT NOT NULL,
    id         TEXT NOT NULL,
    batch      BIGINT NOT NULL,
    digest     {bytes} NOT NULL,
    result     {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (actor, command, id, batch)
) {clustered};
CREATE INDEX request_created ON request (created_at);

-- The audit log. bytes is the event; the other columns are an index over it.
CREATE TABLE event (
    seq             {rowkey} PRIMARY KEY,
    id              TEXT NOT NULL,
    at              BIGINT NOT NULL,
    action          TEXT NOT NULL,
    outcome         TEXT NOT NULL,
    code            TEXT NOT NULL,
    actor_kind      TEXT NOT NULL,
    actor_id        TEXT NOT NULL,
    actor_username  TEXT NOT NULL,
    actor_name      TEXT NOT NULL,
    actor_for       TEXT NOT NULL,
    target_id       TEXT NOT NULL,
    target_username TEXT NOT NULL,
    request_id      TEXT NOT NULL,
    bytes           {bytes} NOT NULL
);
CREATE INDEX event_at ON event (at, seq);
CREATE INDEX event_action ON event (action, seq);
CREATE INDEX event_target ON event (target_id, seq);
CREATE INDEX event_actor ON event (actor_id, seq);
CREATE INDEX event_for ON event (actor_for, seq) WHERE actor_for <> '';
CREATE INDEX event_outcome ON event (outcome, seq) WHERE outcome <> 'success';
CREATE INDEX event_request ON event (request_id, seq) WHERE request_id <> '';

CREATE TABLE log_hash (
    idx  {rowkey} PRIMARY KEY,
    hash {bytes} NOT NULL
);

-- closed stands here because a writer sees this row, and no other, as it is when
-- its turn comes: 1 is frozen, 2 being moved, 4 moved.
CREATE TABLE log_head (
    one    BIGINT PRIMARY KEY CHECK (one = 1),
    turn   BIGINT NOT NULL,
    size   BIGINT NOT NULL,
    root   {bytes} NOT NULL,
    closed BIGINT NOT NULL DEFAULT 0
);

-- The proofs that lead from a signing key which was retired to the one after it.
CREATE TABLE handover (
    retired TEXT PRIMARY KEY, -- the key, as people see it
    proof   TEXT NOT NULL
);

-- Who cosigns checkpoints of the log, and the newest one each did.
CREATE TABLE witness (
    name     TEXT PRIMARY KEY,
    url      TEXT NOT NULL,
    vkey     TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    at       BIGINT NOT NULL, -- of the note, 0 for none
    note     TEXT NOT NULL
);

-- Where else checkpoints went, and the newest one there.
CREATE TABLE anchor (
    place TEXT PRIMARY KEY,
    at    BIGINT NOT NULL,
    note  TEXT NOT NULL
);

-- The last checkpoint of the log that was signed.
CREATE TABLE checkpoint (
    one  BIGINT PRIMARY KEY CHECK (one = 1),
    size BIGINT NOT NULL,
    at   BIGINT NOT NULL,
    note TEXT NOT NULL
);
