-- +goose Up
-- Where the next sign-in begins; empty, or a team that the person has left, for the one joined first.
ALTER TABLE users ADD COLUMN last_team_id TEXT COLLATE "C" NOT NULL DEFAULT '';

-- A row is a pending invitation. It goes when it is used, cancelled or replaced, and
-- within the hour after it has expired.
CREATE TABLE invitations (
    id         TEXT COLLATE "C" PRIMARY KEY,
    team_id    TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    email      TEXT COLLATE "C" NOT NULL,
    email_key  TEXT COLLATE "C" NOT NULL,
    role       TEXT COLLATE "C" NOT NULL CHECK (role IN ('owner', 'developer', 'viewer')),
    code_hash  BYTEA NOT NULL UNIQUE,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL DEFAULT '',
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX invitations_by_email ON invitations (team_id, email_key);
CREATE INDEX invitations_by_expiry ON invitations (expires_at);
