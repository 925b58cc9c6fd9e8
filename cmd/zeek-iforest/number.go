package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// Every number that a user can give has a range, said where the option is
// defined: what is outside, no number or infinite is refused before anything is
// read. A default may lie outside, as 0 does where it means "not given".

// numeric are the types of the options' numbers.
type numeric interface{ int | uint64 | float64 }

// span is the range of an option's numbers.
type span[T numeric] struct {
	low, high T
	open      bool // low and high themselves are refused
}

// between returns the range of low to high, both included.
func between[T numeric](low, high T) span[T] { return span[T]{low: low, high: high} }

// inside returns the range of low to high, both excluded.
func inside(low, high float64) span[float64] { return span[float64]{low, high, true} }

// String returns the range in words, behind "must be".
func (s span[T]) String() string {
	if s.open {
		return fmt.Sprintf("above %s and below %s", plain(s.low), plain(s.high))
	}
	return fmt.Sprintf("from %s to %s", plain(s.low), plain(s.high))
}

// plain returns a number without an exponent.
func plain[T numeric](n T) string {
	if f, ok := any(n).(float64); ok {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return fmt.Sprint(n)
}

func (s span[T]) has(n T) bool {
	if s.open {
		return n > s.low && n < s.high
	}
	return n >= s.low && n <= s.high // false for NaN
}

var (
	errNoNumber = errors.New("not a number")
	errNoWhole  = errors.New("not a whole number")
)

// parse reads a number of the range.
func (s span[T]) parse(text string) (n T, err error) {
	text = strings.TrimSpace(text)
	switch at := any(&n).(type) {
	case *int:
		*at, err = strconv.Atoi(text)
	case *uint64:
		*at, err = strconv.ParseUint(text, 10, 64)
		if err != nil && errors.Is(whole(text), strconv.ErrRange) {
			err = strconv.ErrRange
		}
	case *float64:
		*at, err = strconv.ParseFloat(text, 64)
		if err == nil && math.IsNaN(*at) {
			err = errNoNumber
		}
	}
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && !s.has(n):
		return 0, fmt.Errorf("must be %v", s)
	case err == nil:
		return n, nil
	}
	if _, float := any(n).(float64); float {
		return 0, errNoNumber
	}
	return 0, errNoWhole
}

// whole is strconv.ErrRange for a whole number below 0, which has no place in a
// uint64.
func whole(text string) error {
	digits, negative := strings.CutPrefix(text, "-")
	if _, err := strconv.ParseUint(digits, 10, 64); err != nil || !negative {
		return err
	}
	return strconv.ErrRange
}

// number is the pflag.Value of one number.
type number[T numeric] struct {
	at *T
	span[T]
}

func (v *number[T]) Set(text string) error {
	n, err := v.parse(text)
	if err == nil {
		*v.at = n
	}
	return err
}

func (v *number[T]) String() string { return fmt.Sprint(*v.at) }
func (v *number[T]) Type() string   { return "number" }

// numberVar defines an option that is a number of the range.
func numberVar[T numeric](flags *pflag.FlagSet, at *T, name string, value T, s span[T], usage string) {
	*at = value
	flags.Var(&number[T]{at, s}, name, usage)
}

// numberFlag is numberVar with a variable of its own.
func numberFlag[T numeric](flags *pflag.FlagSet, name string, value T, s span[T], usage string) *T {
	at := new(T)
	numberVar(flags, at, name, value, s, usage)
	return at
}

// numbers is the pflag.Value of several numbers, separated by commas. The first
// ones that are given take the place of the default.
type numbers[T numeric] struct {
	at *[]T
	span[T]
	given bool
}

func (v *numbers[T]) Set(text string) error {
	var list []T
	for _, part := range strings.Split(text, ",") {
		n, err := v.parse(part)
		if err != nil {
			return err
		}
		list = append(list, n)
	}
	if v.given {
		list = append(*v.at, list...)
	}
	*v.at, v.given = list, true
	return nil
}

func (v *numbers[T]) String() string { return strings.ReplaceAll(fmt.Sprint(*v.at), " ", ",") }
func (v *numbers[T]) Type() string   { return "numbers" }

// numbersVar defines an option that is a list of numbers of the range.
func numbersVar[T numeric](flags *pflag.FlagSet, at *[]T, name string, value []T, s span[T], usage string) {
	*at = value
	flags.Var(&numbers[T]{at: at, span: s}, name, usage)
}

// Ranges that several options have.
var (
	positive = between(1, 1_000_000)
	anySeed  = between[uint64](0, math.MaxUint64)
	aShare   = inside(0, 1)
)

// budgetVar defines --alerts-per-day.
func budgetVar(flags *pflag.FlagSet, at *float64, value float64, usage string) {
	numberVar(flags, at, "alerts-per-day", value, between(0.001, 1_000_000), usage)
}

// invalid says in one way that the value of an option cannot be used.
func invalid(option, value string, err error) error {
	return fmt.Errorf("invalid --%s %q: %w", option, value, err)
}

// parseError returns the error of parsing options, in words that are the same
// whichever option it is.
func parseError(err error) error {
	if e := (*pflag.InvalidValueError)(nil); errors.As(err, &e) {
		return invalid(e.GetFlag().Name, e.GetValue(), cmp.Or(e.Unwrap(), err))
	}
	return err
}
