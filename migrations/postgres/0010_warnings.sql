-- +goose Up
-- What ends soon is few beside all tokens: of everybody for those who are told, of a team for its pages.
CREATE INDEX tokens_ending ON tokens (expires_at) WHERE kind = 'manual' AND revoked_at = 0;
CREATE INDEX tokens_ending_by_team ON tokens (team_id, expires_at) WHERE kind = 'manual' AND revoked_at = 0;
CREATE INDEX client_secrets_ending ON client_secrets (expires_at) WHERE expires_at <> 0;

-- That people were told that something ends: one row for each mark, however many
-- processes look and however often.
CREATE TABLE warnings (
    object_id TEXT COLLATE "C" NOT NULL,
    mark      BIGINT NOT NULL,
    ends_at   BIGINT NOT NULL,
    told_at   BIGINT NOT NULL,
    PRIMARY KEY (object_id, mark)
);
CREATE INDEX warnings_by_end ON warnings (ends_at);

CREATE TABLE webhooks (
    team_id    TEXT COLLATE "C" PRIMARY KEY REFERENCES teams (id),
    url        TEXT COLLATE "C" NOT NULL,
    -- The secret that deliveries are signed with.
    sealed     BYTEA NOT NULL,
    secret_at  BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL DEFAULT ''
);

-- The ID is what receivers see as webhook-id, the same at each try.
CREATE TABLE webhook_deliveries (
    id           TEXT COLLATE "C" PRIMARY KEY,
    team_id      TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    event        TEXT COLLATE "C" NOT NULL,
    body         TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    -- When to try next; 0 once it was delivered or given up.
    next_at      BIGINT NOT NULL,
    attempts     BIGINT NOT NULL DEFAULT 0,
    delivered_at BIGINT NOT NULL DEFAULT 0,
    last_at      BIGINT NOT NULL DEFAULT 0,
    took_ms      BIGINT NOT NULL DEFAULT 0,
    status       BIGINT NOT NULL DEFAULT 0,
    problem      TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (team_id, next_at) WHERE next_at <> 0;
CREATE INDEX webhook_deliveries_by_team ON webhook_deliveries (team_id, created_at);

-- The address of a member's calendar feed holds a code; it is found by the code's SHA-256.
CREATE TABLE calendar_feeds (
    team_id      TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    user_id      TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    code_hash    BYTEA NOT NULL UNIQUE,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (team_id, user_id)
);

-- Who answers for an application whose maker is gone.
ALTER TABLE applications ADD COLUMN taken_over_by TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Findings of the hygiene list that somebody has looked at and keeps as they are, for a while.
CREATE TABLE kept_findings (
    application_id TEXT COLLATE "C" NOT NULL REFERENCES applications (id),
    reason         TEXT COLLATE "C" NOT NULL,
    kept_by        TEXT COLLATE "C" NOT NULL,
    kept_until     BIGINT NOT NULL,
    PRIMARY KEY (application_id, reason)
);
