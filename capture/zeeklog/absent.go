package zeeklog

import "github.com/zeek-iforest/zeek-iforest/model/conn"

// absentBits are the fields whose absence matters to whoever reads connections.
// Zeek always sets the last five, so "-" there is no value either, nor is a JSON
// row without their key. Of the others a JSON row cannot tell: it leaves out
// what is unset.
var absentBits = [numField]conn.Fields{
	service:     conn.Service,
	duration:    conn.Duration,
	origBytes:   conn.OrigBytes,
	respBytes:   conn.RespBytes,
	localOrig:   conn.LocalOrig,
	missedBytes: conn.MissedBytes,
	origPkts:    conn.OrigPkts,
	origIPBytes: conn.OrigIPBytes,
	respPkts:    conn.RespPkts,
	respIPBytes: conn.RespIPBytes,
}

// AbsentNames names the columns of those fields, in conn.log's order.
func AbsentNames(fields conn.Fields) (names []string) {
	for f := range numField {
		if bit := absentBits[f]; bit != 0 && fields&bit != 0 {
			names = append(names, columns[f].name)
		}
	}
	return names
}

// AbsentOf returns the bit of conn.log's column of that name, or 0 if nothing
// depends on it.
func AbsentOf(name string) conn.Fields {
	if f, ok := fieldNames[name]; ok {
		return absentBits[f]
	}
	return 0
}
