#!/usr/bin/env python3
"""What it would give to weigh a host's further strange rows less. Standard library only.

    python3 model/evaluate/testdata/perhost.py ../shared/tools/campaigns.py ../shared/datasets/zeek-labelled \\
        [--seeds 13-20] [--trees 200] [--others] [--zeek-iforest FILE]

The rule comes after the score, and is no part of the product. q is the score of
one in 1,000 rows by anomaly_rank, or of the rarest rank where a model was calibrated
with fewer. What a score has above q is divided by 1 + n/c, and keeps a tenth at least.
n counts, halved each day, what the row's host of the site had before: rows above
q (c = 1), or failed connections (c = 10). The host is the originator where
local_orig says so, or has a private address where it does not, else the responder.

--others has what was tried beside the two.

Each seed is the composition's (campaigns.py) and the forest's. Below: 008's ordinary
rows in training, external attacks of 010 and nmap at 0.1 % of 010's ordinary rows.
"""
import argparse
import collections
import gzip
import ipaddress
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import typing

TRAININGS = {"ordinary rows": "train.log", "with attacks": "train-mixed.log"}
FIGURES = re.compile(r"at 1 % ([\d.]+), at 0\.1 % ([\d.]+); .*: (\d+) false, (\d+) of \d+ campaigns")
FAILED = {"S0", "REJ", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"}
RARE, DAY = 1000, 86400.0


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def read(path):
    """Rows of a TSV or JSON log as dictionaries of strings, in its order."""
    fields = []
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path) as log:
        for line in log:
            if line.startswith("{"):
                yield {k: str(v)[0] if isinstance(v, bool) else str(v) for k, v in json.loads(line).items()}
            elif line.startswith("#fields"):
                fields = line.rstrip("\n").split("\t")[1:]
            elif not line.startswith("#"):
                yield dict(zip(fields, line.rstrip("\n").split("\t")))


def number(row, column):
    return float(row[column]) if row.get(column, "-") != "-" else 0.0


def own(row):
    local = row.get("local_orig", "-")
    return local == "T" if local != "-" else ipaddress.ip_address(row["id.orig_h"]).is_private


def host(row):
    return row["id.orig_h"] if own(row) else row["id.resp_h"]


def failed(row, above=False):
    return row["conn_state"] in FAILED


def above(row, above):
    return above


class Rule(typing.NamedTuple):
    """What is of a kind, which of these count, and how much is kept."""
    kind: typing.Callable
    counts: typing.Callable
    c: float = 1
    least: float = 0.1
    half: float = DAY
    weighs: typing.Callable = lambda row: True
    late: float = 0  # seconds until a row counts


RULES = {
    "as it is": None,
    "the host's rows above q": Rule(host, above),
    "the host's failed connections, c = 10": Rule(host, failed, c=10),
}
OTHERS = {
    "the host's rows above q, half-life of six hours": Rule(host, above, half=DAY / 4),
    "half-life of a week": Rule(host, above, half=7 * DAY),
    "a fifth at least": Rule(host, above, least=.2),
    "nothing at least": Rule(host, above, least=0),
    "the host's in this direction": Rule(lambda r: (host(r), own(r)), above),
    "the host's in this direction, failed or not": Rule(lambda r: (host(r), own(r), failed(r)), above),
    "those of the direction, proto and service, failed or not": Rule(lambda r: (own(r), r["proto"], r.get("service"), failed(r)), above),
    "the host's failed connections, c = 10, but for the last five minutes": Rule(host, failed, c=10, late=300),
    "but for the last hour": Rule(host, failed, c=10, late=3600),
    "all connections of the host, c = 100": Rule(host, lambda row, above: True, c=100),
    "failed ones to the responder, half-life of five minutes, for those from outside": Rule(
        lambda r: r["id.resp_h"], failed, half=300, weighs=lambda r: not own(r) and failed(r)),
}


def decayed(n, before, at, half):
    return n * 2 ** (-(at - before) / half) if at > before else n


def weighed(rows, rule):
    """The scores of rows in their order."""
    scores, ranks = [number(r, "anomaly_score") for r in rows], [number(r, "anomaly_rank") for r in rows]
    if rule is None:
        return scores
    rarest = min(RARE, max(ranks))
    q = min(s for s, r in zip(scores, ranks) if r >= rarest)
    seen = collections.defaultdict(lambda: (0.0, 0.0))  # n, and when
    waiting = collections.defaultdict(collections.deque)  # times of what does not count yet
    latest = collections.defaultdict(float)
    for i, row in enumerate(rows):
        key = rule.kind(row)
        at = latest[key] = max(latest[key], number(row, "ts") + number(row, "duration"))
        while waiting[key] and waiting[key][0] <= at - rule.late:
            then = waiting[key].popleft()
            seen[key] = (decayed(*seen[key], then, rule.half) + 1, max(then, seen[key][1]))
        n = decayed(*seen[key], at, rule.half)
        strange = scores[i] > q
        if strange and rule.weighs(row):
            scores[i] = q + (scores[i] - q) * max(rule.least, 1 / (1 + n / rule.c))
        if rule.counts(row, strange):
            waiting[key].append(at)
    return scores


