##! The allow-list: connections that are scored and logged, but raise no notice.
##! Labels stand in it, too: what is like a benign connection raises no notice,
##! what is like a bad one does, whatever the other entries say.
##! Its file is the one that ``zeek-iforest allow`` writes and ``zeek-iforest
##! watch`` reads. It is read again when it changes; one with a mistake is
##! refused with a warning, and the list before it holds on. Of one that would
##! allow everything, the entries that do so are left out with a warning. In a
##! cluster the manager reads it and hands it to the workers.

@load base/frameworks/cluster
@load base/frameworks/input
@load base/frameworks/supervisor
@load base/frameworks/telemetry
@load base/utils/site
@load ./options

module IForest;

export {
	## Whether the allow-list names a connection; one that it names is counted
	## by the telemetry (``iforest_allowed``).
	##
	## c: The connection, its ``c$conn`` filled in.
	##
	## Returns: True where nobody is to be told of it.
	global allowed: function(c: connection): bool;

	## The same for a row of another log. An entry that names a service names the
	## log's, and a label never names it: labels are about connections.
	##
	## id: Between whom the row is.
	##
	## ts: When it was.
	##
	## path: The log, as in its ``#path``.
	##
	## Returns: True where nobody is to be told of it.
	global allowed_row: function(id: conn_id, ts: time, path: string): bool;

	## Raised when an allow-list has been taken into use.
	##
	## entries: How many entries it has, those that are over included.
	global allow_list_read: event(entries: count);
}

# A line of the file. Texts, because the reader makes 0.0.0.0 of what is no
# address and cuts port 70000 down (src/threading/formatters/Ascii.cc); none of
# them optional, because a missing column would make every entry wider.
type AllowLine: record {
	originator: string;
	responder: string;
	network: string;
	resp_p: string;
	service: string;
	expires: string;
	# Of labels. A file without labels lacks these columns, all of them.
	verdict: string &optional;
	proto: string &optional;
	local_orig: string &optional;
	conn_state: string &optional;
	orig_ip_bytes: string &optional;
	resp_ip_bytes: string &optional;
};

# What all must hold; internal/alert/allow.go and label.go have the same.
type AllowEntry: record {
	originator: addr &optional;
	responder: addr &optional;
	network: subnet &optional;
	resp_p: count &optional;
	proto: transport_proto &optional;
	service: string &optional;
	expires: time &optional;
	bad: bool &default=F;
	local_orig: bool &optional;
	conn_state: string &optional;
	orig_low: count &default=0;
	orig_high: count &optional;
	resp_low: count &default=0;
	resp_high: count &optional;
};

const allow_header = "#fields\toriginator\tresponder\tnetwork\tresp_p\tservice\texpires\tcomment";

const allow_protos = table(["tcp"] = tcp, ["udp"] = udp, ["icmp"] = icmp);

global allow_list: vector of AllowEntry;
global allow_hits = 0;

# The file that is being read, the stream that reads it, the entries so far and
# what was wrong first.
global allow_path = "";
global allow_streams = 0;
global allow_reading: vector of AllowEntry;
global allow_lines = 0;
global allow_wrong = "";

# The entries left out because they would allow everything, the first of them,
# and what the others name so far: IPv4 addresses, IPv6 networks of /32, ports.
global allow_refused = 0;
global allow_refused_first = "";
global allow_ipv4 = 0;
global allow_ipv6 = 0;
global allow_ports = 0;
global allow_suspended = F;

# Workers get the list by this event.
global use_allow_list: event(entries: vector of AllowEntry);

global allowed_cf = Telemetry::register_counter_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="allowed", $unit="",
    $help_text="Unusual connections that nobody was told of because the allow-list names them"));

global allow_entries_gf = Telemetry::register_gauge_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="allow_entries", $unit="",
    $help_text="Entries of the allow-list in use"));

function is_set(text: string): bool
	{
	return text != "-" && text != "" && text != "(empty)";
	}

