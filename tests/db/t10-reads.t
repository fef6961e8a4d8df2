#!/bin/sh
# Lists, views, counts and the explanation, for those who may see them.
. "${0%/*}/session.sh"
start_world

is "$(submit 1 10)" 1 "ten jobs of alice"
is "$(submit 2 5 7)" 11 "five of bob, of higher priority"
is "$(submit 1 2 0 true)" 16 "two that are held"

numbers()
{
	q "SELECT string_agg(x::text, ',' ORDER BY o), (SELECT below_next FROM
	sortie.jobs_find_1($1)) FROM sortie.jobs_find_1($1) f,
	unnest(f.numbers) WITH ORDINALITY AS u(x, o)"
}
any=NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL
is "$(numbers "NULL, NULL, NULL, 3, NULL, $any")" "17,16,15|15" \
	"the newest come first"
is "$(numbers "NULL, NULL, 15, 20, NULL, $any")" \
	"14,13,12,11,10,9,8,7,6,5,4,3,2,1|" "a cursor goes on, the last page says so"
is "$(numbers "1, NULL, NULL, 3, NULL, $any")" "17,16,10|10" \
	"one sees one's own jobs only"
is "$(numbers "NULL, '{2}', NULL, 9, NULL, $any")" "15,14,13,12,11|" \
	"a bound token those of its projects"
is "$(numbers "1, '{2}', NULL, 9, NULL, $any")" "|" "and both, both"
is "$(numbers "NULL, NULL, NULL, 9, '{held}', $any")" "17,16|" "by state"
is "$(numbers "2, NULL, NULL, 2, '{held,defined}', $any")" "15,14|14" \
	"by states and owner"
is "$(numbers "NULL, NULL, NULL, 9, NULL, 'other', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{1,14}', '{12,99}', NULL")" \
	"15,14,12,11|" "by ranges and project"
is "$(numbers "NULL, NULL, NULL, 9, NULL, NULL, 'a', 'alice', 'OF 1', NULL, 'of', '1', NULL, '{9}', '{17}', NULL")" \
	"17,16,10,9|" "by type, owner, part of the name and tag"
is "$(numbers "NULL, NULL, NULL, 9, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, now() + interval '1 hour'")" \
	"|" "none since later"

like "$(stmt job_show "12, NULL, NULL, '{}', false")" \
	'*"number":12,*"state":"defined"*"tags":{"of":"2"}*"definition":{"payload"*"runs":\[\],"meta":\[\]*' \
	"a view has the definition"
q "UPDATE sortie.job SET name = '' WHERE number = 15" >/dev/null
unlike "$(stmt job_show "15, NULL, NULL, '{}', false")" '*"name":*' \
	"a job without a name is viewed without one"
is "$(stmt job_show "12, NULL, NULL, '{}', true")" "|12|f" \
	"whoever waits for an end gets no view before"
is "$(stmt job_show "12, NULL, 1, '{}', false")" "" "others' jobs do not exist"
is "$(stmt job_show "12, '00000000-006f-7000-8000-000000000001', NULL, '{}', false")" \
	"" "a UUID must be the job's own"
is "$(stmt job_counts "'{1,14}', '{12,99}', 1, '{}'")" \
	'{"total":12,"ended":0,"states":{"held":2,"defined":10}}|12|0' \
	"counts are of one's own"
is "$(stmt job_left "'{1,99}', '{9,99}', NULL, '{}'")$(stmt job_left "'{14}', '{14}', 1, '{}'"
	)$(stmt job_left "'{1,14}', '{9,99}', 2, '{}'")$(stmt job_left "'{90}', '{99}', NULL, '{}'")" \
	tftf "whether some are left is told of one's own"

first() { q "SELECT sortie.explain_1($1, NULL, NULL) ->> '${2-first}'"; }
like "$(first 11)" "no pilot is connected*" "explain: no pilot"
is "$(pilot 1 true near 2 8)" 1 "a pilot of another site"
is "$(first 11)" 'no pilot is at the site "far"' "explain: the site"
is "$(pilot 1 true far 4 2)" 2 "a small pilot of the site"
like "$(first 11)" "none of the 2 pilots fits: site \"far\" rules out 1, cores \"4\" rules out 1" \
	"explain: each rules out one"
is "$(pilot 1 false far 4 16)" 3 "one that is alice's"
like "$(first 11)" "none of the 3 pilots fits:*owner \"bob\" rules out 1*" \
	"explain: the owner"
is "$(pilot 2 false far 4 16)" 4 "one that is bob's"
is "$(first 11)" "one pilot fits and has room for it; it is the next" \
	"explain: it is the next"
is "$(claim 4 1 4 16)" "11,12" "as many as the limit lets"
is "$(first 13)" 'it waits for the limit "maya": 2 of 2 used by jobs 11, 12' \
	"explain: the limit and its holders"
is "$(q "SELECT sortie.explain_1(13, 1, NULL) -> 'limits' -> 0 ->> 'holders'")" \
	"[]" "whose names others do not see"
is "$(first 5 place)" 8 "the place in line counts who comes first"
like "$(first 16)" "it is held:*" "explain: held"
like "$(first 11)" "job 11 was granted to pilot 4*" "explain: granted"
q "SELECT sortie.pilot_order_1(0, 3, NULL, '{4}', false)" >/dev/null
like "$(first 14)" "none of the 4 pilots fits:*draining rules out 1*" \
	"explain: draining"
q "SELECT sortie.limit_set_1('jobtype:a', 0)" >/dev/null
is "$(first 9)" \
	'it waits for a place among jobs of the jobtype "a": 0 of 0 used' \
	"explain: a maximum that nobody holds"
q "INSERT INTO sortie.owner (name) VALUES ('carol');
	SELECT sortie.class_ensure_1(3, '{\"project\":\"third\",
		\"jobtype\":\"c\",\"memory\":24696061952}', 0)" >/dev/null
is "$(submit 3 1)" 18 "a job that wants memory"
q "UPDATE sortie.job SET definition = '{\"memory\":24696061952}'
	WHERE number = 18" >/dev/null
is "$(first 18)" "no pilot has 23 GiB of memory" "explain: memory in its unit"
is "$(q "SELECT t ->> 'wants' FROM json_array_elements(
	sortie.explain_1(18, NULL, NULL) -> 'terms') AS t
	WHERE t ->> 'term' = 'memory'")" "23 GiB" \
	"and in the terms"
is "$(q "SELECT string_agg(sortie.bytes_1(b), ', ') FROM unnest(
	'{0,1023,1024,1600,1048575,9223372036854775807}'::bigint[]) AS b")" \
	"0 B, 1023 B, 1 KiB, 1.5 KiB, 1023.9 KiB, 7.9 EiB" "bytes are cut off"
is "$(end_run 11 finished 0)" 1 "a run ends"
is "$(first 11 terms)$(first 11 limits)" "[][]" \
	"explain: an ended job asks for nothing"
like "$(stmt job_show "11, NULL, 2, '{}', true")" \
	'*"state":"finished","exit_code":0,*"pilot":{"number":4*"stdout":{"size":2,"stored":2,"left_out":0,"complete":true}*"meta":*"name"*"a"*"done"*true*' \
	"the view has the run, its output and meta lines"
is "$(numbers "NULL, NULL, NULL, 9, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 4, NULL, NULL, NULL")" \
	"12,11|" "by pilot, live and ended"
audit_clean
finish
