#!/bin/sh
# A pilot that is root runs each owner's jobs as that owner's user, who reaches
# neither the pilot's secrets nor another's run, nor gains anything by paths.
. "${0%/*}/lib.sh"
[ "$(id -u)" = 0 ] || skip_all "only root can become other users"
for user in daemon bin games; do
	getent passwd $user >/dev/null || skip_all "there is no user $user"
done

start_server
call PUT "/api/v1/sites/other" '{"name":"other"}'
for owner in alice bob games root ghost; do
	call POST /api/v1/tokens "{\"role\":\"user\",\"owner\":\"$owner\",\"name\":\"t\"}"
	eval "$owner=\$(of .token)"
done
call POST /api/v1/tokens '{"role":"join","everybody":true,"owner":"admin","name":"all"}'
of .token >"$T/join"
chmod 600 "$T/join"

cat >"$T/users" <<'END'
# owner	user
alice	daemon
bob	bin	# a system user, by its own line
*	=
END
# pilot NAME OPTION...: one that is for everybody's jobs
try_pilot()
{
	sortie-pilot --url "$SORTIE_URL" --join-token-file "$T/join" \
		--spool "$T/try" --cycles 1 "$@"
}
exits 3 "a pilot for everybody is refused when all would run as root" try_pilot
like "$said" "*--run-as-file*" "and is told what to do"
chmod 666 "$T/users"
exits 2 "a file that others may write is no authority" try_pilot --run-as-file "$T/users"
chmod 644 "$T/users"
printf 'alice\n' >"$T/bad"
exits 2 "nor is one that is half" try_pilot --run-as-file "$T/bad"
like "$said" "*line 1*" "which is told with its line"
exits 2 "another user cannot use one" setpriv --reuid 65534 --clear-groups \
	"$build/pilot/sortie-pilot" --run-as-file "$T/users" --join-token-file "$T/join"

join_token_file=$T/join
sortie-pilot --url "$SORTIE_URL" --join-token-file "$T/join" --spool "$T/p1" \
	--host-name p1 --verbose --slots 4 --run-as-file "$T/users" >"$T/p1.out" 2>&1 &
keeper=$!
started $keeper pilot
wait_until 15 pilot_is p1 idle busy || give_up "the pilot joins"

# run OWNER JOB: as that owner; $job, when it has ended
run()
{
	admin=$token
	eval "token=\$$1"
	submit "$2"
	token=$admin
	wait_until 20 has_ended "$job"
}
reason()
{
	field "$job" .reason
}

run alice '{"shell":"id -un; id -Gn; pwd; echo $HOME $USER; grep NoNewPrivs /proc/self/status; ls /proc/self/fd | wc -l; echo x >made; echo y >/dev/stderr; test -r $SORTIE_JOB_FILE && echo job file"}'
is "$(field "$job" .state)" finished "alice's job ends well"
output "$job" >"$T/out"
is "$(sed -n 1p "$T/out")" daemon "it ran as her user"
is "$(sed -n 2p "$T/out")" "$(id -Gn daemon)" "with that user's groups and no other"
like "$(sed -n 3p "$T/out")" "$T/p1/runs/*/work" "in its own directory"
is "$(sed -n 4p "$T/out")" "$(getent passwd daemon | cut -d: -f6) daemon" "and environment"
like "$(sed -n 5p "$T/out")" "*1" "set-user-id programs give it nothing"
is "$(sed -n 6p "$T/out")" 4 "it has no descriptor of the pilot's"
is "$(sed -n 7p "$T/out")" "job file" "it can read what it is"
is "$(output "$job" stderr)" y "and write to its output by name"
run bob '{"argv":["id","-un"]}'
is "$(output "$job")" bin "bob's runs as his"

# What it cannot reach: one line for each that it could.
(umask 077 && echo secret >"$T/p1/mine")
run alice "{\"shell\":\"ls $T/p1; ls $T/p1/runs; cat $T/p1/mine $T/join; cat $T/p1/identity $T/p1/journal; ls $T/p1/files; kill -0 $keeper && echo keeper; cat /proc/$keeper/environ; true\"}"
is "$(output "$job")" "" "neither spool nor token nor keeper is in reach"
admin=$token token=$alice
submit '{"shell":"echo hers >f; echo $PWD; exec sleep 1000"}'
token=$admin hers=$job
within 10 "alice has a run" job_is "$hers" running
within 10 "that says where" eval 'output $hers | grep -q work'
place=$(output "$hers")
run bob "{\"shell\":\"cat $place/f; ls $place ${place%/work}; cat ${place%/work}/stdout ${place%/work}/job.json; echo x >$place/g; true\"}"
is "$(output "$job")" "" "nor is another owner's run"
like "$(output "$job" stderr)" "*denied*denied*denied*denied*" "each is denied"
token=$alice
call POST /api/v1/jobs/actions "{\"action\":\"cancel\",\"jobs\":\"$hers\"}"
token=$admin
within 15 "what another user runs can be ended" job_is "$hers" cancelled

# Nobody's, root's, the system's.
run games '{"argv":["true"]}'
like "$(reason)" "*the system's*" "a system user is none by its mere name"
run root '{"argv":["true"]}'
like "$(reason)" "*no job runs as root*" "nobody is root"
run ghost '{"argv":["true"]}'
like "$(reason)" "*no user 'ghost'*" "who has no user runs nothing"

# Paths: what the user may not, the pilot does not do for them.
mkdir -m 755 "$T/roots" && mkdir -m 777 "$T/open" && ln -s "$T/roots" "$T/open/link"
(umask 077 && echo '#!/bin/sh' >"$T/roots/program" && chmod 700 "$T/roots/program")
printf 'sent' >"$T/sent"
sum=$(sha256sum "$T/sent" | cut -d ' ' -f 1)
curl -s -o /dev/null --unix-socket "$sock" -H "Authorization: Bearer $alice" -T "$T/sent" \
	"http://sortie/api/v1/files/$sum"
send()
{
	echo "\"send\":[{\"name\":\"$1\",\"sha256\":\"$sum\",\"size\":4,\"mode\":\"0644\"}]"
}
run alice "{\"argv\":[\"true\"],\"cwd\":\"$T/roots\",$(send x)}"
like "$(reason)" "*Permission denied*" "a file is not put where the user may not write"
nok "and is not there" test -e "$T/roots/x"
run alice "{\"argv\":[\"true\"],\"cwd\":\"$T/open\",$(send link/x)}"
like "$(reason)" "nonstarter*" "a link leads nowhere"
nok "least of all there" test -e "$T/roots/x"
run alice "{\"argv\":[\"cat\",\"d/x\"],$(send d/x)}"
is "$(output "$job")" sent "into the own directory it comes"
run alice "{\"argv\":[\"true\"],\"cwd\":\"$T\",$(send ../x)}"
nok "and never above" test -e "$T/../x"
run alice "{\"argv\":[\"$T/roots/program\"],\"env\":{\"P3S_MODE\":\"COPY\"}}"
like "$(reason)" "*Permission denied*" "a program that the user may not read is not copied"
run alice "{\"argv\":[\"true\"],\"outputs\":[{\"path\":\"$T/roots/program\",\"sha256\":true}]}"
like "$(reason)" "*not readable*" "nor is a file hashed"
run alice '{"shell":"echo copied","env":{"P3S_MODE":"COPY"}}'
is "$(output "$job")" copied "what the user may, works"
finish
