-- +goose Up
-- What a purge looks for, by when it ended, and nothing else: the sealed values of what has
-- expired, and what was revoked. Then what the list of an application's manual tokens is sorted
-- and counted by. Each may be built beside a running server before this runs.
CREATE INDEX IF NOT EXISTS tokens_sealed ON tokens (expires_at) WHERE sealed IS NOT NULL;
CREATE INDEX IF NOT EXISTS tokens_revoked_by_kind ON tokens (kind, revoked_at) WHERE revoked_at <> 0;
CREATE INDEX IF NOT EXISTS tokens_manual_listed ON tokens (application_id, team_id, revoked_at, expires_at, created_at, id) WHERE kind = 'manual';

-- A fifth of many million rows is too late to begin with. Room in each page lets a row be
-- noted as used without an entry in every index.
ALTER TABLE tokens SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

INSERT INTO schema_compatibility (version, oldest) VALUES (15, 11);
