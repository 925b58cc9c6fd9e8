package conn

// Proto is Zeek's transport_proto.
type Proto uint8

// The transports, in the order of Zeek's enum (src/types.bif, TransportProto).
const (
	UnknownTransport Proto = iota
	TCP
	UDP
	ICMP
	NumProto
)

var protoNames = [NumProto]string{"unknown_transport", "tcp", "udp", "icmp"}

// String returns the name in conn.log.
func (p Proto) String() string {
	if p < NumProto {
		return protoNames[p]
	}
	return protoNames[UnknownTransport]
}

// ParseProto is the inverse of String.
func ParseProto(s string) (Proto, bool) {
	for p, name := range protoNames {
		if s == name {
			return Proto(p), true
		}
	}
	return UnknownTransport, false
}

// State is conn.log's conn_state; zero is unset.
type State uint8

// The states (scripts/base/protocols/conn/main.zeek, function conn_state).
const (
	NoState State = iota
	S0            // connection attempt seen, no reply
	S1            // established, not terminated
	SF            // normal establishment and termination
	REJ           // connection attempt rejected
	S2            // established, close attempt by the originator, no reply
	S3            // established, close attempt by the responder, no reply
	RSTO          // established, originator aborted
	RSTR          // responder sent a RST
	RSTOS0        // originator sent a SYN and then a RST, no SYN-ACK seen
	RSTRH         // responder sent a SYN-ACK and then a RST, no SYN seen
	SH            // originator sent a SYN and then a FIN, no SYN-ACK seen
	SHR           // responder sent a SYN-ACK and then a FIN, no SYN seen
	OTH           // no SYN seen, midstream traffic
	NumState
)

var stateNames = [NumState]string{"-", "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"}

// String returns the name in conn.log, "-" when unset.
func (s State) String() string {
	if s < NumState {
		return stateNames[s]
	}
	return stateNames[NoState]
}

// ParseState is the inverse of String.
func ParseState(name string) (State, bool) {
	for s, n := range stateNames {
		if name == n {
			return State(s), true
		}
	}
	return NoState, false
}

// Established reports whether the handshake was completed: SF, S1–S3, RSTO, RSTR.
func (s State) Established() bool {
	switch s {
	case SF, S1, S2, S3, RSTO, RSTR:
		return true
	}
	return false
}

// Failed reports whether the attempt came to nothing or was seen from one side
// only: S0, REJ, RSTOS0, RSTRH, SH, SHR, OTH.
func (s State) Failed() bool { return s != NoState && !s.Established() }
