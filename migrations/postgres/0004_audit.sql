-- +goose Up
-- Each event has a number in its team and a hash over itself and the event before it.
DROP TABLE audit_events;

CREATE TABLE audit_events (
    id             TEXT COLLATE "C" PRIMARY KEY,
    team_id        TEXT COLLATE "C" NOT NULL, -- empty: the installation's own
    seq            BIGINT NOT NULL CHECK (seq > 0),
    version        BIGINT NOT NULL, -- of what the hash is over
    at             BIGINT NOT NULL,
    actor_id       TEXT COLLATE "C" NOT NULL DEFAULT '',
    actor_name     TEXT COLLATE "C" NOT NULL,
    actor_role     TEXT COLLATE "C" NOT NULL DEFAULT '',
    action         TEXT COLLATE "C" NOT NULL,
    target_type    TEXT COLLATE "C" NOT NULL DEFAULT '',
    target_id      TEXT COLLATE "C" NOT NULL DEFAULT '',
    target         TEXT COLLATE "C" NOT NULL DEFAULT '',
    application_id TEXT COLLATE "C" NOT NULL DEFAULT '',
    detail         TEXT COLLATE "C" NOT NULL DEFAULT '',
    changes        TEXT COLLATE "C" NOT NULL DEFAULT '',
    address        TEXT COLLATE "C" NOT NULL DEFAULT '',
    user_agent     TEXT COLLATE "C" NOT NULL DEFAULT '',
    request_id     TEXT COLLATE "C" NOT NULL DEFAULT '',
    search         TEXT COLLATE "C" NOT NULL, -- what a search finds, whatever the case; made of the others
    hash           TEXT COLLATE "C" NOT NULL CHECK (length(hash) = 64)
);
CREATE UNIQUE INDEX audit_events_by_number ON audit_events (team_id, seq);
CREATE INDEX audit_events_by_time ON audit_events (team_id, at, seq);
CREATE INDEX audit_events_by_action ON audit_events (team_id, action, at, seq);
CREATE INDEX audit_events_by_person ON audit_events (team_id, actor_id, at, seq);
CREATE INDEX audit_events_by_application ON audit_events (team_id, application_id, at, seq) WHERE application_id <> '';

-- Both ends of each team's chain: the first event that is kept with the hash before it,
-- and the last one.
CREATE TABLE audit_chains (
    team_id     TEXT COLLATE "C" PRIMARY KEY,
    first_seq   BIGINT NOT NULL DEFAULT 1,
    before_hash TEXT COLLATE "C" NOT NULL CHECK (length(before_hash) = 64),
    last_seq    BIGINT NOT NULL,
    last_hash   TEXT COLLATE "C" NOT NULL CHECK (length(last_hash) = 64)
);

-- +goose StatementBegin
CREATE FUNCTION audit_only_adds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are only ever added';
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_only_adds();
CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION audit_only_adds();
-- Only what the retention job has put behind the beginning of the chain may go.
-- +goose StatementBegin
CREATE FUNCTION audit_events_old() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.seq >= COALESCE((SELECT first_seq FROM audit_chains WHERE team_id = OLD.team_id), 0) THEN
        RAISE EXCEPTION 'audit events are only ever added';
    END IF;
    RETURN OLD;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_events_old();
-- +goose StatementBegin
CREATE FUNCTION audit_chain_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR NEW.team_id <> OLD.team_id
        OR NEW.last_seq < OLD.last_seq
        OR NEW.last_hash IS DISTINCT FROM (SELECT hash FROM audit_events WHERE team_id = NEW.team_id AND seq = NEW.last_seq)
        OR NEW.first_seq < OLD.first_seq
        OR NEW.first_seq > NEW.last_seq + 1
        OR NEW.first_seq = OLD.first_seq AND NEW.before_hash <> OLD.before_hash
        OR NEW.first_seq > OLD.first_seq AND NEW.before_hash IS DISTINCT FROM (SELECT hash FROM audit_events WHERE team_id = NEW.team_id AND seq = NEW.first_seq - 1)
    THEN
        RAISE EXCEPTION 'the chain of audit events only ever grows';
    END IF;
    RETURN NEW;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_chains_only_grow BEFORE UPDATE ON audit_chains FOR EACH ROW EXECUTE FUNCTION audit_chain_grows();
CREATE TRIGGER audit_chains_no_delete BEFORE DELETE ON audit_chains FOR EACH ROW EXECUTE FUNCTION audit_chain_grows();
CREATE TRIGGER audit_chains_no_truncate BEFORE TRUNCATE ON audit_chains FOR EACH STATEMENT EXECUTE FUNCTION audit_chain_grows();
