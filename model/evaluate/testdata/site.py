#!/usr/bin/env python3
"""Others beside zeek-iforest on a site under attack, judged by its judge.

    python3 model/evaluate/testdata/site.py ../shared/tools/campaigns.py \\
        [--seeds 5] [--zeek-iforest FILE] [--zad zeek-anomaly-detector.py]

campaigns.py composes the site once for each seed, which is the forests' too;
its judge gives the figures. Methods learn from the site's first days, without
their attacks and with them; zeek_anomaly_detector (c8896df) fits what it scores.
The best single column is chosen in hindsight, by what it finds at 0.1 %. Needs
what rivals.py needs, from which the methods are.
"""
import argparse
import collections
import os
import re
import statistics
import subprocess
import sys
import tempfile

import numpy as np

import rivals

TRAININGS = {"ordinary rows": "train.log", "with attacks": "train-mixed.log"}
FIGURES = re.compile(r"at 1 % ([\d.]+), at 0\.1 % ([\d.]+); .*: (\d+) false, (\d+) of \d+ campaigns")
LEAST_ROWS = 0.001  # a value of fewer rows is no rule


class Site:
    """One composition, and the judge over it."""

    def __init__(self, tool, folder, seed):
        self.tool, self.folder, self.seed = tool, folder, seed
        run(sys.executable, tool, "compose", folder, "--seed", str(seed))
        self.test = rivals.read(self.path("test.log"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def judge(self, scored):
        return tuple(map(float, FIGURES.search(run(sys.executable, self.tool, "judge", scored)).groups()))

    def judge_scores(self, scores):
        """The figures of scores of the rows of test.log, which are written beside them."""
        scored = self.path("scored.log")
        scores = iter(scores)
        with open(self.path("test.log")) as log, open(scored, "w") as out:
            for line in log:
                line = line.rstrip("\n")
                if line.startswith("#fields"):
                    line += "\tanomaly_score"
                elif line.startswith("#types"):
                    line += "\tdouble"
                elif not line.startswith("#"):
                    line += f"\t{next(scores):.6f}"
                out.write(line + "\n")
        return self.judge(scored)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def ours(program):
    def figures(site, training):
        model, scored = site.path("model"), site.path("ours.log")
        run(program, "train", "--seed", str(site.seed), "-o", model, site.path(training))
        run(program, "score", "-m", model, "-o", scored, site.path("test.log"))
        return site.judge(scored)
    return figures


def theirs(method):
    def figures(site, training):
        train = rivals.read(site.path(training))
        return site.judge_scores(method(train, site.test, site.seed))
    return figures


def columns(test):
    """Scores that a single column gives: a number high or low, or a value."""
    for name in rivals.NUMBERS + ["id.orig_p", "id.resp_p"]:
        x = rivals.numbers(test, [name])[name].to_numpy()
        yield name + " high", x
        yield name + " low", -x
    for name in rivals.CATEGORIES + ["history"]:
        counts = test[name].value_counts()
        for value in counts[counts >= LEAST_ROWS * len(test)].index:
            yield f"{name} = {value}", (test[name] == value).to_numpy().astype(float)


def best_column(sites):
    """The column that finds most of the families at 0.1 %, and its figures."""
    found = collections.defaultdict(list)
    for site in sites:
        family, fair = site.test["family"].to_numpy(), (site.test["fair"] == "T").to_numpy()
        families = sorted(set(family) - {"-"})
        for name, scores in columns(site.test):
            found[name].append(statistics.mean(
                rivals.found(scores[fair | (family == f)], (family == f)[fair | (family == f)], .001) for f in families))
    name = max((n for n in found if len(found[n]) == len(sites)), key=lambda n: statistics.mean(found[n]))
    return name, [site.judge_scores(dict(columns(site.test))[name]) for site in sites]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--zeek-iforest", default="zeek-iforest")
    parser.add_argument("--zad")
    o = parser.parse_args()
    trained = {"zeek-iforest": ours(o.zeek_iforest),
               "scikit-learn, log numbers, one-hot names": theirs(rivals.scikit_learn(rivals.one_hot(True)))}
    print("| | training | found at 1 % | at 0.1 % | false, of 86 | campaigns of 17 among 86 rows |\n|---|---|---|---|---|---|")

    def say(name, training, figures):
        cells = (f"{np.mean(f):.{digits}f} ± {np.std(f, ddof=1):.{digits}f}"
                 for f, digits in zip(zip(*figures), (3, 3, 1, 1)))
        print(f"| {name} | {training} | {' | '.join(cells)} |", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        sites = [Site(o.tool, os.path.join(folder, str(seed)), seed) for seed in range(1, o.seeds + 1)]
        for name, method in trained.items():
            for training, log in TRAININGS.items():
                say(name, training, [method(site, log) for site in sites])
        if o.zad:
            zad = rivals.load(o.zad, "zad")
            say("zeek_anomaly_detector as it is", "none", [theirs(rivals.as_it_is(zad))(site, "train.log") for site in sites])
            for training, log in TRAININGS.items():
                say("its features, forest of the training rows", training,
                    [theirs(rivals.its_features(zad))(site, log) for site in sites])
        name, figures = best_column(sites)
        say(f"best single column in hindsight: {name}", "none", figures)


if __name__ == "__main__":
    main()
