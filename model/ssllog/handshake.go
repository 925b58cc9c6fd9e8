package ssllog

import "github.com/zeek-iforest/zeek-iforest/model/conn"

// Handshake is a row of ssl.log: the beginning of a connection of TLS or DTLS.
type Handshake struct {
	conn.Seen

	Version      string // "TLSv13"
	Cipher       string
	ServerName   string // the name that the client asks for (SNI)
	LastAlert    string
	NextProtocol string // "h2"
	History      string // ssl_history
	Validation   string // validation_status: "ok", or what is wrong with the certificate
	JA4, JA3     string // of the client, where a package has put them

	Resumed     bool
	Established bool
	Matches     bool // sni_matches_cert

	Certificate Certificate // where Set says that it is known

	Set    Fields // of Matches and KnownCertificate, those with a value
	Absent Fields // those for which the log has no column
}

// Certificate is the one that the server showed of itself, the first of its
// chain. TLS 1.3 hides it, and a session that is resumed needs none.
type Certificate struct {
	Subject, Issuer string      // distinguished names as Zeek has them: "CN=…,O=…"
	Begins, Ends    conn.Micros // not_valid_before, not_valid_after
}

// Fields are fields of a Handshake, as bits.
type Fields uint16

// The fields.
const (
	Version Fields = 1 << iota
	Cipher
	ServerName
	LastAlert
	NextProtocol
	History
	Validation
	Resumed
	Established
	Matches
	KnownCertificate
)

// FieldNames are the columns of Fields, by their bits.
var FieldNames = [...]string{
	"version", "cipher", "server_name", "last_alert", "next_protocol", "ssl_history",
	"validation_status", "resumed", "established", "sni_matches_cert", "cert_chain_fps",
}

// Has reports whether the field has a value.
func (h *Handshake) Has(f Fields) bool { return h.Set&f != 0 }

// Fingerprint returns the client's: JA4, or JA3 where there is no JA4.
func (h *Handshake) Fingerprint() string {
	if h.JA4 != "" {
		return h.JA4
	}
	return h.JA3
}

// Proto returns the transport: DTLS goes over UDP.
func (h *Handshake) Proto() conn.Proto {
	if len(h.Version) >= 4 && h.Version[:4] == "DTLS" {
		return conn.UDP
	}
	return conn.TCP
}
