#!/usr/bin/env python3
"""Scores Parquet rows of conn.log in a real Spark and compares them with score; trains there.

check.py MASTER ZEEK-IFOREST MODEL LOG-START PARTITIONS PARQUET…  (columns of conn.log, seq, and want, the score)
"""
import json, os, pathlib, sys, tempfile, time

here = str(pathlib.Path(__file__).resolve().parent)
sys.path[:0] = [here, os.path.dirname(here)]
sys.dont_write_bytecode = True
os.environ.update(PYTHONDONTWRITEBYTECODE="1", PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1", SPARK_LOCAL_HOSTNAME="localhost")
import pyspark
from pyspark.sql import SparkSession
import measure
import zeek_iforest_spark as zi

measure.alone()
usage = measure.Usage(os.getsid(0))
usage.start()

master, binary, model, start, partitions, *parquet = sys.argv[1:]
spark = (
    SparkSession.builder.master(master)
    .config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
    .config("spark.executorEnv.PYTHONPATH", here).config("spark.executorEnv.PYTHONDONTWRITEBYTECODE", "1")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
df = spark.read.parquet(*parquet)
df.limit(1).collect()  # executors and their Python have started
usage.look()
before, began = sum(usage.cpu.values()), time.monotonic()
scored = zi.score_conn(df, model, log_start=start, binary=binary, partitions=int(partitions) or None)
rows, equal = scored.selectExpr("count(*)", "count_if(anomaly_score <=> want)").first()
seconds = time.monotonic() - began
usage.look()
cpu = sum(usage.cpu.values()) - before  # without Spark's start
checks, failed = 0, 0
if rows < 200_000 and master.startswith("local["):  # training takes no other way in a cluster
    with tempfile.TemporaryDirectory() as work:
        zi.train(df, f"{work}/model", log_start=start, binary=binary, partitions=int(partitions) or None)
        learnt = zi.train(df, f"{work}/part", log_start=start, one_in=3, binary=binary, partitions=int(partitions) or None)
        checks = 2  # the whole log's model; one of a part of it
        failed = (pathlib.Path(work, "model").read_bytes() != pathlib.Path(model).read_bytes()) + (not 0 < learnt < rows)
print(json.dumps({
    "engine": f"Spark, {master}", "version": pyspark.__version__, "rows": rows, "equal": equal, "seconds": round(seconds, 2), "cpu_seconds": round(cpu, 1),
    "memory_mb": usage.memory >> 20, "checks": checks, "failed": failed, "columns": scored.columns}))
spark.stop()
sys.exit(0 if rows == equal and not failed else 1)
