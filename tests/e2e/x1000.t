#!/bin/sh
# A real Slurm, of this test's own: ten pilots by sbatch run 1,000 jobs, two
# are scancelled in the middle, every job ends, the others leave.
. "${0%/*}/lib.sh"

[ "$(id -u)" = 0 ] || skip_all "slurmd has to be started as root"
for program in slurmctld slurmd sbatch; do
	command -v $program >/dev/null ||
		skip_all "$program is not installed (slurmctld, slurmd, slurm-client)"
done
getent passwd slurm >/dev/null || skip_all "there is no user slurm"

# Two ports next to each other that nobody has.
port=$((26000 + $$ % 4000 * 2))
name=$(hostname -s)
mkdir "$T/slurm" "$T/slurm/ctld" "$T/slurm/spool" "$T/slurm/log"
touch "$T/slurm/log/jobcomp.txt"
chown -R slurm "$T/slurm/ctld" "$T/slurm/log"
SLURM_CONF=$T/slurm/slurm.conf
export SLURM_CONF
cat >"$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$name(127.0.0.1)
SlurmUser=slurm
AuthType=auth/none
CredType=cred/none
SlurmctldPort=$port
SlurmdPort=$((port + 1))
StateSaveLocation=$T/slurm/ctld
SlurmdSpoolDir=$T/slurm/spool
SlurmctldPidFile=$T/slurm/ctld/slurmctld.pid
SlurmdPidFile=$T/slurm/spool/slurmd.pid
SlurmctldLogFile=$T/slurm/log/slurmctld.log
SlurmdLogFile=$T/slurm/log/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=2
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=30
NodeName=$name NodeAddr=127.0.0.1 CPUs=64 RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes=$name Default=YES MaxTime=INFINITE State=UP
END
# Without it slurmd looks for control groups even though nothing uses them.
echo 'CgroupPlugin=cgroup/v1' >"$T/slurm/cgroup.conf"
slurmctld -D -f "$SLURM_CONF" -c -i >"$T/slurmctld.out" 2>&1 &
ctld=$!
slurmd -D -f "$SLURM_CONF" >"$T/slurmd.out" 2>&1 &
slurmd=$!
idle()
{
	[ "$(sinfo -h -o %T)" = idle ]
}
stop_slurm()
{
	scancel -u root 2>/dev/null
	wait_until 40 eval '[ -z "$(squeue -h)" ]'
	stop_pid $slurmd
	stop_pid $ctld
}
if ! wait_until 30 idle; then
	diag "$(tail -n 5 "$T/slurmctld.out" "$T/slurmd.out" "$T"/slurm/log/*)"
	stop_slurm
	grep -q 'cgroup plugin' "$T/slurmd.out" "$T"/slurm/log/slurmd.log &&
		skip_all "slurmd does not start where no control groups are mounted"
	give_up "Slurm starts"
fi

start_server --lease 6 --heartbeat 2
submit "{\"shell\":\"echo \$SORTIE_JOB_NUMBER >>$T/ran\",\"replicas\":400}"
submit '{"argv":["sleep","0.1"],"replicas":600}'
cd "$T" || exit 1
chmod 600 "$join_token_file"
export SORTIE_JOIN_TOKEN_FILE="$join_token_file"
script=$top/share/sortie/slurm-pilot.sh
for i in 1 2 3 4 5 6 7 8 9 10; do
	sbatch --parsable -o "$T/slurm-%j.out" --time=10 --ntasks=1 \
		"$script" --spool "$T/slurm/p$i" --slots 2 --idle 3 --verbose >>"$T/batch" 2>>"$T/sbatch.out" || break
done
is "$(wc -l <"$T/batch")" 10 "ten pilots are submitted"
registered()
{
	[ "$(get '/api/v1/pilots' | jq '.items | length')" -ge "$1" ]
}
within 60 "they join" registered 4
like "$(get /api/v1/pilots | jq -r '.items[].batch_id' | tr '\n' ' ')" \
	"*$(head -n 1 "$T/batch")*" "with Slurm's job ids"
within 60 "they work" eval '[ "$(n_in finished)" -ge 100 ]'
scancel "$(sed -n 1p "$T/batch")" "$(sed -n 2p "$T/batch")"
within 15 "every job ends, two pilots cancelled" counts finished 1000
is "$(sort -nu "$T/ran" | wc -l)" 400 "each payload ran"
within 10 "nothing is live" counts running 0
empty()
{
	[ -z "$(squeue -h)" ]
}
within 60 "pilots without work leave their allocations" empty
stop_slurm
finish
