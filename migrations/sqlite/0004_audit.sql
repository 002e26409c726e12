-- +goose Up
-- Each event has a number in its team and a hash over itself and the event before it.
-- A hash is not made in SQL: store.Migrate moves the earlier events over, in their
-- order, and then drops audit_events_unchained.
DROP TRIGGER audit_events_no_update;
DROP TRIGGER audit_events_no_delete;
DROP INDEX audit_events_by_team;
ALTER TABLE audit_events RENAME TO audit_events_unchained;

CREATE TABLE audit_events (
    id             TEXT PRIMARY KEY,
    team_id        TEXT NOT NULL, -- empty: the installation's own
    seq            INTEGER NOT NULL CHECK (seq > 0),
    version        INTEGER NOT NULL, -- of what the hash is over
    at             INTEGER NOT NULL,
    actor_id       TEXT NOT NULL DEFAULT '',
    actor_name     TEXT NOT NULL,
    actor_role     TEXT NOT NULL DEFAULT '',
    action         TEXT NOT NULL,
    target_type    TEXT NOT NULL DEFAULT '',
    target_id      TEXT NOT NULL DEFAULT '',
    target         TEXT NOT NULL DEFAULT '',
    application_id TEXT NOT NULL DEFAULT '',
    detail         TEXT NOT NULL DEFAULT '',
    changes        TEXT NOT NULL DEFAULT '',
    address        TEXT NOT NULL DEFAULT '',
    user_agent     TEXT NOT NULL DEFAULT '',
    request_id     TEXT NOT NULL DEFAULT '',
    search         TEXT NOT NULL, -- what a search finds, whatever the case; made of the others
    hash           TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;
CREATE UNIQUE INDEX audit_events_by_number ON audit_events (team_id, seq);
CREATE INDEX audit_events_by_time ON audit_events (team_id, at, seq);
CREATE INDEX audit_events_by_action ON audit_events (team_id, action, at, seq);
CREATE INDEX audit_events_by_person ON audit_events (team_id, actor_id, at, seq);
CREATE INDEX audit_events_by_application ON audit_events (team_id, application_id, at, seq) WHERE application_id <> '';

-- Both ends of each team's chain: the first event that is kept with the hash before it,
-- and the last one.
CREATE TABLE audit_chains (
    team_id     TEXT PRIMARY KEY,
    first_seq   INTEGER NOT NULL DEFAULT 1,
    before_hash TEXT NOT NULL CHECK (length(before_hash) = 64),
    last_seq    INTEGER NOT NULL,
    last_hash   TEXT NOT NULL CHECK (length(last_hash) = 64)
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit events are only ever added');
END;
-- +goose StatementEnd
-- Only what the retention job has put behind the beginning of the chain may go.
-- +goose StatementBegin
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
WHEN OLD.seq >= COALESCE((SELECT first_seq FROM audit_chains WHERE team_id = OLD.team_id), 0)
BEGIN
    SELECT RAISE(ABORT, 'audit events are only ever added');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_chains_only_grow BEFORE UPDATE ON audit_chains
WHEN NEW.team_id <> OLD.team_id
    OR NEW.last_seq < OLD.last_seq
    OR NEW.last_hash IS NOT (SELECT hash FROM audit_events WHERE team_id = NEW.team_id AND seq = NEW.last_seq)
    OR NEW.first_seq < OLD.first_seq
    OR NEW.first_seq > NEW.last_seq + 1
    OR NEW.first_seq = OLD.first_seq AND NEW.before_hash <> OLD.before_hash
    OR NEW.first_seq > OLD.first_seq AND NEW.before_hash IS NOT (SELECT hash FROM audit_events WHERE team_id = NEW.team_id AND seq = NEW.first_seq - 1)
BEGIN
    SELECT RAISE(ABORT, 'the chain of audit events only ever grows');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_chains_no_delete BEFORE DELETE ON audit_chains
BEGIN
    SELECT RAISE(ABORT, 'the chain of audit events only ever grows');
END;
-- +goose StatementEnd
