-- One row. What contact ids are derived with; secret, since a name could otherwise be found by trying.
CREATE TABLE installation (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    pseudonyms uuid    NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO installation DEFAULT VALUES;

-- Contacts: what the centre's systems call them, and how it stands with each.
CREATE TABLE contact (
    id           uuid PRIMARY KEY,
    -- Which system told of it, and by what name it knows it. A name may be traced to a citizen, so it never leaves here.
    system       text NOT NULL,
    reference    text NOT NULL,
    channel      text NOT NULL,
    queue        text NOT NULL,
    -- Earliest and latest, so that events may come late, doubled and in any order.
    first_queued timestamptz,
    last_queued  timestamptz,
    answered_at  timestamptz,
    left_at      timestamptz,
    ended_at     timestamptz
);

-- When a PBX restarts, those who waited in it are lost. That is rare, and contacts come in almost in the order of time: a
-- block range index finds the last day's, and costs next to nothing for each contact.
CREATE INDEX contact_time ON contact USING brin (last_queued) WITH (pages_per_range = 32);

-- Cases, until they are forwarded.
CREATE TABLE cases (
    id            uuid        PRIMARY KEY,
    -- What a guide says on the phone. Numbers may be missing; events are numbered elsewhere.
    number        bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    case_type     text        NOT NULL,
    rosa_group    smallint    NOT NULL CHECK (rosa_group BETWEEN 1 AND 6),
    department    text        NOT NULL,
    opinion       text        CHECK (opinion IN ('complaint', 'praise')),
    urgent        boolean     NOT NULL,
    zone          text,
    contact       uuid,
    state         text        NOT NULL CHECK (state IN ('registered', 'resolved', 'forward_requested')),
    registered_at timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL
);

-- Free text and personal data, apart, so that they can be weeded out while the case stays.
CREATE TABLE case_content (
    case_id uuid PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
    text    text,
    name    text,
    email   text,
    phone   text,
    -- They ask to be told by e-mail how it goes.
    notify  boolean NOT NULL DEFAULT false
);

-- What a request with an Idempotency-Key was answered, so that the same request is answered the same.
CREATE TABLE idempotency (
    api_key    uuid        NOT NULL,
    key        text        NOT NULL,
    request    bytea       NOT NULL,
    response   json        NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (api_key, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);

-- How far a live queue_log has been read; moves with the events it gave.
CREATE TABLE queue_log_place (
    system  text   PRIMARY KEY,
    -- Device and inode: the file keeps them when it is rotated to another name.
    file    text   NOT NULL,
    "offset" bigint NOT NULL,
    -- A hash of how the file begins, of at most as many bytes as were read: another file may have the inode by now.
    beginning bytea NOT NULL
);
