-- Every version of the agreements, as routing handed it out. What it says never changes.
CREATE TABLE agreements (
    version  bigint  PRIMARY KEY,
    content  json    NOT NULL,
    -- Whether the plans have been gone through since it came: when they are looked at again goes by who works when now.
    followed boolean NOT NULL DEFAULT false
);

-- The follow-up plan of each forwarded case: of its latest forwarding. The columns are for finding it; `plan` is all of it.
CREATE TABLE plan (
    case_id      uuid        PRIMARY KEY,
    department   text        NOT NULL,
    group_id     text        NOT NULL,
    -- The guide who forwarded it, where the centre says so.
    guide        text,
    case_type    text        NOT NULL,
    state        text        NOT NULL CHECK (state IN ('open', 'paused', 'ended')),
    forwarded_at timestamptz NOT NULL,
    due          timestamptz,
    -- The day that its group has promised.
    promised     timestamptz,
    -- After this it is late, as it stands now: its limit, or 'infinity' where it has none, where it was paused before it, and
    -- where it has ended. So it is late or not by one comparison, which an index finds.
    late_from    timestamptz NOT NULL,
    -- The forwarding whose being late the guides' list has told of, or need not; NULL where it has told of none.
    listed       timestamptz,
    ended_at     timestamptz,
    -- When to look at it again; NULL where nothing is to come. The instants of a paused or ended case's steps are unknown.
    next_at      timestamptz,
    plan         json        NOT NULL
);
-- The next step due is found here, however many plans there are.
CREATE INDEX plan_next ON plan (next_at) WHERE next_at IS NOT NULL;
-- Those open, of a department, of a guide, or all; late or not, the earliest limit first.
CREATE INDEX plan_open ON plan (department, late_from, due) WHERE state <> 'ended';
CREATE INDEX plan_guide ON plan (guide, late_from, due) WHERE state <> 'ended' AND guide IS NOT NULL;
CREATE INDEX plan_late ON plan (late_from, due) WHERE state <> 'ended';
-- What the guides' list is to tell of.
CREATE INDEX plan_to_list ON plan (late_from) WHERE state <> 'ended' AND listed IS DISTINCT FROM forwarded_at;
-- What is to be weeded.
CREATE INDEX plan_ended ON plan (ended_at) WHERE state = 'ended';

-- What was told of forwarded cases, and what reminder told itself: for whoever asks what other agreements would have sent.
CREATE TABLE happened (
    case_id uuid        NOT NULL,
    at      timestamptz NOT NULL,
    kind    text        NOT NULL,
    event   json        NOT NULL,
    PRIMARY KEY (case_id, at, kind)
);
CREATE INDEX happened_at ON happened USING brin (at) WITH (pages_per_range = 32);

-- Digests that were sent, so that each is sent once; also those that had nothing to tell, which nobody got.
CREATE TABLE digest (
    kind  text NOT NULL CHECK (kind IN ('guides', 'contact_person', 'heads')),
    -- The department of a contact person's list; empty for the guides' and the unit head's.
    of    text NOT NULL,
    -- The day of the guides' and the unit head's; the Monday of the week of a contact person's, whichever day its meeting is on.
    day   date NOT NULL,
    at    timestamptz NOT NULL,
    -- How many cases were in it.
    cases bigint NOT NULL,
    PRIMARY KEY (kind, of, day)
);

-- Cases that should have reached the heads long ago, such as when nothing ran: the unit head gets one list of them.
CREATE TABLE heads_late (
    case_id    uuid        PRIMARY KEY,
    department text        NOT NULL,
    case_type  text        NOT NULL,
    due        timestamptz NOT NULL
);
