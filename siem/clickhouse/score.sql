-- Scores for all rows of conn, with the digits of the whole log. zeek-iforest-score.sh
-- lies in ClickHouse's user_scripts. With several shards, sort and send the inner
-- select by cityHash64(`id.resp_h`) and the outer one by cityHash64(`id.orig_h`): each
-- host whole on one shard. executable_pool is not for this: its blocks have no order.
insert into conn_scores
select seq, uid, anomaly_score
from executable(
    'zeek-iforest-score.sh originator', 'JSONEachRow',
    'seq UInt64, uid String, anomaly_score Nullable(Float64)',
    (
        select conn.*, failures.anomaly_resp_failures
        from conn
        join
        (
            select seq, anomaly_resp_failures
            from executable(
                'zeek-iforest-score.sh responder', 'JSONEachRow',
                'seq UInt64, anomaly_resp_failures Nullable(UInt32)',
                (select * from conn order by seq),
                settings command_termination_timeout = 3600, command_read_timeout = 3600000, command_write_timeout = 3600000
            )
        ) as failures on failures.seq = conn.seq
        order by `id.orig_h`, seq
    ),
    settings command_termination_timeout = 3600, command_read_timeout = 3600000, command_write_timeout = 3600000
)
settings output_format_json_quote_64bit_integers = 0, input_format_skip_unknown_fields = 1
