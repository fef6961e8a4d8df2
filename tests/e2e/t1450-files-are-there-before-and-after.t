#!/bin/sh
# What a job declares to read is there before it starts, what it declares to
# write when it has ended; what was found is told, also by a dead pilot's heir.
. "${0%/*}/lib.sh"

start_server --lease 60
start_pilot --slots 2
mkdir "$T/d" && chmod 755 "$T/d" && echo old >"$T/d/in"

submit "{\"argv\":[\"true\"],\"inputs\":[\"$T/d/in\",\"$T/d/none\"]}"
within 10 "a job whose input is missing fails" job_is "$job" failed
is "$(field "$job" .reason)" "input missing: $T/d/none" "and says which"
is "$(field "$job" '.runs[0].started_at // "never"')" never "without a start"
# A descriptor of the pilot's, past all permissions.
submit '{"argv":["true"],"inputs":["/proc/self/fd/0"]}'
within 10 "nor what only the pilot has" job_is "$job" failed
is "$(field "$job" .reason)" \
	"input missing: /proc/self/fd/0: Too many levels of symbolic links" \
	"is a file of a job's"
submit "{\"argv\":[\"true\"],\"replicas\":30,\"inputs\":[\"$T/d/none\"]}"
submit '{"argv":["true"]}'
within 10 "and the host is not blamed" job_is "$job" finished
nok "the pilot does not pause" grep -q 'taking no work' "$T/$pilot.log"

submit "{\"payload\":\"echo \$IN \$OUT \$SORTIE_PROJECT\",
	\"env\":{\"IN\":\"job\",\"P3S_EXECMODE\":\"1\"},
	\"inputs\":[{\"path\":\"$T/d/in\",\"tag\":\"IN\"},
		{\"path\":\"x://y\",\"tag\":\"SORTIE_PROJECT\"}],
	\"outputs\":[{\"path\":\"o.txt\",\"tag\":\"OUT\",\"optional\":true}]}"
within 10 "a payload" job_is "$job" finished
is "$(output "$job")" "$T/d/in o.txt default" \
	"sees the paths of its files after its own environment"

submit "{\"shell\":\"echo new >$T/d/out; echo rel >r\",\"outputs\":[
	{\"path\":\"$T/d/out\",\"sha256\":true},\"r\",
	{\"path\":\"o\",\"optional\":true}]}"
within 10 "a job that writes what it declares finishes" job_is "$job" finished
submit "{\"argv\":[\"true\"],\"outputs\":[\"$T/d/out\",\"r\"]}"
within 10 "one that does not fails" job_is "$job" failed
is "$(field "$job" '"\(.reason) \(.exit_code)"')" "output missing: r 0" \
	"and says which"

# dataset NUMBER JOB PATH: one that the job makes.
dataset()
{
	query "INSERT INTO sortie.dataset (dataset, id, owner_id, project_id,
		path, name, state, producer)
	SELECT $1, gen_random_uuid(), k.owner_id, k.project_id, '$3', 'n',
		'declared', $2
	FROM sortie.job j JOIN sortie.kind k USING (kind_id)
	WHERE j.number = $2;
	INSERT INTO sortie.dataset_use (number, dataset, role)
	VALUES ($2, $1, 'o')"
}

# As a server sees it that comes back when its pilot is dead.
mkfifo "$T/go"
submit "{\"shell\":\"read x <$T/go; echo new >$T/d/out\",\"outputs\":[
	{\"path\":\"$T/d/out\",\"sha256\":true},
	{\"path\":\"$T/d/o\",\"optional\":true}]}"
dataset 1001 "$job" "$T/d/out"
dataset 1002 "$job" "$T/d/o"
within 10 "a job runs" job_is "$job" running
kill -9 "$server_pid"
wait_until 5 gone "$server_pid"
tell "$T/go"
within 10 "its end is on disk" grep -q "of job $job: finished" "$T/$pilot.log"
kill -9 "$pilot_child"
within 10 "the pilot is dead" gone "$pilot_pid"
start_server --lease 60
launch_pilot --slots 2 --spool "$T/p1"
within 15 "its successor tells the end" job_is "$job" finished
is "$(query "SELECT state, size, checksum, producer_run FROM sortie.dataset
	WHERE dataset = 1001")" \
	"ready|4|$(sha256sum <"$T/d/out" | cut -d' ' -f1)|1" \
	"and the file that was written, with size and checksum"
is "$(query "SELECT state FROM sortie.dataset WHERE dataset = 1002")" missing \
	"and the one that was not"
finish
