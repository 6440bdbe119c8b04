-- Facts: one row a contact, folded from its events. Each field moves one way only, so order and repetition do not matter.
CREATE TABLE contact_fact (
    id                uuid PRIMARY KEY,
    channel           text NOT NULL,
    queue             text NOT NULL,
    department        text,
    first_queued      timestamptz,
    last_queued       timestamptz,
    answered_at       timestamptz,
    answered_waited_s integer,
    left_at           timestamptz,
    left_how          smallint,
    left_waited_s     integer,
    come_and_gone     timestamptz,
    lost_at           timestamptz,
    ended_at          timestamptz,
    -- Derived from the above by the same fold, for finding: who waits now,
    waiting           boolean NOT NULL,
    -- and, where it is counted, the day and the wait it is counted with.
    day               date,
    wait_ms           bigint
);
CREATE INDEX contact_fact_waiting ON contact_fact (channel, first_queued) WHERE waiting;
-- Only for finding the next longest wait of a day when a late event shortens the longest.
CREATE INDEX contact_fact_day ON contact_fact (day) WHERE day IS NOT NULL;

-- Sums by definition and cell. Kept up with every event, never recomputed from history; a changed definition sums beside
-- the old one.
CREATE TABLE contact_sum (
    definition          text   NOT NULL,
    day                 date   NOT NULL,
    channel             text   NOT NULL,
    queue               text   NOT NULL,
    -- Empty where unknown.
    department          text   NOT NULL,
    offered             bigint NOT NULL,
    answered            bigint NOT NULL,
    abandoned           bigint NOT NULL,
    short_abandoned     bigint NOT NULL,
    answered_within     bigint NOT NULL,
    waits_known         bigint NOT NULL,
    wait_of_answered_ms bigint NOT NULL,
    longest_wait_ms     bigint,
    PRIMARY KEY (definition, day, channel, queue, department)
);

-- Channels ever heard of: a queue that was never heard of is not empty but unknown.
CREATE TABLE channel_heard (
    channel text PRIMARY KEY
);

CREATE TABLE case_fact (
    id                uuid PRIMARY KEY,
    department        text NOT NULL,
    registered        timestamptz,
    resolved          timestamptz,
    repeat_contact    timestamptz,
    forward_requested timestamptz
);

CREATE TABLE case_sum (
    definition text   NOT NULL,
    day        date   NOT NULL,
    department text   NOT NULL,
    registered bigint NOT NULL,
    resolved   bigint NOT NULL,
    PRIMARY KEY (definition, day, department)
);
