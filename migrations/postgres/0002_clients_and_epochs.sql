-- +goose Up
-- A token is revoked when its epoch is below its application's: revoking all
-- tokens is one small change however many there are.
ALTER TABLE applications ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE applications ADD COLUMN tokens_revoked_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE applications ADD COLUMN tokens_revoked_by TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;

DROP INDEX tokens_active;
CREATE INDEX tokens_unrevoked ON tokens (application_id, epoch, expires_at) WHERE revoked_at = 0;
CREATE INDEX tokens_revoked ON tokens (revoked_at) WHERE revoked_at <> 0;

CREATE TABLE client_keys (
    id             TEXT COLLATE "C" PRIMARY KEY,
    application_id TEXT COLLATE "C" NOT NULL REFERENCES applications (id),
    team_id        TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    name           TEXT COLLATE "C" NOT NULL,
    name_key       TEXT COLLATE "C" NOT NULL,
    jwk            TEXT COLLATE "C" NOT NULL,
    thumbprint     TEXT COLLATE "C" NOT NULL,
    description    TEXT COLLATE "C" NOT NULL,
    created_at     BIGINT NOT NULL,
    created_by     TEXT COLLATE "C" NOT NULL DEFAULT '',
    last_used_at   BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX client_keys_by_name ON client_keys (application_id, name_key);
CREATE UNIQUE INDEX client_keys_by_thumbprint ON client_keys (application_id, thumbprint);

-- The IDs of client assertions that were used and have not expired yet.
CREATE TABLE client_assertions (
    application_id TEXT COLLATE "C" NOT NULL REFERENCES applications (id),
    id_hash        BYTEA NOT NULL,
    expires_at     BIGINT NOT NULL,
    PRIMARY KEY (application_id, id_hash)
);
CREATE INDEX client_assertions_by_expiry ON client_assertions (expires_at);

CREATE TABLE resource_servers (
    id           TEXT COLLATE "C" PRIMARY KEY,
    name         TEXT COLLATE "C" NOT NULL,
    name_key     TEXT COLLATE "C" NOT NULL UNIQUE,
    client_id    TEXT COLLATE "C" NOT NULL UNIQUE,
    hash         BYTEA NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL DEFAULT 0
);
