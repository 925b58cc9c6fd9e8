package evaluate

import (
	"github.com/zeek-iforest/zeek-iforest/model/ssllog"
)

func handshake(r *Row) *ssllog.Handshake { return r.Value.(*ssllog.Handshake) }

func handshakeWord(name string, value func(*ssllog.Handshake) string) Column {
	return Column{Name: name, Word: func(r *Row) string { return unsetOr(value(handshake(r)) != "", value(handshake(r))) }}
}

// SSLColumns are the columns of ssl.log that rules look at.
var SSLColumns = []Column{
	{Name: "length of server_name", Number: func(r *Row) float64 { return float64(len(handshake(r).ServerName)) }},
	OrigPort,
	RespPort,
	handshakeWord("version", func(h *ssllog.Handshake) string { return h.Version }),
	handshakeWord("cipher", func(h *ssllog.Handshake) string { return h.Cipher }),
	handshakeWord("server_name", func(h *ssllog.Handshake) string { return h.ServerName }),
	handshakeWord("last_alert", func(h *ssllog.Handshake) string { return h.LastAlert }),
	handshakeWord("next_protocol", func(h *ssllog.Handshake) string { return h.NextProtocol }),
	handshakeWord("ssl_history", func(h *ssllog.Handshake) string { return h.History }),
	handshakeWord("validation_status", func(h *ssllog.Handshake) string { return h.Validation }),
	handshakeWord("ja4", func(h *ssllog.Handshake) string { return h.JA4 }),
	handshakeWord("ja3", func(h *ssllog.Handshake) string { return h.JA3 }),
	{Name: "resumed", Word: func(r *Row) string { return truth(true, handshake(r).Resumed) }},
	{Name: "established", Word: func(r *Row) string { return truth(true, handshake(r).Established) }},
	Service,
}