def judged(tool, log, scores, path):
    """campaigns.py's figures of a log with other scores."""
    scores, at = iter(scores), None
    with open(log) as scored, open(path, "w") as out:
        for line in scored:
            v = line.rstrip("\n").split("\t")
            if v[0] == "#fields":
                at = v.index("anomaly_score") - 1
            elif not line.startswith("#"):
                v[at] = f"{next(scores):.4f}"
            out.write("\t".join(v) + "\n")
    return tuple(map(float, FIGURES.search(run(sys.executable, tool, "judge", path)).groups()))


def cells(figures, digits):
    return " | ".join(f"{statistics.mean(f):.{d}f} ± {statistics.stdev(f):.{d}f}" for f, d in zip(zip(*figures), digits))


def site(o, seeds, folder):
    print("| | training | found at 1 % | at 0.1 % | false, of 86 | campaigns of 17 among 86 rows |\n|---|---|---|---|---|---|")
    found = collections.defaultdict(list)
    for seed in seeds:
        at = os.path.join(folder, str(seed))
        run(sys.executable, o.tool, "compose", at, "--seed", str(seed))
        for training, log in list(TRAININGS.items())[:1 if o.others else None]:
            scored = scored_by(o, seed, os.path.join(at, log), os.path.join(at, "test.log"), folder)
            rows = list(read(scored))
            for name, rule in o.rules.items():
                found[name, training].append(judged(o.tool, scored, weighed(rows, rule), os.path.join(at, "weighed.log")))
    for (name, training), figures in found.items():
        print(f"| {name} | {training} | {cells(figures, (3, 3, 1, 1))} |", flush=True)


def scored_by(o, seed, train, test, folder):
    model, scored = os.path.join(folder, "model"), os.path.join(folder, "scored.log")
    run(o.zeek_iforest, "train", "--trees", str(o.trees), "--seed", str(seed), "-o", model, train)
    run(o.zeek_iforest, "score", "-m", model, "--columns", "score,rank", "-o", scored, test)
    return scored


def labelled(o, name, labels, folder):
    """A file of the rows of a labelled log that have one of the labels."""
    path, at = os.path.join(folder, name), None
    with gzip.open(os.path.join(o.labelled, name + ".conn.log.labeled.gz"), "rt") as log, open(path, "w") as out:
        for line in log:
            v = line.rstrip("\n").split("\t")
            if v[0] == "#fields":
                at = v.index("label") - 1
            if line.startswith("#") or v[at] in labels:
                out.write(line)
    return path


def share(ordinary, attacks, of):
    ordinary = sorted(ordinary)
    cut = ordinary[len(ordinary) - 1 - int(of * len(ordinary))]
    return sum(s > cut for s in attacks) / len(attacks)


def captures(o, seeds, folder):
    print("\n| 008 → 010 | external: 1 % | 0.1 % | nmap: 1 % | 0.1 % |\n|---|---|---|---|---|")
    train = labelled(o, "ctu-mixed-008", {"Benign"}, folder)
    test = labelled(o, "ctu-mixed-010", {"Benign", "Malicious"}, folder)
    nmap = os.path.join(o.labelled, "nmap-port-scan-002.conn.log.gz")
    found = collections.defaultdict(list)
    for seed in seeds:
        rows, scan = (list(read(scored_by(o, seed, train, log, folder))) for log in (test, nmap))
        for name, rule in o.rules.items():
            scores = weighed(rows, rule)
            ordinary, external = ([s for s, r in zip(scores, rows) if r["label"] == label] for label in ("Benign", "Malicious"))
            found[name].append([share(ordinary, a, of) for a in (external, weighed(scan, rule)) for of in (.01, .001)])
    for name, figures in found.items():
        print(f"| {name} | {cells(figures, (3, 3, 3, 3))} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("labelled")
    parser.add_argument("--seeds", default="13-20")
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--zeek-iforest", default="zeek-iforest")
    parser.add_argument("--others", action="store_true")
    o = parser.parse_args()
    o.rules = RULES | OTHERS if o.others else RULES
    first, last = map(int, o.seeds.split("-"))
    seeds = range(first, last + 1)
    with tempfile.TemporaryDirectory() as folder:
        site(o, seeds, folder)
        captures(o, seeds, folder)


if __name__ == "__main__":
    main()