# Fills what a label names besides. Returns what is wrong, "" for nothing.
function parse_label(line: AllowLine, e: AllowEntry): string
	{
	if ( ! line?$verdict && ! line?$proto && ! line?$local_orig && ! line?$conn_state && ! line?$orig_ip_bytes && ! line?$resp_ip_bytes )
		return "";

	# With a name that is wrong the entry would be wider than it was meant.
	if ( ! line?$verdict || ! line?$proto || ! line?$local_orig || ! line?$conn_state || ! line?$orig_ip_bytes || ! line?$resp_ip_bytes )
		return "some columns of labels are missing: want verdict, proto, local_orig, conn_state, orig_ip_bytes, resp_ip_bytes";

	if ( is_set(line$verdict) )
		{
		if ( line$verdict != "bad" && line$verdict != "benign" )
			return fmt("verdict: \"%s\" is neither benign nor bad", line$verdict);
		e$bad = line$verdict == "bad";
		}

	if ( is_set(line$proto) )
		{
		if ( line$proto !in allow_protos )
			return fmt("proto: there is no protocol \"%s\"", line$proto);
		e$proto = allow_protos[line$proto];
		}

	if ( is_set(line$local_orig) )
		{
		if ( line$local_orig != "T" && line$local_orig != "F" )
			return fmt("local_orig: \"%s\" is neither T nor F", line$local_orig);
		e$local_orig = line$local_orig == "T";
		}

	if ( is_set(line$conn_state) )
		e$conn_state = line$conn_state;

	local range = /[0-9]{1,18}-[0-9]{1,18}/;
	if ( is_set(line$orig_ip_bytes) )
		{
		if ( range != line$orig_ip_bytes )
			return fmt("orig_ip_bytes: \"%s\" is not a range such as 1024-8191", line$orig_ip_bytes);
		local sent = split_string1(line$orig_ip_bytes, /-/);
		e$orig_low = to_count(sent[0]);
		e$orig_high = to_count(sent[1]);
		}

	if ( is_set(line$resp_ip_bytes) )
		{
		if ( range != line$resp_ip_bytes )
			return fmt("resp_ip_bytes: \"%s\" is not a range such as 1024-8191", line$resp_ip_bytes);
		local received = split_string1(line$resp_ip_bytes, /-/);
		e$resp_low = to_count(received[0]);
		e$resp_high = to_count(received[1]);
		}

	return "";
	}

