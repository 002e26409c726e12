-- +goose Up
-- Times are Unix milliseconds, UTC; 0 means never.

CREATE TABLE users (
    id            TEXT COLLATE "C" PRIMARY KEY,
    email         TEXT COLLATE "C" NOT NULL,
    email_key     TEXT COLLATE "C" NOT NULL UNIQUE,
    name          TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C" NOT NULL,
    operator      BOOLEAN NOT NULL DEFAULT FALSE,
    created_at    BIGINT NOT NULL,
    disabled_at   BIGINT NOT NULL DEFAULT 0,
    last_seen_at  BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE teams (
    id           TEXT COLLATE "C" PRIMARY KEY,
    name         TEXT COLLATE "C" NOT NULL,
    name_key     TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    suspended_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX teams_by_name ON teams (name_key);

CREATE TABLE members (
    team_id    TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    role       TEXT COLLATE "C" NOT NULL CHECK (role IN ('owner', 'developer', 'viewer')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id, created_at);

CREATE TABLE sessions (
    id_hash      BYTEA PRIMARY KEY,
    user_id      TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    team_id      TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    proven_at    BIGINT NOT NULL,
    address      TEXT COLLATE "C" NOT NULL DEFAULT '',
    browser      TEXT COLLATE "C" NOT NULL DEFAULT '',
    flash        TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX sessions_by_user ON sessions (user_id, last_seen_at);

CREATE TABLE known_browsers (
    id_hash    BYTEA NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, id_hash)
);

CREATE TABLE applications (
    id           TEXT COLLATE "C" PRIMARY KEY,
    team_id      TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    type         TEXT COLLATE "C" NOT NULL CHECK (type IN ('service', 'built-in', 'connected')),
    name         TEXT COLLATE "C" NOT NULL,
    name_key     TEXT COLLATE "C" NOT NULL,
    client_id    TEXT COLLATE "C" NOT NULL UNIQUE,
    lifespan     BIGINT NOT NULL CHECK (lifespan >= 60),
    scopes       TEXT COLLATE "C" NOT NULL,
    version      BIGINT NOT NULL DEFAULT 1,
    created_at   BIGINT NOT NULL,
    created_by   TEXT COLLATE "C" NOT NULL DEFAULT '',
    changed_at   BIGINT NOT NULL DEFAULT 0,
    changed_by   TEXT COLLATE "C" NOT NULL DEFAULT '',
    disabled_at  BIGINT NOT NULL DEFAULT 0,
    deleted_at   BIGINT NOT NULL DEFAULT 0,
    last_used_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX applications_by_name ON applications (team_id, name_key) WHERE deleted_at = 0;

CREATE TABLE client_secrets (
    id             TEXT COLLATE "C" PRIMARY KEY,
    application_id TEXT COLLATE "C" NOT NULL REFERENCES applications (id),
    team_id        TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    hash           BYTEA NOT NULL,
    sealed         BYTEA NOT NULL,
    last4          TEXT COLLATE "C" NOT NULL,
    created_at     BIGINT NOT NULL,
    created_by     TEXT COLLATE "C" NOT NULL DEFAULT '',
    expires_at     BIGINT NOT NULL DEFAULT 0,
    last_used_at   BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX client_secrets_by_application ON client_secrets (application_id);
-- One current secret per application, whatever races.
CREATE UNIQUE INDEX client_secrets_current ON client_secrets (application_id) WHERE expires_at = 0;

CREATE TABLE tokens (
    id             TEXT COLLATE "C" PRIMARY KEY,
    application_id TEXT COLLATE "C" NOT NULL REFERENCES applications (id),
    team_id        TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    kind           TEXT COLLATE "C" NOT NULL CHECK (kind IN ('manual', 'client_credentials', 'temporary')),
    name           TEXT COLLATE "C" NOT NULL DEFAULT '',
    hash           BYTEA NOT NULL UNIQUE,
    sealed         BYTEA,
    last4          TEXT COLLATE "C" NOT NULL,
    scopes         TEXT COLLATE "C" NOT NULL,
    created_at     BIGINT NOT NULL,
    created_by     TEXT COLLATE "C" NOT NULL DEFAULT '',
    expires_at     BIGINT NOT NULL,
    revoked_at     BIGINT NOT NULL DEFAULT 0,
    revoked_by     TEXT COLLATE "C" NOT NULL DEFAULT '',
    last_used_at   BIGINT NOT NULL DEFAULT 0,
    last_used_from TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX tokens_active ON tokens (team_id, application_id, expires_at) WHERE revoked_at = 0;
CREATE INDEX tokens_manual ON tokens (application_id, created_at) WHERE kind = 'manual';

CREATE TABLE audit_events (
    id          TEXT COLLATE "C" PRIMARY KEY,
    team_id     TEXT COLLATE "C" NOT NULL,
    at          BIGINT NOT NULL,
    actor_id    TEXT COLLATE "C" NOT NULL DEFAULT '',
    actor_name  TEXT COLLATE "C" NOT NULL,
    actor_role  TEXT COLLATE "C" NOT NULL DEFAULT '',
    action      TEXT COLLATE "C" NOT NULL,
    target_type TEXT COLLATE "C" NOT NULL DEFAULT '',
    target_id   TEXT COLLATE "C" NOT NULL DEFAULT '',
    target      TEXT COLLATE "C" NOT NULL DEFAULT '',
    detail      TEXT COLLATE "C" NOT NULL DEFAULT '',
    address     TEXT COLLATE "C" NOT NULL DEFAULT '',
    user_agent  TEXT COLLATE "C" NOT NULL DEFAULT '',
    request_id  TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX audit_events_by_team ON audit_events (team_id, at);

-- A form carries a key of its own; posted twice, it is carried out once.
CREATE TABLE form_posts (
    team_id    TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    form_key   TEXT COLLATE "C" NOT NULL,
    result     TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, form_key)
);
CREATE INDEX form_posts_by_time ON form_posts (created_at);

-- One sealed value tells at the start whether the key file fits the database.
CREATE TABLE key_checks (
    id     TEXT COLLATE "C" PRIMARY KEY,
    sealed BYTEA NOT NULL
);
