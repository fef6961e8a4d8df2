/*
 * The lease protocol in small: one job, two pilots, a server whose database
 * makes each of its steps whole, and a network that loses, repeats and
 * reorders messages. Spin tries every interleaving.
 *
 *	spin -a lease.pml && cc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c &&
 *		./pan -m100000
 *
 * That is 600,000 states (with -DRUNS=3 it does not end in a minute), and what
 * tests/chaos/lease-model.t does, with the mutations below.
 *
 * What must hold, whoever is slow, cut off, or killed at whatever moment:
 *   - the job is counted once;
 *   - an end that was acknowledged is recorded, as its payload had it;
 *   - a pilot is told that a run is stale only when it is, for ever;
 *   - a payload runs only while its run is live or was given up.
 *
 * Mutations that must fail:
 *   -DNO_FENCE      messages count for the job's live run, whichever they name
 *   -DREVIVE_ALWAYS a run that was given up comes back although the job has
 *                   a newer one
 *   -DREACH         says that the job never ends: that it can is no accident
 *
 * Words are those of PROTOCOL.md. A pilot that dies is followed by one on its
 * spool; the server may give up a run at any moment, which covers every way
 * in which leases, clocks and servers' deaths can be unlucky.
 */
#define PILOTS 2
#ifndef RUNS
#define RUNS 2 /* numbered from 1; the last is never given up */
#endif
#ifndef DROPS
#define DROPS 2 /* messages that the network may lose */
#endif
#ifndef DEATHS
#define DEATHS 1 /* of pilots */
#endif

mtype:runs = { NONE, LIVE, LOST, DIED, ENDED };
mtype:jobs = { QUEUED, GRANTED, OVER };
mtype:deed = { IDLE, RUNNING, SPOOLED, DEAD };
mtype:message = { CLAIM, REPORT, END, GRANT, NOTHING, ACK, STALE };

/* A pilot has several calls under way; their replies come one by one.
 * value: of CLAIM its request number, of END the outcome (1 good, 2 bad). */
chan up[PILOTS] = [2] of { mtype:message, byte /* run */, byte /* value */ };
chan down[PILOTS] = [1] of { mtype:message, byte, byte };

/* The database. */
mtype:jobs job = QUEUED;
mtype:runs state[RUNS + 1];
byte recorded[RUNS + 1]; /* outcome */
byte live, owner;
byte next = 1;
byte request[PILOTS], granted[PILOTS];
bool retried;

/* What really happened, which no program can see. */
byte did[RUNS + 1];
byte counted;
byte drops, deaths;

inline finish(r, outcome)
{
	state[r] = ENDED;
	recorded[r] = outcome;
	live = 0;
	if
	:: outcome == 2 && !retried && next <= RUNS ->
		retried = true;
		job = QUEUED
	:: else ->
		job = OVER;
		counted++;
		assert(counted == 1)
	fi
}

/* A run that was given up speaks: it lives again if nobody took its place. */
inline revive(p, r)
{
	if
#ifdef REVIVE_ALWAYS
	:: state[r] == LOST && job != OVER ->
#else
	:: state[r] == LOST && job == QUEUED && next == r + 1 ->
#endif
		state[r] = LIVE;
		job = GRANTED;
		live = r;
		owner = p
	:: else
	fi
}

inline on_claim(p, number)
{
	if
	:: number == request[p] ->
		/* Repeated: what was granted then, if it still lives. */
		if
		:: granted[p] != 0 && state[granted[p]] == LIVE ->
			down[p]!GRANT, granted[p], number
		:: else ->
			down[p]!NOTHING, 0, number
		fi
	:: number > request[p] && job == QUEUED && next <= RUNS ->
		request[p] = number;
		granted[p] = next;
		assert(live == 0);
		live = next;
		owner = p;
		state[next] = LIVE;
		job = GRANTED;
		down[p]!GRANT, next, number;
		next++
	:: else
	fi
}

inline on_report(p, r)
{
	if
	:: !(live == r && owner == p) -> revive(p, r)
	:: else
	fi;
	if
	:: !(live == r && owner == p) -> down[p]!STALE, r, 0
	:: else
	fi
}

inline on_end(p, r, outcome)
{
#ifdef NO_FENCE
	if
	:: live != 0 -> finish(live, outcome)
	:: else
	fi;
	down[p]!ACK, r, 0
#else
	if
	:: !(live == r && owner == p) -> revive(p, r)
	:: else
	fi;
	if
	:: live == r && owner == p ->
		finish(r, outcome);
		down[p]!ACK, r, 0
	:: !(live == r && owner == p) && state[r] == ENDED ->
		down[p]!ACK, r, 0
	:: else ->
		down[p]!STALE, r, 0
	fi
#endif
}

