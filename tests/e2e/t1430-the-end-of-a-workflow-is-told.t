#!/bin/sh
# Callbacks: the end of a workflow is posted to who wants to know it, again
# when nobody answers well, and never to where a redirect points.
. "${0%/*}/lib.sh"
python=/usr/bin/python3
[ -x $python ] || skip_all "python3 is not installed"

cat >"$T/listener.py" <<'END'
import http.server, json, sys

class Listener(http.server.BaseHTTPRequestHandler):
    seen = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[1] + "/calls", "a") as f:
            f.write(self.path + " " + self.headers["Content-Type"] + " "
                    + json.dumps(json.loads(body)) + "\n")
        Listener.seen += self.path == "/second"
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
        elif self.path == "/second" and Listener.seen == 1:
            self.send_response(500)
        else:
            self.send_response(204)
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *args):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Listener)
with open(sys.argv[1] + "/port.new", "w") as f:
    f.write(str(server.server_port))
import os
os.rename(sys.argv[1] + "/port.new", sys.argv[1] + "/port")
server.serve_forever()
END
: >"$T/calls"
$python "$T/listener.py" "$T" >"$T/listener.log" 2>&1 &
started $! other
wait_until 10 test -e "$T/port" || give_up "a listener listens"
to=http://127.0.0.1:$(cat "$T/port")

start_server --callback-local
start_pilot --slots 1
v=/api/v1

# called PATH N
called()
{
	[ "$(grep -c "^$1 " "$T/calls")" = "$2" ]
}

call POST $v/workflows '{"name":"w","jobs":{"a":{"shell":"exit 3"}},"callback":["'"$to"'/first?x=y","'"$to"'/second"]}'
flow=$(of .number)
within 15 "the end is told" called '/first?x=y' 1
is "$(sed -n 's|^/first?x=y application/json ||p' "$T/calls" |
	jq -r '[.workflow, .name, .state, .jobs, .bad] | join(" ")')" \
	"$flow w failed 1 1" "in JSON: which, and how it ended"
within 15 "who refused is told again after a pause" called /second 2
call POST $v/workflows '{"jobs":{"a":{"noop":true}},"callback":"'"$to"'/moved"}'
within 15 "a redirect is told of the end" called /moved 1
metric()
{
	[ "$(get /metrics | sed -n "s/^$1 //p")" = "$2" ]
}
within 10 "two were done" metric sortie_callbacks_done_total 2
within 10 "and two failed" metric sortie_callback_failures_total 2
ok "where it points nobody is told" called /elsewhere 0

# Without leave the server's own machine is not called, whatever it is named.
stop_server
start_server
port=${to##*:}
query 'DELETE FROM sortie.callback' >/dev/null
call POST $v/workflows '{"jobs":{"a":{"noop":true}},"callback":["'"$to"'/no","http://localhost:'"$port"'/no","http://[::ffff:127.0.0.1]:'"$port"'/no","http://2130706433:'"$port"'/no","http://0:'"$port"'/no"]}'
is "$status" 201 "a workflow may name it"
refused()
{
	[ "$(query "SELECT count(*) FROM sortie.callback WHERE last_error LIKE '%may not go'")" = 5 ]
}
within 15 "but it is not called" refused
ok "by none of its names" called /no 0
finish
