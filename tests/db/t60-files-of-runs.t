#!/bin/sh
# What pilots tell of files changes datasets of their own runs, and no others.
. "${0%/*}/session.sh"

# dataset NUMBER JOB STATE [ROLE]: JOB is its producer, or with the role i its
# reader and it comes from outside.
dataset()
{
	q "INSERT INTO sortie.dataset (dataset, id, owner_id, project_id, path,
		name, state, producer)
	VALUES ($1, gen_random_uuid(), 1, 1, '/d/$1', '$1', '$3',
		CASE WHEN '${4-o}' = 'o' THEN $2 END);
	INSERT INTO sortie.dataset_use (number, dataset, role)
	VALUES ($2, $1, '${4-o}')" >/dev/null
}

shown()
{
	q "SELECT state, size, checksum, producer, producer_run
	FROM sortie.dataset WHERE dataset = $1"
}

start_world
submit 1 9 >/dev/null
pilot 1 true near 8 8 >/dev/null
claim 1 1 8 8 >/dev/null
dataset 10 1 declared
dataset 11 1 declared
dataset 12 1 declared i
dataset 13 9 declared
dataset 14 1 deleted
dataset 15 1 declared
q "INSERT INTO sortie.dataset_use (number, dataset, role)
	VALUES (1, 13, 'i'), (1, 15, 'i')"

is "$(end_run 1 finished 0 "'{\"inputs\":[{\"path\":\"/d/12\",\"size\":7},
	{\"path\":\"/d/13\",\"size\":1},{\"path\":\"/x\",\"size\":1},
	{\"path\":\"/d/99\"}],\"outputs\":[{\"path\":\"/d/10\",\"size\":5,
	\"sha256\":\"ab\"},{\"path\":\"/d/12\",\"size\":9},{\"path\":\"/d/14\",
	\"size\":1},{\"path\":\"/d/15\",\"size\":4},{\"path\":\"/y\"}]}'")" 1 \
	"an end with files"
is "$(shown 10)" "ready|5|ab|1|1" "makes what was written ready"
is "$(shown 11)" "missing|||1|" "and missing what was not"
is "$(shown 12)" "ready|7|||" "what is told of an input as an output does not count"
is "$(shown 13)" "declared|||9|" "what a job writes is not its reader's to tell"
is "$(shown 14)" "deleted|||1|" "what is deleted stays so"
is "$(shown 15)" "ready|4||1|1" "a file that is read and written is written"

dataset 20 2 declared
dataset 22 2 declared i
end_run 2 failed 1 "'{\"inputs\":[{\"path\":\"/d/22\",\"size\":7}],
	\"outputs\":[{\"path\":\"/d/20\",\"size\":5}]}'" >/dev/null
is "$(shown 20)" "declared|||2|" "a run that failed makes nothing ready"
is "$(shown 22)" "ready|7|||" "but its input was seen"
q "UPDATE sortie.dataset SET size = 8 WHERE dataset = 22" >/dev/null
q "INSERT INTO sortie.dataset_use (number, dataset, role)
	VALUES (3, 22, 'i')" >/dev/null
end_run 3 finished 0 "'{\"inputs\":[{\"path\":\"/d/22\",\"size\":9}]}'" >/dev/null
is "$(shown 22)" "ready|8|||" "what is ready is not said again"
dataset 60 6 declared
end_run 6 finished 0 "'{\"outputs\":[],\"left_out\":true}'" >/dev/null
is "$(shown 60)" "declared|||6|" "what was left out is not said to be missing"
dataset 40 4 declared
is "$(end_run 4 finished 0 "'{}'")" 1 "an end without a file"
is "$(shown 40)" "missing|||4|" "makes nothing"
dataset 50 5 missing
end_run 5 finished 0 "'{\"outputs\":[{\"path\":\"/d/50\"}]}'" >/dev/null
is "$(shown 50)" "ready|||5|1" "a job that was tried again makes it ready"
audit_clean "after all that"
finish
