-- The rows of conn with their scores, with the digits of the whole log, computed when it
-- is asked. zeek-iforest-score.sh lies in ClickHouse's user_scripts. executable_pool is
-- not for this: its blocks have no order. shards.sql does it on several shards.
create or replace view conn_scored as
select seq, uid, anomaly_score
from executable(
    'zeek-iforest-score.sh originator', 'JSONEachRow',
    'seq UInt64, uid String, anomaly_score Nullable(Float64)',
    (
        select
            seq, uid, ts, `id.orig_h`, `id.orig_p`, `id.resp_h`, `id.resp_p`, proto, service, duration, orig_bytes, resp_bytes, conn_state,
            missed_bytes, orig_pkts, orig_ip_bytes, resp_pkts, resp_ip_bytes, failures.anomaly_resp_failures
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
        order by `id.orig_h`, seq
    ),
    settings command_termination_timeout = 3600, command_read_timeout = 3600000, command_write_timeout = 3600000
)
settings output_format_json_quote_64bit_integers = 0, input_format_skip_unknown_fields = 1
