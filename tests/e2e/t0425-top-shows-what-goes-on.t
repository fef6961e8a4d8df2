#!/bin/sh
# `sortie top`: what it shows once, to programs, and on a terminal.
. "${0%/*}/lib.sh"

start_server
submit '{"argv":["true"],"jobtype":"urgent","priority":7,"site":"nowhere"}'
submit '{"argv":["true"],"jobtype":"bulk","site":"nowhere","replicas":70}'
submit '{"argv":["true"],"jobtype":"bulk","site":"nowhere","priority":-3,"state":"held"}'
call GET /api/v1/top
is "$(of '[.priorities[] | [.priority, .queued, .about]] | tostring')" \
	'[[7,1,false],[0,70,false]]' "the queue by priority, counted while it is short"
is "$(of '[.jobtypes[] | [.name, .waiting, .queued, .running]] | tostring')" \
	'[["bulk",1,70,0],["urgent",0,1,0]]' "and by type"

start_pilot --slots 2 --site here
submit '{"argv":["false"],"jobtype":"bad"}'
within 15 "a job fails" job_is "$job" failed
call GET /api/v1/top
is "$(of '[.failures[] | [.number, .jobtype, .state, .exit_code]] | tostring')" \
	"[[$job,\"bad\",\"failed\",1]]" "the last failures"
is "$(of '[.sites[] | [.name, .pilots, .slots]] | tostring')" \
	'[["here",1,2]]' "pilots by site"
is "$(of '[.rates.submitted, .rates.started, .rates.bad] | tostring')" \
	'[73,1,1]' "rates"

# Somebody else sees nothing of it.
call POST /api/v1/tokens '{"role":"reader","owner":"mallory","name":"m"}'
saved=$token token=$(of .token)
call GET /api/v1/top
is "$(of '[.jobs, .jobtypes, .priorities, .failures] | tostring')" \
	'[{},[],[],[]]' "others' jobs are not shown"
token=$saved

sortie top --once >"$T/once.txt"
is $? 0 "top --once"
ok "shows the priorities" grep -Eq '^ +7 +1$' "$T/once.txt"
ok "and the failure" grep -Eq "^ +$job +bad +failed" "$T/once.txt"
is "$(grep -c "$(printf '\033')" "$T/once.txt")" 0 "without control characters"
is "$(sortie top --json | jq -r '.slots.total')" 2 "top --json"
is "$(sortie top --ndjson --once | jq -r '.jobs.failed')" 1 "top --ndjson"

# On a terminal: within its size, again when it is due, q ends it and gives the
# screen back.
cat >"$T/terminal.py" <<'END'
import fcntl, os, pty, re, select, struct, sys, termios, time

rows, columns, looks = int(sys.argv[1]), int(sys.argv[2]), 2
child, fd = pty.fork()
if child == 0:
    os.execvp("sortie", ["sortie", "top", "--interval", "1"])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
seen, asked, deadline = b"", False, time.monotonic() + 30
while time.monotonic() < deadline:
    if not asked and seen.count(b"\x1b[J") > looks:
        os.write(fd, b"q")
        asked = True
    if select.select([fd], [], [], 1)[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
else:
    sys.exit("it does not end")
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
# A resize may meet the first screen: the last whole one counts.
screens = seen.split(b"\x1b[H")[1:]
last = re.sub(rb"\x1b\[[0-9?]*[A-Za-z]", b"", screens[-1]).split(b"\r\n")
print("status", status)
print("left", seen.endswith(b"\x1b[?25h\x1b[?1049l"))
print("fits", len(last) <= rows and
      all(len(line.decode()) <= columns for line in last))
if len(last) > rows or any(len(l.decode()) > columns for l in last):
    print(rows, columns, last, file=sys.stderr)
print("heads", sum(any(head in line for line in last) for head in
                   (b"JOBTYPE", b"PRIORITY", b"SITE", b"FAILED")))
END
is "$(python3 "$T/terminal.py" 24 80 | tr '\n' ' ')" \
	"status 0 left True fits True heads 4 " "a terminal of 80 x 24 holds all four parts"
is "$(python3 "$T/terminal.py" 8 30 | tr '\n' ' ' | sed 's/heads .*//')" \
	"status 0 left True fits True " "a small one what fits"
finish
