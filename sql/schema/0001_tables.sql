-- 0001: all tables of Sortie.
--
-- Hot and cold are apart.  job is wide and written once; where a job is now
-- is told by which narrow table holds it, exactly one of
--     queue    defined: waits for a pilot, in grant order
--     waiting  held, or waiting for a time, or for its project's gate
--     live     granted: dispatched or running
--     ended    over
-- A run has a row in live while it lives and one in run from its end on.
-- Ids inside the database are numbers; a UUID carries its object's number
-- (lib/id.h), so no table needs an index on UUIDs.

CREATE TYPE sortie.job_state AS ENUM ('held', 'waiting', 'defined',
	'dispatched', 'running', 'finished', 'failed', 'timelimit',
	'cancelled', 'lost', 'skipped');
CREATE TYPE sortie.run_state AS ENUM ('dispatched', 'running', 'finished',
	'failed', 'timelimit', 'cancelled', 'lost', 'returned');
CREATE TYPE sortie.token_role AS ENUM ('admin', 'user', 'reader', 'join');

-- One row: who we are.  lane_turn is the turn last granted; only the holder
-- of the grant lane writes it.  fit_version grows when profiles change.
CREATE TABLE sortie.cluster (
	only_row     bool PRIMARY KEY DEFAULT true CHECK (only_row),
	id           uuid NOT NULL DEFAULT gen_random_uuid(),
	hmac_key     bytea NOT NULL,
	created_at   timestamptz NOT NULL DEFAULT now()
);
INSERT INTO sortie.cluster (hmac_key)
	VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

CREATE TABLE sortie.lane (
	only_row     bool PRIMARY KEY DEFAULT true CHECK (only_row),
	turn         bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 500,
	autovacuum_vacuum_scale_factor = 0);
INSERT INTO sortie.lane DEFAULT VALUES;

CREATE SEQUENCE sortie.fit_version;

