package main

import (
	"errors"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/internal/onnx"
)

var exportVerb = verb{
	name:     "export",
	logs:     true,
	synopsis: "--onnx FILE MODEL | --vectors FILE MODEL [CONN.LOG …]",
	short:    "write a model for another engine, or vectors to train one",
	about: `ONNX takes vectors of doubles, named and described in the file's metadata, and gives
the digits of score. It needs an engine with ai.onnx.ml 5 (ONNX Runtime 1.20 or newer).

Vectors are those of the logs' connections under the model: NumPy's format where the
name ends in .npy, else CSV. zeek-iforest import brings a forest of them back.`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		to := flags.String("onnx", "", "write ONNX to `FILE`, - is standard output")
		vectors := flags.String("vectors", "", "write the vectors of the logs' connections to `FILE`, - is standard output")
		strict := strictFlag(flags)
		return func(s *session, files []string) error {
			switch {
			case *to == "" && *vectors == "":
				return hinted(errors.New("no format given"), "--onnx FILE writes ONNX, --vectors FILE the vectors of logs")
			case *to != "" && *vectors != "":
				return errors.New("--onnx and --vectors are two runs")
			case len(files) == 0 || *to != "" && len(files) > 1:
				return errors.New("one model wanted")
			case *vectors != "":
				m, err := readModel(files[0])
				if err != nil {
					return err
				}
				return s.vectors(*vectors, m, files[1:], *strict)
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
