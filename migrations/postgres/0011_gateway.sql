-- +goose Up
-- Each team has one application that is built in: it holds the temporary tokens of its
-- members. Its scopes are the installation's, set when a token is made.
CREATE UNIQUE INDEX applications_built_in ON applications (team_id) WHERE type = 'built-in';
-- One temporary token for each member and window of 12 hours, whatever races.
CREATE UNIQUE INDEX tokens_temporary ON tokens (team_id, created_by, expires_at) WHERE kind = 'temporary' AND revoked_at = 0;
-- Points that an application may spend in a day (UTC); 0 for no cap.
ALTER TABLE applications ADD COLUMN points_per_day BIGINT NOT NULL DEFAULT 0;

-- What a browser opens a WebSocket with: traded for a token, good once.
CREATE TABLE tickets (
    hash       BYTEA PRIMARY KEY,
    token_hash BYTEA NOT NULL,
    team_id    TEXT COLLATE "C" NOT NULL,
    route      TEXT COLLATE "C" NOT NULL DEFAULT '', -- empty: any route
    expires_at BIGINT NOT NULL
);
CREATE INDEX tickets_by_expiry ON tickets (expires_at);

CREATE TABLE plans (
    id          TEXT COLLATE "C" PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL,
    name_key    TEXT COLLATE "C" NOT NULL UNIQUE,
    points      BIGINT NOT NULL CHECK (points >= 0),          -- for each period
    period_days BIGINT NOT NULL CHECK (period_days >= 0),     -- 0: a calendar month, UTC
    rate_limit  BIGINT NOT NULL CHECK (rate_limit >= 0),      -- requests a minute; 0: no limit
    streams     BIGINT NOT NULL CHECK (streams >= 0),         -- open at once; 0: no limit
    members     BIGINT NOT NULL CHECK (members >= 0),         -- 0: no limit of the plan's own
    overage     BOOLEAN NOT NULL DEFAULT FALSE,                    -- calls go on without points
    is_default  BOOLEAN NOT NULL DEFAULT FALSE,                    -- new teams get it
    version     BIGINT NOT NULL DEFAULT 1,
    created_at  BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL DEFAULT 0,
    retired_at  BIGINT NOT NULL DEFAULT 0                     -- teams that have it keep it
);
CREATE UNIQUE INDEX plans_default ON plans (is_default) WHERE is_default;

