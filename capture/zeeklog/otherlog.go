package zeeklog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrOtherLog is what the errors of JSON rows are (errors.Is) that lack a key
// which every row of conn.log has. Mostly it is a row of another log, and many
// follow that lack the same.
var ErrOtherLog = errors.New("a row of another log")

// keyError is an ErrOtherLog that says what is missing.
type keyError string

func (e keyError) Error() string   { return string(e) }
func (keyError) Is(err error) bool { return err == ErrOtherLog }

// otherRow returns the error of a row without that key of conn.log.
func otherRow(object string, missing field) error {
	name := columns[missing].name
	switch kind := kindOf(object); {
	case kind != "":
		return keyError(fmt.Sprintf("not a row of conn.log but of %s: no %s", kind, name))
	case columns[missing].required:
		return &fieldError{missing, keyError("is missing")}
	}
	return keyError("not a row of conn.log: no " + name)
}

// telling are keys that tell Zeek's other logs: a row has all of one of the
// lists. The first log that fits is named.
var telling = []struct {
	log  string
	keys [][]string
}{
	{"iforest_long.log", [][]string{{"look", "conn_state"}}},
	{"dns.log", [][]string{{"qtype"}, {"rcode"}, {"rcode_name"}, {"AA", "TC"}, {"trans_id", "query"}}},
	{"smtp.log", [][]string{{"trans_depth", "helo"}, {"mailfrom"}, {"rcptto"}, {"last_reply"}}},
	{"sip.log", [][]string{{"call_id"}, {"request_path"}}},
	{"http.log", [][]string{{"trans_depth"}, {"status_code", "method"}}},
	{"x509.log", [][]string{{"certificate.serial"}, {"certificate.subject"}, {"san.dns"}}},
	{"ssl.log", [][]string{{"cipher"}, {"ssl_history"}, {"resumed", "established"}, {"server_name", "version"}}},
	{"files.log", [][]string{{"fuid", "seen_bytes"}, {"fuid", "is_orig"}, {"fuid", "analyzers"}}},
	{"ocsp.log", [][]string{{"certStatus"}}},
	{"pe.log", [][]string{{"compile_ts"}, {"is_exe"}}},
	{"notice.log", [][]string{{"note", "suppress_for"}, {"note", "msg"}, {"note", "actions"}}},
	{"weird.log", [][]string{{"name", "notice", "peer"}, {"name", "notice"}}},
	{"ssh.log", [][]string{{"auth_attempts"}, {"kex_alg"}, {"host_key_alg"}, {"hasshVersion"}}},
	{"dhcp.log", [][]string{{"msg_types"}, {"client_fqdn"}, {"assigned_addr"}, {"lease_time"}}},
	{"ntp.log", [][]string{{"stratum"}, {"root_delay"}}},
	{"kerberos.log", [][]string{{"request_type"}, {"renewable", "forwardable"}}},
	{"dce_rpc.log", [][]string{{"named_pipe"}, {"endpoint", "operation"}}},
	{"smb_mapping.log", [][]string{{"share_type"}}},
	{"smb_files.log", [][]string{{"action", "times.modified"}, {"action", "name", "size"}, {"action", "path"}}},
	{"ntlm.log", [][]string{{"domainname"}, {"server_nb_computer_name"}, {"hostname", "success"}}},
	{"rdp.log", [][]string{{"security_protocol"}, {"cookie", "result"}, {"keyboard_layout"}}},
	{"ftp.log", [][]string{{"reply_code"}, {"command", "arg"}, {"data_channel.passive"}}},
	{"snmp.log", [][]string{{"community"}, {"get_requests"}}},
	{"quic.log", [][]string{{"client_initial_dcid"}}},
	{"mqtt_publish.log", [][]string{{"topic", "payload"}}},
	{"syslog.log", [][]string{{"facility", "severity"}}},
	{"radius.log", [][]string{{"framed_addr"}, {"connect_info"}, {"username", "mac"}}},
	{"tunnel.log", [][]string{{"tunnel_type"}}},
	{"software.log", [][]string{{"software_type"}, {"unparsed_version"}}},
	{"analyzer.log", [][]string{{"failure_reason"}, {"analyzer_kind"}}},
	{"modbus.log", [][]string{{"unit", "func"}}},
	{"dnp3.log", [][]string{{"fc_request"}}},
	{"socks.log", [][]string{{"request_p"}, {"bound_p"}}},
	{"irc.log", [][]string{{"nick"}}},
	{"intel.log", [][]string{{"seen.indicator"}, {"matched"}}},
	{"stats.log", [][]string{{"pkts_proc"}}},
	{"capture_loss.log", [][]string{{"percent_lost"}}},
	{"reporter.log", [][]string{{"level", "message", "location"}}},
	{"known_services.log", [][]string{{"port_num"}}},
}

// kindOf says which log an object is a row of: by what it says itself, as
// log shippers write it, else by its keys. It is "" if that is not known.
func kindOf(object string) string {
	members := jsonMembers{text: object, escapes: true, at: skipSpace(object, 0)}
	keys := map[string]bool{}
	suricata := ""
	for {
		m, ok, err := members.next()
		if err != nil || !ok {
			break
		}
		value := object[m.value:m.end]
		switch m.key {
		case "_path", "path", "log_type", "#path":
			if name := logName(value); name != "" && (m.key != "path" || len(keys) == 0) {
				return name + ".log"
			}
		case "event_type":
			suricata = logName(value)
		}
		keys[m.key] = true
	}
	if suricata != "" && (keys["src_ip"] || keys["flow_id"]) {
		return "Suricata (" + suricata + ")"
	}
	return logOfKeys(func(key string) bool { return keys[key] })
}

// logOfKeys returns the log that keys tell, or "" if they tell none.
func logOfKeys(has func(key string) bool) string {
	for _, t := range telling {
		for _, list := range t.keys {
			if !slices.ContainsFunc(list, func(key string) bool { return !has(key) }) {
				return t.log
			}
		}
	}
	return ""
}

// logName returns a string that can be a log's name, without .log; "" for others and
// for conn.
func logName(value string) string {
	if len(value) < 3 || value[0] != '"' || len(value) > 40 {
		return ""
	}
	name := strings.TrimSuffix(value[1:len(value)-1], ".log")
	for i := 0; i < len(name); i++ {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return ""
		}
	}
	if name == "conn" {
		return ""
	}
	return name
}

// pathOf returns the log's name in the #path line of a header, or "" if there is none.
func (l *layout) pathOf(head string) string {
	for line := range strings.Lines(head) {
		rest, _ := l.cutMeta(strings.TrimRight(line, "\r\n"))
		if key, value, ok := strings.Cut(rest, l.sep); ok && key == "path" {
			return logName(`"` + value + `"`)
		}
	}
	return ""
}
