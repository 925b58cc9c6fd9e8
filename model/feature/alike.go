package feature

import "github.com/zeek-iforest/zeek-iforest/model/conn"

// AlikeConn reports whether a sample of conn.log may be that of a connection: all
// that depends on the connection alone is the same. What its log has no column
// for is not compared.
func AlikeConn(c *conn.Conn, used *Sample) bool {
	var own Sample
	own.SetConn(c, Window{}, nil)
	for i := duration; i <= missedBytes; i++ {
		// What is unset may have a number where the window says that no answer comes.
		if x := own.Vector[i]; x != Unset && x != used.Vector[i] && own.Absent>>i&1 == 0 {
			return false
		}
	}
	for i, coded := range Conn.Codes {
		if own.Codes[i] != used.Codes[i] && own.Absent>>coded.Feature&1 == 0 {
			return false
		}
	}
	return true
}
