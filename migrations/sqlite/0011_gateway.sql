-- +goose Up
-- Each team has one application that is built in: it holds the temporary tokens of its
-- members. Its scopes are the installation's, set when a token is made.
CREATE UNIQUE INDEX applications_built_in ON applications (team_id) WHERE type = 'built-in';
INSERT INTO applications (id, team_id, type, name, name_key, client_id, lifespan, scopes, created_at)
    SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))),
        t.id, 'built-in', 'Temporary (IDE)',
        -- A team may have given the name to an application of its own.
        CASE WHEN EXISTS (SELECT 1 FROM applications a WHERE a.team_id = t.id AND a.name_key = 'TEMPORARY (IDE)' AND a.deleted_at = 0)
            THEN 'TEMPORARY (IDE) ' || t.id ELSE 'TEMPORARY (IDE)' END,
        lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))),
        43200, '', t.created_at
    FROM teams t;
-- One temporary token for each member and window of 12 hours, whatever races.
CREATE UNIQUE INDEX tokens_temporary ON tokens (team_id, created_by, expires_at) WHERE kind = 'temporary' AND revoked_at = 0;
-- Points that an application may spend in a day (UTC); 0 for no cap.
ALTER TABLE applications ADD COLUMN points_per_day INTEGER NOT NULL DEFAULT 0;

