-- On several shards, each host whole on one. conn is then a shard's part by
-- cityHash64(`id.resp_h`), as a Distributed table over it deals rows out.

-- 1. On each shard. conn_by_originator is a Distributed table over conn_part, dealt out
-- by cityHash64(`id.orig_h`). On one shard alone it is conn_part itself.
create table if not exists conn_part as conn engine = MergeTree order by (`id.orig_h`, seq);
alter table conn_part add column if not exists anomaly_resp_failures Nullable(UInt32);
insert into conn_by_originator
select conn.*, failures.anomaly_resp_failures
from conn
join
(
    select seq, anomaly_resp_failures
    from executable(
        'zeek-iforest-score.sh responder', 'JSONEachRow',
        'seq UInt64, anomaly_resp_failures Nullable(UInt32)',
        (select seq, ts, `id.orig_h`, `id.orig_p`, `id.resp_h`, `id.resp_p`, proto, duration, conn_state from conn order by seq),
        settings command_termination_timeout = 3600, command_read_timeout = 3600000, command_write_timeout = 3600000
    )
) as failures on failures.seq = conn.seq
settings output_format_json_quote_64bit_integers = 0, input_format_skip_unknown_fields = 1;

-- 2. On each shard, when all have done the first.
insert into conn_scores
select seq, uid, anomaly_score
from executable(
    'zeek-iforest-score.sh originator', 'JSONEachRow',
    'seq UInt64, uid String, anomaly_score Nullable(Float64)',
    (select * from conn_part order by `id.orig_h`, seq),
    settings command_termination_timeout = 3600, command_read_timeout = 3600000, command_write_timeout = 3600000
)
settings output_format_json_quote_64bit_integers = 0, input_format_skip_unknown_fields = 1;
