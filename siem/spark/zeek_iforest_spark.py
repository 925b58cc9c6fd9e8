"""Scores conn.log in Spark: the binary's own digits, on as many executors as there are.

    from zeek_iforest_spark import score_conn, train
    scored = score_conn(df, "conn.model", log_start=1713484800)

df has conn.log's columns (id.orig_h, id_orig_h or nested id{orig_h}) and one that holds
the log's order as a growing whole number. What a score needs of others is in docs/lake.md.
"""

import functools
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import SparkFiles
from pyspark.sql import DataFrame, functions as F
from pyspark.sql.types import DoubleType, LongType, StringType, StructField, StructType

FAILURES = "anomaly_resp_failures"
ADDED = {"score": DoubleType(), "rank": LongType(), "reason": StringType(), "model": StringType()}
CONN = (
    "ts uid proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history "
    "orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes"
).split() + ["id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"]
DONE, PARTLY = 0, 1  # exit statuses: with PARTLY some rows have no score, and standard error names them


def score_conn(df, model, order="seq", log_start=None, columns=("score",), binary="zeek-iforest", partitions=None, resp_failures=True):
    """df with anomaly_score (and what columns names of rank, reason, model), all else as it was.

    Two passes, as a score looks at both ends: by responder, which adds what all originators
    say of it, then by originator. With resp_failures=False the first is left out: half the time,
    other digits. A column anomaly_resp_failures that is there is taken as it is.
    """
    shipped = {"binary": _ship(df, _path(binary)), "model": _ship(df, model)}
    args = ["--model", "{model}", "--partition-by", "originator", "--columns", ",".join(columns)]
    if log_start is not None:
        args += ["--log-start", str(log_start)]
    given = FAILURES in df.columns
    if resp_failures and not given:
        df = _by_responder(df, order, shipped, partitions)
    added = [StructField("anomaly_" + name, ADDED[name]) for name in columns]
    scored = _pass(df, "id.orig_h", order, args, added, shipped, partitions)
    return scored if given else scored.drop(FAILURES)


def train(df, out, order="seq", log_start=None, one_in=1, options=(), binary="zeek-iforest", partitions=None):
    """Makes a model of df, in the file out here. Returns how many rows it learnt from.

    With one_in=N it learns from all rows of one originator in N, with the windows that they
    have in the whole log; these rows come to the driver, some 100 bytes each. With one_in=1
    it is the model of zeek-iforest train on the whole log, byte for byte. options are train's.
    """
    path = _path(binary)
    if FAILURES not in df.columns:
        df = _by_responder(df, order, {"binary": _ship(df, path)}, partitions)
    if one_in > 1:
        df = df.where(F.pmod(F.xxhash64(_column(df, "id.orig_h")), F.lit(one_in)) == 0)
    sent = [df.columns[i] for i in _sent(df, order)]
    rows = df.select(*(F.col(f"`{c}`") for c in sent)).orderBy(F.col(f"`{order}`")).toDF(*(f"c{i}" for i in range(len(sent)))).toArrow()
    with tempfile.TemporaryDirectory(prefix="zeek-iforest-") as work:
        pq.write_table(rows.rename_columns(sent), f"{work}/in.parquet")
        args = ["--log-start", str(log_start)] if log_start is not None else []
        subprocess.run([path, "train", *options, "--partition-by", "originator", "--order-by", order, *args, "-o", out, f"{work}/in.parquet"], check=True)
    return rows.num_rows


def _path(binary):
    found = shutil.which(binary)
    if not found:
        raise FileNotFoundError(f"{binary}: no such program; binary= names zeek-iforest for the executors' system")
    return found


def _ship(df: DataFrame, path):
    """Sends a file to all executors and returns its name there, which its content decides."""
    digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()[:16]
    name = f"zeek-iforest-{digest}"
    place = pathlib.Path(tempfile.gettempdir(), f"zeek-iforest-spark-{os.getuid()}", name)
    place.parent.mkdir(mode=0o700, exist_ok=True)
    if not place.exists():
        part = place.with_name(f"{name}.{os.getpid()}")
        shutil.copy(path, part)
        os.replace(part, place)
    df.sparkSession.sparkContext.addFile(str(place))
    return name


