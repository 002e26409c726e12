-- +goose Up
-- What each migration from this one on says of older programs: the newest migration that a
-- program has to know to run on a database that has this one. A program reads it where the
-- database is newer than itself.
CREATE TABLE schema_compatibility (
    version BIGINT PRIMARY KEY,
    oldest  BIGINT NOT NULL
);
INSERT INTO schema_compatibility (version, oldest) VALUES (13, 11);

-- The state of ACME, for all nodes: account, certificates with their keys, challenges. Sealed.
CREATE TABLE acme_state (
    name       TEXT COLLATE "C" PRIMARY KEY,
    sealed     BYTEA NOT NULL,
    expires_at BIGINT NOT NULL DEFAULT 0 -- 0: never
);
