-- +goose Up
-- What a person proves themselves by beside or instead of a password. users.second_factor
-- is 1 while they have an authenticator app or a passkey.
CREATE TABLE authenticators (
    user_id      TEXT PRIMARY KEY REFERENCES users (id),
    sealed       BLOB NOT NULL,
    -- The 30-second step of the last code that was taken: no code counts twice.
    last_step    INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE recovery_codes (
    user_id    TEXT NOT NULL REFERENCES users (id),
    number     INTEGER NOT NULL,
    hash       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE passkeys (
    id            TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id),
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL,
    -- By which its authenticator knows the account: random, and the same for all of one person.
    handle        BLOB NOT NULL,
    credential_id BLOB NOT NULL UNIQUE,
    -- The public key and what else was said of it, as JSON.
    credential    TEXT NOT NULL,
    sign_count    INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (user_id, name_key)
) STRICT;
