-- +goose Up
ALTER TABLE users ADD COLUMN time_zone TEXT COLLATE "C" NOT NULL DEFAULT '';
-- Whether the person has a second factor; kept beside the factors themselves, for lists.
ALTER TABLE users ADD COLUMN second_factor BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE teams ADD COLUMN requires_second_factor BOOLEAN NOT NULL DEFAULT FALSE;

-- A person may be signed in without acting in a team: team_id is empty then, so it refers to no table.
DROP TABLE sessions;
CREATE TABLE sessions (
    id_hash      BYTEA PRIMARY KEY,
    user_id      TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    team_id      TEXT COLLATE "C" NOT NULL DEFAULT '',
    method       TEXT COLLATE "C" NOT NULL DEFAULT '',
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    proven_at    BIGINT NOT NULL,
    address      TEXT COLLATE "C" NOT NULL DEFAULT '',
    browser      TEXT COLLATE "C" NOT NULL DEFAULT '',
    flash        TEXT COLLATE "C" NOT NULL DEFAULT '',
    pending      TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX sessions_by_user ON sessions (user_id, last_seen_at);
CREATE INDEX sessions_by_team ON sessions (team_id, user_id);

-- What a browser has begun and not finished: a second factor, a passkey, a sign-in at
-- another provider. Each row is good once.
CREATE TABLE ceremonies (
    id_hash    BYTEA PRIMARY KEY,
    kind       TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL DEFAULT '',
    data       TEXT COLLATE "C" NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX ceremonies_by_expiry ON ceremonies (expires_at);
CREATE INDEX ceremonies_by_user ON ceremonies (user_id) WHERE user_id <> '';

-- What a change of settings was from and to, as JSON: [{"field":…,"before":…,"after":…}].
ALTER TABLE audit_events ADD COLUMN changes TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Who has seen which value, for as long as the value's row lives. Audit events say the
-- same, but end sooner.
CREATE TABLE sightings (
    object_id      TEXT COLLATE "C" NOT NULL,
    user_id        TEXT COLLATE "C" NOT NULL,
    team_id        TEXT COLLATE "C" NOT NULL,
    object_type    TEXT COLLATE "C" NOT NULL CHECK (object_type IN ('token', 'secret')),
    application_id TEXT COLLATE "C" NOT NULL,
    user_name      TEXT COLLATE "C" NOT NULL,
    first_at       BIGINT NOT NULL,
    last_at        BIGINT NOT NULL,
    times          BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (object_id, user_id)
);
CREATE INDEX sightings_by_user ON sightings (team_id, user_id);
CREATE INDEX sightings_by_application ON sightings (application_id);
