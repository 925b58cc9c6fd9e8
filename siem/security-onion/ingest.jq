# Adds zeek-iforest's columns to Security Onion's ingest pipeline zeek.conn, which
# otherwise drops them: jq -f ingest.jq zeek.conn > zeek.conn.new
# Running it twice changes nothing.
["anomaly_score", "anomaly_rank", "anomaly_reason", "anomaly_model"] as $columns
| [.processors[] | select((.rename.field // "") | ltrimstr("message2.") as $c | $columns | index($c) | not)] as $theirs
| ($theirs | map(has("pipeline")) | index(true) // ($theirs | length)) as $at
| .processors = $theirs[:$at]
    + [$columns[] | {rename: {field: "message2.\(.)", target_field: "connection.\(.)", ignore_missing: true}}]
    + $theirs[$at:]
