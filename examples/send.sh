#!/bin/sh
# A payload that is sent along with its job:
#
#	sortie job submit --send examples/send.sh examples/send.json
#
# It prints where it runs and what it was given.
set -eu
echo "job ${SORTIE_JOB_NUMBER:-?}, run ${SORTIE_RUN:-?}, in $(basename "$PWD")"
for word in "$@"; do
	echo "argument: $word"
done
