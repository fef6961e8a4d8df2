#!/bin/sh
# The values of `secrets` reach the payload's environment and nothing else:
# not the database, no answer, no file, no log, no server with another key.
. "${0%/*}/lib.sh"

start_server --log-level debug
is "$(stat -c %a "$state/secrets-key")" 600 "the key's file is made, for the server alone"
word=hunter2-nobody-knows
key=$(cat "$state/secrets-key")
start_pilot --slots 2 --no-new-privileges
submit "{\"shell\":\"echo \$PASS | tr a-z n-za-m; echo \$OTHER; cat \$SORTIE_JOB_FILE\",\"env\":{\"PASS\":\"env\",\"OTHER\":\"o\"},\"key\":\"k\",\"secrets\":{\"PASS\":\"$word\",\"EMPTY\":\"\"}}"
first=$job
within 15 "a job with secrets runs" job_is "$job" finished
output "$job" >"$T/got"
is "$(sed -n 1p "$T/got")" "$(echo $word | tr a-z n-za-m)" "its payload has the value, which wins over env"
is "$(sed -n 2p "$T/got")" o "beside the others"
is "$(sed 1,2d "$T/got" | jq -r '.secrets | "\(.PASS) \(.EMPTY)"')" "*** ***" "its description says ***"
submit "{\"shell\":\"echo \$PASS | tr a-z n-za-m; echo \$OTHER; cat \$SORTIE_JOB_FILE\",\"env\":{\"PASS\":\"env\",\"OTHER\":\"o\"},\"key\":\"k\",\"secrets\":{\"EMPTY\":\"\",\"PASS\":\"$word\"}}"
is "$status $(of '.jobs[0].created')" "201 false" "the same job again is the same job"
submit "{\"shell\":\"echo \$PASS | tr a-z n-za-m; echo \$OTHER; cat \$SORTIE_JOB_FILE\",\"env\":{\"PASS\":\"env\",\"OTHER\":\"o\"},\"key\":\"k\",\"secrets\":{\"EMPTY\":\"\",\"PASS\":\"x\"}}"
is "$status $(of '.error.detail.differs[0]')" "409 secrets" "with another value it is not"

# A workflow's and one that comes in parts; one that runs while we look.
call POST /api/v1/workflows "{\"jobs\":[{\"name\":\"a\",\"shell\":\"echo \$PASS | wc -c\",\"secrets\":{\"PASS\":\"$word\"}}]}"
is "$status" 201 "a workflow's job has some"
flow=$(of .first)
within 15 "it runs" job_is "$flow" finished
is "$(output "$flow")" $((${#word} + 1)) "and gets them"
call PUT /api/v1/dags/d "{\"jobs\":[{\"name\":\"a\",\"argv\":[\"true\"],\"secrets\":{\"PASS\":\"$word\"}}]}"
is "$status" 400 "a dag has none: it is for everybody to read"
call POST /api/v1/submissions '{}'
id=$(of .id)
call PUT "/api/v1/submissions/$id/parts/1" "[{\"argv\":[\"true\"],\"state\":\"held\",\"secrets\":{\"PASS\":\"$word\"}}]"
submit "{\"argv\":[\"sleep\",\"1000\"],\"secrets\":{\"PASS\":\"$word\"}}"
within 15 "another one runs" job_is "$job" running
payload=$(children "$pilot_child")
like "$(cat "/proc/$payload/status")" "*NoNewPrivs:?1*" \
	"a pilot that was told so lets no payload gain privileges"

# Everywhere that somebody could look.
for path in "jobs/$first" "jobs/$job" "jobs/$flow" jobs events?after=0 workflows "workflows/1" \
		"workflows/1/jobs" "workflows/1/graph" "jobs/$first/explain" top summary; do
	get "/api/v1/$path"
done >"$T/answers"
call POST /api/v1/purge '{"older_s":0,"export":true}'
ok "an export tells of it" grep -q '"PASS":"\*\*\*"' "$T/answer"
cat "$T/answer" >>"$T/answers"
sortie top --once >>"$T/answers" 2>&1
/usr/bin/python3 "$top/clients/sortie-load" record >"$T/workload" 2>&1
ok "a workload is recorded" test -s "$T/workload"
cat "$T/workload" >>"$T/answers"
nok "no answer has it" grep -aqF "$word" "$T/answers"
ok "but ***" grep -aqF '"PASS":"***"' "$T/answers"
nok "nor what is stored" grep -aqF sealed: "$T/answers"
sortie job show "$first" >"$T/shown" 2>&1
nok "the command does not show it" grep -qF -e "$word" -e sealed: "$T/shown"
"$(pg_bin)/pg_dump" -h "$state/run" -U sortie sortie >"$T/dump" 2>"$T/dump.err"
ok "the database has something sealed" grep -qF sealed:1: "$T/dump"
nok "and not the value" grep -qF "$word" "$T/dump"
nok "nor the key" grep -qF "$key" "$T/dump"
nok "no file of pilot or server has it" grep -rlaF "$word" "$T/p1" "$state" \
	--exclude-dir=run --include='*'
nok "no log" grep -laF "$word" "$T/server-s.out" "$T/p1.log" "$T/p1.out"
for pid in $(ls /proc | grep '^[0-9]*$'); do
	tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qF "$word" && echo "$pid"
done >"$T/holders" 2>/dev/null
is "$(cat "$T/holders")" "$payload" "no environment but the payload's"

# A server with another key gives nothing away, and says so.
stop_server
mv "$state/secrets-key" "$T/old-key"
start_server
submit "{\"argv\":[\"true\"],\"key\":\"new\",\"secrets\":{\"PASS\":\"$word\"}}"
within 20 "a new key serves new jobs" job_is "$job" finished
query "UPDATE sortie.job SET definition = replace(definition, '\"sealed:1:', '\"sealed:1:AAAA') WHERE number = $job" >/dev/null
call POST /api/v1/jobs/actions "{\"action\":\"retry\",\"jobs\":\"$job\",\"force\":true}"
within 20 "what it cannot open does not run" job_is "$job" failed
like "$(field "$job" .reason)" "*cannot open 'PASS'*" "and the reason says which"
stop_server
chmod 644 "$state/secrets-key"
exits 1 "a key that others may read is none" timeout 20 sortied --embedded "$state" --listen "unix:$T/s"
like "$said" "*chmod 600*" "and it says what to do"
chmod 600 "$state/secrets-key"
start_server
finish
