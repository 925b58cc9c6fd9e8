package testenv

import (
	"os"
	"path/filepath"
	"testing"
)

// Kafka returns the folder with the jars of a Kafka broker, which IFOREST_KAFKA
// names, or skips the test.
func Kafka(t testing.TB) string {
	t.Helper()
	Program(t, "java")
	jars := os.Getenv("IFOREST_KAFKA")
	if found, _ := filepath.Glob(filepath.Join(jars, "kafka_*.jar")); jars == "" || len(found) == 0 {
		Skip(t, "Kafka", "IFOREST_KAFKA names no folder with its jars (siem/kafka/pom.xml gets them)")
	}
	return jars
}
