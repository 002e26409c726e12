-- +goose Up
-- What ends soon is few beside all tokens: of everybody for those who are told, of a team for its pages.
CREATE INDEX tokens_ending ON tokens (expires_at) WHERE kind = 'manual' AND revoked_at = 0;
CREATE INDEX tokens_ending_by_team ON tokens (team_id, expires_at) WHERE kind = 'manual' AND revoked_at = 0;
CREATE INDEX client_secrets_ending ON client_secrets (expires_at) WHERE expires_at <> 0;

-- That people were told that something ends: one row for each mark, however many
-- processes look and however often.
CREATE TABLE warnings (
    object_id TEXT NOT NULL,
    mark      INTEGER NOT NULL,
    ends_at   INTEGER NOT NULL,
    told_at   INTEGER NOT NULL,
    PRIMARY KEY (object_id, mark)
) STRICT, WITHOUT ROWID;
CREATE INDEX warnings_by_end ON warnings (ends_at);

CREATE TABLE webhooks (
    team_id    TEXT PRIMARY KEY REFERENCES teams (id),
    url        TEXT NOT NULL,
    -- The secret that deliveries are signed with.
    sealed     BLOB NOT NULL,
    secret_at  INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL DEFAULT ''
) STRICT;

-- The ID is what receivers see as webhook-id, the same at each try.
CREATE TABLE webhook_deliveries (
    id           TEXT PRIMARY KEY,
    team_id      TEXT NOT NULL REFERENCES teams (id),
    event        TEXT NOT NULL,
    body         TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    -- When to try next; 0 once it was delivered or given up.
    next_at      INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    delivered_at INTEGER NOT NULL DEFAULT 0,
    last_at      INTEGER NOT NULL DEFAULT 0,
    took_ms      INTEGER NOT NULL DEFAULT 0,
    status       INTEGER NOT NULL DEFAULT 0,
    problem      TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (team_id, next_at) WHERE next_at <> 0;
CREATE INDEX webhook_deliveries_by_team ON webhook_deliveries (team_id, created_at);

-- The address of a member's calendar feed holds a code; it is found by the code's SHA-256.
CREATE TABLE calendar_feeds (
    team_id      TEXT NOT NULL REFERENCES teams (id),
    user_id      TEXT NOT NULL REFERENCES users (id),
    code_hash    BLOB NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (team_id, user_id)
) STRICT;

-- Who answers for an application whose maker is gone.
ALTER TABLE applications ADD COLUMN taken_over_by TEXT NOT NULL DEFAULT '';

-- Findings of the hygiene list that somebody has looked at and keeps as they are, for a while.
CREATE TABLE kept_findings (
    application_id TEXT NOT NULL REFERENCES applications (id),
    reason         TEXT NOT NULL,
    kept_by        TEXT NOT NULL,
    kept_until     INTEGER NOT NULL,
    PRIMARY KEY (application_id, reason)
) STRICT, WITHOUT ROWID;
