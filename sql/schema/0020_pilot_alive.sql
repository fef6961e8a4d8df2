-- 0020: living pilots are found without reading those that have ended.
CREATE INDEX pilot_alive ON sortie.pilot (pilot) WHERE end_state IS NULL;
