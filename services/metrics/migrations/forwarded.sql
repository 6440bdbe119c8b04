-- What has been told of each forwarded case, whole: few steps, from which the spans below are worked out anew with each
-- further one, so that order and repetition do not matter.
CREATE TABLE forwarded_fact (
    case_id uuid PRIMARY KEY,
    steps   json NOT NULL
);

-- How each forwarded case has stood: one row a stretch of time, without gaps from its first forwarding on. How things stood
-- at an instant is those rows that hold it, one a case.
CREATE TABLE forwarded_span (
    case_id            uuid        NOT NULL,
    since              timestamptz NOT NULL,
    -- NULL for the one that holds now.
    until              timestamptz,
    state              text        NOT NULL CHECK (state IN ('open', 'paused', 'closed')),
    -- Names as figures use them; of an import they may be an older system's.
    department         text        NOT NULL,
    queue              text        NOT NULL,
    imported           boolean     NOT NULL,
    registered_at      timestamptz NOT NULL,
    first_forwarded_at timestamptz NOT NULL,
    forwarded_at       timestamptz NOT NULL,
    due                timestamptz,
    -- Overdue after this instant, in this row's time; NULL where it cannot become so in it.
    late_from          timestamptz,
    -- Working seconds at the centre before it was first forwarded, and at departments of a closed one; NULL where not known.
    centre_working_s   bigint,
    working_s          bigint,
    -- Steps of the follow-up taken since it was last forwarded, as they came, and the day promised since then.
    steps              text[]      NOT NULL,
    promised           timestamptz,
    PRIMARY KEY (case_id, since)
);
-- A period's cases.
CREATE INDEX forwarded_span_period ON forwarded_span (first_forwarded_at);
CREATE INDEX forwarded_span_closed ON forwarded_span (since) WHERE state = 'closed';
-- The wall: who has what open, and what is overdue next. As large as what is open, however long the history.
CREATE INDEX forwarded_span_open ON forwarded_span (department) INCLUDE (late_from, forwarded_at, steps)
    WHERE until IS NULL AND state <> 'closed' AND NOT imported;
CREATE INDEX forwarded_span_next ON forwarded_span (late_from)
    WHERE until IS NULL AND state <> 'closed' AND NOT imported;

-- Departments that ever had a case that was not an import's: one that has none open now has none, which is not unknown.
CREATE TABLE forwarded_department (
    department text PRIMARY KEY
);

-- Steps of follow-ups ever told, by step. Kept up with every event: while it is empty, nobody has told of any, and how many
-- cases are escalated is not known.
CREATE TABLE follow_up_sum (
    step  text   PRIMARY KEY,
    taken bigint NOT NULL
);