def _column(df, name):
    """The column of that name, in whichever way df spells it."""
    end = name.replace(".", "_")
    for spelt in (name, end):
        if spelt in df.columns:
            return F.col(f"`{spelt}`")
    outer, _, inner = name.partition(".")
    if inner and outer in df.columns:
        return F.col(outer).getField(inner)
    raise ValueError(f"no column {name}: the data frame has {', '.join(df.columns)}")


def _by_responder(df, order, shipped, partitions):
    return _pass(df, "id.resp_h", order, ["--partition-by", "responder"], [StructField(FAILURES, LongType())], shipped, partitions)


def _sent(df, order):
    """The places of the columns that the binary reads."""
    if order not in df.columns:
        raise ValueError(f"no column {order} that holds the log's order")
    ours = {c.replace(".", "_") for c in CONN} | {"id", order.replace(".", "_"), FAILURES}
    return [i for i, c in enumerate(df.columns) if c.replace(".", "_") in ours]


def _pass(df, host, order, args, added, shipped, partitions):
    df = df.drop(*{field.name for field in added} & set(df.columns))
    sent = _sent(df, order)
    host = _column(df, host)
    ordered = df.repartition(*([host] if partitions is None else [partitions, host])).sortWithinPartitions(F.col(f"`{order}`"))
    # mapInArrow takes no names with points in them, so columns go by number.
    numbered = ordered.toDF(*(f"c{i}" for i in range(len(df.columns))))
    schema = StructType([StructField(f"c{i}", f.dataType) for i, f in enumerate(df.schema.fields)] + added)
    run = functools.partial(_score_part, names=df.columns, args=args, sent=sent, order=order, added=[f.name for f in added], shipped=shipped)
    return numbered.mapInArrow(run, schema).toDF(*df.columns, *(f.name for f in added))


def _score_part(batches, names, args, sent, order, added, shipped):
    """Runs the binary over one partition. The rows lie in a spool while it works."""
    with tempfile.TemporaryDirectory(prefix="zeek-iforest-") as work:
        rows, sink, spool = 0, None, None
        for batch in batches:
            if batch.num_rows == 0:
                continue
            part = batch.select(sent).rename_columns([names[i] for i in sent])
            if sink is None:
                spool = pa.ipc.new_stream(f"{work}/all.arrow", batch.schema)
                sink = pq.ParquetWriter(f"{work}/in.parquet", part.schema, compression="none")
            spool.write_batch(batch)
            sink.write_table(pa.Table.from_batches([part]))
            rows += batch.num_rows
        if not rows:
            return
        spool.close()
        sink.close()
        there = {k: SparkFiles.get(v) for k, v in shipped.items()}
        command = [there["binary"], "score", *(a.format(**there) for a in args), "--order-by", order]
        command += ["--keep", order, "-o", f"{work}/out.parquet", f"{work}/in.parquet"]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "GOMAXPROCS": "1"})
        if done.returncode not in (DONE, PARTLY):
            raise RuntimeError(f"zeek-iforest score ended with status {done.returncode}: {done.stderr.strip()}")
        if done.returncode == PARTLY:
            print(done.stderr, file=sys.stderr)
        os.remove(f"{work}/in.parquet")
        yield from _joined(work, names.index(order), order, added, rows)


def _joined(work, at_order, order, added, rows):
    """The spooled rows with the columns that the binary added, in the same order."""
    scores = pq.read_table(f"{work}/out.parquet")
    if scores.num_rows != rows:
        raise RuntimeError(f"zeek-iforest score gave {scores.num_rows} rows for {rows}")
    at = 0
    with pa.ipc.open_stream(f"{work}/all.arrow") as spool:
        for batch in spool:
            part = scores.slice(at, batch.num_rows).combine_chunks()
            at += batch.num_rows
            if not part.column(order).combine_chunks().equals(batch.column(at_order).cast(part.column(order).type)):
                raise RuntimeError(f"zeek-iforest score changed the order of rows after {order} {batch.column(at_order)[0]}")
            columns = [_signed(part.column(name).combine_chunks()) for name in added]
            yield pa.RecordBatch.from_arrays(batch.columns + columns, names=batch.schema.names + added)


def _signed(column):
    """Spark has no unsigned numbers."""
    return column.cast(pa.int64()) if pa.types.is_integer(column.type) else column
