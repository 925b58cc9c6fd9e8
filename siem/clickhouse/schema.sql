-- conn.log in ClickHouse. seq is the log's order: file and line, or a broker's
-- offset, counted up as rows are loaded. Rows of one originator lie together, in order.
create table if not exists conn
(
    seq UInt64,
    ts Float64,
    uid String,
    `id.orig_h` String, `id.orig_p` UInt16,
    `id.resp_h` String, `id.resp_p` UInt16,
    proto LowCardinality(String), service LowCardinality(Nullable(String)),
    duration Nullable(Float64), orig_bytes Nullable(UInt64), resp_bytes Nullable(UInt64),
    conn_state LowCardinality(Nullable(String)), local_orig Nullable(Bool), local_resp Nullable(Bool),
    missed_bytes UInt64, history Nullable(String),
    orig_pkts UInt64, orig_ip_bytes UInt64, resp_pkts UInt64, resp_ip_bytes UInt64
)
engine = MergeTree order by (`id.orig_h`, seq);

create table if not exists conn_scores (seq UInt64, uid String, anomaly_score Nullable(Float64))
engine = ReplacingMergeTree order by seq;
