-- What a service that consumes keeps: how far it has come, and what it could not apply.

-- Moved in the transaction that holds the effect, so that an event has its effect exactly once.
CREATE TABLE position (
    source   text   PRIMARY KEY,
    sequence bigint NOT NULL
);

-- Messages that can never be applied, kept once with the reason, to be looked at and sent again or thrown away.
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
-- What is kept of one sender's is bounded, and weeded.
CREATE INDEX dead_letter_of ON dead_letter (subject, received_at);
