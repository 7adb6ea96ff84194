-- What only SQLite has: the text index, and the log's guards against our own
-- bugs. (They do not stop somebody who holds the file; the tree does.)

CREATE VIRTUAL TABLE account_text USING fts5 (
    username, email, name,
    content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1'
);

CREATE TRIGGER event_no_update BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
CREATE TRIGGER log_hash_no_update BEFORE UPDATE ON log_hash
BEGIN SELECT RAISE(ABORT, 'hashes of the log are never changed'); END;
CREATE TRIGGER log_hash_no_delete BEFORE DELETE ON log_hash
BEGIN SELECT RAISE(ABORT, 'hashes of the log are never deleted'); END;
CREATE TRIGGER log_head_no_delete BEFORE DELETE ON log_head
BEGIN SELECT RAISE(ABORT, 'the head of the log is never deleted'); END;
CREATE TRIGGER log_head_only_grows BEFORE UPDATE ON log_head
WHEN NEW.size < OLD.size OR NEW.turn < OLD.turn OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