CREATE TABLE team_plans (
    team_id           TEXT COLLATE "C" PRIMARY KEY REFERENCES teams (id),
    plan_id           TEXT COLLATE "C" NOT NULL REFERENCES plans (id),
    since             BIGINT NOT NULL,
    period_started_at BIGINT NOT NULL,
    period_ends_at    BIGINT NOT NULL,
    granted           BIGINT NOT NULL, -- the plan's points of this period
    ends_at           BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX team_plans_by_plan ON team_plans (plan_id);
CREATE INDEX team_plans_by_period ON team_plans (period_ends_at);

-- Every point that came and went. Balance = sum of points; balance_after says it at that entry.
CREATE TABLE ledger_entries (
    id            TEXT COLLATE "C" PRIMARY KEY,
    team_id       TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    at            BIGINT NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL CHECK (kind IN ('plan', 'purchase', 'correction', 'use', 'lapse', 'overage')),
    points        BIGINT NOT NULL,
    balance_after BIGINT NOT NULL,
    reference     TEXT COLLATE "C" NOT NULL DEFAULT '', -- a purchase: the shop's event; a use: the batch
    note          TEXT COLLATE "C" NOT NULL DEFAULT '',
    actor_id      TEXT COLLATE "C" NOT NULL DEFAULT '',
    actor_name    TEXT COLLATE "C" NOT NULL DEFAULT '',
    -- The order of a team's entries, which SQLite has in its rowid: the row of team_points is locked before.
    seq           BIGINT GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX ledger_entries_used ON ledger_entries (team_id, at, points) WHERE kind = 'use'; -- there may be one a second
CREATE INDEX ledger_entries_paid ON ledger_entries (team_id, at, id) WHERE kind <> 'use';
CREATE UNIQUE INDEX ledger_entries_purchase ON ledger_entries (reference) WHERE kind = 'purchase' AND reference <> '';
CREATE UNIQUE INDEX ledger_entries_use ON ledger_entries (team_id, reference) WHERE kind = 'use';
-- +goose StatementBegin
CREATE FUNCTION ledger_only_adds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger entries are only ever added';
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries FOR EACH ROW EXECUTE FUNCTION ledger_only_adds();
CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries FOR EACH ROW EXECUTE FUNCTION ledger_only_adds();
CREATE TRIGGER ledger_entries_no_truncate BEFORE TRUNCATE ON ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_adds();

-- The sum of a team's entries, and what of this period's was used and bought: changed
-- with each entry, in its transaction.
CREATE TABLE team_points (
    team_id       TEXT COLLATE "C" PRIMARY KEY REFERENCES teams (id),
    balance       BIGINT NOT NULL DEFAULT 0,
    period_used   BIGINT NOT NULL DEFAULT 0,
    period_bought BIGINT NOT NULL DEFAULT 0
);

-- Points that a node may spend without asking again. What it has not spent when the lease
-- ends is the team's again.
CREATE TABLE point_leases (
    team_id    TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    node_id    TEXT COLLATE "C" NOT NULL,
    points     BIGINT NOT NULL CHECK (points >= 0),
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, node_id)
);

-- That a team was told that so many percent of its points are used: once a period.
CREATE TABLE point_alerts (
    team_id           TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    period_started_at BIGINT NOT NULL,
    mark              BIGINT NOT NULL,
    at                BIGINT NOT NULL,
    PRIMARY KEY (team_id, period_started_at, mark)
);

-- Batches of counts that are stored: one that is sent again counts once.
CREATE TABLE usage_batches (
    id TEXT COLLATE "C" PRIMARY KEY,
    at BIGINT NOT NULL
);
CREATE INDEX usage_batches_by_time ON usage_batches (at);

-- Calls by UTC hour with their tokens, for a while; by UTC day without them, for long.
CREATE TABLE usage_hours (
    team_id        TEXT COLLATE "C" NOT NULL,
    hour           BIGINT NOT NULL,
    application_id TEXT COLLATE "C" NOT NULL,
    token_id       TEXT COLLATE "C" NOT NULL, -- empty: of tokens beyond what is counted one by one
    route          TEXT COLLATE "C" NOT NULL,
    api            TEXT COLLATE "C" NOT NULL,
    status         BIGINT NOT NULL, -- of HTTP
    requests       BIGINT NOT NULL,
    points         BIGINT NOT NULL,
    PRIMARY KEY (team_id, hour, application_id, token_id, route, api, status)
);
CREATE INDEX usage_hours_by_time ON usage_hours (hour);
CREATE TABLE usage_days (
    team_id        TEXT COLLATE "C" NOT NULL,
    day            BIGINT NOT NULL,
    application_id TEXT COLLATE "C" NOT NULL,
    route          TEXT COLLATE "C" NOT NULL,
    api            TEXT COLLATE "C" NOT NULL,
    status         BIGINT NOT NULL,
    requests       BIGINT NOT NULL,
    points         BIGINT NOT NULL,
    PRIMARY KEY (team_id, day, application_id, route, api, status)
);
CREATE INDEX usage_days_by_time ON usage_days (day);

-- Calls with a token that was not good: the value is known by its SHA-256 alone. team_id is
-- the token's. Each value also has a row without a team, as if it were nobody's: it says how
-- often the value was refused, and by it a token of another team looks like none.
CREATE TABLE refused_calls (
    id             TEXT COLLATE "C" PRIMARY KEY,
    team_id        TEXT COLLATE "C" NOT NULL DEFAULT '',
    application_id TEXT COLLATE "C" NOT NULL DEFAULT '',
    token_id       TEXT COLLATE "C" NOT NULL DEFAULT '',
    value_hash     BYTEA NOT NULL,
    reason         TEXT COLLATE "C" NOT NULL,
    scope          TEXT COLLATE "C" NOT NULL DEFAULT '', -- what the token lacks
    route          TEXT COLLATE "C" NOT NULL DEFAULT '',
    address        TEXT COLLATE "C" NOT NULL DEFAULT '',
    agent          TEXT COLLATE "C" NOT NULL DEFAULT '',
    first_at       BIGINT NOT NULL,
    last_at        BIGINT NOT NULL,
    times          BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX refused_calls_alike ON refused_calls (team_id, value_hash, reason, route, address);
CREATE INDEX refused_calls_by_team ON refused_calls (team_id, last_at, id);
CREATE INDEX refused_calls_by_time ON refused_calls (last_at);
