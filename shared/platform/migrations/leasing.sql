-- Which of a service's processes works; the others stand by.
CREATE TABLE lease (
    name   text        PRIMARY KEY,
    -- Who has it, or had it last: a process's own random id.
    holder uuid        NOT NULL,
    -- Counts its holders. Whoever knows an older number has lost it.
    epoch  bigint      NOT NULL,
    -- By the database's own clock, which all processes share.
    until  timestamptz NOT NULL,
    -- Makes the epoch a key: a new holder waits until every transaction that has looked at it has ended, while the holder
    -- itself prolongs the lease without waiting for its own.
    UNIQUE (name, epoch)
);
