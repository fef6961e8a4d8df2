#!/bin/sh
# In bubblewrap a payload has its working directory, the machine's files for
# reading and no process but its own: no spool, no token, no network if asked.
. "${0%/*}/lib.sh"

start_server
exits 2 "without bubblewrap the pilot refuses" \
	env PATH="$T/nothing" "$build/pilot/sortie-pilot" \
	--join-token-file "$join_token_file" --sandbox bwrap
like "$said" "*bubblewrap*" "and says what to install"
exits 2 "another sandbox is not known" sortie-pilot \
	--join-token-file "$join_token_file" --sandbox chroot
if ! bwrap --unshare-pid --ro-bind / / --dev /dev --proc /proc true 2>"$T/bwrap"; then
	skip "payloads run in it" "bubblewrap does not work here"
	finish
fi
mkdir "$T/data"
# What is hidden stays so where the folder above is for writing.
start_pilot --slots 3 --sandbox bwrap --sandbox-write "$T" --sandbox-offline --grace 5
# run JOB: $job, when it has ended
run()
{
	submit "$1"
	wait_until 20 has_ended "$job"
}
run '{"shell":"pwd; echo x >made; cat made; test -r $SORTIE_JOB_FILE && echo description; ls /proc | grep -c \"^[0-9]*$\"; echo $SORTIE_JOB_NUMBER; exit 7"}'
is "$(field "$job" '"\(.state) \(.exit_code)"')" "failed 7" "a payload runs there, and its exit status comes out"
output "$job" >"$T/got"
like "$(sed -n 1p "$T/got")" "$T/p1/runs/*/work" "in its working directory"
is "$(sed -n 2,3p "$T/got" | tr '\n' ' ')" "x description " "which it writes; it can read what it is"
[ "$(sed -n 4p "$T/got")" -le 5 ] && pass "it sees no process but its own" ||
	fail "it sees no process but its own" "$(cat "$T/got")"
run "{\"shell\":\"cat $T/p1/identity $T/p1/journal $join_token_file; ls $T/p1 | grep -v runs; ls $T/p1/runs | wc -l; echo x >$T/data/made; echo x >/etc/made; echo x >/usr/made; true\"}"
is "$(output "$job")" 1 "of the spool there is its own run only, and no token"
ok "it writes where it may" test -e "$T/data/made"
nok "and nowhere else" ls /etc/made /usr/made
run '{"shell":"cat /proc/net/dev | grep -c :"}'
is "$(output "$job")" 1 "it has no network but itself"
run '{"shell":"readlink /proc/self/ns/net"}'
nok "which is not the machine's" test "$(output "$job")" = "$(readlink /proc/self/ns/net)"
submit '{"shell":"trap \"echo told; exit 0\" TERM; echo up; while :; do sleep 0.1; done","timeout":1}'
within 15 "a time limit ends it" job_is "$job" timelimit
is "$(output "$job" | tr '\n' ' ')" "up told " "after it was told and had its grace"
submit '{"shell":"trap \"\" TERM; echo up; (setsid sleep 1000 &) ; sleep 1000"}'
within 10 "another one runs" output_is "$job" up
call POST /api/v1/jobs/actions "{\"action\":\"cancel\",\"jobs\":\"$job\"}"
within 20 "and is killed when it does not listen" job_is "$job" cancelled
run '{"argv":["true"],"cwd":"/nowhere"}'
like "$(field "$job" .reason)" "nonstarter*" "what cannot start says so as ever"
run '{"shell":"echo copied","env":{"P3S_MODE":"COPY"}}'
is "$(output "$job")" copied "a copied program runs"

# The network is there unless it was asked to be away.
stop_pid $pilot_pid
start_pilot --slots 1 --sandbox bwrap
run '{"shell":"readlink /proc/self/ns/net; grep NoNewPrivs /proc/self/status; ls /proc/self/fd | wc -l; grep CapEff /proc/self/status"}'
output "$job" >"$T/got"
is "$(sed -n 1p "$T/got")" "$(readlink /proc/self/ns/net)" "otherwise it has the machine's"
like "$(sed -n 2p "$T/got")" "*1" "it gains nothing by set-user-id programs"
is "$(sed -n 3p "$T/got")" 4 "has no descriptor of the pilot's"
like "$(sed -n 4p "$T/got")" "*0000000000000000" "and no capabilities"

[ "$(id -u)" = 0 ] && getent passwd daemon >"$T/user" || {
	skip "a sandbox of another user" "only root can become other users"
	finish
}
stop_pid "$pilot_pid" 20
echo '* daemon' >"$T/users"
start_pilot --slots 1 --sandbox bwrap --sandbox-write "$T" --run-as-file "$T/users"
run "{\"shell\":\"id -un; pwd; cat $join_token_file\"}"
like "$(output "$job" | tr '\n' ' ')" "daemon $T/$pilot/runs/*/work " "another user's sandbox runs, token and all closed"
finish
