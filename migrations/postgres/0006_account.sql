-- +goose Up
-- By this a page names a session. It opens nothing, unlike what the cookie carries.
ALTER TABLE sessions ADD COLUMN ref TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE UNIQUE INDEX sessions_by_ref ON sessions (ref);

-- Until when the person was shown the failed tries on their account.
ALTER TABLE users ADD COLUMN failures_seen_at BIGINT NOT NULL DEFAULT 0;

-- What was done by a person, and to one, over all teams.
CREATE INDEX audit_events_by_actor ON audit_events (actor_id, action, at);
CREATE INDEX audit_events_by_target ON audit_events (target_id, at);
