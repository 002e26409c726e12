-- +goose Up

-- What resource servers have to forget, for those that follow. seq has no gap and is taken
-- under the lock of revocation_head, which is held until the commit: who sees a row sees
-- every row before it.
CREATE TABLE revocations (
    seq            INTEGER PRIMARY KEY,
    mark           TEXT NOT NULL, -- tells it from the one that had the number before a restore
    at             INTEGER NOT NULL,
    token_id       TEXT NOT NULL DEFAULT '',
    token_hash     BLOB,
    application_id TEXT NOT NULL DEFAULT '',
    team_id        TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX revocations_by_time ON revocations (at);

-- The newest of them, also where it is deleted.
CREATE TABLE revocation_head (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    mark TEXT NOT NULL
) STRICT;
INSERT INTO revocation_head (id, seq, mark) VALUES (1, 0, lower(hex(randomblob(16))));
-- Where those stand who follow before anything has happened.
INSERT INTO revocations (seq, mark, at) SELECT seq, mark, 0 FROM revocation_head;
