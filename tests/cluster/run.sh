#!/usr/bin/env bash
# config/tiny.yaml through profiles/slurm on a real SLURM: a job is cancelled, the node is drained and resumed,
# and the table is that of a local run. Ends with 77 where it cannot run, and says why.
set -euo pipefail
repository=$(realpath "$(dirname "$0")/../..")
python=${PYTHON:-$repository/.venv/bin/python}
slurm=$repository/tests/cluster/slurm.sh
patience=${PATIENCE:-300}  # seconds to wait for what must happen

say() { echo "$(date +%T) $*"; }
skip() { echo "SLURM test: did not run: $*"; exit 77; }
fail() { echo "SLURM test: FAILED: $*" >&2; tail -n 40 "$work"/{slurm,local}.log >&2 || true; exit 1; }

requirements() {
  [ "$(id -u)" = 0 ] || skip "it needs root to start slurmctld"
  [ ! -e /etc/slurm/slurm.conf ] || skip "there is a SLURM on this machine (/etc/slurm/slurm.conf)"
  ! pgrep -x munged > /dev/null || skip "a munged is running on this machine"
  "$python" -c 'import snakemake_executor_plugin_slurm' 2> /dev/null \
    || skip "no snakemake-executor-plugin-slurm for $python (pip install -c constraints.txt -e '.[slurm]')"
  command -v slurmctld slurmd munged > /dev/null && return
  command -v apt-get > /dev/null || skip "no slurmctld, slurmd, munged, and no apt-get to install them"
  say "installing slurm-wlm"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y -qq \
      --no-install-recommends slurm-wlm; } > "$work/apt.log" 2>&1 \
    || skip "apt-get could not install slurm-wlm: $(tail -n 1 "$work/apt.log")"
}

# A copy of the project, so that its results are left alone, and edits do not reach the run.
project() {
  mkdir -p "$1"
  cp -r "$repository"/{Snakefile,CITATION.cff,workflow,pipeline,gim,config,profiles} "$1"
}

workflow() {  # FOLDER ARGUMENTS...
  local folder=$1
  shift
  cd "$folder"
  OMP_NUM_THREADS=1 PYTHONPATH=$folder exec "$python" -m snakemake --configfile config/tiny.yaml "$@"
}

jobs_of() { squeue --noheader --states="$1" --format='%A %k' 2> /dev/null; }  # STATE -> "id comment" lines
count() { jobs_of "$1" | wc -l; }
state() { sinfo --noheader --format=%T; }

wait_for() {  # WHAT COMMAND...
  local what=$1
  shift
  for _ in $(seq $((patience * 5))); do
    if "$@"; then return 0; fi
    kill -0 "$run" 2> /dev/null || fail "the workflow ended before $what"
    sleep 0.2
  done
  fail "waited $patience s for $what"
}

asked() {  # JOB KEY -> what the job asked of SLURM
  scontrol show job "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1
}

expect() {  # WHAT FOUND WANTED
  [ "$2" = "$3" ] || fail "$1: $2, not $3"
  say "$1: $2"
}

running_fit() { jobs_of RUNNING | grep -q fit_model; }
again() { jobs_of RUNNING,PENDING | grep "${comment}\$" | grep -qv "^$cancelled "; }
idle_and_waiting() { [ "$(count RUNNING)" = 0 ] && [ "$(count PENDING)" -gt 0 ]; }

finish() {
  [ -z "${run:-}" ] || kill -9 "$run" 2> /dev/null || true  # the plugin may ignore milder signals
  "$slurm" down "$work/slurm"
  rm -rf "$work"
}

work=$(mktemp -d /tmp/gim-slurm.XXXXXX)
trap 'rm -rf "$work"' EXIT
requirements
trap finish EXIT
"$slurm" up "$work/slurm" || fail "no SLURM"
say "SLURM $(sinfo --version | cut -d' ' -f2) is up: $(sinfo --noheader --format='%n, %c processors, %m MB, %G')"

project "$work/remote"
project "$work/local"
workflow "$work/remote" --workflow-profile profiles/slurm --latency-wait 10 --seconds-between-status-checks 1 \
  --slurm-init-seconds-before-status-checks 1 --set-resources stimulus_features:gpu=1 > "$work/slurm.log" 2>&1 &
run=$!
begin=$SECONDS

wait_for "a fit was running" running_fit
read -r cancelled comment < <(jobs_of RUNNING | grep fit_model)
say "job $cancelled ($comment) asked for $(asked "$cancelled" MinMemoryNode), $(asked "$cancelled" TimeLimit)"
scancel "$cancelled"
say "job $cancelled cancelled"
wait_for "the cancelled job was submitted again" again
read -r second _ < <(jobs_of RUNNING,PENDING | grep "${comment}\$" | grep -v "^$cancelled ")
expect "memory asked for at the second attempt (job $second)" "$(asked "$second" MinMemoryNode)" 16000M
expect "time asked for" "$(asked "$second" TimeLimit)" 08:00:00

scontrol update NodeName=ALL State=DRAIN Reason=test
say "node drained: $(state)"
wait_for "nothing ran on the drained node and jobs waited" idle_and_waiting
say "node $(state), $(count PENDING) job(s) waiting: $(squeue --noheader --format=%R | sort -u | head -n 1)"
scontrol update NodeName=ALL State=RESUME
say "node resumed: $(state)"

wait "$run" || fail "the workflow ended with $?"
run=
say "all done through SLURM in $((SECONDS - begin)) s, $(grep -c 'SLURM jobid' "$work/slurm.log") jobs"
gpu_job=$(scontrol --oneliner show job | sed -n 's/^JobId=\([0-9]*\) .*Comment=rule_stimulus_features.*/\1/p')
expect "GPUs asked for by stimulus_features" "$(asked "$gpu_job" TresPerJob)" gres:gpu:1

workflow "$work/local" --cores 2 results/tiny/summary.tsv > "$work/local.log" 2>&1 &
run=$!
wait "$run" || fail "the local run ended with $?"
run=
table=results/tiny/summary.tsv
cmp "$work/remote/$table" "$work/local/$table" || fail "the tables differ"
echo "SLURM test: passed: the table is that of the local run, byte for byte ($(wc -l < "$work/local/$table") lines)"
