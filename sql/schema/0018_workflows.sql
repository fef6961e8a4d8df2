-- 0018: workflows, dags, datasets, injections.

-- A job that waits for others, or for its workflow's start, is in waiting.
ALTER TABLE sortie.waiting DROP CONSTRAINT waiting_why_check;
ALTER TABLE sortie.waiting ADD CONSTRAINT waiting_why_check
	CHECK (why IN ('held', 'time', 'gate', 'after', 'share'));
-- Set for those that wait as part of a graph; behind its gate in this order.
ALTER TABLE sortie.waiting ADD COLUMN workflow bigint;
CREATE INDEX waiting_share ON sortie.waiting (workflow, place, number)
	WHERE why = 'share';

-- Stored templates. Names are everybody's; a version is never changed.
CREATE TABLE sortie.dag (
	name         text NOT NULL,
	version      int NOT NULL,
	owner_id     int NOT NULL REFERENCES sortie.owner,
	description  text NOT NULL DEFAULT '',
	n_jobs       int NOT NULL,
	n_edges      int NOT NULL,
	document     text NOT NULL,
	created_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (name, version)
);

CREATE TABLE sortie.datatype (
	name         text PRIMARY KEY,
	ext          text NOT NULL DEFAULT '',
	comment      text NOT NULL DEFAULT '',
	owner_id     int NOT NULL REFERENCES sortie.owner,
	defined_at   timestamptz NOT NULL DEFAULT now()
);