inline serve(p)
{
	up[p]?kind, r, value;
	if
	:: kind == CLAIM -> on_claim(p, value)
	:: kind == REPORT -> on_report(p, r)
	:: kind == END -> on_end(p, r, value)
	fi;
	kind = CLAIM;
	r = 0;
	value = 0
}

active proctype server()
{
	mtype:message kind;
	byte r, value;

end:	do
	:: atomic { nempty(up[0]) && nfull(down[0]) -> serve(0) }
	:: atomic { nempty(up[1]) && nfull(down[1]) -> serve(1) }
	/* A lease is over. */
	:: atomic {
		live != 0 && next <= RUNS ->
		state[live] = LOST;
		live = 0;
		job = QUEUED
	   }
#ifdef REACH
	:: atomic { job == OVER -> assert(false) }
#endif
	od
}

active [PILOTS] proctype pilot()
{
	mtype:deed doing = IDLE;
	mtype:message kind;
	byte mine, r, value;
	byte number = 1;
	byte me = _pid - 1;

end:	do
	:: atomic { doing == IDLE && nfull(up[me]) -> up[me]!CLAIM, 0, number }
	:: atomic { doing == RUNNING && nfull(up[me]) -> up[me]!REPORT, mine, 0 }
	/* Its payload ends; the end is on disk before anybody is told. */
	:: atomic { doing == RUNNING -> did[mine] = 1; doing = SPOOLED }
	:: atomic { doing == RUNNING -> did[mine] = 2; doing = SPOOLED }
	:: atomic {
		doing == SPOOLED && nfull(up[me]) ->
		up[me]!END, mine, did[mine]
	   }
	/* The pilot dies, its payload with it; what lived ends when its
	 * successor registers, and none of it comes back. */
	:: atomic {
		doing == RUNNING && deaths < DEATHS ->
		deaths++;
		doing = DEAD
	   }
	:: atomic {
		doing == DEAD ->
		if
		:: live != 0 && owner == me ->
			state[live] = DIED;
			live = 0;
			job = QUEUED
		:: else
		fi;
		doing = IDLE;
		number = request[me] + 1;
		mine = 0
	   }
	:: atomic {
		down[me]?kind, r, value ->
		if
		:: kind == GRANT && doing == IDLE && value == number ->
			number++;
			mine = r;
			doing = RUNNING
		:: kind == NOTHING && doing == IDLE && value == number ->
			number++
		:: kind == ACK && doing == SPOOLED && r == mine ->
			assert(state[r] == ENDED && recorded[r] == did[r]);
			doing = IDLE;
			mine = 0
		:: kind == STALE && doing != IDLE && r == mine ->
			assert(state[r] != LIVE);
			doing = IDLE;
			mine = 0
		:: else
		fi;
		kind = CLAIM;
		r = 0;
		value = 0
	   }
	/* At no moment does a payload run whose end is recorded. */
	:: atomic {
		doing == RUNNING && state[mine] != LIVE && state[mine] != LOST ->
		assert(false)
	   }
	od
}

/* Messages are lost; those of a pilot's several connections pass each other. */
active proctype network()
{
	mtype:message kind;
	byte r, value;

end:	do
	:: atomic { drops < DROPS && nempty(up[0]) ->
		up[0]?kind, r, value; drops++; kind = CLAIM; r = 0; value = 0 }
	:: atomic { drops < DROPS && nempty(up[1]) ->
		up[1]?kind, r, value; drops++; kind = CLAIM; r = 0; value = 0 }
	:: atomic { drops < DROPS && nempty(down[0]) ->
		down[0]?kind, r, value; drops++; kind = CLAIM; r = 0; value = 0 }
	:: atomic { drops < DROPS && nempty(down[1]) ->
		down[1]?kind, r, value; drops++; kind = CLAIM; r = 0; value = 0 }
	:: atomic { full(up[0]) -> up[0]?kind, r, value;
		up[0]!kind, r, value; kind = CLAIM; r = 0; value = 0 }
	:: atomic { full(up[1]) -> up[1]?kind, r, value;
		up[1]!kind, r, value; kind = CLAIM; r = 0; value = 0 }
	od
}
