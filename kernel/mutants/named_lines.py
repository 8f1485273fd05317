#!/usr/bin/env python3
"""How often `Look at` names what a mutant's patch changed: the first place, and the first three; by line, and by function.

    kernel/mutants/named_lines.py REPORTS KERNELS

REPORTS: where `vmcheck verify --json --out REPORTS/NAME.report.json` left its reports, as ci/mutants does (build/release/mutants).
KERNELS: where the build leaves the mutants (build/release/kernel/mutants), with each one's source."""

import difflib
import json
import pathlib
import sys

KERNEL = pathlib.Path(__file__).resolve().parent.parent


def changed_lines(source):
    """(file, line) in the mutant's source; of lines that are gone, those around them."""
    changed = set()
    for path in source.rglob("*"):
        file = path.relative_to(source)
        if not path.is_file() or not (KERNEL / file).is_file():
            continue
        try:
            before, after = ((root / file).read_text().splitlines() for root in (KERNEL, source))
        except UnicodeDecodeError:
            continue
        for what, _, _, start, end in difflib.SequenceMatcher(None, before, after, False).get_opcodes():
            if what != "equal":
                changed |= {(str(file), line) for line in (range(start + 1, end + 1) if end > start else (start, start + 1))}
    return changed


def function_at(source, file, line):
    """What tells one function of a file from another: the line of its closing brace."""
    lines = (source / file).read_text().splitlines()
    while line <= len(lines) and not lines[line - 1].startswith("}"):
        line += 1
    return file, line


def named(finding, source):
    """For each place that is named, where the kernel died aside: 2 the line, 1 the function, 0 neither."""
    lines = changed_lines(source)
    functions = {function_at(source, *each) for each in lines}
    found = []
    places, died = finding["look_at"], finding["died_in"]
    if died and len(places) > 1 and (places[0]["file"], places[0]["line"]) == (died["file"], died["line"]):
        places = places[1:]
    for place in places[:3]:
        file = next((each for each, _ in lines if place["file"].endswith(each)), None)
        at = (file, place["line"])
        found.append(0 if file is None else 2 if at in lines else 1 if function_at(source, *at) in functions else 0)
    return found


def main(reports, kernels):
    results = []
    for report in sorted(pathlib.Path(reports).glob("*.report.json")):
        name = report.name.removesuffix(".report.json")
        source = pathlib.Path(kernels) / name / "source"
        if not source.is_dir() or not report.stat().st_size:
            continue
        sessions = json.loads(report.read_text())["sessions"]
        if sessions and sessions[0]["findings"]:
            results.append(named(sessions[0]["findings"][0], source))
            print(f"{name:45} {results[-1]}")
    for what, least in (("line", 2), ("line or function", 1)):
        first = sum(1 for each in results if each and each[0] >= least)
        three = sum(1 for each in results if any(one >= least for one in each))
        print(f"{what}: named first for {first}, among three for {three} of {len(results)}")


main(*sys.argv[1:])
