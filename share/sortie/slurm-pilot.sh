#!/bin/sh
# Starts a Sortie pilot in a Slurm allocation:
#
#	sbatch slurm-pilot.sh [options of sortie-pilot]
#	sbatch --array=1-10 --cpus-per-task=4 slurm-pilot.sh --url URL
#
# The join token is in a file of mode 0600 that the node can read, by default
# ~/.config/sortie/join-token (or SORTIE_JOIN_TOKEN_FILE).  The server is
# SORTIE_URL, or --url.  Cores, memory, job id and scratch directory are taken
# from the allocation.  A pilot that has had nothing to run for ten minutes leaves
# its allocation (--idle).  Slurm's SIGTERM drains the pilot: it needs --grace and
# some seconds, so KillWait must not be shorter (Slurm's default is 30 s).
#SBATCH --job-name=sortie-pilot
#SBATCH --signal=B:TERM@60

: "${SORTIE_JOIN_TOKEN_FILE:=$HOME/.config/sortie/join-token}"
export SORTIE_JOIN_TOKEN_FILE

# Slurm before 23.02 does not say when the allocation ends.
if [ -z "$SLURM_JOB_END_TIME" ] && [ -n "$SLURM_JOB_ID" ]; then
	end=$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%e 2>/dev/null |
		head -n 1)
	case $end in
	*-*-*T*)
		SLURM_JOB_END_TIME=$(date -d "$end" +%s) &&
			export SLURM_JOB_END_TIME
		;;
	esac
fi

# In place of the shell, so that signals reach the pilot.
exec "${SORTIE_PILOT:-sortie-pilot}" --idle 10m "$@"
