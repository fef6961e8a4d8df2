#!/bin/sh
# sortie-load: the same seed is the same workload; it runs at pilots that do no
# work and at real ones; what ran is recorded and runs again; what it tells are
# distributions.
. "${0%/*}/lib.sh"

load()
{
	python3 "$top/clients/sortie-load" "$@"
}

for shape in classes long p3s render short wide; do
	load make $shape -n 200 --seed 7 >"$T/$shape.1"
	load make $shape -n 200 --seed 7 >"$T/$shape.2"
	is "$(wc -l <"$T/$shape.1") $(cmp "$T/$shape.1" "$T/$shape.2" && echo same)" \
		"200 same" "$shape: a seed is a workload"
done
load make p3s -n 200 --seed 8 >"$T/other"
nok "another seed is another one" cmp -s "$T/p3s.1" "$T/other"

start_server
ok "pilots that do no work take all classes" load run "$T/classes.1" \
	--pilots 3 --slots 40 --cores 40 --join-token-file "$join_token_file"
for shape in p3s wide; do
	load run "$T/$shape.1" --pilots 2 --speed 1000 --stretch 0.01 --json \
		--join-token-file "$join_token_file" >"$T/$shape.json"
	is "$(jq -r '.jobs, .times.wait.n, .times.run.n' "$T/$shape.json" | tr '\n' ' ')" \
		"200 200 200 " "$shape: all jobs are told of"
	is "$(jq '[.times[] | .min <= .p50 and .p50 <= .p90 and .p90 <= .p99 and .p99 <= .max] | all' \
		"$T/$shape.json")" true "with their distribution"
done
is "$(jq .states.failed "$T/p3s.json")" "$(grep -c '"exit": 1' "$T/p3s.1")" \
	"those that are to fail do"
is "$(jq -r '.by | keys | join(" ")' "$T/wide.json")" "narrow wide" \
	"by jobtype, too"

head -n 20 "$T/p3s.1" >"$T/few"
start_pilot --slots 4
load run "$T/few" --rate 100 --stretch 0.01 --json >"$T/real.json"
is "$(jq .jobs "$T/real.json")" 20 "a real pilot runs a workload"

load record jobtype=wide >"$T/record"
is "$(wc -l <"$T/record")" "$(grep -c '"wide"' "$T/wide.1")" \
	"what ended is recorded"
is "$(jq -c .job "$T/record" | sort -u)" \
	'{"jobtype":"wide","cores":16}' "with what it asked for"
load run "$T/record" --speed 100 --pilots 1 --json \
	--join-token-file "$join_token_file" >"$T/again.json"
is "$(jq .states.finished "$T/again.json")" "$(wc -l <"$T/record")" \
	"and runs again"
exits 1 "a wrong token" env SORTIE_TOKEN=st_wrong python3 \
	"$top/clients/sortie-load" run "$T/few"
like "$said" "sortie-load: *401*" "is told in a sentence"
finish
