#!/bin/sh
# What ClickHouse's executable() runs: zeek-iforest-score.sh responder|originator.
# The model, and when the log began, stand in zeek-iforest.conf beside this file.
set -eu
cd "$(dirname "$0")"
. ./zeek-iforest.conf # MODEL=/etc/zeek-iforest/model LOG_START=1713484800 PATH=…
case $1 in
responder) exec zeek-iforest score --partition-by responder --order-by seq ;;
originator) exec zeek-iforest score -m "$MODEL" --partition-by originator --order-by seq --log-start "$LOG_START" ;;
*) echo "$0: responder or originator" >&2; exit 2 ;;
esac
