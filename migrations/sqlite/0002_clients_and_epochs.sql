-- +goose Up
-- A token is revoked when its epoch is below its application's: revoking all
-- tokens is one small change however many there are.
ALTER TABLE applications ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE applications ADD COLUMN tokens_revoked_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE applications ADD COLUMN tokens_revoked_by TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;

DROP INDEX tokens_active;
CREATE INDEX tokens_unrevoked ON tokens (application_id, epoch, expires_at) WHERE revoked_at = 0;
CREATE INDEX tokens_revoked ON tokens (revoked_at) WHERE revoked_at <> 0;

CREATE TABLE client_keys (
    id             TEXT PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES applications (id),
    team_id        TEXT NOT NULL REFERENCES teams (id),
    name           TEXT NOT NULL,
    name_key       TEXT NOT NULL,
    jwk            TEXT NOT NULL,
    thumbprint     TEXT NOT NULL,
    description    TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    created_by     TEXT NOT NULL DEFAULT '',
    last_used_at   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX client_keys_by_name ON client_keys (application_id, name_key);
CREATE UNIQUE INDEX client_keys_by_thumbprint ON client_keys (application_id, thumbprint);

-- The IDs of client assertions that were used and have not expired yet.
CREATE TABLE client_assertions (
    application_id TEXT NOT NULL REFERENCES applications (id),
    id_hash        BLOB NOT NULL,
    expires_at     INTEGER NOT NULL,
    PRIMARY KEY (application_id, id_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_assertions_by_expiry ON client_assertions (expires_at);

CREATE TABLE resource_servers (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    name_key     TEXT NOT NULL UNIQUE,
    client_id    TEXT NOT NULL UNIQUE,
    hash         BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL DEFAULT 0
) STRICT;
