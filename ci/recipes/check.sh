#!/usr/bin/env bash
# check.sh parallel|slurm VMCHECK KERNEL...: the recipe on this machine, held against what one run without shards writes, of a
# class with a kernel for each student. Slurm is started for it on the loopback (Debian's slurm-wlm and munge, as root) and
# ended with it. Ends with 77 where what it needs is not here.
set -euo pipefail
recipe=$1 VMCHECK=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "skipped: $*"; exit 77; }
work=$(mktemp -d)
pids=()
finish() {
    local pid
    for pid in "${pids[@]}"; do [ ! -s "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || true; done
    # Each removes its own file when it has written what it has to.
    for _ in {1..100}; do
        for pid in "${pids[@]}"; do [ ! -e "$pid" ] || { sleep 0.1 && continue 2; }; done
        break
    done
    rm -rf "$work"
}
trap finish EXIT
cd "$work"
number=0
for kernel in "$@"; do
    number=$((number + 1))
    mkdir -p "class/student-$number"
    cp "$kernel" "class/student-$number/kernel.elf"
    cp "$kernel.map" "class/student-$number/kernel.elf.map"
done
export VMCHECK VMCHECK_OPTIONS="--runs 60 --trust-trees" CLASS=class RESULTS=many

on_slurm() {
    [ "$(id -u)" -eq 0 ] && command -v slurmctld slurmd munged sbatch >/dev/null || skip "no root, or no slurm-wlm and munge"
    pgrep -x 'munged|slurmctld|slurmd' >/dev/null && skip "a Slurm is running here"
    local host
    host=$(hostname -s)
    dd if=/dev/urandom of=key bs=1024 count=1 status=none
    chmod 700 "$work" && chmod 400 key
    pids=("$work/d.pid" "$work/ctld.pid" "$work/munge.pid")
    munged --force --key-file="$work/key" --socket="$work/munge" --pid-file="$work/munge.pid" --log-file="$work/munge.log" \
        --seed-file="$work/seed"
    cat >slurm.conf <<CONF
ClusterName=vmcheck
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/ctld.pid
SlurmdPidFile=$work/d.pid
SlurmctldLogFile=$work/ctld.log
SlurmdLogFile=$work/d.log
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc)
PartitionName=all Nodes=$host Default=YES State=UP
CONF
    mkdir state spool
    export SLURM_CONF=$work/slurm.conf
    slurmctld && slurmd
    local job
    job=$(sbatch --parsable --array=1-3 "$here/slurm.sbatch")
    sbatch --wait --dependency="afterany:$job" "$here/slurm.sbatch" || true
    cat slurm-*.out
}

case $recipe in
parallel)
    command -v parallel >/dev/null || skip "no GNU parallel"
    "$here/parallel" class many 3 || true
    ;;
slurm) on_slurm ;;
esac
"$VMCHECK" verify class --findings one --runs 60 --trust-trees || true
for file in class.json class.csv class.html student-1/report.json; do cmp "one/$file" "many/$file"; done
echo "$recipe: the same as one machine"
