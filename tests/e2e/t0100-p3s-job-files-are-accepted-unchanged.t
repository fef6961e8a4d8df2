#!/bin/sh
# Every job file of p3s is submitted as it is; those whose payload is not on
# this machine end as failed, and the message says what was looked for where.
. "${0%/*}/lib.sh"
. "$here/lib-p3s.sh"

start_server
n_files=0 n_jobs=0 refused=
for file in $(p3s_job_files); do
	n_files=$((n_files + 1))
	n_jobs=$((n_jobs + $(jq length "$file")))
	sortie job submit -q "$file" >>"$T/numbers" 2>>"$T/refusals" ||
		refused="$refused $file"
done
[ $n_files -ge 10 ] || fail "there are files to try" "only $n_files"
if [ -z "$refused" ]; then
	pass "all $n_files files are accepted by the command"
else
	fail "all $n_files files are accepted by the command" "not:$refused" \
		"$(cat "$T/refusals")"
fi
is "$(wc -l <"$T/numbers")" $n_jobs "each of their jobs has a number"
refused=
for file in $(p3s_job_files); do
	call POST /api/v1/jobs "$(cat "$file")"
	[ "$status" = 201 ] || refused="$refused $file: $answer"
done
is "$refused" "" "and by the server itself"
call POST /api/v1/jobs/actions "{\"action\":\"cancel\",\"jobs\":\"$((n_jobs + 1))-$((2 * n_jobs))\"}"
is "$(of .done)" $n_jobs "which makes as many jobs of them"

# Those with payloads like "sleep 30" would only take time.
get "/api/v1/jobs?page_size=1000&state=defined" | jq -r '.items[].number' >"$T/all"
while read -r n; do
	payload=$(field "$n" .definition.payload)
	case $payload in
	/*) [ -e "${payload%% *}" ] && echo "$n" ;;
	*) echo "$n" ;;
	esac
done <"$T/all" >"$T/runnable"
while read -r n; do
	call POST /api/v1/jobs/actions "{\"action\":\"hold\",\"jobs\":\"$n\"}"
done <"$T/runnable"
grep -vxFf "$T/runnable" "$T/all" >"$T/missing"
# Several, for one alone would soon take itself for a black hole.
for i in 1 2 3 4 5; do
	start_pilot --slots 1
done
within 60 "all without a payload end as failed" \
	counts failed "$(wc -l <"$T/missing")"
bad=
while read -r n; do
	get "/api/v1/jobs/$n" >"$T/view"
	payload=$(jq -r .definition.payload "$T/view")
	case $(jq -r .reason "$T/view") in
	nonstarter*"${payload%% *}"*" on p"[1-5]*) ;;
	*) bad="$bad $n: $(jq -r .reason "$T/view");" ;;
	esac
done <"$T/missing"
is "$bad" "" "the reason is nonstarter, with path and host"
is "$(field "$(head -n 1 "$T/missing")" '[.runs[] | select(.state == "failed")] | length')" \
	1 "each was tried once"
finish
