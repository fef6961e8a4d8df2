#!/bin/sh
# A version of a file is injected once, whoever tells of it and how often.
. "${0%/*}/session.sh"

# sql_inject STREAM PATH VERSION SIZE [CHANGED]
sql_inject()
{
	echo "SELECT sortie.injection_job_1(NULL, NULL, 0,
	111::bigint << 16 | 28672, (-9223372036854775808)::bigint | 5, 1,
	ARRAY[1], ARRAY[1], ARRAY[1], ARRAY[1], ARRAY[1], ARRAY[0],
	ARRAY[false], ARRAY[NULL::timestamptz], ARRAY['a job'],
	ARRAY['{\"payload\":\"/bin/true\"}'], ARRAY[NULL::text],
	ARRAY[NULL::text], ARRAY[NULL::text], '$1', '$2', $3, '', $4,
	'${5-2026-11-22T07:00:00Z}', now(), now(), NULL)"
}

# of FILTER: of the last answer.
of()
{
	echo "$answer" | jq -r "$1"
}

inject()
{
	answer=$(q "$(sql_inject "$@")" 2>&1)
}

shown()
{
	of '"\(.created) \(.version) \(.size) \(.dataset) \(.job)"'
}

counts()
{
	q "SELECT (SELECT count(*) FROM sortie.injection),
		(SELECT count(*) FROM sortie.dataset),
		(SELECT count(*) FROM sortie.job)"
}

start_world
inject s /d/a 1 7
is "$(shown)" "true 1 7 1 1" "a file makes a dataset and a job"
is "$(q "SELECT path, name, state, size, version FROM sortie.dataset")" \
	"/d/a|a|ready|7|1" "the dataset is ready"
is "$(q "SELECT number, dataset, role FROM sortie.dataset_use")" "1|1|i" \
	"and the job's"
inject s /d/a 1 9
is "$(shown)" "false 1 7 1 1" "again it makes nothing"
inject s /d/a 3 9
like "$answer" '*version 2 of "/d/a" was not injected*' \
	"a version that skips one is refused"
inject t /d/a 1 9
is "$(shown)" "true 1 9 1 2" "another stream makes a job of the same dataset"
inject s /d/a 2 9 2126-01-01T00:00:00Z
is "$(shown)" "true 2 9 2 3" "the next version makes anew"
inject s /d/a 1 7
is "$(shown)" "false 2 9 2 3" "an older one is answered with the newest"
inject t /d/a 2 9
is "$(shown)" "true 2 9 2 4" "another stream's next takes what is there since"
is "$(counts)" "4|2|4" "nothing else was made"
audit_clean "after injections"

# Two at once.
open_session a
open_session b
say a "BEGIN; $(sql_inject s /d/b 1 1)" >/dev/null
ask b "$(sql_inject s /d/b 1 1)"
until_blocked && pass "a second of the same moment waits" ||
	fail "a second of the same moment waits"
say a COMMIT >/dev/null
answer=$(hear b)
is "$(of .created)" false "and makes nothing"
is "$(counts)" "5|3|5" "of what the first has made"
say a "BEGIN; $(sql_inject s /d/c 1 1)" >/dev/null
ask b "$(sql_inject s /d/c 1 1)"
until_blocked
say a ROLLBACK >/dev/null
answer=$(hear b)
is "$(of .created)" true "where the first fails the second makes it"

is "$(q "SELECT json_array_length(('[' || o_items || ']')::json), o_next
	FROM sortie.injections_list_1(1, '{}', NULL, 2, 's', NULL, ',')")" \
	"2|5" "lists page"
is "$(q "SELECT string_agg(x ->> 'version', ' ') FROM json_array_elements(('['
	|| (SELECT o_items FROM sortie.injections_list_1(NULL, '{}', NULL, 10,
	's', '/d/a', ',')) || ']')::json) AS x")" "2 1" "newest first"
is "$(q "SELECT o_items FROM sortie.injections_list_1(2, '{}', NULL, 10, 's',
	NULL, ',')")" "" "others' are not there"
audit_clean "at the end"
finish