-- What a browser opens a WebSocket with: traded for a token, good once.
CREATE TABLE tickets (
    hash       BLOB PRIMARY KEY,
    token_hash BLOB NOT NULL,
    team_id    TEXT NOT NULL,
    route      TEXT NOT NULL DEFAULT '', -- empty: any route
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX tickets_by_expiry ON tickets (expires_at);

CREATE TABLE plans (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    name_key    TEXT NOT NULL UNIQUE,
    points      INTEGER NOT NULL CHECK (points >= 0),          -- for each period
    period_days INTEGER NOT NULL CHECK (period_days >= 0),     -- 0: a calendar month, UTC
    rate_limit  INTEGER NOT NULL CHECK (rate_limit >= 0),      -- requests a minute; 0: no limit
    streams     INTEGER NOT NULL CHECK (streams >= 0),         -- open at once; 0: no limit
    members     INTEGER NOT NULL CHECK (members >= 0),         -- 0: no limit of the plan's own
    overage     INTEGER NOT NULL DEFAULT 0,                    -- calls go on without points
    is_default  INTEGER NOT NULL DEFAULT 0,                    -- new teams get it
    version     INTEGER NOT NULL DEFAULT 1,
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL DEFAULT 0,
    retired_at  INTEGER NOT NULL DEFAULT 0                     -- teams that have it keep it
) STRICT;
CREATE UNIQUE INDEX plans_default ON plans (is_default) WHERE is_default <> 0;

CREATE TABLE team_plans (
    team_id           TEXT PRIMARY KEY REFERENCES teams (id),
    plan_id           TEXT NOT NULL REFERENCES plans (id),
    since             INTEGER NOT NULL,
    period_started_at INTEGER NOT NULL,
    period_ends_at    INTEGER NOT NULL,
    granted           INTEGER NOT NULL, -- the plan's points of this period
    ends_at           INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX team_plans_by_plan ON team_plans (plan_id);
CREATE INDEX team_plans_by_period ON team_plans (period_ends_at);

-- Every point that came and went. Balance = sum of points; balance_after says it at that entry.
CREATE TABLE ledger_entries (
    id            TEXT PRIMARY KEY,
    team_id       TEXT NOT NULL REFERENCES teams (id),
    at            INTEGER NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('plan', 'purchase', 'correction', 'use', 'lapse', 'overage')),
    points        INTEGER NOT NULL,
    balance_after INTEGER NOT NULL,
    reference     TEXT NOT NULL DEFAULT '', -- a purchase: the shop's event; a use: the batch
    note          TEXT NOT NULL DEFAULT '',
    actor_id      TEXT NOT NULL DEFAULT '',
    actor_name    TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX ledger_entries_used ON ledger_entries (team_id, at, points) WHERE kind = 'use'; -- there may be one a second
CREATE INDEX ledger_entries_paid ON ledger_entries (team_id, at, id) WHERE kind <> 'use';
CREATE UNIQUE INDEX ledger_entries_purchase ON ledger_entries (reference) WHERE kind = 'purchase' AND reference <> '';
CREATE UNIQUE INDEX ledger_entries_use ON ledger_entries (team_id, reference) WHERE kind = 'use';
-- +goose StatementBegin
CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries
BEGIN
    SELECT RAISE(ABORT, 'ledger entries are only ever added');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries
BEGIN
    SELECT RAISE(ABORT, 'ledger entries are only ever added');
END;
-- +goose StatementEnd

-- The sum of a team's entries, and what of this period's was used and bought: changed
-- with each entry, in its transaction.
CREATE TABLE team_points (
    team_id       TEXT PRIMARY KEY REFERENCES teams (id),
    balance       INTEGER NOT NULL DEFAULT 0,
    period_used   INTEGER NOT NULL DEFAULT 0,
    period_bought INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Points that a node may spend without asking again. What it has not spent when the lease
-- ends is the team's again.
CREATE TABLE point_leases (
    team_id    TEXT NOT NULL REFERENCES teams (id),
    node_id    TEXT NOT NULL,
    points     INTEGER NOT NULL CHECK (points >= 0),
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, node_id)
) STRICT, WITHOUT ROWID;

-- That a team was told that so many percent of its points are used: once a period.
CREATE TABLE point_alerts (
    team_id           TEXT NOT NULL REFERENCES teams (id),
    period_started_at INTEGER NOT NULL,
    mark              INTEGER NOT NULL,
    at                INTEGER NOT NULL,
    PRIMARY KEY (team_id, period_started_at, mark)
) STRICT, WITHOUT ROWID;

-- Batches of counts that are stored: one that is sent again counts once.
CREATE TABLE usage_batches (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_batches_by_time ON usage_batches (at);

-- Calls by UTC hour with their tokens, for a while; by UTC day without them, for long.
CREATE TABLE usage_hours (
    team_id        TEXT NOT NULL,
    hour           INTEGER NOT NULL,
    application_id TEXT NOT NULL,
    token_id       TEXT NOT NULL, -- empty: of tokens beyond what is counted one by one
    route          TEXT NOT NULL,
    api            TEXT NOT NULL,
    status         INTEGER NOT NULL, -- of HTTP
    requests       INTEGER NOT NULL,
    points         INTEGER NOT NULL,
    PRIMARY KEY (team_id, hour, application_id, token_id, route, api, status)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_hours_by_time ON usage_hours (hour);
CREATE TABLE usage_days (
    team_id        TEXT NOT NULL,
    day            INTEGER NOT NULL,
    application_id TEXT NOT NULL,
    route          TEXT NOT NULL,
    api            TEXT NOT NULL,
    status         INTEGER NOT NULL,
    requests       INTEGER NOT NULL,
    points         INTEGER NOT NULL,
    PRIMARY KEY (team_id, day, application_id, route, api, status)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_days_by_time ON usage_days (day);

-- Calls with a token that was not good: the value is known by its SHA-256 alone. team_id is
-- the token's. Each value also has a row without a team, as if it were nobody's: it says how
-- often the value was refused, and by it a token of another team looks like none.
CREATE TABLE refused_calls (
    id             TEXT PRIMARY KEY,
    team_id        TEXT NOT NULL DEFAULT '',
    application_id TEXT NOT NULL DEFAULT '',
    token_id       TEXT NOT NULL DEFAULT '',
    value_hash     BLOB NOT NULL,
    reason         TEXT NOT NULL,
    scope          TEXT NOT NULL DEFAULT '', -- what the token lacks
    route          TEXT NOT NULL DEFAULT '',
    address        TEXT NOT NULL DEFAULT '',
    agent          TEXT NOT NULL DEFAULT '',
    first_at       INTEGER NOT NULL,
    last_at        INTEGER NOT NULL,
    times          INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE UNIQUE INDEX refused_calls_alike ON refused_calls (team_id, value_hash, reason, route, address);
CREATE INDEX refused_calls_by_team ON refused_calls (team_id, last_at, id);
CREATE INDEX refused_calls_by_time ON refused_calls (last_at);
