#!/bin/sh
# TLS: certificate by an own authority, checked by pilot and command; plain
# HTTP on the port gets nothing; SIGHUP takes a new certificate.
. "${0%/*}/lib.sh"
command -v openssl >/dev/null || skip_all "openssl is not installed"

cd "$T" || exit 1
certify()
{
	openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" \
		-subj "/CN=localhost" 2>/dev/null &&
	printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >ext &&
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -days 2 \
		-set_serial "$2" -extfile ext -out "$1.pem" 2>/dev/null
}
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 \
	-subj "/CN=test authority" 2>/dev/null
certify one 101 && certify two 102 || give_up "certificates are made"
cp one.pem cert.pem && cp one.key key.pem

# A free port is found by trying.
port=$((20000 + $$ % 10000))
while grep -qi "$(printf ':%04X ' $port)" /proc/net/tcp; do
	port=$((port + 1))
done
start_server --listen "127.0.0.1:$port" --tls-cert "$T/cert.pem" --tls-key "$T/key.pem"
ok "the authority is believed" curl -sf --cacert ca.pem "https://127.0.0.1:$port/healthz"
nok "without it nobody is" curl -sf "https://127.0.0.1:$port/healthz"
nok "plain HTTP gets nothing" curl -sf --max-time 5 "http://127.0.0.1:$port/healthz"
nok "TLS 1.1 is too old" curl -sf --tls-max 1.1 --cacert ca.pem "https://127.0.0.1:$port/healthz"

SORTIE_URL=https://127.0.0.1:$port
exits 3 "the command checks the certificate" sortie job list
like "$said" "*(--ca-file)*" "and says how to name the authority"
exits 3 "http to the port for TLS" sortie --url "http://127.0.0.1:$port" job list
like "$said" "*https*" "is told to be https"
exits 0 "and believes the authority that it is told" \
	sortie --ca-file ca.pem job list
start_pilot --slots 1 --ca-file "$T/ca.pem"
exits 7 "a job over TLS" sortie --ca-file ca.pem job run -- sh -c 'exit 7'

cp two.pem cert.pem && cp two.key key.pem
kill -HUP "$server_pid"
new_one()
{
	echo | openssl s_client -connect "127.0.0.1:$port" 2>/dev/null |
		openssl x509 -noout -serial | grep -qi '=66'
}
within 10 "SIGHUP takes the new certificate" new_one
exits 0 "which serves" sortie --ca-file ca.pem job run -- true
finish