-- state is held or running while it lives. cancelling: its jobs are being
-- cancelled, by hand ('hand') or because one failed ('failure').
-- n_bad: jobs that ended badly without allow_failure. admitted: jobs past its
-- gate, kept only while max_running is set. generation: times it was retried.
-- cancel_after: jobs up to this number have been cancelled by the duty; NULL:
-- nothing is left to cancel. deleting: goes, in steps, once it has ended.
CREATE SEQUENCE sortie.workflow_number;
CREATE TABLE sortie.workflow (
	workflow     bigint PRIMARY KEY,
	id           uuid NOT NULL,
	owner_id     int NOT NULL,
	project_id   int NOT NULL,
	name         text NOT NULL DEFAULT '',
	description  text NOT NULL DEFAULT '',
	dag          text,
	dag_version  int,
	state        text NOT NULL CHECK (state IN ('held', 'running',
		'finished', 'failed', 'cancelled')),
	open         bool NOT NULL DEFAULT false,
	close_auto   bool NOT NULL DEFAULT false,
	cancelling   text CHECK (cancelling IN ('hand', 'failure')),
	cancel_after bigint,
	cancel_reason text NOT NULL DEFAULT '',
	deleting     bool NOT NULL DEFAULT false,
	on_failure   text NOT NULL DEFAULT 'continue'
		CHECK (on_failure IN ('continue', 'cancel')),
	max_running  int CHECK (max_running > 0),
	admitted     int NOT NULL DEFAULT 0,
	generation   int NOT NULL DEFAULT 0,
	n_jobs       int NOT NULL DEFAULT 0,
	n_ended      int NOT NULL DEFAULT 0,
	n_bad        int NOT NULL DEFAULT 0,
	header       json NOT NULL DEFAULT '{}',
	callback     json,
	created_at   timestamptz NOT NULL DEFAULT now(),
	started_at   timestamptz,
	ended_at     timestamptz
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 1000,
	autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX workflow_owner ON sortie.workflow (owner_id, workflow);
CREATE INDEX workflow_live ON sortie.workflow (workflow)
	WHERE state IN ('held', 'running');
CREATE INDEX workflow_cancelling ON sortie.workflow (workflow)
	WHERE cancel_after IS NOT NULL;
CREATE INDEX workflow_ended ON sortie.workflow (ended_at)
	WHERE ended_at IS NOT NULL;
CREATE INDEX workflow_share ON sortie.workflow (workflow)
	WHERE max_running IS NOT NULL AND state = 'running';
CREATE INDEX workflow_deleting ON sortie.workflow (workflow) WHERE deleting;

-- A job's place in a graph. open: conditions not told yet; met: one was met
-- (or it has none); unmet: one was not. Whoever changes nodes or edges holds
-- the row of their workflow.
CREATE TABLE sortie.node (
	number       bigint PRIMARY KEY,
	workflow     bigint NOT NULL,
	name         text NOT NULL DEFAULT '',
	open         int NOT NULL DEFAULT 0,
	met          bool NOT NULL DEFAULT false,
	unmet        bool NOT NULL DEFAULT false,
	any_of       bool NOT NULL DEFAULT false,
	noop         bool NOT NULL DEFAULT false,
	allow_failure bool NOT NULL DEFAULT false,
	admitted     bool NOT NULL DEFAULT false
) WITH (fillfactor = 70, autovacuum_vacuum_threshold = 2000,
	autovacuum_vacuum_scale_factor = 0.02);
CREATE UNIQUE INDEX node_workflow ON sortie.node (workflow, name);
CREATE INDEX node_list ON sortie.node (workflow, number);

-- cond: s(uccess), f(ailure), a(lways). fired: NULL while the parent has not
-- told its end; then whether the condition is met.
CREATE TABLE sortie.edge (
	parent       bigint NOT NULL,
	child        bigint NOT NULL,
	cond         "char" NOT NULL CHECK (cond IN ('s', 'f', 'a')),
	fired        bool,
	PRIMARY KEY (parent, child, cond)
) WITH (fillfactor = 80, autovacuum_vacuum_threshold = 2000,
	autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX edge_child ON sortie.edge (child);

-- Ended jobs whose edges are not all told yet; duties go on with them.
CREATE TABLE sortie.firing (
	workflow     bigint NOT NULL,
	number       bigint NOT NULL,
	PRIMARY KEY (workflow, number)
);

-- path is directory and name, or the URI. The newest version is the one that
-- is meant where none is named.
CREATE SEQUENCE sortie.dataset_number;
CREATE TABLE sortie.dataset (
	dataset      bigint PRIMARY KEY,
	id           uuid NOT NULL,
	owner_id     int NOT NULL,
	project_id   int NOT NULL,
	site         text NOT NULL DEFAULT '',
	path         text NOT NULL,
	version      int NOT NULL DEFAULT 1,
	name         text NOT NULL,
	datatype     text,
	tag          text NOT NULL DEFAULT '',
	comment      text NOT NULL DEFAULT '',
	state        text NOT NULL CHECK (state IN ('declared', 'ready',
		'missing', 'deleted')),
	size         bigint,
	checksum     text,
	workflow     bigint,
	producer     bigint,                       -- job
	producer_run int,                          -- attempt
	registered_at timestamptz NOT NULL DEFAULT now(),
	updated_at   timestamptz NOT NULL DEFAULT now(),
	UNIQUE (site, path, version)
) WITH (fillfactor = 80);
CREATE INDEX dataset_owner ON sortie.dataset (owner_id, dataset);
CREATE INDEX dataset_workflow ON sortie.dataset (workflow)
	WHERE workflow IS NOT NULL;
CREATE INDEX dataset_producer ON sortie.dataset (producer)
	WHERE producer IS NOT NULL;
CREATE INDEX dataset_name ON sortie.dataset (name);

-- Which jobs read (i) and write (o) which dataset, under which tag.
CREATE TABLE sortie.dataset_use (
	number       bigint NOT NULL,
	dataset      bigint NOT NULL,
	role         "char" NOT NULL CHECK (role IN ('i', 'o')),
	tag          text NOT NULL DEFAULT '',
	PRIMARY KEY (number, dataset, role, tag)
);
CREATE INDEX dataset_use_dataset ON sortie.dataset_use (dataset, role);

-- What injectors have seen, one row per version of a file; path holds any
-- bytes. What was made of it stands here, so that it is made once.
CREATE TABLE sortie.injection (
	owner_id     int NOT NULL,
	stream       text NOT NULL,
	path         bytea NOT NULL,
	version      int NOT NULL DEFAULT 1,
	site         text NOT NULL DEFAULT '',
	size         bigint NOT NULL,
	modified_at  timestamptz,
	seen_at      timestamptz NOT NULL,
	complete_at  timestamptz NOT NULL,
	made_at      timestamptz NOT NULL DEFAULT now(),
	dataset      bigint,
	workflow     bigint,
	job          bigint,
	PRIMARY KEY (owner_id, stream, path, version)
);
CREATE INDEX injection_time ON sortie.injection (owner_id, stream, made_at);

-- Calls that the server owes somebody: done by a duty, again with growing
-- pauses until they succeed or are given up.
CREATE TABLE sortie.callback (
	callback     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	url          text NOT NULL,
	body         text NOT NULL,
	workflow     bigint,
	job          bigint,
	tries        int NOT NULL DEFAULT 0,
	due          timestamptz NOT NULL DEFAULT now(),
	last_error   text NOT NULL DEFAULT '',
	created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX callback_due ON sortie.callback (due);

-- Lists of a workflow's jobs show datasets of a tag or type; events of people.
CREATE INDEX event_kind_note ON sortie.event (xid, seq) WHERE kind = 'note';
