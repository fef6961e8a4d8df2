#!/bin/sh
# Tokens are in no argument, log, core dump or table, and in no process's
# environment but the payload's; a revoked one is refused at once, also by the
# server that has it in its cache.
. "${0%/*}/lib.sh"

cd "$T" || exit 1
ulimit -c unlimited
start_server --log-level debug
unset SORTIE_TOKEN
# All tests have the same first tokens, so processes of another one may rightly
# hold them: what is looked for was made here.
first_tokens="$token $(cat "$join_token_file")"
call POST /api/v1/tokens '{"role":"join","name":"hers"}'
join=$(of .token)
call POST /api/v1/tokens '{"role":"admin","name":"mine"}'
admin=$(of .token)
token=$admin
call POST /api/v1/tokens '{"role":"user","owner":"carol","name":"hers"}'
carol=$(of .token) carol_id=$(of .id)
token=$carol
call GET /api/v1/jobs
token=$admin

# A pilot of nobody's, who gets his join token by the environment: its payload
# is of the same user.
as= user=
if [ "$(id -u)" = 0 ]; then
	as="setpriv --reuid 65534 --regid 65534 --clear-groups"
	chmod 777 "$sock"
fi
cp "$build/pilot/sortie-pilot" "$T/sortie-pilot"
mkdir -m 700 "$T/spool" && [ -z "$as" ] || chown 65534:65534 "$T/spool"
SORTIE_JOIN_TOKEN=$join $as "$T/sortie-pilot" --url "$SORTIE_URL" \
	--spool "$T/spool" --host-name p1 --one-user --verbose >"$T/p1.out" 2>&1 &
keeper=$!
started $keeper pilot
wait_until 15 pilot_is p1 idle busy || give_up "the pilot joins"
child=$(children $keeper)
submit '{"shell":"echo up; exec sleep 1000"}'
within 10 "a payload runs" job_is "$job" running
payload=$(children $child)
pilot_token=$(grep -aoE 'sp_[0-9a-f_]{80,}' "$T/spool/identity" 2>/dev/null ||
	grep -raohE 'sp_[0-9a-f_]{80,}' "$T/spool" | head -n 1)
job_token=$(tr '\0' '\n' <"/proc/$payload/environ" | sed -n 's/^SORTIE_TOKEN=//p')
like "$pilot_token $job_token" "sp_* sr_*" "there are tokens to look for"

# Commands that wait, with tokens that they were given in both ways.
token=$admin
submit '{"argv":["true"],"state":"held"}'
SORTIE_TOKEN=$admin sortie job wait "$job" >"$T/wait.out" 2>&1 &
waiter=$!
started $waiter other
sortie --token "$admin" job wait "$job" >"$T/wait2.out" 2>&1 &
second_waiter=$!
started $second_waiter other
# hides PID FILE: the command runs, and its token is gone from there.
hides()
{
	[ "$(cat "/proc/$1/comm")" = sortie ] &&
		! tr '\0' '\n' <"/proc/$1/$2" | grep -qF "$admin"
}
within 10 "a command hides the token of its environment" hides $waiter environ
within 10 "and one of its arguments" hides $second_waiter cmdline

printf '%s\n' "$admin" "$join" "$carol" "$pilot_token" "$job_token" >"$T/secrets"
printf '%s\n' $first_tokens | cat "$T/secrets" - >"$T/all-secrets"
# holders FILE: processes, but this shell and its helpers, where a secret is,
# with their names and the variables.
holders()
{
	for pid in $(ls /proc | grep '^[0-9]*$'); do
		[ "$pid" = $$ ] && continue
		found=$(tr '\0' '\n' <"/proc/$pid/$1" 2>/dev/null |
			grep -F -f "$T/secrets") &&
			echo "$pid $(cat "/proc/$pid/comm") ${found%%=*}"
	done 2>/dev/null
}
is "$(holders cmdline)" "" "no argument of any process has a secret"
is "$(holders environ)" "$payload sleep SORTIE_TOKEN" "no environment but the payload's has one"
like "$(tr '\0' '\n' <"/proc/$payload/environ")" "*SORTIE_TOKEN=sr_*" \
	"which is its own"
nok "no log has one" grep -rlaF -f "$T/all-secrets" --include='*.out' \
	--include='*.log' "$T" "$state/pg/log"
"$(pg_bin)/pg_dump" -h "$state/run" -U sortie sortie >"$T/dump" 2>"$T/dump.err"
ok "the database can be looked at" grep -q 'CREATE TABLE.*token' "$T/dump"
nok "and has none: it has hashes" grep -qF -f "$T/all-secrets" "$T/dump"
is "$(find "$T/spool" "$state"/*-token -perm /077 ! -type l 2>/dev/null |
	xargs -r grep -laF -f "$T/all-secrets")" "" "no file of others' to read has one"

# What a payload of the pilot's own user can read of it.
submit "{\"shell\":\"for p in $keeper $child; do cat /proc/\$p/environ && echo env; head -c 1 /proc/\$p/mem && echo mem; ls /proc/\$p/fd && echo fd; done; true\"}"
if [ "$(id -u)" = 0 ]; then
	within 10 "a payload looks at its pilot" job_is "$job" finished
	is "$(output "$job")" "" "and sees neither memory nor environment"
else
	skip "a payload looks at its pilot" "the tests do not run as root"
fi

exits 2 "a password in the arguments is refused" \
	sortied --audit --database "host=/x password=hunter2"
like "$said" "*configuration file*" "and it says where else"
exits 2 "in an address, too" sortied --audit --database "postgres://a:hunter2@h/d"

# Revoked: the other server has used it a moment ago.
first=$sock
launch b --database "host=$state/run user=sortie dbname=sortie" \
	--state-dir "$T/b-state" --log-level debug
second_pid=$server_pid
sock=$T/b token=$carol
call GET /api/v1/jobs
is "$status" 200 "a token that another server made is good"
sock=$first token=$admin
call DELETE "/api/v1/tokens/$carol_id"
is "$status" 204 "it is revoked"
refused()
{
	sock=$T/b token=$carol
	call GET /api/v1/jobs
	[ "$status" = 401 ]
}
within 2 "and refused by the server that knew it, long before its cache ends" refused
sock=$first token=$admin

# Dumps: what dies of a signal that leaves one.
(sh -c 'kill -ABRT $$') >/dev/null 2>&1
if ls core* >/dev/null 2>&1; then
	rm -f core*
	kill -ABRT $second_pid
	within 10 "the server dies of a fault" gone $second_pid
	kill -ABRT $waiter
	within 10 "a command" gone $waiter
	kill -ABRT "$child"
	within 10 "the pilot, too" gone "$keeper"
	is "$(find "$T" -name 'core*' -type f -size +4k)" "" "none is left of them"
else
	skip "none is left of them" "no program leaves a core dump in its directory"
fi
finish
