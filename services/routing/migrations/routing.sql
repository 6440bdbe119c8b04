-- Every version of the agreements, whole. Nothing is overwritten: who asks what held on a day gets the version applied last
-- of those valid from that day or before.
CREATE TABLE agreements (
    version     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    valid_from  date        NOT NULL,
    approved_by text        NOT NULL,
    applied_at  timestamptz NOT NULL,
    content     json        NOT NULL
);
CREATE INDEX agreements_in_force ON agreements (valid_from DESC, version DESC);

-- Cases as routing knows them: from their registration, since what is asked later is decided by what was registered; owned
-- from their forwarding to their closing.
CREATE TABLE routed_case (
    id             uuid        PRIMARY KEY,
    -- Where it stands: 'centre' until it is forwarded, then 'open', 'paused', 'closed'.
    state          text        NOT NULL CHECK (state IN ('centre', 'open', 'paused', 'closed')),
    -- What the guide registered.
    case_type      text        NOT NULL,
    rosa_group     smallint    NOT NULL,
    about          text        NOT NULL,
    urgent         boolean     NOT NULL,
    opinion        text,
    zone           text,
    registered_at  timestamptz NOT NULL,
    -- The guide who asked for it to be forwarded, or else registered it; a pseudonym.
    guide          text,
    -- Who has it, and by which rule of which version of the agreements; NULL at the centre.
    department     text,
    group_id       text,
    agreement      bigint,
    rule           text,
    why            json,
    -- Counts its forwardings: a link to the case is good for one of them.
    turn           integer     NOT NULL,
    -- How often it has been sent back since it was last opened.
    bounces        integer     NOT NULL,
    forwarded_at   timestamptz,
    due            timestamptz,
    -- The officer has taken it.
    taken_at       timestamptz,
    -- The group has promised to be done by then; once for each forwarding.
    promised       timestamptz,
    -- The pause under way, how long it may last at the most, and working seconds of pauses that are over.
    paused_at      timestamptz,
    paused_until   timestamptz,
    pause_reason   text,
    paused_s       bigint      NOT NULL,
    closed_at      timestamptz,
    outcome        text,
    -- To be forwarded, as soon as there are agreements that say where.
    wanted         boolean     NOT NULL,
    -- Registered when there were no agreements, and not resolved since: those to come decide whether the centre may have it.
    undecided      boolean     NOT NULL,
    -- Of an import: such a case sends no mail.
    imported       boolean     NOT NULL,
    -- What the older system called its department and queue there, where the agreements do not know them.
    historical     json,
    -- The last change; the next is later, so that events of one case differ in time.
    changed_at     timestamptz NOT NULL
);
CREATE INDEX routed_case_open ON routed_case (department, due) WHERE state IN ('open', 'paused');
-- Pauses that end by themselves.
CREATE INDEX routed_case_paused ON routed_case (paused_until) WHERE state = 'paused';
CREATE INDEX routed_case_wanted ON routed_case (registered_at) WHERE (wanted OR undecided) AND state = 'centre';
CREATE INDEX routed_case_registered ON routed_case USING brin (registered_at) WITH (pages_per_range = 32);

-- What happened to a case, for its page and for explanations: who saw it, who did what. Notes are the department's own words
-- and stay here.
CREATE TABLE case_log (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id uuid        NOT NULL,
    at      timestamptz NOT NULL,
    -- 'forwarded', 'viewed', 'taken', 'noted', 'paused', 'resumed', 'bounced', 'promised', 'closed', 'reopened', 'refused',
    -- 'reminded', 'overdue', 'escalated'.
    what    text        NOT NULL,
    -- The department and group, or the way, it was done by.
    who     text        NOT NULL,
    note    text,
    -- Of what was forwarded: the rule that decided, and how, step by step.
    rule    text,
    why     json
);
CREATE INDEX case_log_of ON case_log (case_id, id);
-- A page may be looked at any number of times; what happened is found without reading past that.
CREATE INDEX case_log_done ON case_log (case_id, id) WHERE what <> 'viewed';

-- Closures of departments' systems by their id, with what they asked and the answer, so that the same id twice has one effect.
-- Forgotten after ninety days.
CREATE TABLE closure (
    department text        NOT NULL,
    id         text        NOT NULL,
    case_id    uuid        NOT NULL,
    outcome    text        NOT NULL,
    answer     json        NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (department, id)
);
CREATE INDEX closure_at ON closure (at);

-- What departments' systems that cannot speak NATS sign their closures with. As it is, since a signature is checked by making
-- it again. A department may have several, so that one can follow another without a pause.
CREATE TABLE webhook_secret (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    department text        NOT NULL,
    secret     bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX webhook_secret_of ON webhook_secret (department) WHERE revoked_at IS NULL;

-- One row. What links to cases are signed with.
CREATE TABLE link_key (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    key bytea   NOT NULL
);
