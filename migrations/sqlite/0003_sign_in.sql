-- +goose Up
ALTER TABLE users ADD COLUMN time_zone TEXT NOT NULL DEFAULT '';
-- Whether the person has a second factor; kept beside the factors themselves, for lists.
ALTER TABLE users ADD COLUMN second_factor INTEGER NOT NULL DEFAULT 0;
ALTER TABLE teams ADD COLUMN requires_second_factor INTEGER NOT NULL DEFAULT 0;

-- A person may be signed in without acting in a team: team_id is empty then, so it refers to no table.
CREATE TABLE sessions_now (
    id_hash      BLOB PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id),
    team_id      TEXT NOT NULL DEFAULT '',
    method       TEXT NOT NULL DEFAULT '',
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    proven_at    INTEGER NOT NULL,
    address      TEXT NOT NULL DEFAULT '',
    browser      TEXT NOT NULL DEFAULT '',
    flash        TEXT NOT NULL DEFAULT '',
    pending      TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO sessions_now (id_hash, user_id, team_id, method, created_at, last_seen_at, proven_at, address, browser, flash)
    SELECT id_hash, user_id, team_id, 'password', created_at, last_seen_at, proven_at, address, browser, flash FROM sessions;
DROP TABLE sessions;
ALTER TABLE sessions_now RENAME TO sessions;
CREATE INDEX sessions_by_user ON sessions (user_id, last_seen_at);
CREATE INDEX sessions_by_team ON sessions (team_id, user_id);

-- What a browser has begun and not finished: a second factor, a passkey, a sign-in at
-- another provider. Each row is good once.
CREATE TABLE ceremonies (
    id_hash    BLOB PRIMARY KEY,
    kind       TEXT NOT NULL,
    user_id    TEXT NOT NULL DEFAULT '',
    data       TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX ceremonies_by_expiry ON ceremonies (expires_at);
CREATE INDEX ceremonies_by_user ON ceremonies (user_id) WHERE user_id <> '';

-- What a change of settings was from and to, as JSON: [{"field":…,"before":…,"after":…}].
ALTER TABLE audit_events ADD COLUMN changes TEXT NOT NULL DEFAULT '';

-- Who has seen which value, for as long as the value's row lives. Audit events say the
-- same, but end sooner.
CREATE TABLE sightings (
    object_id      TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    team_id        TEXT NOT NULL,
    object_type    TEXT NOT NULL CHECK (object_type IN ('token', 'secret')),
    application_id TEXT NOT NULL,
    user_name      TEXT NOT NULL,
    first_at       INTEGER NOT NULL,
    last_at        INTEGER NOT NULL,
    times          INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (object_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sightings_by_user ON sightings (team_id, user_id);
CREATE INDEX sightings_by_application ON sightings (application_id);
INSERT INTO sightings (object_id, user_id, team_id, object_type, application_id, user_name, first_at, last_at, times)
    SELECT t.id, e.actor_id, t.team_id, 'token', t.application_id, MAX(e.actor_name), MIN(e.at), MAX(e.at), COUNT(*)
    FROM audit_events e JOIN tokens t ON t.id = e.target_id AND t.team_id = e.team_id
    WHERE e.action = 'Token shown' AND e.actor_id <> '' GROUP BY t.id, e.actor_id;
INSERT INTO sightings (object_id, user_id, team_id, object_type, application_id, user_name, first_at, last_at, times)
    SELECT s.id, e.actor_id, s.team_id, 'secret', s.application_id, MAX(e.actor_name), MIN(e.at), MAX(e.at), COUNT(*)
    FROM audit_events e JOIN client_secrets s ON s.application_id = e.target_id AND s.team_id = e.team_id
    WHERE e.action = 'Secret shown' AND e.actor_id <> '' AND e.at >= s.created_at GROUP BY s.id, e.actor_id;
