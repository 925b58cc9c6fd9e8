#!/usr/bin/env python3
"""Scores Parquet rows of conn.log in ClickHouse (chdb) and compares them with score.

check.py ZEEK-IFOREST MODEL LOG-START PARQUET  (columns of conn.log, seq, and want, the score)
"""
import json, os, pathlib, resource, shutil, sys, tempfile, time
import chdb
from chdb import session

binary, model, start, parquet = sys.argv[1:]
here = pathlib.Path(__file__).resolve().parent
with tempfile.TemporaryDirectory() as work:
    scripts = pathlib.Path(work, "user_scripts")
    scripts.mkdir()
    shutil.copy(here / "zeek-iforest-score.sh", scripts)
    bin_dir = pathlib.Path(work, "bin")
    bin_dir.mkdir()
    (bin_dir / "zeek-iforest").symlink_to(os.path.abspath(binary))
    (scripts / "zeek-iforest.conf").write_text(f"MODEL={os.path.abspath(model)}\nLOG_START={start}\nPATH={bin_dir}:$PATH\n")
    s = session.Session(f"{work}/data?user_scripts_path={scripts}")
    s.query("create database if not exists lake")
    s.query("use lake")
    for statement in (here / "schema.sql").read_text().split(";"):
        if statement.strip():
            s.query(statement)
    names = [r.split("\t")[0] for r in str(s.query("describe table conn", "TSV")).splitlines()]
    listed = ", ".join(f"`{n}`" for n in names)
    s.query(f"insert into conn ({listed}) select {listed} from file('{os.path.abspath(parquet)}', 'Parquet')")
    began = time.monotonic()
    s.query((here / "score.sql").read_text())
    seconds = time.monotonic() - began
    rows, equal = str(s.query(
        f"select count(), countIf(got.anomaly_score = t.want) from file('{os.path.abspath(parquet)}', 'Parquet') t "
        "join conn_scores got on got.seq = t.seq", "TSV")).split()
    total = str(s.query(f"select count() from file('{os.path.abspath(parquet)}', 'Parquet')", "TSV")).strip()
    print(json.dumps({
        "engine": "ClickHouse", "version": str(s.query("select version()", "TSV")).strip(), "rows": int(total), "equal": int(equal),
        "rows_per_second": round(int(total) / seconds), "seconds": round(seconds, 2),
        "cores": len(os.sched_getaffinity(0)), "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
sys.exit(0 if int(rows) == int(equal) == int(total) else 1)
