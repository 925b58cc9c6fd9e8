# Broker for the nodes of a test's cluster: what Zeek takes unasked up to 8.0, and
# a script of its own since 8.1.
@load base/misc/version

@if ( Version::at_least("8.1.0") )
@load frameworks/cluster/backend/broker
@endif
redef Broker::disable_ssl = T;
