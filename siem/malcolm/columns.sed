# Adds the column anomaly_score, the last of conn.log, to Malcolm's positional
# parser: sed -i -f columns.sed 1015_zeek_conn.conf
# The separator is the character that stands before the last known column.
# Running it twice changes nothing.
/anomaly_score/! {
  /%{\[zeek_cols\]\[conn_state\]}/ s/\(.\)\(%{\[zeek_cols\]\[[a-z0-9_]*\]}\)"/\1\2\1%{[zeek_cols][anomaly_score]}"/
  /@zeek_conn_field_names = \[/ s/ \]"/, 'anomaly_score' ]"/
}
