-- What only PostgreSQL has: the text index, and the log's guards against our own
-- bugs. (They do not stop somebody who owns the database; the tree does.)

CREATE TABLE account_text (
    rowid  BIGINT PRIMARY KEY,
    folded TEXT COLLATE "C" NOT NULL
);

-- Every writer updates these rows: leave room to do it in place.
ALTER TABLE log_head SET (fillfactor = 10);
ALTER TABLE account SET (fillfactor = 80);

CREATE FUNCTION logiqc_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0];
END;
$$;

CREATE TRIGGER event_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    EXECUTE FUNCTION logiqc_refuse('events are never changed or deleted');
CREATE TRIGGER log_hash_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON log_hash
    EXECUTE FUNCTION logiqc_refuse('hashes of the log are never changed or deleted');
CREATE TRIGGER log_head_stays BEFORE DELETE OR TRUNCATE ON log_head
    EXECUTE FUNCTION logiqc_refuse('the head of the log is never deleted');
CREATE TRIGGER log_head_only_grows BEFORE UPDATE ON log_head FOR EACH ROW
    WHEN (NEW.size < OLD.size OR NEW.turn < OLD.turn OR (NEW.size = OLD.size AND NEW.root <> OLD.root))
    EXECUTE FUNCTION logiqc_refuse('the log only grows');
