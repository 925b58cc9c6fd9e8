-- Scores all rows of conn, once.
insert into conn_scores select seq, uid, anomaly_score from conn_scored
settings output_format_json_quote_64bit_integers = 0, input_format_skip_unknown_fields = 1, max_bytes_before_external_sort = 2000000000
