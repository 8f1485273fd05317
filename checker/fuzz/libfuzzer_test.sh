#!/usr/bin/env bash
# libfuzzer_test.sh BUILD: libFuzzer's own modes, by the vmcheck-fuzz-kernel that was built there. Takes half a minute.
set -euo pipefail
corpus=$(realpath "$(dirname "$0")/../../corpus")
program=$1/checker/fuzz/vmcheck-fuzz-kernel kernels=$1/kernel vmcheck=$1/checker/vmcheck
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
fail() { echo "libfuzzer_test: $1" >&2; tail -n 20 said >&2; exit 1; }
# fuzz EXPECTED KERNEL ARGUMENT...: its words go to `said`.
fuzz() {
    local expected=$1 status=0
    VMCHECK_KERNEL=$kernels/$2/kernel "$program" -seed=1 "${@:3}" >said 2>&1 || status=$?
    [ "$status" -eq "$expected" ] || fail "ends with $status: ${*:2}"
}

"$program" --dict >dict
cp "$program" beside && cp "$kernels/cow-lazy/kernel" beside.kernel
./beside -runs=20 >said 2>&1 || fail "a kernel beside the program is not found"

mkdir kept forked merged
fuzz 0 cow-lazy -dict=dict -runs=300 kept "$corpus/seeds"
grep -q 'Extra Counters' said && grep -q 'Dictionary: [1-9]' said || fail "no counters, or no dictionary"
fuzz 0 cow-lazy -merge=1 merged kept
[ "$(ls merged | wc -l)" -gt 20 ] || fail "a merge keeps next to nothing"
# The same again: had an input other counters in another process, it would be new.
fuzz 0 cow-lazy -merge=1 merged kept
grep -q ' 0 new files' said || fail "the same inputs reach something new"
fuzz 0 cow-lazy -fork=2 -runs=200 forked

fuzz 77 mutants/16-parent-keeps-w -runs=2000 -exact_artifact_path=crash.vmc
grep -q 'I3 isolation, at step' said || fail "a crash without its report"
# Not the crash that was found, which may be as small as can be: one with steps that nobody needs.
printf 'vmcheck 1\nprofile cow eager\n' >long.vmc
for page in 1 2 3 4; do printf 'p0 sbrk +1p\np0 store brk-8 8 = %s\n' "$page"; done >>long.vmc
printf 'p0 fork p1\n' >>long.vmc
fuzz 0 mutants/16-parent-keeps-w -minimize_crash=1 -runs=50 -max_total_time=60 -exact_artifact_path=small.vmc long.vmc
[ -f small.vmc ] && [ "$(wc -l <small.vmc)" -lt "$(wc -l <long.vmc)" ] || fail "-minimize_crash=1 makes nothing smaller"
for found in crash small; do
    status=0
    "$vmcheck" replay --kernel "$kernels/mutants/16-parent-keeps-w/kernel" "$found.vmc" >said 2>&1 || status=$?
    [ "$status" -eq 1 ] || fail "$found.vmc does not differ when it is replayed"
    "$vmcheck" replay --kernel "$kernels/cow-eager/kernel" "$found.vmc" >said 2>&1 || fail "the reference kernel differs"
done
