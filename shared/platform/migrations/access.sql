-- API keys. Only a hash is kept: a key has 256 random bits, so a plain SHA-256 cannot be turned back.
CREATE TABLE access.api_key (
    id         uuid        PRIMARY KEY,
    name       text        NOT NULL,
    hash       bytea       NOT NULL UNIQUE,
    scopes     text[]      NOT NULL,
    created_at timestamptz NOT NULL,
    -- A minute more or less; NULL while it never was used.
    last_used_at timestamptz,
    revoked_at timestamptz
);

-- Services may write nothing here. That a key was used they tell by this function, which runs with its owner's rights and can
-- do nothing else. Once a minute is enough: requests must not become writes.
CREATE FUNCTION access.key_used(used uuid, moment timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
AS $$
    UPDATE access.api_key SET last_used_at = moment
    WHERE id = used AND (last_used_at IS NULL OR last_used_at < moment - interval '1 minute')
$$;
