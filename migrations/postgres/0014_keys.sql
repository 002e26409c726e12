-- +goose Up
-- What is known of a key besides the key, which stands in the key file alone. A row is a key that
-- nothing may be sealed (or, of session keys, needs to be signed) with any more.
CREATE TABLE key_states (
    kind       TEXT COLLATE "C" NOT NULL CHECK (kind IN ('seal', 'session')),
    name       TEXT COLLATE "C" NOT NULL,
    -- What values begin with that it sealed; empty for a session key.
    prefix     BYTEA NOT NULL,
    closed_at  BIGINT NOT NULL,
    -- Since when nothing depends on it.
    retired_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, name)
);

-- The processes that serve, and which keys each of them can use.
CREATE TABLE key_nodes (
    id       TEXT COLLATE "C" PRIMARY KEY,
    name     TEXT COLLATE "C" NOT NULL,
    seal     TEXT COLLATE "C" NOT NULL,
    sealing  TEXT COLLATE "C" NOT NULL,
    sessions TEXT COLLATE "C" NOT NULL,
    since    BIGINT NOT NULL,
    seen_at  BIGINT NOT NULL
);

-- Sealed tokens are few beside all others; this finds those of one key.
CREATE INDEX tokens_by_key ON tokens (substr(sealed, 1, 5), id) WHERE sealed IS NOT NULL;

INSERT INTO schema_compatibility (version, oldest) VALUES (14, 11);
