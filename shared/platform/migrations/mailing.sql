-- What a service that sends mail keeps: each mail, queued in the transaction that makes the reason for it.
CREATE TABLE mail (
    -- Made from the reason, so that the same reason queues one mail however often it is met. A row is kept for good.
    id              uuid        PRIMARY KEY,
    -- Whom it is to and what it says, until it is weeded.
    to_name         text,
    to_address      text,
    subject         text,
    body            text,
    created_at      timestamptz NOT NULL,
    -- How often it was tried, whatever came of it, since it was queued or somebody had it tried again.
    attempts        integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    -- A mail waits until it is either sent or given up.
    sent_at         timestamptz,
    failed_at       timestamptz,
    -- Why it was not taken the last time, in our words.
    reason          text,
    -- In the receiving server's words, which may name the address: never logged, and never listed.
    last_error      text,
    weeded_at       timestamptz,
    CHECK (sent_at IS NULL OR failed_at IS NULL),
    CHECK (weeded_at IS NOT NULL OR (to_name, to_address, subject, body) IS NOT NULL),
    CHECK (weeded_at IS NULL OR coalesce(sent_at, failed_at) IS NOT NULL)
);

-- The next one due. What has been sent is not in it, so it stays as small as the queue.
CREATE INDEX mail_waiting ON mail (next_attempt_at, id) WHERE sent_at IS NULL AND failed_at IS NULL;
-- What may be tried again by hand.
CREATE INDEX mail_given_up ON mail (failed_at) WHERE failed_at IS NOT NULL AND weeded_at IS NULL;
-- What is to be weeded next.
CREATE INDEX mail_done ON mail ((coalesce(sent_at, failed_at)))
    WHERE weeded_at IS NULL AND coalesce(sent_at, failed_at) IS NOT NULL;
