##! Anomaly scores in conn.log. Columns beside the score are loaded one by one:
##! ``@load zeek-iforest/log-rank``, ``log-reason``, ``log-model``.

@ifdef ( IForest::__score )
@load ./options
@load ./model
@load ./main
@load ./learn
@load ./cluster
@load ./windows
@load ./allow
@load ./notice
@load ./budget
@load ./long
@load ./telemetry
@else
@load ./no-plugin
@endif
