-- +goose Up
-- Times are Unix milliseconds, UTC; 0 means never.

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL,
    email_key     TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    operator      INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL,
    disabled_at   INTEGER NOT NULL DEFAULT 0,
    last_seen_at  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE teams (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    name_key     TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    suspended_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX teams_by_name ON teams (name_key);

CREATE TABLE members (
    team_id    TEXT NOT NULL REFERENCES teams (id),
    user_id    TEXT NOT NULL REFERENCES users (id),
    role       TEXT NOT NULL CHECK (role IN ('owner', 'developer', 'viewer')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, user_id)
) STRICT;
CREATE INDEX members_by_user ON members (user_id, created_at);

CREATE TABLE sessions (
    id_hash      BLOB PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id),
    team_id      TEXT NOT NULL REFERENCES teams (id),
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    proven_at    INTEGER NOT NULL,
    address      TEXT NOT NULL DEFAULT '',
    browser      TEXT NOT NULL DEFAULT '',
    flash        TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id, last_seen_at);

CREATE TABLE known_browsers (
    id_hash    BLOB NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, id_hash)
) STRICT;

CREATE TABLE applications (
    id           TEXT PRIMARY KEY,
    team_id      TEXT NOT NULL REFERENCES teams (id),
    type         TEXT NOT NULL CHECK (type IN ('service', 'built-in', 'connected')),
    name         TEXT NOT NULL,
    name_key     TEXT NOT NULL,
    client_id    TEXT NOT NULL UNIQUE,
    lifespan     INTEGER NOT NULL CHECK (lifespan >= 60),
    scopes       TEXT NOT NULL,
    version      INTEGER NOT NULL DEFAULT 1,
    created_at   INTEGER NOT NULL,
    created_by   TEXT NOT NULL DEFAULT '',
    changed_at   INTEGER NOT NULL DEFAULT 0,
    changed_by   TEXT NOT NULL DEFAULT '',
    disabled_at  INTEGER NOT NULL DEFAULT 0,
    deleted_at   INTEGER NOT NULL DEFAULT 0,
    last_used_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX applications_by_name ON applications (team_id, name_key) WHERE deleted_at = 0;

CREATE TABLE client_secrets (
    id             TEXT PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES applications (id),
    team_id        TEXT NOT NULL REFERENCES teams (id),
    hash           BLOB NOT NULL,
    sealed         BLOB NOT NULL,
    last4          TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    created_by     TEXT NOT NULL DEFAULT '',
    expires_at     INTEGER NOT NULL DEFAULT 0,
    last_used_at   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX client_secrets_by_application ON client_secrets (application_id);
-- One current secret per application, whatever races.
CREATE UNIQUE INDEX client_secrets_current ON client_secrets (application_id) WHERE expires_at = 0;

CREATE TABLE tokens (
    id             TEXT PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES applications (id),
    team_id        TEXT NOT NULL REFERENCES teams (id),
    kind           TEXT NOT NULL CHECK (kind IN ('manual', 'client_credentials', 'temporary')),
    name           TEXT NOT NULL DEFAULT '',
    hash           BLOB NOT NULL UNIQUE,
    sealed         BLOB,
    last4          TEXT NOT NULL,
    scopes         TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    created_by     TEXT NOT NULL DEFAULT '',
    expires_at     INTEGER NOT NULL,
    revoked_at     INTEGER NOT NULL DEFAULT 0,
    revoked_by     TEXT NOT NULL DEFAULT '',
    last_used_at   INTEGER NOT NULL DEFAULT 0,
    last_used_from TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX tokens_active ON tokens (team_id, application_id, expires_at) WHERE revoked_at = 0;
CREATE INDEX tokens_manual ON tokens (application_id, created_at) WHERE kind = 'manual';

CREATE TABLE audit_events (
    id          TEXT PRIMARY KEY,
    team_id     TEXT NOT NULL,
    at          INTEGER NOT NULL,
    actor_id    TEXT NOT NULL DEFAULT '',
    actor_name  TEXT NOT NULL,
    actor_role  TEXT NOT NULL DEFAULT '',
    action      TEXT NOT NULL,
    target_type TEXT NOT NULL DEFAULT '',
    target_id   TEXT NOT NULL DEFAULT '',
    target      TEXT NOT NULL DEFAULT '',
    detail      TEXT NOT NULL DEFAULT '',
    address     TEXT NOT NULL DEFAULT '',
    user_agent  TEXT NOT NULL DEFAULT '',
    request_id  TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX audit_events_by_team ON audit_events (team_id, at);

-- +goose StatementBegin
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit events are only ever added');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit events are only ever added');
END;
-- +goose StatementEnd

-- A form carries a key of its own; posted twice, it is carried out once.
CREATE TABLE form_posts (
    team_id    TEXT NOT NULL REFERENCES teams (id),
    form_key   TEXT NOT NULL,
    result     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, form_key)
) STRICT;
CREATE INDEX form_posts_by_time ON form_posts (created_at);

-- One sealed value tells at the start whether the key file fits the database.
CREATE TABLE key_checks (
    id     TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;
