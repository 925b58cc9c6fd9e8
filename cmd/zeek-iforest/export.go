package main

import (
	"errors"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/internal/onnx"
)

var exportVerb = verb{
	name:     "export",
	synopsis: "--onnx FILE MODEL",
	short:    "write a model for another engine",
	about: `ONNX takes vectors of doubles, named and described in the file's metadata, and gives
the digits of score. It needs an engine with ai.onnx.ml 5 (ONNX Runtime 1.20 or newer).`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		to := flags.String("onnx", "", "write ONNX to `FILE`, - is standard output")
		return func(s *session, files []string) error {
			if len(files) != 1 {
				return errors.New("one model wanted")
			}
			if *to == "" {
				return hinted(errors.New("no format given"), "--onnx FILE writes ONNX")
			}
			m, err := readModel(files[0])
			if err != nil {
				return err
			}
			file, err := onnx.Marshal(m)
			if err != nil {
				return err
			}
			o, err := s.output(*to)
			if err != nil {
				return err
			}
			defer o.discard()
			if _, err := o.Write(file); err != nil {
				return err
			}
			return o.commit()
		}
	},
}
