#!/bin/sh
# kill -9 of a pilot whose payload became another user by a set-uid program,
# in a session of its own: it dies all the same.
. "${0%/*}/lib.sh"

[ "$(id -u)" = 0 ] || skip_all "making a set-uid program of another user needs root"
cp "$(command -v sleep)" "$T/sleep"
chown nobody "$T/sleep"
chmod 4755 "$T/sleep"
start_server --lease 3 --heartbeat 1
for victim in pilot keeper both; do
	rm -f "$T/pids"
	start_pilot --slots 1
	submit "{\"shell\":\"setsid $T/sleep 1000 & echo \$! >>$T/pids; $T/sleep 1000 & echo \$! >>$T/pids; wait\"}"
	within 10 "a payload runs as another user ($victim)" \
		eval '[ "$(wc -l <"$T/pids")" = 2 ]'
	case $victim in
	pilot) kill -9 "$pilot_child" ;;
	keeper) kill -9 "$pilot_pid" ;;
	both) kill -STOP "$pilot_pid" && kill -9 "$pilot_pid" "$pilot_child" ;;
	esac
	within 5 "with the $victim killed the pilot goes" gone "$pilot_child"
	all_gone()
	{
		for pid in $(cat "$T/pids"); do
			gone "$pid" || return 1
		done
	}
	if [ $victim = both ]; then
		# Nobody is left who could end them, as sortie-pilot(1) says.
		kill -9 $(cat "$T/pids") 2>/dev/null
	else
		within 5 "its processes go, too" all_gone
	fi
	call POST /api/v1/jobs/actions "{\"action\":\"cancel\",\"jobs\":\"$job\"}"
	within 20 "the job has ended" has_ended "$job"
done
finish
