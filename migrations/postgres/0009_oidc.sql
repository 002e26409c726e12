-- +goose Up
-- Who a person is at the OpenID provider: the pair of issuer and subject, never an email.
CREATE TABLE identities (
    issuer       TEXT COLLATE "C" NOT NULL,
    subject      TEXT COLLATE "C" NOT NULL,
    user_id      TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    -- What the provider called the person's address at the last sign-in; for reading only.
    email        TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (issuer, subject)
);
-- One at each provider, whatever races.
CREATE UNIQUE INDEX identities_by_user ON identities (user_id, issuer);
