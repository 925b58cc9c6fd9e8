#!/usr/bin/env python3
"""Prints the reports of engines as a table: table.py FILE (a line of JSON each, from IFOREST_ENGINES)."""
import json, sys

rows = {}
with open(sys.argv[1]) as file:
    for line in file:
        r = json.loads(line)
        rows[r["Engine"]] = r
print("| engine | version | rows | equal digits | other checks | rows/s per core | memory |")
print("|---|---|---|---|---|---|---|")
for r in rows.values():
    checks = f"{r['Checks'] - r['Failed']:,} of {r['Checks']:,}" if r["Checks"] else ""
    speed = f"{r['Rows'] / r['cpu_seconds']:,.0f}" if r["cpu_seconds"] else ""
    print(f"| {r['Engine']} | {r['Version']} | {r['Rows']:,} | {r['Equal']:,} | {checks} | {speed} | {r['memory_mb']:,} MB |")
