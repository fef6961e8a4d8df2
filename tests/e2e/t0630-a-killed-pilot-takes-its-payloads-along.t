#!/bin/sh
# kill -9 of a pilot: its whole tree of processes dies, whatever they did to
# get away, and the job runs again elsewhere within 20 s of the death.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 1
victim=$pilot_child
keeper=$pilot_pid
cat >"$T/payload.sh" <<'END'
#!/bin/sh
# A child, one in a session of its own, and a daemon.
echo $$ >>"$1"
sleep 1000 & echo $! >>"$1"
setsid sh -c 'echo $$ >>"$0"; exec sleep 1000' "$1" &
(setsid sh -c 'sh -c "echo \$\$ >>\$0; exec sleep 1000" "$0" & exit 0' "$1" &)
wait
END
chmod 755 "$T/payload.sh"
submit "{\"shell\":\"[ \$SORTIE_JOB_NUMBER != 1 ] || [ -e $T/pids ] && exit 0; exec $T/payload.sh $T/pids\"}"
four()
{
	[ "$(wc -l <"$T/pids")" = 4 ]
}
within 10 "a payload has made itself four processes" four
start_pilot --slots 1
now_cs
died=$now
kill -9 "$victim"
all_gone()
{
	for pid in $(cat "$T/pids"); do
		gone "$pid" || return 1
	done
}
within 5 "all of them die with the pilot" all_gone
within 5 "and the keeper ends" gone "$keeper"
within 25 "the job runs again elsewhere" job_is "$job" finished
now_cs
took=$(((now - died) / 100))
[ $took -le 20 ] && pass "within 20 s of the death" ||
	fail "within 20 s of the death" "$took s"
is "$(field "$job" '[.runs[] | .state] | sort | join(" ")')" "finished lost" \
	"the first run is lost, the second has finished"
is "$(field "$job" '.runs | sort_by(.attempt) | .[1].pilot.host')" p2 \
	"at the other pilot"
finish
