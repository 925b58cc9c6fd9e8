package zeeklog

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// maxMicros keeps the sum of two times from overflowing: 146,000 years.
const maxMicros = math.MaxInt64 / 2

// parseSeconds parses seconds into microseconds: exactly where there are six
// decimals or fewer, else as the double that Zeek had (conn.FromSeconds).
func parseSeconds(s string) (conn.Micros, error) {
	digits, negative := s, false
	if len(s) > 0 && s[0] == '-' {
		digits, negative = s[1:], true
	}
	if m, ok := parseDecimal(digits); ok {
		if negative {
			m = -m
		}
		return m, nil
	}
	f, err := parseDouble(s)
	if err != nil {
		return 0, err
	}
	if math.Abs(f) > maxMicros/1e6 {
		return 0, fmt.Errorf("%s is out of range", quote(s))
	}
	return conn.FromSeconds(f), nil
}

// exactMicros is up to where a double of seconds tells microseconds apart, the
// year 2096. Beyond, the digits of a log are those of a double, and Zeek's own
// record has that double.
const exactMicros = 4e15

// parseDecimal parses at most twelve digits, a point and at most six digits, up
// to exactMicros.
func parseDecimal(s string) (conn.Micros, bool) {
	var n int64
	i := 0
	for ; i < len(s); i++ {
		d := s[i] - '0'
		if d > 9 {
			break
		}
		n = n*10 + int64(d)
	}
	if i == 0 || i > 12 {
		return 0, false
	}
	decimals := 0
	if i < len(s) {
		if s[i] != '.' {
			return 0, false
		}
		fraction := s[i+1:]
		if decimals = len(fraction); decimals == 0 || decimals > 6 {
			return 0, false
		}
		for j := 0; j < len(fraction); j++ {
			d := fraction[j] - '0'
			if d > 9 {
				return 0, false
			}
			n = n*10 + int64(d)
		}
	}
	n *= pow10[6-decimals]
	return conn.Micros(n), n <= exactMicros
}

var pow10 = [...]int64{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000}

// ParseTime parses a time as a log's ts column has it: seconds or milliseconds
// since 1970, or ISO 8601.
func ParseTime(s string) (conn.Micros, error) { return parseTime(s) }

// parseTime parses a point in time in any notation of Zeek's JSON writer
// (LogAscii::json_timestamps): seconds, ISO 8601, or milliseconds, which it
// writes without a point; so does zeek-cut -d for ISO 8601. A number from 10^11
// on is milliseconds (as such March 1973, as seconds the year 5138), from 10^14
// on microseconds, from 10^17 on nanoseconds, as databases have them.
func parseTime(s string) (conn.Micros, error) {
	if len(s) > 4 && s[4] == '-' {
		return parseISO8601(s)
	}
	if len(s) >= 12 {
		if m, ok := parseUnits(s); ok {
			return m, nil
		}
	}
	return parseSeconds(s)
}

// latestPoint is up to when milliseconds and the like can have a point, for
// Zeek's have none: the year 2128, as milliseconds.
const latestPoint = 5e12

// parseUnits parses what is too large for seconds.
func parseUnits(s string) (conn.Micros, bool) {
	whole, fraction, point := strings.Cut(s, ".")
	if len(whole) < 12 || len(fraction) > 6 {
		return 0, false
	}
	n, err := strconv.ParseUint(whole, 10, 63)
	part, ferr := strconv.ParseUint(fraction+"000000"[len(fraction):], 10, 63)
	switch {
	case err != nil || ferr != nil || n < 1e11 || point && n > latestPoint:
		return 0, false
	case n < 1e14:
		return conn.Micros(n*1000 + (part+500)/1000), true
	case n < 1e17:
		return conn.Micros(n + (part+500_000)/1e6), true
	}
	return conn.Micros((n + 500) / 1000), true
}

var isoLayouts = []string{
	"2006-01-02T15:04:05Z07:00", // Zeek; time.Parse takes decimals after any seconds
	"2006-01-02T15:04:05Z0700",  // zeek-cut -d
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00", // pandas
	"2006-01-02 15:04:05",
}

// parseISO8601 takes a time without zone as UTC.
func parseISO8601(s string) (conn.Micros, error) {
	for _, layout := range isoLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return conn.Micros(t.Round(time.Microsecond).UnixMicro()), nil
		}
	}
	return 0, fmt.Errorf("%s is not a time", quote(s))
}

// parseDuration parses seconds that are not negative.
func parseDuration(s string) (conn.Micros, error) {
	m, err := parseSeconds(s)
	if err == nil && m < 0 {
		return 0, fmt.Errorf("%s is negative", s)
	}
	return m, err
}
