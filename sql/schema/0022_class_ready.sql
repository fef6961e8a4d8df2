-- 0022: marks of classes wait for nobody. Who puts jobs of a class into the
-- queue and sees no mark makes one, so a class may have several for a while:
-- where they were unique, two who made the same ones in another order, or
-- between them took turns of projects, waited for each other.
ALTER TABLE sortie.class_ready DROP CONSTRAINT class_ready_pkey;
CREATE INDEX class_ready_class ON sortie.class_ready (class_id);
