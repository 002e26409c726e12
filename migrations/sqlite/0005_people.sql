-- +goose Up
-- Where the next sign-in begins; empty, or a team that the person has left, for the one joined first.
ALTER TABLE users ADD COLUMN last_team_id TEXT NOT NULL DEFAULT '';

-- A row is a pending invitation. It goes when it is used, cancelled or replaced, and
-- within the hour after it has expired.
CREATE TABLE invitations (
    id         TEXT PRIMARY KEY,
    team_id    TEXT NOT NULL REFERENCES teams (id),
    email      TEXT NOT NULL,
    email_key  TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('owner', 'developer', 'viewer')),
    code_hash  BLOB NOT NULL UNIQUE,
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL DEFAULT '',
    expires_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX invitations_by_email ON invitations (team_id, email_key);
CREATE INDEX invitations_by_expiry ON invitations (expires_at);
