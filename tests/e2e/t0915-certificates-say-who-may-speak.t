#!/bin/sh
# The certificate must be for the name that was asked for; with a client
# authority nobody without its certificate is heard; a reload drops nobody.
. "${0%/*}/lib.sh"
command -v openssl >/dev/null || skip_all "openssl is not installed"
python=/usr/bin/python3
[ -x $python ] || skip_all "python3 is not installed"

cd "$T" || exit 1
# authority NAME; certify AUTHORITY NAME SERIAL ALTERNATIVE-NAME
authority()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$1.key" -out "$1.pem" -days 2 -subj "/CN=$1" 2>/dev/null
}
certify()
{
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$2.key" -out "$2.csr" -subj "/CN=$2" 2>/dev/null &&
	printf 'subjectAltName=%s\n' "$4" >ext &&
	openssl x509 -req -in "$2.csr" -CA "$1.pem" -CAkey "$1.key" -days 2 \
		-set_serial "$3" -extfile ext -out "$2.pem" 2>/dev/null
}
authority servers && authority clients && authority strangers &&
	certify servers one 101 IP:127.0.0.1 &&
	certify servers two 102 IP:127.0.0.1,DNS:localhost &&
	certify clients node 7 DNS:node && certify strangers odd 8 DNS:odd ||
	give_up "certificates are made"
cp one.pem cert.pem && cp one.key key.pem

port=$((30000 + $$ % 10000))
while grep -qi "$(printf ':%04X ' $port)" /proc/net/tcp; do
	port=$((port + 1))
done
start_server --listen "https://127.0.0.1:$port" --tls-cert "$T/cert.pem" \
	--tls-key "$T/key.pem" --tls-client-ca "$T/clients.pem"

# By address the certificate fits, by the other name it does not.
SORTIE_URL=https://127.0.0.1:$port
shown="--ca-file servers.pem --cert node.pem --key-file node.key"
exits 0 "a certificate of the clients' authority is heard" sortie $shown job list
exits 3 "one without is not" sortie --ca-file servers.pem job list
exits 3 "nor a stranger's" sortie --ca-file servers.pem --cert odd.pem --key-file odd.key job list
SORTIE_URL=https://localhost:$port
exits 3 "a certificate for another name is not believed" sortie $shown job list
like "$said" "*certificate*" "and the command says so"

# The same for pilots.
SORTIE_URL=https://127.0.0.1:$port
exits 4 "a pilot without certificate finds no server" sortie-pilot \
	--url "$SORTIE_URL" --join-token-file "$join_token_file" \
	--spool "$T/none" --ca-file servers.pem --one-user --connect-timeout 1
SORTIE_URL=https://localhost:$port
exits 4 "nor does one that was told another name" sortie-pilot \
	--url "$SORTIE_URL" --join-token-file "$join_token_file" \
	--spool "$T/none" --ca-file servers.pem --cert node.pem \
	--key-file node.key --one-user --connect-timeout 1
SORTIE_URL=https://127.0.0.1:$port
start_pilot --slots 1 --ca-file "$T/servers.pem" --cert "$T/node.pem" \
	--key-file "$T/node.key"
exits 7 "a pilot with one works" sortie $shown job run -- sh -c 'exit 7'
exits 2 "a certificate wants its key" sortie-pilot --url "$SORTIE_URL" \
	--join-token-file "$join_token_file" --cert "$T/node.pem"

# One connection lives through a reload, and new ones get the new certificate.
cat >kept.py <<'END'
import http.client, os, signal, ssl, sys, time
port, server = int(sys.argv[1]), int(sys.argv[2])
def dial():
    context = ssl.create_default_context(cafile="servers.pem")
    context.load_cert_chain("node.pem", "node.key")
    http_ = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
    http_.connect()
    return http_
def alive(c):
    c.request("GET", "/healthz")
    reply = c.getresponse()
    reply.read()
    return reply.status == 200
old = dial()
assert alive(old)
kept = old.sock
os.kill(server, signal.SIGHUP)
end = time.monotonic() + 10
while dial().sock.getpeercert()["serialNumber"] != "66":
    assert time.monotonic() < end, "the old certificate is still shown"
assert alive(old) and old.sock is kept, "the connection was dropped"
assert kept.getpeercert()["serialNumber"] == "65"
END
cp two.pem cert.pem && cp two.key key.pem
ok "a connection lives through a reload that new ones see" \
	$python kept.py $port "$server_pid"
SORTIE_URL=https://localhost:$port
exits 0 "and the other name is good now" sortie $shown job list
echo rubbish >cert.pem
kill -HUP "$server_pid"
within 10 "a certificate that is none is told" grep -q "cannot use the certificate" "$T/server-s.out"
exits 0 "and the one before stays" sortie $shown job list
openssl s_client -connect "localhost:$port" -tls1_1 -cipher 'DEFAULT@SECLEVEL=0' \
	</dev/null >"$T/old" 2>&1
nok "TLS 1.1 is too old" grep -q "^Server certificate" "$T/old"
finish
