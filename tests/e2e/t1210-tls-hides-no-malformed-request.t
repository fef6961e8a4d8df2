#!/bin/sh
# The same over TLS, where the bytes come another way.
. "${0%/*}/lib.sh"
. "$here/lib-raw.sh"
command -v openssl >/dev/null || skip_all "openssl is not installed"

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key.pem" \
	-out "$T/cert.pem" -days 2 -subj "/CN=localhost" 2>"$T/openssl.out" ||
	give_up "a certificate is made" "$(cat "$T/openssl.out")"
# A free port is found by trying.
port=$((20000 + $$ % 10000))
while grep -qi "$(printf ':%04X ' $port)" /proc/net/tcp; do
	port=$((port + 1))
done
start_server --listen "127.0.0.1:$port" --tls-cert "$T/cert.pem" \
	--tls-key "$T/key.pem"
raw "tls:127.0.0.1:$port" shapes waiting
finish
