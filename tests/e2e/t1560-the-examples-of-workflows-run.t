#!/bin/sh
# What examples/README tells the physicist, the render artist and the teacher
# to type does what it says.
. "${0%/*}/lib.sh"
. "$here/lib-workflows.sh"

start_server
start_pilot --slots 4 --cores 4
flows=$top/examples/workflows

# The physicist. Only the directory is another one.
mkdir "$T/calib" "$T/raw"
sed "s|/var/tmp/sortie-calib|$T/calib|" "$flows/calib.graphml" >"$T/calib.graphml"
seq 20 | sed 's/$/ 105/' >"$T/calib/run.txt"
exits 0 "a datatype is defined" sortie datatype define TXT --ext .txt
exits 0 "the dag is stored" sortie dag add "$T/calib.graphml"
like "$(sortie dag show calib)" "*raw*pedestal*subtract*report*out*" "and drawn"
exits 0 "a workflow of it runs" \
	sortie workflow create --dag calib --names sticky --state running --wait
is "$(cat "$T/calib/report.txt")" "20 hits, pedestal 105" "and makes its report"
like "$(sortie dataset list)" "*report.txt*run.txt*" "its files are listed"
like "$(sortie dataset show "$T/calib/report.txt")" "*made from*hits.txt*run.txt*" \
	"and traced"
sortie inject "$T/raw" --dag calib --match '*.txt' --state running \
	>"$T/inject.log" 2>&1 &
injector=$!
started $injector other
for run in 7 8 9; do
	seq $run | sed 's/$/ 50/' >"$T/raw/.new"
	mv "$T/raw/.new" "$T/raw/run$run.txt"
done
all_reported()
{
	[ "$(get "$v/workflows?dag=calib&state=finished" | jq '.items | length')" = 4 ]
}
within 30 "each file that arrives is a workflow" all_reported
is "$(find "$T/calib" -name '*.txt' -exec grep -h 'hits, pedestal 50$' {} + | sort | paste -sd';')" \
	"7 hits, pedestal 50;8 hits, pedestal 50;9 hits, pedestal 50" "with a report of its own"
ok "the injector ends when it is told to" stop_pid $injector

# The render artist
flow=$(sortie workflow create -q "$flows/film.json" --env "OUT=$T/film")
exits 0 "frames are rendered and assembled" sortie workflow wait "$flow"
is "$(grep -c P3 "$T/film/film.ppm")" 6 "to a film of six"
like "$(sortie workflow graph "$flow")" "*prepare*frame*assemble*tell*" "which is drawn"
is "$(output "$(node "$flow" tell)")" "the film is in $T/film" "and told"
flow=$(sortie workflow create -q "$flows/film.json" --env "OUT=$T/spoilt" \
	--jobinfo '{"frame":{"shell":"[ $FRAME != 3 ] || [ -e \"$OUT.mended\" ] && echo P3 >\"$OUT/frame-$FRAME.ppm\"","retries":0}}')
exits 1 "when a frame fails" sortie workflow wait "$flow"
is "$(node "$flow" assemble .state)" skipped "there is no film"
: >"$T/spoilt.mended"
exits 0 "what failed is run again" sortie workflow retry "$flow"
exits 0 "with what comes after it" sortie workflow wait "$flow"
is "$(grep -c P3 "$T/spoilt/film.ppm")" 6 "and there is one"

# The teacher
exits 0 "programs of students are graded" sortie workflow create --wait \
	"$flows/grade.json" --env "COURSE=$flows/course" --env "MARKS=$T/marks"
is "$(tr '\t' ' ' <"$T/marks/list.txt")" "ada passed
ben wrong: 45
cyd no answer" "each by itself"
exits 1 "without a course" sortie workflow create --wait "$flows/grade.json" \
	--env "MARKS=$T/marks"
like "$(output "$(node 8 collect)" stderr)" "*--env COURSE=*" \
	"the first job says what is missing"
finish
