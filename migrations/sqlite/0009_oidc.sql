-- +goose Up
-- Who a person is at the OpenID provider: the pair of issuer and subject, never an email.
CREATE TABLE identities (
    issuer       TEXT NOT NULL,
    subject      TEXT NOT NULL,
    user_id      TEXT NOT NULL REFERENCES users (id),
    -- What the provider called the person's address at the last sign-in; for reading only.
    email        TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
-- One at each provider, whatever races.
CREATE UNIQUE INDEX identities_by_user ON identities (user_id, issuer);
