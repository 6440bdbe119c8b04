-- What a service that publishes keeps: its sources' counters, and the log of every event it has told.

-- One row a source (one writer on one stream). `last` is taken under a row lock inside the transaction that appends, so
-- numbers and commits come in the same order and no number is ever missing.
CREATE TABLE source (
    name      text   PRIMARY KEY,
    last      bigint NOT NULL DEFAULT 0,
    -- The bus has acknowledged everything up to here. Only a hint where to go on after a restart: it may be behind.
    published bigint NOT NULL DEFAULT 0
);

-- The record. The bus only carries: whatever it loses is published again from here.
CREATE TABLE event_log (
    -- A row of `source`: whoever appends holds its lock, so there is no need to look it up again for each event.
    source      text        NOT NULL,
    sequence    bigint      NOT NULL,
    id          uuid        NOT NULL UNIQUE,
    kind        text        NOT NULL,
    subject     text        NOT NULL,
    at          timestamptz NOT NULL,
    traceparent text,
    data        json        NOT NULL,
    PRIMARY KEY (source, sequence)
);
