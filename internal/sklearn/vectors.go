package sklearn

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Vectors writes vectors to train a forest on.
type Vectors struct {
	w    io.Writer
	npy  bool
	rows int64
	buf  []byte
}

// npyHeader is the length of an NPY file's header, of format 1.0.
const npyHeader = 128

// NewNPY returns a writer of NumPy's format: floats, a row for each connection.
// The file's length stands at its beginning: Header comes last, for that place.
func NewNPY(w io.Writer) (*Vectors, error) {
	_, err := w.Write(make([]byte, npyHeader))
	return &Vectors{w: w, npy: true}, err
}

// NewCSV returns a writer of CSV with the features' names as its first line.
// Each number is a float's exact value.
func NewCSV(w io.Writer) (*Vectors, error) {
	_, err := io.WriteString(w, strings.Join(Names(), ",")+"\n")
	return &Vectors{w: w}, err
}

// Rows returns how many vectors were written.
func (v *Vectors) Rows() int64 { return v.rows }

// Write writes the vector of the next connection.
func (v *Vectors) Write(x []float32) error {
	v.rows++
	v.buf = v.buf[:0]
	for i, n := range x[:feature.Conn.N()] {
		if v.npy {
			v.buf = binary.LittleEndian.AppendUint32(v.buf, math.Float32bits(n))
			continue
		}
		if i > 0 {
			v.buf = append(v.buf, ',')
		}
		v.buf = strconv.AppendFloat(v.buf, float64(n), 'g', -1, 64)
	}
	if !v.npy {
		v.buf = append(v.buf, '\n')
	}
	_, err := v.w.Write(v.buf)
	return err
}

// Header returns the beginning of the NPY file.
func (v *Vectors) Header() []byte {
	dict := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", v.rows, feature.Conn.N())
	head := append([]byte("\x93NUMPY\x01\x00"), npyHeader-10, 0)
	head = append(head, dict...)
	for len(head) < npyHeader-1 {
		head = append(head, ' ')
	}
	return append(head, '\n')
}
