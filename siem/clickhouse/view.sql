-- A table that keeps up by itself: each hour all rows of conn are scored anew, and it
-- changes at once when they are. A view that scores each block as it is inserted cannot
-- give the log's digits: a score looks at what the host did in blocks before.
create materialized view if not exists conn_scores_now refresh every 1 hour
(seq UInt64, uid String, anomaly_score Nullable(Float64))
engine = MergeTree order by seq
as select seq, uid, anomaly_score from conn_scored
settings output_format_json_quote_64bit_integers = 0, input_format_skip_unknown_fields = 1
