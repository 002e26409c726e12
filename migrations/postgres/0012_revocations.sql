-- +goose Up

-- What resource servers have to forget, for those that follow. seq has no gap and is taken
-- under the lock of revocation_head, which is held until the commit: who sees a row sees
-- every row before it.
CREATE TABLE revocations (
    seq            BIGINT PRIMARY KEY,
    mark           TEXT COLLATE "C" NOT NULL, -- tells it from the one that had the number before a restore
    at             BIGINT NOT NULL,
    token_id       TEXT COLLATE "C" NOT NULL DEFAULT '',
    token_hash     BYTEA,
    application_id TEXT COLLATE "C" NOT NULL DEFAULT '',
    team_id        TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX revocations_by_time ON revocations (at);

-- The newest of them, also where it is deleted.
CREATE TABLE revocation_head (
    id   BIGINT PRIMARY KEY CHECK (id = 1),
    seq  BIGINT NOT NULL,
    mark TEXT COLLATE "C" NOT NULL
);
INSERT INTO revocation_head (id, seq, mark) VALUES (1, 0, gen_random_uuid()::TEXT);
-- Where those stand who follow before anything has happened.
INSERT INTO revocations (seq, mark, at) SELECT seq, mark, 0 FROM revocation_head;
