-- +goose Up
-- What a purge looks for, by when it ended, and nothing else: the sealed values of what has
-- expired, and what was revoked. Then what the list of an application's manual tokens is sorted
-- and counted by.
CREATE INDEX IF NOT EXISTS tokens_sealed ON tokens (expires_at) WHERE sealed IS NOT NULL;
CREATE INDEX IF NOT EXISTS tokens_revoked_by_kind ON tokens (kind, revoked_at) WHERE revoked_at <> 0;
CREATE INDEX IF NOT EXISTS tokens_manual_listed ON tokens (application_id, team_id, revoked_at, expires_at, created_at, id) WHERE kind = 'manual';

INSERT INTO schema_compatibility (version, oldest) VALUES (15, 11);
