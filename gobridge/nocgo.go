//go:build !cgo

package main

// Without cgo there is no library to build; this file says so to the linker's
// reader and keeps `go build ./...` and `go vet ./...` working.
func main() {
	panic("gobridge is the sensor library: build it with CGO_ENABLED=1 go build -buildmode=c-shared")
}
