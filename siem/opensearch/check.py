#!/usr/bin/env python3
"""Runs the Elastic pack in a real OpenSearch on loopback, on scored connections.

check.py JARS ZEEK-IFOREST MODEL CONN.LOG…  (JARS as pom.xml brings them; Java 21 or later as JAVA_HOME or on PATH)

Loads siem/elastic's component template and ingest pipeline and this folder's index
template, indexes what score writes, and asks what the dashboard, the rules and Sigma's
Lucene ask. Each answer is compared with the one that the log itself gives. Prints a line
of JSON; exit status 1 where an answer differs.
"""
import collections, json, math, os, pathlib, random, signal, socket, struct, subprocess, sys, tempfile, time
import urllib.error, urllib.request

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent))
sys.dont_write_bytecode = True
import measure

BULK = 2000  # documents a request


def free(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


class Node:
    """An OpenSearch of one node, which ends with the with."""

    def __init__(self, jars, work):
        self.port = next(port for port in random.sample(range(9201, 9300), 99) if free(port))  # the runner's range
        java = os.path.join(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else "java"
        self.log = open(f"{work}/log", "w")
        self.process = subprocess.Popen(
            [java, "-Xms1g", "-Xmx1g", "-cp", f"{jars}/*", here / "Start.java", f"{work}/node", str(self.port)],
            stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)
        self.usage = measure.Usage(self.process.pid)
        self.usage.start()

    def __enter__(self):
        end = time.monotonic() + 300
        while True:
            if self.process.poll() is not None or time.monotonic() > end:
                sys.exit(f"OpenSearch did not start: {pathlib.Path(self.log.name).read_text()[-2000:]}")
            try:
                self.version = self.ask("GET", "/")["version"]["number"]
                return self
            except (OSError, urllib.error.URLError):
                time.sleep(0.5)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def ask(self, method, path, body=None, kind="application/json"):
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, {"content-type": kind}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as e:
            sys.exit(f"FAILED: {method} {path}: {e.read().decode()[:2000]}")

    def bulk(self, index, docs):
        lines = []
        for doc in docs:
            lines += ['{"create":{}}', json.dumps(doc)]
        answer = self.ask("POST", f"/{index}/_bulk", ("\n".join(lines) + "\n").encode(), "application/x-ndjson")
        if answer["errors"]:
            sys.exit(f"FAILED: indexing: {next(i for i in answer['items'] if 'error' in i['create'])}")

    def search(self, index, query, **more):
        return self.ask("POST", f"/{index}/_search", {"query": query, "track_total_hits": True, **more})


def rows(text):
    """The rows of a scored log in TSV."""
    for line in text:
        cells = line.rstrip("\n").split("\t")
        if cells[0] == "#fields":
            names = cells[1:]
        elif not line.startswith("#"):
            yield {n: c for n, c in zip(names, cells) if c != "-"}


def document(row):
    """A row as Elastic's Zeek integration names its fields."""
    connection = {"state": row["conn_state"], "anomaly_score": float(row["anomaly_score"]), "anomaly_rank": int(row["anomaly_rank"]), "anomaly_model": row["anomaly_model"]}
    if "anomaly_reason" in row:
        connection["anomaly_reason"] = row["anomaly_reason"]
    network = {"transport": row["proto"]}
    if "service" in row:
        network["protocol"] = row["service"]
    return {
        "@timestamp": int(float(row["ts"]) * 1000), "network": network,
        "source": {"ip": row["id.orig_h"], "port": int(row["id.orig_p"])}, "destination": {"ip": row["id.resp_h"], "port": int(row["id.resp_p"])},
        "zeek": {"session_id": row["uid"], "connection": connection},
    }


def kuery(text):
    """A query in Kibana's language as Kibana sends it: fields, and, ranges."""
    if not text:
        return {"match_all": {}}
    parts = []
    for part in text.split(" and "):
        if ">=" in part:
            field, value = part.split(">=")
            parts.append({"range": {field.strip(): {"gte": float(value)}}})
        else:
            field, value = part.split(":", 1)
            value = value.strip().strip('"')
            parts.append({"exists": {"field": field}} if value == "*" else {"match_phrase": {field: value}})
    return {"bool": {"filter": parts}}


def aggregations(vis):
    """The aggregations of a visualisation as Dashboards sends them."""
    metrics = {a["id"]: {a["type"]: a["params"]} for a in vis["aggs"] if a["type"] not in ("count", "terms", "histogram", "date_histogram")}
    for bucket in (a for a in vis["aggs"] if a["schema"] in ("bucket", "segment")):
        p = bucket["params"]
        match bucket["type"]:
            case "terms":
                agg = {"field": p["field"], "size": p["size"], "order": {p["orderBy"]: p["order"]}}
            case "histogram":
                agg = {"field": p["field"], "interval": p["interval"], "min_doc_count": 1}
            case "date_histogram":
                agg = {"field": p["field"], "fixed_interval": "1h", "min_doc_count": p["min_doc_count"]}
        metrics = {bucket["id"]: {bucket["type"]: agg, "aggs": metrics}}
    return metrics


failed = []
checks = 0


def expect(what, want, got):
    """Compares an answer with what the log says."""
    global checks
    checks += 1
    if want != got:
        failed.append(f"{what}: {str(got)[:300]}, the log says {str(want)[:300]}")


def alerts_of(binary, work, scored):
    """What watch writes to ecs: of the scored log."""
    out = pathlib.Path(work, "ecs.json")
    with open(f"{work}/watch.log", "w") as said:
        watch = subprocess.Popen([binary, "watch", "--state", f"{work}/state", "--alerts-per-day", "100", "--alerts-per-hour", "0", "--to", f"ecs:{out}", scored], stderr=said)
        size, same, end = 0, 0, time.monotonic() + 300
        while same < 10 and watch.poll() is None and time.monotonic() < end:
            time.sleep(0.5)
            now = out.stat().st_size if out.exists() else 0
            same, size = (same + 1 if now == size > 0 else 0), now
        watch.send_signal(signal.SIGINT)
        watch.wait()
    return [json.loads(line) for line in out.read_text().splitlines()]


def pack(*path):
    return here.parent.joinpath(*path).read_text()


def single(x):
    """A score as a field of type float holds it."""
    return struct.unpack("f", struct.pack("f", x))[0]


def load(node):
    """The pack, as its README says."""
    node.ask("PUT", "/_component_template/logs-zeek.connection@custom", json.loads(pack("elastic", "component-template.json")))
    node.ask("PUT", "/_ingest/pipeline/logs-zeek.connection@custom", json.loads(pack("elastic", "ingest-pipeline.json")))
    node.ask("PUT", "/_index_template/logs-zeek.connection", json.loads(pack("opensearch", "index-template.json")))
    for name in ("iforest", "notice"):
        node.ask("PUT", f"/_index_template/logs-zeek.{name}", {"index_patterns": [f"logs-zeek.{name}-*"], "data_stream": {}, "priority": 200})


def check_documents(node, docs, index):
    """Each document has the pipeline's fields, and its own digits."""
    wrong, seen, after = 0, 0, None
    want = {d["zeek"]["session_id"]: d["zeek"]["connection"] for d in docs}
    while True:
        more = {"search_after": after} if after else {}
        hits = node.search(index, {"match_all": {}}, size=5000, sort=[{"zeek.session_id": "asc"}], **more)["hits"]["hits"]
        if not hits:
            break
        after, seen = hits[-1]["sort"], seen + len(hits)
        for hit in hits:
            d = hit["_source"]
            c, event = d["zeek"]["connection"], d["event"]
            severity = 4 if c["anomaly_rank"] >= 10000 else None
            same = c == want[d["zeek"]["session_id"]] and event["risk_score"] == c["anomaly_score"] and event["risk_score_norm"] == math.floor(c["anomaly_score"] * 100 + 0.5)
            wrong += not (same and event.get("reason") == c.get("anomaly_reason") and event.get("severity") == severity and "error" not in d)
    expect("documents", len(docs), seen)
    expect("documents that differ from the log's rows", 0, wrong)
    return seen - wrong


def check_dashboard(node, docs, index):
    global checks
    score = lambda d: single(d["zeek"]["connection"]["anomaly_score"])
    for line in pack("elastic", "dashboard.ndjson").splitlines():
        o = json.loads(line)
        a = o["attributes"]
        source = json.loads(a.get("kibanaSavedObjectMeta", {}).get("searchSourceJSON", "{}"))
        if o["type"] not in ("visualization", "search"):
            continue
        query = source["query"]["query"]
        chosen = [d for d in docs if ">=" not in query or d["zeek"]["connection"]["anomaly_score"] >= float(query.split(">=")[1])]
        expect(f"{o['id']}: some match", True, len(chosen) > 0)
        vis = json.loads(a["visState"]) if "visState" in a else None
        size = 0 if vis else 100
        more = {"aggs": aggregations(vis)} if vis else {"sort": [{f: {"order": d}} for f, d in a["sort"]]}
        got = node.search(index, kuery(query), size=size, **more)
        expect(f"{o['id']}: rows", len(chosen), got["hits"]["total"]["value"])
        groups = collections.defaultdict(list)
        match o["id"]:
            case "zeek-iforest-list":
                expect("the strangest 100", sorted((d["zeek"]["connection"]["anomaly_score"] for d in docs), reverse=True)[:100],
                       [h["_source"]["zeek"]["connection"]["anomaly_score"] for h in got["hits"]["hits"]])
            case "zeek-iforest-hosts" | "zeek-iforest-reasons":
                for d in chosen:
                    key = d["source"]["ip"] if o["id"].endswith("hosts") else d["zeek"]["connection"].get("anomaly_reason")
                    if key is not None:
                        groups[key].append(score(d))
                buckets = next(iter(got["aggregations"].values()))["buckets"]
                most = {k: (max(v), len(v)) for k, v in groups.items()}
                metric = next(x["id"] for x in vis["aggs"] if x["type"] == "max")
                expect(f"{o['id']}: maxima", sorted((m for m, _ in most.values()), reverse=True)[:20], [single(b[metric]["value"]) for b in buckets])
                expect(f"{o['id']}: groups", [most[b["key"]] for b in buckets], [(single(b[metric]["value"]), b["doc_count"]) for b in buckets])
            case "zeek-iforest-histogram":
                for d in docs:
                    groups[math.floor(score(d) / 0.02)].append(d)
                buckets = next(iter(got["aggregations"].values()))["buckets"]
                expect("the histogram", {k: len(v) for k, v in groups.items()}, {round(b["key"] / 0.02): b["doc_count"] for b in buckets if b["doc_count"]})
            case "zeek-iforest-over-time":
                for d in docs:
                    groups[d["@timestamp"] // 3600000 * 3600000].append(score(d))
                buckets = next(iter(got["aggregations"].values()))["buckets"]
                expect("rows an hour", {k: len(v) for k, v in groups.items()}, {b["key"]: b["doc_count"] for b in buckets})
                for b in buckets:  # the engine estimates: what it calls the median has near half of the rows below it
                    median = b["1"]["values"]["50.0"]
                    low, high = (sum(x < median + off for x in groups[b["key"]]) / b["doc_count"] for off in (-0.01, 0.01))
                    if low > 0.52 or high < 0.48:
                        failed.append(f"the median of {b['key_as_string']}: {median} has {low:.3f} to {high:.3f} of the rows below it")
                checks += len(buckets)


def check_rules(node, docs, alerts):
    rare = sum(d["zeek"]["connection"]["anomaly_rank"] >= 10000 for d in docs)
    counts = {"zeek-iforest-alert": len(alerts), "zeek-iforest-rank": rare, "zeek-iforest-notice": 1}
    for line in pack("elastic", "rules.ndjson").splitlines():
        rule = json.loads(line)
        got = node.search(",".join(rule["index"]), kuery(rule["query"]), size=1)
        expect(f"rule {rule['rule_id']}: matches", counts[rule["rule_id"]], got["hits"]["total"]["value"])
        expect(f"rule {rule['rule_id']}: there are some", True, got["hits"]["total"]["value"] > 0)
        if "rule_name_override" in rule:
            value = got["hits"]["hits"][0]["_source"]
            for name in rule["rule_name_override"].split("."):
                value = value.get(name, {})
            expect(f"rule {rule['rule_id']}: {rule['rule_name_override']} is a text", True, isinstance(value, str))
    for lucene, want in (("data_stream.dataset:zeek.connection AND zeek.connection.anomaly_rank:>=10000", rare),
                         (r"data_stream.dataset:zeek.notice AND zeek.notice.note:IForest\:\:Anomalous_Connection", 1)):
        expect(f"Sigma: {lucene}", want, node.search("logs-zeek.*", {"query_string": {"query": lucene}}, size=0)["hits"]["total"]["value"])


def check_faults(node):
    """Rows without a score, or with one that is a text, are kept."""
    docs = [{"_source": {"zeek": {"connection": c}}} for c in ({}, {"anomaly_score": "0.5"}, {"anomaly_reason": ""})] + [{"_source": {"message": "x"}}]
    for d in node.ask("POST", "/_ingest/pipeline/logs-zeek.connection@custom/_simulate", {"docs": docs})["docs"]:
        expect("a row that the pipeline does not fit", False, "error" in d or "error" in d.get("doc", {}).get("_source", {"error": 1}) or "risk_score" in d["doc"]["_source"].get("event", {}))


def main(jars, binary, model, logs):
    with tempfile.TemporaryDirectory(prefix="zeek-iforest-") as work:
        scored = f"{work}/scored.log"
        subprocess.run([binary, "score", "-m", model, "--columns", "score,rank,reason,model", "-o", scored, *logs], check=True, stderr=subprocess.DEVNULL)
        with open(scored) as text:
            docs = [document(r) for r in rows(text)]
        alerts = alerts_of(binary, work, scored)
        with Node(jars, work) as node:
            load(node)
            node.usage.look()
            before, began = sum(node.usage.cpu.values()), time.monotonic()
            index = "logs-zeek.connection-default"
            for at in range(0, len(docs), BULK):
                node.bulk(index, ({**d, "data_stream": {"dataset": "zeek.connection"}} for d in docs[at : at + BULK]))
            node.ask("POST", "/logs-zeek.*/_refresh")
            node.usage.look()
            cpu, seconds = sum(node.usage.cpu.values()) - before, time.monotonic() - began
            node.bulk("logs-zeek.iforest-default", alerts)
            node.bulk("logs-zeek.notice-default", [{"@timestamp": docs[0]["@timestamp"], "data_stream": {"dataset": "zeek.notice"}, "zeek": {"notice": {"note": "IForest::Anomalous_Connection", "msg": "anomalous"}}}])
            node.ask("POST", "/logs-zeek.*/_refresh")
            equal = check_documents(node, docs, index)
            check_dashboard(node, docs, index)
            check_rules(node, docs, alerts)
            check_faults(node)
            for line in failed:
                print("FAILED:", line, file=sys.stderr)
            print(json.dumps({
                "engine": "OpenSearch", "version": node.version, "rows": len(docs), "equal": equal, "checks": checks, "failed": len(failed), "alerts": len(alerts),
                "seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1), "memory_mb": node.usage.used()["memory_mb"]}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))
