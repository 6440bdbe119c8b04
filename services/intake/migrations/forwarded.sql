-- Once a case is forwarded it is routing's, and intake only shows how it stands.
ALTER TABLE cases DROP CONSTRAINT cases_state_check;
ALTER TABLE cases ADD CONSTRAINT cases_state_check
    CHECK (state IN ('registered', 'resolved', 'forward_requested', 'forwarded', 'closed'));
