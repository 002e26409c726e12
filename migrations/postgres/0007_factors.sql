-- +goose Up
-- What a person proves themselves by beside or instead of a password. users.second_factor
-- is 1 while they have an authenticator app or a passkey.
CREATE TABLE authenticators (
    user_id      TEXT COLLATE "C" PRIMARY KEY REFERENCES users (id),
    sealed       BYTEA NOT NULL,
    -- The 30-second step of the last code that was taken: no code counts twice.
    last_step    BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE recovery_codes (
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    number     BIGINT NOT NULL,
    hash       TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, number)
);

CREATE TABLE passkeys (
    id            TEXT COLLATE "C" PRIMARY KEY,
    user_id       TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    name          TEXT COLLATE "C" NOT NULL,
    name_key      TEXT COLLATE "C" NOT NULL,
    -- By which its authenticator knows the account: random, and the same for all of one person.
    handle        BYTEA NOT NULL,
    credential_id BYTEA NOT NULL UNIQUE,
    -- The public key and what else was said of it, as JSON.
    credential    TEXT COLLATE "C" NOT NULL,
    sign_count    BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    last_used_at  BIGINT NOT NULL DEFAULT 0,
    UNIQUE (user_id, name_key)
);
