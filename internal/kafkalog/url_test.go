package kafkalog

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func secret(where string) (string, error) {
	if where == "env:NAME" {
		return "open sesame", nil
	}
	return "", errors.New("no secret there")
}

func TestParseURL(t *testing.T) {
	topic, err := ParseURL("kafka://a,b:9093,[::1]:9094/conn.log?group=g&rewind=7&until=end", secret)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b:9093", "[::1]:9094"}, topic.brokers)
	assert.Equal(t, "conn.log", topic.Name)
	assert.Equal(t, "g", topic.Group)
	assert.Equal(t, "kafka://a,b:9093,[::1]:9094/conn.log", topic.Address())
	assert.EqualValues(t, 7, topic.Rewind)
	assert.True(t, topic.ToEnd)
	assert.Nil(t, topic.tls)

	topic, err = ParseURL("kafka+tls://a/conn?rewind=all&user=u&password=env:NAME&sasl=scram-sha-512", secret)
	require.NoError(t, err)
	assert.EqualValues(t, all, topic.Rewind)
	assert.NotNil(t, topic.tls)
	assert.Equal(t, "SCRAM-SHA-512", topic.sasl.Name())
}

func TestParseURLRefuses(t *testing.T) {
	for url, want := range map[string]string{
		"kafka:///conn":                                  "no broker",
		"kafka://a,/conn":                                "no broker",
		"kafka://a":                                      "no name of a topic",
		"kafka://a/":                                     "no name of a topic",
		"kafka://a/b/c":                                  "no name of a topic",
		"kafka://a/conn?rewind=-1":                       "rewind=-1: want a number of rows, or all",
		"kafka://a/conn?rewind=some":                     "rewind=some",
		"kafka://a/conn?until=now":                       "until=now: want end",
		"kafka://a/conn?offset=3":                        "offset=3: want group",
		"kafka://a/conn?user=u":                          "belong together",
		"kafka://a/conn?user=u&password=open":            "no secret there",
		"kafka://a/conn?user=u&password=env:NAME&sasl=x": "want plain",
		"kafka://a/conn?ca=/etc/ca.pem":                  "means nothing without kafka+tls",
		"kafka+tls://a/conn?ca=/nowhere/ca.pem":          "no such file",
	} {
		_, err := ParseURL(url, secret)
		assert.ErrorContains(t, err, want, url)
		assert.NotContains(t, err.Error(), "password=open", "it is no place to repeat a password")
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("kafka://a:9092,b/conn?group=g&until=end&rewind=all")
	f.Add("kafka+tls://a/conn?user=u&password=env:NAME")
	f.Fuzz(func(t *testing.T, url string) {
		if !IsURL(url) || strings.Contains(url, "ca=") || strings.Contains(url, "%") { // reads a file
			return
		}
		if topic, err := ParseURL(url, secret); err == nil {
			require.NotEmpty(t, topic.brokers)
			require.NotEmpty(t, topic.Name)
			require.GreaterOrEqual(t, topic.Rewind, int64(0))
		}
	})
}
