-- What a service that consumes keeps: how far it has come, and what it could not apply.

-- Moved in the transaction that holds the effect, so that an event has its effect exactly once.
CREATE TABLE position (
    source   text   PRIMARY KEY,
    sequence bigint NOT NULL
);

-- Messages that can never be applied, kept once with the reason, to be looked at and sent again.
CREATE TABLE dead_letter (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The same message is one dead letter however often the bus brings it.
    fingerprint bytea       NOT NULL UNIQUE,
    stream      text        NOT NULL,
    subject     text        NOT NULL,
    source      text,
    sequence    bigint,
    reason      text        NOT NULL,
    payload     bytea       NOT NULL,
    received_at timestamptz NOT NULL
);
