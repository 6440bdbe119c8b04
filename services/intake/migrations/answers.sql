-- What a request was answered is told by the case, and by its state then. So an answer is stored by the statement that gives
-- the case its number, which it therefore cannot hold.
ALTER TABLE idempotency ADD case_id uuid, ADD state text;
UPDATE idempotency SET case_id = (response->>'id')::uuid, state = response->>'state';
ALTER TABLE idempotency ALTER case_id SET NOT NULL, ALTER state SET NOT NULL, DROP response;

-- Content is inserted by the statement that inserts its case: looking the case up again for each row would be for nothing.
ALTER TABLE case_content DROP CONSTRAINT case_content_case_id_fkey;

-- Answers are weeded by their age, in the order they came: a block range index costs each of them next to nothing.
DROP INDEX idempotency_age;
CREATE INDEX idempotency_age ON idempotency USING brin (created_at) WITH (pages_per_range = 32);
