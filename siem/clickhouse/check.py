#!/usr/bin/env python3
"""Scores Parquet rows of conn.log in ClickHouse (chdb) and compares them with score.

check.py WAY ZEEK-IFOREST MODEL LOG-START PARQUET  (columns of conn.log, seq, and want, the score)

WAY is once (score.sql), view (view.sql, with rows that come in two halves) or shards
(shards.sql in two processes, which hand each other rows as Parquet).
"""
import json, os, pathlib, shutil, subprocess, sys, tempfile, time

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent))
sys.dont_write_bytecode = True
import measure

QUOTES = "settings output_format_parquet_compression_method = 'lz4'"


class Server:
    """A ClickHouse of its own, with the script that it runs."""

    def __init__(self, work, binary, model, start):
        from chdb import session

        scripts, programs = pathlib.Path(work, "user_scripts"), pathlib.Path(work, "bin")
        scripts.mkdir(parents=True)
        programs.mkdir()
        shutil.copy(here / "zeek-iforest-score.sh", scripts)
        (programs / "zeek-iforest").symlink_to(os.path.abspath(binary))
        (scripts / "zeek-iforest.conf").write_text(f"MODEL={os.path.abspath(model)}\nLOG_START={start}\nPATH={programs}:$PATH\n")
        self.session = session.Session(f"{work}/data?user_scripts_path={scripts}")
        self.ask("create database if not exists lake")
        self.ask("use lake")
        self.run("schema.sql")
        self.columns = ", ".join(f"`{r.split(chr(9))[0]}`" for r in self.ask("describe table conn").splitlines())

    def ask(self, query):
        return str(self.session.query(query, "TSV")).strip()

    def run(self, file):
        for statement in (here / file).read_text().split(";"):
            if statement.strip():
                self.ask(statement)

    def load(self, parquet, where="1"):
        self.ask(f"insert into conn ({self.columns}) select {self.columns} from file('{parquet}', 'Parquet') where {where}")

    def compare(self, table, parquet):
        """Rows of the Parquet file, and those of them with the score that score gave."""
        rows = int(self.ask(f"select count() from file('{parquet}', 'Parquet')"))
        return rows, int(self.ask(f"select countIf(got.anomaly_score = t.want) from file('{parquet}', 'Parquet') t join {table} got on got.seq = t.seq"))


def once(server, parquet):
    server.load(parquet)
    server.run("scored.sql")
    return timed(lambda: server.run("score.sql")), "conn_scores"


def view(server, parquet):
    """Half of the rows are there when the view is made. It scores all when it is next due."""
    rows = int(server.ask(f"select count() from file('{parquet}', 'Parquet')"))
    server.load(parquet, f"seq <= {rows // 2}")
    server.run("scored.sql")
    server.run("view.sql")
    wait(server, rows // 2)
    server.load(parquet, f"seq > {rows // 2}")

    def refresh():
        server.ask("system refresh view conn_scores_now")
        wait(server, rows)

    return timed(refresh), "conn_scores_now"


def wait(server, rows):
    end = time.monotonic() + 1800
    while int(server.ask("select count() from conn_scores_now")) != rows:
        fault = server.ask("select exception from system.view_refreshes where exception != ''")
        if fault or time.monotonic() > end:
            sys.exit(f"FAILED: the view has not {rows} rows: {fault}")
        time.sleep(0.2)


def timed(do):
    began = time.monotonic()
    do()
    return time.monotonic() - began


def shard(n, of, phase, work, binary, model, start, parquet):
    """One of several servers. In the first phase it has rows by responder, then by originator."""
    n, of = int(n), int(of)
    server = Server(f"{work}/{phase}-{n}", binary, model, start)
    statements = [s for s in (here / "shards.sql").read_text().split(";") if s.strip()]
    if phase == "responder":
        server.load(parquet, f"cityHash64(`id.resp_h`) % {of} = {n}")
        for s in statements[:3]:
            server.ask(s.replace("conn_by_originator", "conn_part"))
        for to in range(of):
            server.ask(f"insert into function file('{work}/{n}-to-{to}.parquet', 'Parquet') select * from conn_part where cityHash64(`id.orig_h`) % {of} = {to} {QUOTES}")
    else:
        for s in statements[:2]:
            server.ask(s)
        server.ask(f"insert into conn_part select * from file('{work}/*-to-{n}.parquet', 'Parquet')")
        server.ask(statements[3])
        server.ask(f"insert into function file('{work}/scores-{n}.parquet', 'Parquet') select * from conn_scores {QUOTES}")


def shards(work, binary, model, start, parquet):
    for phase in ("responder", "originator"):
        parts = [subprocess.Popen([sys.executable, __file__, "shard", str(n), "2", phase, work, binary, model, start, parquet]) for n in range(2)]
        if any([p.wait() for p in parts]):
            sys.exit(f"FAILED: a shard ended with an error, by {phase}")


def main(way, binary, model, start, parquet):
    parquet = os.path.abspath(parquet)
    usage = measure.Usage(os.getsid(0))
    usage.start()
    with tempfile.TemporaryDirectory(prefix="zeek-iforest-") as work:
        if way == "shards":
            seconds = timed(lambda: shards(work, binary, model, start, parquet))
            server, table = Server(f"{work}/all", binary, model, start), f"file('{work}/scores-*.parquet', 'Parquet')"
        else:
            server = Server(work, binary, model, start)
            seconds, table = {"once": once, "view": view}[way](server, parquet)
        rows, equal = server.compare(table, parquet)
        version = server.ask("select version()")
        print(json.dumps({"engine": f"ClickHouse, {way}", "version": version, "rows": rows, "equal": equal, "seconds": round(seconds, 2), **usage.used()}))
        server.session.close()
    return 0 if rows == equal else 1


if __name__ == "__main__":
    if sys.argv[1] == "shard":
        shard(*sys.argv[2:])
    else:
        measure.alone()
        sys.exit(main(*sys.argv[1:]))
