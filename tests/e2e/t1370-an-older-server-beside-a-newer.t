#!/bin/sh
# A rolling upgrade: the server of an older commit goes on beside today's, on
# the database that today's has migrated, and with pilots of either.
#
# Building the older one takes a minute: SORTIE_TEST_OLD names a build of it,
# SORTIE_TEST_LONG=1 builds the commit before the schema's last change.
. "${0%/*}/lib.sh"

old=${SORTIE_TEST_OLD:-}
build_old()
{
	commit=$(git -C "$top" log -1 --format=%H -- sql/schema)^ &&
		git clone -q "$top" "$T/src" &&
		git -C "$T/src" checkout -q "$commit" &&
		(cd "$T/src" && autoreconf -i && mkdir b && cd b &&
			../configure -q && make -j2) >"$T/build.log" 2>&1
}
if [ -z "$old" ]; then
	[ -n "${SORTIE_TEST_LONG:-}" ] ||
		skip_all "no older build: set SORTIE_TEST_OLD, or SORTIE_TEST_LONG=1"
	git -C "$top" rev-parse -q --verify HEAD >"$T/head" 2>&1 ||
		skip_all "this is no git checkout"
	build_old || skip_all "the older commit cannot be built here"
	old=$T/src/b
fi
new_path=$PATH old_path=$old/clients:$old/pilot:$old/server:$PATH

start_database
PATH=$old_path
launch old --database "$database" --state-dir "$T/old.state" \
	--blob-dir "$T/blobs" --lease 6 --heartbeat 2
use_server "$T/old" "$T/old.state"
start_pilot --slots 1
submit '{"argv":["true"],"replicas":20}'
within 20 "the older server works alone" counts finished 20
mkfifo "$T/go"
submit "{\"shell\":\"read x <$T/go; echo done\",\"priority\":9}"
long=$job
within 10 "a job runs" job_is "$long" running

PATH=$new_path
launch new --database "$database" --state-dir "$T/new.state" \
	--blob-dir "$T/blobs" --lease 6 --heartbeat 2
SORTIE_URL=unix:$T/new
start_pilot --slots 1
sock=$T/new
is "$(field "$long" .state)" running "the newer one knows what runs"
for name in old new; do
	sock=$T/$name
	submit '{"shell":"echo $SORTIE_JOB_NUMBER; exec sleep 0.05","replicas":60}'
	is "$status" 201 "the $name server takes jobs"
done
tell "$T/go"
within 60 "all jobs of both end" counts finished 141
is "$(output "$long")" done "the long one with its output"
is "$(query 'SELECT max(attempt) FROM sortie.run')" 1 "each as its first run"
is "$(query 'SELECT count(DISTINCT pilot) FROM sortie.run')" 2 \
	"pilots of both took part"
PATH=$old_path
SORTIE_URL=unix:$T/new
start_pilot --slots 1
PATH=$new_path
sock=$T/new
submit '{"argv":["true"],"replicas":20}'
within 20 "an older pilot at the newer server works, too" counts finished 161
sock=$T/old
stop_pid "$(sed -n 's/ server$//p' "$T/started" | head -n 1)" 20
sock=$T/new audited=$T/new
submit '{"argv":["true"]}'
within 20 "and the newer one goes on alone" counts finished 162
finish
