#!/bin/sh
# Ctrl-C at `sortie job run` cancels the job and waits for its end; without a
# pilot the line that explains comes by itself.
. "${0%/*}/lib.sh"

start_server
"$helper" interruptible sortie job run -- sleep 1000 >"$T/o" 2>"$T/run.out" &
runner=$!
started $runner other
within 10 "without a pilot it tells why after 3 s" grep -q pilot "$T/run.out"
start_pilot --slots 1
within 10 "a pilot takes it" job_is 1 running
kill -INT $runner
within 15 "an interrupt cancels it" job_is 1 cancelled
within 10 "and the command ends" gone $runner
wait $runner
is $? 130 "with 128 + 2"
finish
