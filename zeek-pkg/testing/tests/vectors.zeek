# The golden vectors, which Go and the C host read, too: records as Zeek holds
# them, made of a JSON conn.log that says which score each has to get.
#
# @TEST-EXEC: zeek $PACKAGE %INPUT >output 2>&1
# @TEST-EXEC: btest-diff output

redef exit_only_after_terminate = T;

type Vector: record {
	ts: time;
	uid: string;
	id_orig_h: addr;
	id_orig_p: count;
	id_resp_h: addr;
	id_resp_p: count;
	proto: transport_proto;
	service: string &optional;
	duration: interval &optional;
	orig_bytes: count &optional;
	resp_bytes: count &optional;
	conn_state: string &optional;
	local_orig: bool &optional;
	local_resp: bool &optional;
	missed_bytes: count &optional;
	orig_pkts: count &optional;
	orig_ip_bytes: count &optional;
	resp_pkts: count &optional;
	resp_ip_bytes: count &optional;
	ip_proto: count &optional;
	anomaly_score: double;
};

function field_name(name: string): string
	{
	return gsub(name, /\./, "_");
	}

function record_of(v: Vector): Conn::Info
	{
	local info = Conn::Info($ts=v$ts, $uid=v$uid, $proto=v$proto,
	    $id=conn_id($orig_h=v$id_orig_h, $orig_p=count_to_port(v$id_orig_p, v$proto),
	        $resp_h=v$id_resp_h, $resp_p=count_to_port(v$id_resp_p, v$proto)));
	if ( v?$service ) info$service = v$service;
	if ( v?$duration ) info$duration = v$duration;
	if ( v?$orig_bytes ) info$orig_bytes = v$orig_bytes;
	if ( v?$resp_bytes ) info$resp_bytes = v$resp_bytes;
	if ( v?$conn_state ) info$conn_state = v$conn_state;
	if ( v?$local_orig ) info$local_orig = v$local_orig;
	if ( v?$local_resp ) info$local_resp = v$local_resp;
	if ( v?$missed_bytes ) info$missed_bytes = v$missed_bytes;
	if ( v?$orig_pkts ) info$orig_pkts = v$orig_pkts;
	if ( v?$orig_ip_bytes ) info$orig_ip_bytes = v$orig_ip_bytes;
	if ( v?$resp_pkts ) info$resp_pkts = v$resp_pkts;
	if ( v?$resp_ip_bytes ) info$resp_ip_bytes = v$resp_ip_bytes;
	if ( v?$ip_proto ) info$ip_proto = v$ip_proto;
	return info;
	}

type Line: record {
	text: string;
};

global vectors = getenv("ROOT") + "/testdata/vectors/";
global equal = 0;

event line(d: Input::EventDescription, t: Input::Event, text: string)
	{
	local v = (from_json(text, Vector, field_name))$v as Vector;
	local found = IForest::__score(record_of(v));
	if ( found?$score && found$score == v$anomaly_score )
		++equal;
	else
		print fmt("%s: %s instead of %s", v$uid, found, v$anomaly_score);
	}

event zeek_init()
	{
	print "model", IForest::__load_model(IForest::conn_sensor, vectors + "vectors.model");
	Input::add_event([$source=vectors + "conn.log", $name="vectors", $reader=Input::READER_RAW,
	    $fields=Line, $want_record=F, $ev=line]);
	}

event Input::end_of_data(name: string, source: string)
	{
	if ( /allow/ in name ) # the package's own stream
		return;

	print fmt("%d equal", equal);
	terminate();
	}
