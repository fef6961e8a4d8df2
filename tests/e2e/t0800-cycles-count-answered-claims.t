#!/bin/sh
# The loop of p3s: --cycles attempts, a period apart, exit 0 when they are
# used up; a lost server never counts; a refused token has its own status.
. "${0%/*}/lib.sh"

start_server
pilot_once()
{
	timeout 60 sortie-pilot --url "$SORTIE_URL" --one-user --spool "$T/c" \
		--join-token-file "$join_token_file" --slots 1 "$@"
}
now_cs
begun=$now
exits 0 "three attempts at an empty queue, then exit 0" \
	pilot_once --cycles 3 --period 1
now_cs
took=$((now - begun))
[ $took -ge 180 ] && [ $took -lt 600 ] && pass "a period apart" ||
	fail "a period apart" "${took}0 ms"
submit '{"shell":"echo ran","replicas":5}'
exits 0 "one attempt" pilot_once --cycles 1
n=$(n_in finished)
[ "$n" -ge 1 ] && [ "$n" -le 2 ] && pass "does one claim's jobs" ||
	fail "does one claim's jobs" "$n"
exits 0 "enough attempts" pilot_once --cycles 6 --period 1
is "$(n_in finished)" 5 "do the rest"
is "$(get '/api/v1/pilots' | jq -r '[.items[].state] | unique | join(" ")')" \
	stopped "all have left"
submit '{"argv":["true"]}'
exits 0 "one that has had nothing to do for long leaves" pilot_once --idle 1
is "$(field "$job" .state)" finished "when it has done what there was"
exits 4 "no server within --connect-timeout" timeout 20 sortie-pilot \
	--url "unix:$T/nobody" --spool "$T/c" \
	--join-token-file "$join_token_file" --connect-timeout 1
echo sj_0000000000000000000000000000000000000000000 >"$T/bad-token"
chmod 600 "$T/bad-token"
exits 3 "a refused join token" timeout 20 sortie-pilot --url "$SORTIE_URL" \
	--spool "$T/c" --join-token-file "$T/bad-token"
exits 2 "wrong options" sortie-pilot --slots many
exits 2 "no token" sortie-pilot --url "$SORTIE_URL" --spool "$T/c"
exits 0 "--version" sortie-pilot --version
SORTIE_JOIN_TOKEN=$(cat "$join_token_file")
export SORTIE_JOIN_TOKEN
submit '{"shell":"env"}'
exits 0 "the token may come by environment" timeout 20 sortie-pilot \
	--url "$SORTIE_URL" --one-user --spool "$T/c" --slots 1 --cycles 2 --period 1
unset SORTIE_JOIN_TOKEN
case $(output "$job") in
*sj_*) fail "payloads do not see it" ;;
*SORTIE_JOB_ID*) pass "payloads do not see it" ;;
*) fail "payloads do not see it" "no output" ;;
esac
finish
