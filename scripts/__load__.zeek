##! Anomaly scores in conn.log, dns.log, http.log and ssl.log, as
##! :zeek:see:`IForest::logs` says. Columns beside the score are loaded one by one:
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
@load ./logs
# In bare mode no log is written for the sake of its score.
@ifdef ( DNS::Info )
@load ./score-dns
@endif
@ifdef ( HTTP::Info )
@load ./score-http
@endif
@ifdef ( SSL::Info )
@load ./score-ssl
@endif
@else
@load ./no-plugin
@endif
