-- What a service that sends mail keeps: each mail, queued in the transaction that makes the reason for it.
CREATE TABLE mail (
    -- Made from the reason, so that the same reason queues one mail however often it is met.
    id              uuid        PRIMARY KEY,
    to_name         text        NOT NULL,
    to_address      text        NOT NULL,
    subject         text        NOT NULL,
    body            text        NOT NULL,
    created_at      timestamptz NOT NULL,
    -- How often it was tried, whatever came of it.
    attempts        integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    -- A mail waits until it is either sent or given up.
    sent_at         timestamptz,
    failed_at       timestamptz,
    -- In the receiving server's words, which may name the address: never logged.
    last_error      text,
    CHECK (sent_at IS NULL OR failed_at IS NULL)
);

-- The next one due. What has been sent is not in it, so it stays as small as the queue.
CREATE INDEX mail_waiting ON mail (next_attempt_at, id) WHERE sent_at IS NULL AND failed_at IS NULL;
