#!/usr/bin/env bash
# Runs a kernel on QEMU until its test program says how it went.
#
#     kernel/qemu_smoke_test.sh [--legacy-disk] [--no-pmp] [--harts N] QEMU KERNEL IMAGE [PROGRAM [SECONDS]]
#
# IMAGE is a disk with PROGRAM (default: smoke) as /init. --legacy-disk: the disk has the registers of virtio's legacy
# interface (kernels of 2020 and 2021); --no-pmp: harts without physical memory protection (2020); --harts: how many
# there are (default: 1). Exit 0 when "PROGRAM: N passed, 0 failed" appears on the console within SECONDS (default: 60), 1 when it does not or anything fails,
# 77 (skipped) when there is no QEMU.
set -euo pipefail

legacy=false hart=rv64 harts=1
while [[ ${1-} == --* ]]; do
    case $1 in
        --legacy-disk) legacy=true ;;
        --no-pmp) hart=rv64,pmp=false ;;
        --harts) harts=$2; shift ;;
        *) break ;;
    esac
    shift
done
if [ $# -lt 3 ] || [ $# -gt 5 ]; then
    sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
qemu=$1 kernel=$2 image=$3 program=${4:-smoke} seconds=${5:-60}
command -v "$qemu" >/dev/null || { echo "skipped: there is no $qemu"; exit 77; }

output=$(mktemp)
machine=
finish() {
    [ -z "$machine" ] || kill "$machine" 2>/dev/null || true
    rm -f "$output"
}
trap finish EXIT

"$qemu" -machine virt -cpu "$hart" -bios none -m 128M -smp "$harts" -nographic -monitor none -serial stdio \
    -kernel "$kernel" -global "virtio-mmio.force-legacy=$legacy" \
    -drive "file=$image,if=none,format=raw,snapshot=on,id=disk" \
    -device virtio-blk-device,drive=disk,bus=virtio-mmio-bus.0 \
    </dev/null >"$output" 2>&1 &
machine=$!

# The program sleeps for ever when it is done, as /init must not end; so does a kernel that has panicked.
deadline=$((SECONDS + seconds))
while [ $SECONDS -lt $deadline ] && kill -0 "$machine" 2>/dev/null; do
    grep -qE "^$program: [0-9]+ passed, [0-9]+ failed|^panic: " "$output" && break
    sleep 0.1
done

cat "$output"
if ! grep -qE "^$program: [1-9][0-9]* passed, 0 failed" "$output"; then
    echo "failed: '$program: N passed, 0 failed' did not appear within $seconds s" >&2
    exit 1
fi
