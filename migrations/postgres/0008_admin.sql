-- +goose Up
-- What the operator wrote when suspending the team; its members read it.
ALTER TABLE teams ADD COLUMN suspended_reason TEXT COLLATE "C" NOT NULL DEFAULT '';
-- Lists of operators go by name.
CREATE INDEX users_by_name ON users (LOWER(name), id);