-- Service time (design, section 5): only the process itself advances ticks.
CREATE SEQUENCE sortie.server_number;
CREATE TABLE sortie.server (
	server       bigint PRIMARY KEY,
	bucket       int NOT NULL UNIQUE,
	ticks        bigint NOT NULL DEFAULT 0,
	host         text NOT NULL,
	url          text NOT NULL DEFAULT '',
	version      text NOT NULL,
	started_at   timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

CREATE TABLE sortie.owner (
	owner_id     int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name         text NOT NULL UNIQUE
);

-- turn: the last turn given to a job of this project.  admitted counts the
-- project's queued and live jobs, kept only while max_running is set.
CREATE TABLE sortie.project (
	project_id   int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name         text NOT NULL UNIQUE,
	turn         bigint NOT NULL DEFAULT 0,
	max_running  int CHECK (max_running >= 0),
	admitted     int NOT NULL DEFAULT 0,
	keep_last    bigint
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 1000,
	autovacuum_vacuum_scale_factor = 0.1);

-- Jobs are counted, listed and authorised by kind.
CREATE TABLE sortie.kind (
	kind_id      int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	owner_id     int NOT NULL REFERENCES sortie.owner,
	project_id   int NOT NULL REFERENCES sortie.project,
	jobtype      text NOT NULL,
	UNIQUE (owner_id, project_id, jobtype)
);

CREATE TABLE sortie.token (
	token_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	hash         bytea NOT NULL UNIQUE,
	role         sortie.token_role NOT NULL,
	owner_id     int NOT NULL REFERENCES sortie.owner,
	name         text NOT NULL DEFAULT '',
	project_ids  int[] NOT NULL DEFAULT '{}',
	everybody    bool NOT NULL DEFAULT false,
	created_by   uuid,
	created_at   timestamptz NOT NULL DEFAULT now(),
	expires_at   timestamptz,
	revoked_at   timestamptz,
	used_at      timestamptz
);

CREATE TABLE sortie.site (
	name         text PRIMARY KEY,
	definition   jsonb NOT NULL,
	defined_at   timestamptz NOT NULL DEFAULT now()
);

-- Named capacities.  A jobtype's maximum is the limit "jobtype:NAME"; it has a
-- row only once it is set.  used is what live runs hold; claims read and write
-- it in the grant lane, ends give back.
CREATE TABLE sortie.lim (
	limit_id     int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name         text NOT NULL UNIQUE,
	capacity     int CHECK (capacity >= 0),
	used         int NOT NULL DEFAULT 0
) WITH (fillfactor = 25, autovacuum_vacuum_threshold = 500,
	autovacuum_vacuum_scale_factor = 0);

-- Jobs with equal requirements share a class.  profiles: the live profiles
-- that fit, kept by class_fit_1 and profile_ensure_1.  active: false when
-- nothing queued or live refers to it for long; such a class has no profiles
-- and is woken by queue_put_1.
CREATE TABLE sortie.class (
	class_id     int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	key          text NOT NULL UNIQUE,
	owner_id     int NOT NULL,
	project_id   int NOT NULL,
	jobtype      text NOT NULL,
	site         text NOT NULL,
	pools        text[] NOT NULL,
	labels       jsonb NOT NULL,
	cores        int NOT NULL,
	memory       bigint NOT NULL,
	life_s       bigint NOT NULL,
	limit_ids    int[] NOT NULL,
	limit_counts int[] NOT NULL,
	profiles     int[] NOT NULL DEFAULT '{}',
	active       bool NOT NULL DEFAULT true,
	used_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX class_project ON sortie.class (project_id);

-- A row: the class may have queued jobs.  Put by submissions, taken away by a
-- claim that finds the class empty.
CREATE TABLE sortie.class_ready (
	class_id     int PRIMARY KEY REFERENCES sortie.class
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 1000,
	autovacuum_vacuum_scale_factor = 0);

-- Sites, labels and pools that some class mentions ("site:CERN", "pool:gpu",
-- "label:os=el9"): profiles keep only these.
CREATE TABLE sortie.term (
	term         text PRIMARY KEY
);

-- Pilots with the same offer, reduced to live terms, share a profile.
CREATE TABLE sortie.profile (
	profile_id   int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	key          text NOT NULL UNIQUE,
	everybody    bool NOT NULL,
	owner_id     int NOT NULL,
	project_ids  int[] NOT NULL,
	site         text NOT NULL,
	accept       text[] NOT NULL,
	refuse       text[] NOT NULL,
	pools        text[] NOT NULL,
	labels       jsonb NOT NULL
);

CREATE SEQUENCE sortie.pilot_number;
-- Cold half of a pilot: what it offered and how it ended.
CREATE TABLE sortie.pilot (
	pilot        bigint PRIMARY KEY,
	id           uuid NOT NULL,
	owner_id     int NOT NULL,
	everybody    bool NOT NULL,
	project_ids  int[] NOT NULL,
	host         text NOT NULL,
	site         text NOT NULL,
	pools        text[] NOT NULL,
	labels       jsonb NOT NULL,
	accept       text[] NOT NULL,
	refuse       text[] NOT NULL,
	slots        int NOT NULL,
	cores        int NOT NULL,
	memory       bigint NOT NULL,
	batch_id     text NOT NULL DEFAULT '',
	version      text NOT NULL DEFAULT '',
	predecessor  bigint,
	registered_at timestamptz NOT NULL DEFAULT now(),
	ends_at      timestamptz,
	ended_at     timestamptz,
	end_state    text CHECK (end_state IN ('stopped', 'lost', 'killed')),
	end_reason   text NOT NULL DEFAULT '',
	jobs_done    bigint NOT NULL DEFAULT 0
);
CREATE INDEX pilot_ended ON sortie.pilot (ended_at) WHERE ended_at IS NOT NULL;

-- Hot half: exists while the pilot lives.  used_*: what its live runs hold.
-- memory: what the pilot offers, rounded as classes' memory is (memory_1).
-- lease_tick counts on the row of `server`.  notice: the pilot has orders
-- (cancelled runs, drain, stop).  reserved_*: the place in line of a big job
-- that this pilot is kept free for.  inherited: has runs of a predecessor
-- that its first report will settle.
CREATE TABLE sortie.pilot_room (
	pilot        bigint PRIMARY KEY,
	profile_id   int NOT NULL,
	slots        int NOT NULL,
	cores        int NOT NULL,
	memory       bigint NOT NULL,
	used_slots   int NOT NULL DEFAULT 0,
	used_cores   int NOT NULL DEFAULT 0,
	used_memory  bigint NOT NULL DEFAULT 0,
	request      bigint NOT NULL DEFAULT 0,
	server       bigint NOT NULL,
	lease_tick   bigint NOT NULL,
	heard_at     timestamptz NOT NULL DEFAULT now(),
	ends_at      timestamptz,
	notice       bool NOT NULL DEFAULT false,
	pilot_order  text CHECK (pilot_order IN ('drain', 'stop')),
	inherited    bool NOT NULL DEFAULT false,
	done         bigint NOT NULL DEFAULT 0,
	reserved_place  int,
	reserved_turn   bigint,
	reserved_number bigint
) WITH (fillfactor = 40, autovacuum_vacuum_threshold = 2000,
	autovacuum_vacuum_scale_factor = 0.01);

CREATE SEQUENCE sortie.job_number;
CREATE TABLE sortie.job (
	number       bigint PRIMARY KEY,
	id           uuid NOT NULL,
	kind_id      int NOT NULL,
	class_id     int NOT NULL,
	priority     int NOT NULL,
	idx          int,
	retried_at   smallint NOT NULL DEFAULT 0,  -- attempts before it was
						   -- retried by hand
	submitted_at timestamptz NOT NULL,
	name         text NOT NULL,
	definition   text NOT NULL
);
-- Lists by owner, project and type; duplicates are folded, so it stays small.
CREATE INDEX job_kind ON sortie.job (kind_id, number);

CREATE TABLE sortie.job_tag (
	name         text NOT NULL,
	value        text NOT NULL,
	number       bigint NOT NULL,
	PRIMARY KEY (name, value, number)
);
CREATE INDEX job_tag_job ON sortie.job_tag (number);

-- Keys chosen by clients, unique within owner and project.
CREATE TABLE sortie.job_key (
	owner_id     int NOT NULL,
	project_id   int NOT NULL,
	key          text NOT NULL,
	number       bigint NOT NULL,
	PRIMARY KEY (owner_id, project_id, key)
);
CREATE INDEX job_key_job ON sortie.job_key (number);

-- The queue: its primary key is the grant order within a class.
-- place is ~priority, so that one ascending order has high priorities first.
CREATE TABLE sortie.queue (
	class_id     int NOT NULL,
	place        int NOT NULL,
	turn         bigint NOT NULL,
	number       bigint NOT NULL,
	attempt      smallint NOT NULL,
	kind_id      int NOT NULL,
	PRIMARY KEY (class_id, place, turn, number)
) WITH (autovacuum_vacuum_threshold = 2000,
	autovacuum_vacuum_scale_factor = 0.01,
	autovacuum_vacuum_cost_delay = 0,
	autovacuum_vacuum_insert_threshold = 100000);
CREATE INDEX queue_number ON sortie.queue (number);

-- why: held (by a person), time (due says when), gate (its project runs its
-- maximum).  turn: the place that a job behind its gate keeps.
CREATE TABLE sortie.waiting (
	number       bigint PRIMARY KEY,
	why          text NOT NULL CHECK (why IN ('held', 'time', 'gate')),
	due          timestamptz,
	class_id     int NOT NULL,
	kind_id      int NOT NULL,
	project_id   int NOT NULL,
	place        int NOT NULL,
	turn         bigint NOT NULL,
	attempt      smallint NOT NULL,
	reason       text NOT NULL DEFAULT ''
) WITH (autovacuum_vacuum_threshold = 2000,
	autovacuum_vacuum_scale_factor = 0.01);
CREATE INDEX waiting_class ON sortie.waiting (class_id);
CREATE INDEX waiting_due ON sortie.waiting (due) WHERE why = 'time';
CREATE INDEX waiting_gate ON sortie.waiting (project_id, place, turn, number)
	WHERE why = 'gate';

-- I1 is this primary key.  run is the fence of every message.
CREATE TABLE sortie.live (
	number       bigint PRIMARY KEY,
	run          bigint NOT NULL,
	pilot        bigint NOT NULL,
	request      bigint NOT NULL,
	class_id     int NOT NULL,
	kind_id      int NOT NULL,
	place        int NOT NULL,
	turn         bigint NOT NULL,
	attempt      smallint NOT NULL,
	ahead        bool NOT NULL,
	running      bool NOT NULL DEFAULT false,
	cancelling   bool NOT NULL DEFAULT false,
	deleting     bool NOT NULL DEFAULT false,
	inherited    bool NOT NULL DEFAULT false,
	granted_at   timestamptz NOT NULL,
	started_at   timestamptz,
	cancel_at    timestamptz
) WITH (fillfactor = 70, autovacuum_vacuum_threshold = 2000,
	autovacuum_vacuum_scale_factor = 0.01,
	autovacuum_vacuum_cost_delay = 0,
	autovacuum_vacuum_insert_threshold = 100000);
CREATE INDEX live_pilot ON sortie.live (pilot);

-- Ended runs: with their times the record of grants, starts and ends (I11).
CREATE TABLE sortie.run (
	number       bigint NOT NULL,
	attempt      smallint NOT NULL,
	run          bigint NOT NULL,
	pilot        bigint NOT NULL,
	state        sortie.run_state NOT NULL,
	exit_code    int,
	signal       int,
	granted_at   timestamptz NOT NULL,
	started_at   timestamptz,
	ended_at     timestamptz NOT NULL,
	wall_ms      bigint,
	user_ms      bigint,
	system_ms    bigint,
	max_rss      bigint,
	stdout_size  bigint NOT NULL DEFAULT 0,
	stderr_size  bigint NOT NULL DEFAULT 0,
	incomplete   smallint NOT NULL DEFAULT 0,  -- 1 stdout, 2 stderr
	xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
	reason       text NOT NULL DEFAULT '',
	PRIMARY KEY (number, attempt)
);
CREATE INDEX run_xid ON sortie.run (xid, number);

CREATE TABLE sortie.ended (
	number       bigint PRIMARY KEY,
	kind_id      int NOT NULL,
	state        sortie.job_state NOT NULL,
	exit_code    int,
	signal       int,
	ended_at     timestamptz NOT NULL,
	reason       text NOT NULL DEFAULT ''
);
CREATE INDEX ended_bad ON sortie.ended (state, number)
	WHERE state <> 'finished';
CREATE INDEX ended_time ON sortie.ended USING brin (ended_at)
	WITH (pages_per_range = 16, autosummarize = on);

-- Meta lines of payloads.
CREATE TABLE sortie.run_meta (
	number       bigint NOT NULL,
	attempt      smallint NOT NULL,
	lines        json NOT NULL,
	PRIMARY KEY (number, attempt)
);

-- Output in pieces.  at: offset in the stream as the payload wrote it.  The
-- bytes are in data, or in the blob directory under their SHA-256.
CREATE TABLE sortie.output (
	number       bigint NOT NULL,
	attempt      smallint NOT NULL,
	stream       smallint NOT NULL,            -- 0 stdout, 1 stderr
	at           bigint NOT NULL,
	len          int NOT NULL,
	data         bytea,
	blob         bytea,
	PRIMARY KEY (number, attempt, stream, at)
);
ALTER TABLE sortie.output ALTER COLUMN data SET STORAGE EXTERNAL;

-- Files by hash; put_at lets a sweep spare what was just put.
CREATE TABLE sortie.blob (
	sha256       bytea PRIMARY KEY,
	size         bigint NOT NULL,
	put_at       timestamptz NOT NULL DEFAULT now()
);
-- What keeps a blob: jobs that send it, pieces of output.
CREATE TABLE sortie.blob_use (
	sha256       bytea NOT NULL,
	number       bigint NOT NULL,
	PRIMARY KEY (sha256, number)
);
CREATE INDEX blob_use_job ON sortie.blob_use (number);

-- Idempotency keys, 7 days.
CREATE TABLE sortie.idempotency (
	owner_id     int NOT NULL,
	key          text NOT NULL,
	body_hash    bytea NOT NULL,
	answer       json NOT NULL,
	created_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (owner_id, key)
);
CREATE INDEX idempotency_age ON sortie.idempotency (created_at);

-- Submissions in parts.  Staged rows are worth nothing until the commit, so
-- they are not logged; after a crash the parts are asked for again.
CREATE UNLOGGED TABLE sortie.submission (
	submission_id uuid PRIMARY KEY,
	owner_id     int NOT NULL,
	created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE UNLOGGED TABLE sortie.staged (
	submission_id uuid NOT NULL,
	part         int NOT NULL,
	item         int NOT NULL,
	project_id   int NOT NULL,
	class_id     int NOT NULL,
	kind_id      int NOT NULL,
	priority     int NOT NULL,
	replicas     int NOT NULL,
	held         bool NOT NULL,
	due          timestamptz,
	key          text,
	tags         json,
	sends        bytea[],
	name         text NOT NULL,
	definition   text NOT NULL,
	PRIMARY KEY (submission_id, part, item)
);

-- What has no row of its own.  Feeds read (xid, seq) up to the oldest
-- transaction still running, so that a late commit is never passed over.
CREATE TABLE sortie.event (
	xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
	seq          bigint GENERATED ALWAYS AS IDENTITY,
	at           timestamptz NOT NULL DEFAULT clock_timestamp(),
	kind         text NOT NULL,
	owner_id     int,
	job          bigint,
	pilot        bigint,
	text         text NOT NULL DEFAULT '',
	detail       json,
	PRIMARY KEY (xid, seq)
);
CREATE INDEX event_job ON sortie.event (job) WHERE job IS NOT NULL;
CREATE INDEX event_at ON sortie.event USING brin (at);

-- Counters (I6).  bucket: one writer (a lane of a server) each, so that no two
-- batches wait for each other's row.
CREATE TABLE sortie.tally (
	bucket       int NOT NULL,
	kind_id      int NOT NULL,
	state        sortie.job_state NOT NULL,
	n            bigint NOT NULL,
	PRIMARY KEY (bucket, kind_id, state)
) WITH (fillfactor = 40, autovacuum_vacuum_threshold = 1000,
	autovacuum_vacuum_scale_factor = 0);
-- what: submitted, started, or the state that jobs ended in.
CREATE TABLE sortie.tally_minute (
	minute       int NOT NULL,                 -- since 1970
	bucket       int NOT NULL,
	kind_id      int NOT NULL,
	what         text NOT NULL,
	n            bigint NOT NULL,
	PRIMARY KEY (minute, bucket, kind_id, what)
) WITH (fillfactor = 40, autovacuum_vacuum_threshold = 1000,
	autovacuum_vacuum_scale_factor = 0);