# Fills an entry from a line. Returns what is wrong with it, "" for nothing.
function parse_allow(line: AllowLine, e: AllowEntry): string
	{
	if ( is_set(line$originator) )
		{
		if ( ! is_valid_ip(line$originator) )
			return fmt("originator: \"%s\" is not an address", line$originator);
		e$originator = to_addr(line$originator);
		}

	if ( is_set(line$responder) )
		{
		if ( ! is_valid_ip(line$responder) )
			return fmt("responder: \"%s\" is not an address", line$responder);
		e$responder = to_addr(line$responder);
		}

	if ( is_set(line$network) )
		{
		if ( ! is_valid_subnet(line$network) )
			return fmt("network: \"%s\" is not a network such as 10.0.0.0/8", line$network);
		e$network = to_subnet(line$network);
		}

	if ( is_set(line$resp_p) )
		{
		local p = split_string1(line$resp_p, /\//);
		if ( /[0-9]{1,5}/ != p[0] || to_count(p[0]) > 65535 )
			return fmt("resp_p: \"%s\" is not a port such as 443/tcp", line$resp_p);
		e$resp_p = to_count(p[0]);
		if ( |p| > 1 && p[1] in allow_protos )
			e$proto = allow_protos[p[1]];
		else if ( |p| > 1 && p[1] != "unknown_transport" )
			return fmt("resp_p: there is no protocol \"%s\"", p[1]);
		}

	if ( is_set(line$service) )
		{
		if ( /[ \t\r\n]/ in line$service )
			return fmt("service: \"%s\" is no service such as dns", line$service);
		e$service = line$service;
		}

	if ( is_set(line$expires) )
		{
		if ( /[0-9]{1,11}(\.[0-9]+)?/ != line$expires )
			return fmt("expires: \"%s\" is not a time in seconds since 1970", line$expires);
		e$expires = double_to_time(to_double(line$expires));
		}

	return parse_label(line, e);
	}

# Whether with this entry the list would allow everything. The rule is that of
# internal/alert/everything.go and must agree: a network is a limit from /8 on,
# and what names only a network or only a port may add up to a quarter.
function allow_too_wide(e: AllowEntry): bool
	{
	if ( e$bad || e?$originator || e?$responder || e?$service )
		return F;

	local narrow = F;
	local size = 0;
	if ( e?$network )
		{
		local width = subnet_width(e$network);
		# IPv4 addresses lie within IPv6's, in ::ffff:0:0/96.
		narrow = width >= 8 && (is_v4_subnet(e$network) || 0.0.0.0 !in e$network);
		if ( width <= 32 )
			size = double_to_count(pow(2.0, 32.0 - width));
		}

	if ( e?$resp_p )
		{
		if ( narrow )
			return F;
		if ( allow_ports >= 16384 )
			return T;
		++allow_ports;
		return F;
		}

	if ( ! narrow )
		return T;

	if ( is_v4_subnet(e$network) )
		{
		if ( allow_ipv4 + size > 1073741824 )
			return T;
		allow_ipv4 += size;
		return F;
		}

	if ( allow_ipv6 + size > 134217728 )
		return T;
	allow_ipv6 += size;
	return F;
	}

# Before a list is read.
function allow_begin()
	{
	allow_reading = vector();
	allow_lines = 0;
	allow_wrong = "";
	allow_refused = 0;
	allow_refused_first = "";
	allow_ipv4 = 0;
	allow_ipv6 = 0;
	allow_ports = 0;
	}

function allow_label_names(e: AllowEntry, c: connection): bool
	{
	if ( ! e?$local_orig && ! e?$conn_state && ! e?$orig_high && ! e?$resp_high )
		return T;

	if ( ! c?$conn )
		return F;

	local row = c$conn;
	# As model/alerts has it.
	if ( e?$local_orig && e$local_orig != (row?$local_orig ? row$local_orig : Site::is_private_addr(c$id$orig_h)) )
		return F;
	if ( e?$conn_state && ( ! row?$conn_state || e$conn_state != row$conn_state ) )
		return F;

	local sent = row?$orig_ip_bytes ? row$orig_ip_bytes : 0;
	local received = row?$resp_ip_bytes ? row$resp_ip_bytes : 0;
	return ( ! e?$orig_high || ( e$orig_low <= sent && sent <= e$orig_high ) ) &&
	    ( ! e?$resp_high || ( e$resp_low <= received && received <= e$resp_high ) );
	}

# Whether all but the service and what a label says holds.
function allow_entry_names(e: AllowEntry, id: conn_id, start: time): bool
	{
	if ( ! e$bad && e?$expires && start >= e$expires )
		return F;
	if ( e?$originator && e$originator != id$orig_h )
		return F;
	if ( e?$responder && e$responder != id$resp_h )
		return F;
	if ( e?$network && id$orig_h !in e$network && id$resp_h !in e$network )
		return F;
	if ( e?$resp_p && e$resp_p != port_to_count(id$resp_p) )
		return F;
	return ! e?$proto || e$proto == get_port_transport_proto(id$resp_p);
	}

function allow_line_names(e: AllowEntry, c: connection): bool
	{
	if ( ! allow_entry_names(e, c$id, c$start_time) || ! allow_label_names(e, c) )
		return F;
	if ( ! e?$service )
		return T;

	if ( ! c?$conn || ! c$conn?$service )
		return F;

	for ( i, service in split_string(c$conn$service, /,/) )
		if ( service == e$service )
			return T;

	return c$conn$service == e$service;
	}

# Whether nobody is to be told of a connection.
function allow_names(c: connection): bool
	{
	local benign = F;
	for ( i, e in allow_list )
		if ( ( e$bad || ! benign ) && allow_line_names(e, c) )
			{
			if ( e$bad )
				return F;
			benign = T;
			}

	return benign;
	}

function allowed(c: connection): bool
	{
	local benign = allow_names(c);
	if ( benign )
		++allow_hits;
	return benign;
	}

function allowed_row(id: conn_id, ts: time, path: string): bool
	{
	for ( i, e in allow_list )
		if ( ! e$bad && ! e?$local_orig && ! e?$conn_state && ! e?$orig_high && ! e?$resp_high &&
		     ( ! e?$service || e$service == path ) && allow_entry_names(e, id, ts) )
			{
			++allow_hits;
			return T;
			}

	return F;
	}

event use_allow_list(entries: vector of AllowEntry)
	{
	allow_list = entries;
	event allow_list_read(|entries|);
	}

# In a trace the first packet waits for the list (see follow_allow_file).
function allow_resume()
	{
	if ( allow_suspended )
		{
		allow_suspended = F;
		continue_processing();
		}
	}

event allow_line(desc: Input::EventDescription, what: Input::Event, line: AllowLine)
	{
	if ( desc$name != fmt("iforest-allow-%d", allow_streams) )
		return;

	++allow_lines;
	local e = AllowEntry();
	local wrong = parse_allow(line, e);
	if ( wrong != "" )
		{
		if ( allow_wrong == "" )
			allow_wrong = fmt("entry %d: %s", allow_lines, wrong);
		}
	else if ( ! allow_too_wide(e) )
		allow_reading += e;
	else if ( ++allow_refused == 1 )
		allow_refused_first = fmt("entry %d: with it everything would be allowed", allow_lines);
	}

event allow_error(desc: Input::EventDescription, message: string, level: Reporter::Level)
	{
	if ( desc$name != fmt("iforest-allow-%d", allow_streams) )
		return;

	# Of a line; a file that is missing or unreadable is told by Zeek itself,
	# and says nothing about the list that comes when it is back.
	local of_line = /^Not enough fields/ in message;
	if ( of_line && allow_wrong == "" )
		allow_wrong = message;

	# Behind a line that is only warned of comes the rest of the list, and its end.
	if ( ! of_line || level != Reporter::WARNING )
		allow_resume();
	}

event Input::end_of_data(name: string, source: string)
	{
	if ( name != fmt("iforest-allow-%d", allow_streams) )
		return;

	if ( allow_wrong == "" )
		{
		event use_allow_list(allow_reading);
		if ( Cluster::is_enabled() )
			Cluster::publish(Cluster::worker_topic, use_allow_list, allow_reading);
		if ( allow_refused > 0 )
			Reporter::warning(fmt("IForest: the other entries of the allow-list are used: %s: %s%s", allow_path,
			    allow_refused_first, allow_refused > 1 ? fmt(" (and %d more)", allow_refused - 1) : ""));
		}
	else
		Reporter::warning(fmt("IForest: the allow-list before it holds on: %s: %s", allow_path, allow_wrong));

	allow_begin();
	allow_resume();
	}

# Whether this process reads the file.
function reads_allow_file(): bool
	{
	if ( Supervisor::is_supervisor() )
		return F;

	return ! Cluster::is_enabled() || Cluster::local_node_type() == Cluster::MANAGER;
	}

function follow_allow_file(path: string)
	{
	if ( ! reads_allow_file() )
		return;

	if ( allow_streams > 0 )
		Input::remove(fmt("iforest-allow-%d", allow_streams));

	allow_path = path == "" ? @DIR + "/allow.tsv" : path;
	allow_begin();
	Input::add_event(Input::EventDescription(
	    $source=allow_path, $name=fmt("iforest-allow-%d", ++allow_streams),
	    $mode=Input::REREAD, $fields=AllowLine, $ev=allow_line, $error_ev=allow_error,
	    # "-" comes as it is, see AllowLine.
	    $config=table(["unset_field"] = "(unset)")));
	}

function allow_file_changed(id: string, path: string): string
	{
	follow_allow_file(path);
	return path;
	}

event zeek_init()
	{
	Option::set_change_handler("IForest::allow_file", allow_file_changed);
	follow_allow_file(allow_file);

	# The file is read by a thread of its own: without a halt a short trace is
	# over before that. A list without an entry is nothing to wait for.
	if ( reading_traces() && file_size(allow_path) > |allow_header| + 1.0 )
		{
		allow_suspended = T;
		suspend_processing();
		}
	}

event Cluster::node_up(name: string, id: string)
	{
	if ( reads_allow_file() && name in Cluster::nodes && Cluster::nodes[name]$node_type == Cluster::WORKER )
		Cluster::publish(Cluster::node_topic(name), use_allow_list, allow_list);
	}

hook Telemetry::sync()
	{
	Telemetry::counter_family_set(allowed_cf, vector(), allow_hits);
	Telemetry::gauge_family_set(allow_entries_gf, vector(), |allow_list|);
	}
