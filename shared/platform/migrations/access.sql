-- API keys. Only a hash is kept: a key has 256 random bits, so a plain SHA-256 cannot be turned back.
CREATE TABLE access.api_key (
    id         uuid        PRIMARY KEY,
    name       text        NOT NULL,
    hash       bytea       NOT NULL UNIQUE,
    scopes     text[]      NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);
