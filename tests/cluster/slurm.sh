#!/usr/bin/env bash
# A SLURM of one node on this machine, for tests: slurm.sh up DIR, slurm.sh down DIR.
# Needs root and Debian's slurm-wlm. Everything it writes is in DIR, but for a link in /etc/slurm.
set -euo pipefail
command=$1
dir=$(realpath -m "$2")
etc=/etc/slurm/slurm.conf

configure() {
  # On paper the node has 4 processors, 64 GB and a GPU, whatever the machine: requests are scheduled as on a
  # cluster, and a group of jobs side by side asks for more processors than a small machine has.
  cat > "$dir/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
MpiDefault=none
MinJobAge=3600
KillWait=5
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=4 RealMemory=64000 Gres=gpu:1 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
  echo 'CgroupPlugin=cgroup/v1' > "$dir/cgroup.conf"
  echo 'Name=gpu File=/dev/zero' > "$dir/gres.conf"
}

up() {
  mkdir -p "$dir"/{state,spool} /etc/slurm
  configure
  # Steps of a job look here whatever SLURM_CONF says.
  for file in slurm cgroup gres; do ln -sfn "$dir/$file.conf" "/etc/slurm/$file.conf"; done
  head -c 1024 /dev/urandom > "$dir/munge.key"
  chmod 400 "$dir/munge.key"
  install -d -m 755 /run/munge
  munged --force --key-file="$dir/munge.key" --pid-file="$dir/munged.pid" \
    --log-file="$dir/munged.log" --seed-file="$dir/munge.seed" > "$dir/munged.out" 2>&1 < /dev/null
  slurmctld -f "$dir/slurm.conf" > "$dir/slurmctld.out" 2>&1 < /dev/null
  slurmd -f "$dir/slurm.conf" > "$dir/slurmd.out" 2>&1 < /dev/null
  for _ in $(seq 60); do
    if timeout 3 sinfo --noheader --format=%T 2> /dev/null | grep -qE 'idle|mixed'; then return; fi
    sleep 0.5
  done
  echo "SLURM did not come up:" >&2
  tail -n 20 "$dir"/*.log >&2
  return 1
}

down() {
  timeout 10 scancel --user="$(id -un)" 2> /dev/null || true
  for _ in $(seq 40); do  # until nothing of a job is left
    [ -n "$(timeout 3 squeue --noheader 2> /dev/null)" ] || break
    sleep 0.25
  done
  for name in slurmd slurmctld munged; do
    [ -s "$dir/$name.pid" ] || continue
    local pid
    pid=$(< "$dir/$name.pid")
    kill "$pid" 2> /dev/null || continue
    for _ in $(seq 40); do kill -0 "$pid" 2> /dev/null || break; sleep 0.25; done
  done
  for file in slurm cgroup gres; do
    [ "$(readlink "/etc/slurm/$file.conf")" = "$dir/$file.conf" ] && rm "/etc/slurm/$file.conf"
  done
  return 0
}

case $command in
  up) [ ! -e "$etc" ] || { echo "there is a SLURM here already ($etc)" >&2; exit 1; }; up ;;
  down) down ;;
  *) echo "usage: slurm.sh up|down DIR" >&2; exit 2 ;;
esac
