#!/usr/bin/env python3
"""How many findings QEMU confirms, by a program in C and by a script for GDB, and of the others each with its reason: a Markdown table.

    kernel/mutants/proofs.py [--jobs N] [--findings N] VMCHECK REPORTS KERNEL...

Runs `VMCHECK verify KERNEL --seed 1 --confirm` on each kernel (an image, or an xv6 tree) whose report is not in REPORTS yet.
--findings: so many of each kernel at most (default 1, as in the kill table)."""

import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys

KINDS = ("by C", "by script", "not confirmed", "not tried")


def name_of(kernel):
    path = pathlib.Path(kernel).resolve()
    return path.parent.name if path.is_file() else path.name


def verify(options, kernel):
    report = pathlib.Path(options.reports).resolve() / name_of(kernel) / "report.json"
    if report.is_file() and report.stat().st_size:
        return
    report.parent.mkdir(parents=True, exist_ok=True)
    ended = subprocess.run(
        [pathlib.Path(options.vmcheck).resolve(), "verify", pathlib.Path(kernel).resolve(), "--seed", "1", "--jobs", "1", "--confirm",
         "--max-findings", str(options.findings), "--json", "--out", report],
        cwd=report.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if ended.returncode == 4:
        report.write_text('{"sessions": []}')
        print(f"{kernel}: does not boot, and is left out", file=sys.stderr)
    elif ended.returncode not in (0, 1, 5):
        sys.exit(f"{kernel}: vmcheck ended with {ended.returncode}: {ended.stderr[-500:]}")


def kind_of(finding):
    verdict = finding["on_qemu"]
    if verdict["verdict"] == "confirmed":
        return "by script" if verdict["how"].startswith("GDB's script") else "by C"
    return "not confirmed" if verdict["verdict"] == "not confirmed" else "not tried"


def findings_of(options, kernel):
    report = pathlib.Path(options.reports) / name_of(kernel) / "report.json"
    return [finding for session in json.loads(report.read_text())["sessions"] for finding in session["findings"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--findings", type=int, default=1)
    parser.add_argument("vmcheck")
    parser.add_argument("reports")
    parser.add_argument("kernels", nargs="+", metavar="KERNEL")
    options = parser.parse_args()
    if len({name_of(kernel) for kernel in options.kernels}) < len(options.kernels):
        parser.error("two kernels have one name")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda kernel: verify(options, kernel), options.kernels))
    found = {name_of(kernel): findings_of(options, kernel) for kernel in options.kernels}
    all_kinds = [kind_of(finding) for findings in found.values() for finding in findings]
    confirmed = sum(1 for kind in all_kinds if kind in KINDS[:2])
    print(f"{len(all_kinds)} findings on {len(found)} kernels: {confirmed} confirmed on QEMU "
          f"({100 * confirmed / max(1, len(all_kinds)):.1f} %), "
          + ", ".join(f"{all_kinds.count(kind)} {kind}" for kind in KINDS) + ".\n")
    print("| kernel | finding | what comes of it |\n|---|---|---|")
    for name, findings in found.items():
        for finding in findings:
            if kind_of(finding) not in KINDS[:2]:
                how = f"{finding['on_qemu']['verdict']}: {finding['on_qemu']['how']}".replace("|", "\\|")
                print(f"| {name} | {finding['signature']} | {how} |")


main()
