#!/bin/sh
# Batch id, cores, memory, end of allocation and scratch directory come from
# SLURM_* and _CONDOR_* by themselves; options go before them.
. "${0%/*}/lib.sh"

start_server
mkdir "$T/scratch"
end=$(($(date +%s) + 300))
PILOT_ENV="env SLURM_JOB_ID=4711 SLURM_CPUS_ON_NODE=3 SLURM_MEM_PER_NODE=2048 SLURM_JOB_END_TIME=$end TMPDIR=$T/scratch"
start_pilot
get "/api/v1/pilots?host=p1" | jq -r '.items[0] | "\(.batch_id) \(.cores) \(.memory)"' >"$T/got"
is "$(cat "$T/got")" "4711 3 2147483648" "Slurm's allocation"
submit '[{"argv":["true"],"timeout":1000},{"argv":["true"],"timeout":60}]'
within 10 "a job that fits the time left runs" job_is $((job + 1)) finished
is "$(field "$job" .state)" defined "one that does not waits"
ok "it leaves" stop_pid "$pilot_pid"

mkdir "$T/condor"
printf 'Cpus = 5\nMemory = 1000\n' >"$T/condor/.machine.ad"
printf 'ClusterId = 12\nProcId = 3\n' >"$T/condor/.job.ad"
PILOT_ENV="env _CONDOR_SCRATCH_DIR=$T/condor _CONDOR_MACHINE_AD=$T/condor/.machine.ad _CONDOR_JOB_AD=$T/condor/.job.ad"
start_pilot --cores 2
get "/api/v1/pilots?host=$pilot" | jq -r '.items[0] | "\(.batch_id) \(.cores) \(.memory)"' >"$T/got"
is "$(cat "$T/got")" "12.3 2 1048576000" "HTCondor's, but for what an option says"
within 10 "without an end of time the other job runs" job_is "$job" finished
finish
