-- +goose Up
-- What is known of a key besides the key, which stands in the key file alone. A row is a key that
-- nothing may be sealed (or, of session keys, needs to be signed) with any more.
CREATE TABLE key_states (
    kind       TEXT NOT NULL CHECK (kind IN ('seal', 'session')),
    name       TEXT NOT NULL,
    -- What values begin with that it sealed; empty for a session key.
    prefix     BLOB NOT NULL,
    closed_at  INTEGER NOT NULL,
    -- Since when nothing depends on it.
    retired_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- The processes that serve, and which keys each of them can use.
CREATE TABLE key_nodes (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    seal     TEXT NOT NULL,
    sealing  TEXT NOT NULL,
    sessions TEXT NOT NULL,
    since    INTEGER NOT NULL,
    seen_at  INTEGER NOT NULL
) STRICT;

-- Sealed tokens are few beside all others; this finds those of one key.
CREATE INDEX tokens_by_key ON tokens (substr(sealed, 1, 5), id) WHERE sealed IS NOT NULL;

INSERT INTO schema_compatibility (version, oldest) VALUES (14, 11);
