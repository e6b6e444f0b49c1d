package guard

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// What the CDK throws must become an error with its path, an error must stay what
// it is, and a fault of the program must go on as a panic.
func TestTry(t *testing.T) {
	ordinary := errors.New("ordinary")
	for name, c := range map[string]struct {
		f    func() (int, error)
		want string
	}{
		"a value":      {func() (int, error) { return 7, nil }, "7 <nil>"},
		"an error":     {func() (int, error) { return 0, ordinary }, "0 ordinary"},
		"an exception": {func() (int, error) { panic(errors.New("Error: too long")) }, "0 x-sqs.q: Error: too long"},
		"the kernel":   {func() (int, error) { panic(errors.New("JsiiError: lost")) }, "panic JsiiError: lost"},
		"a bug":        {func() (int, error) { var none map[string][]int; return none["a"][0], nil }, "panic runtime error: index out of range [0] with length 0"},
		"no error":     {func() (int, error) { panic("text") }, "panic text"},
	} {
		t.Run(name, func(t *testing.T) {
			got := func() (got string) {
				defer func() {
					if thrown := recover(); thrown != nil {
						got = fmt.Sprint("panic ", thrown)
					}
				}()
				value, err := Try("x-sqs.q", c.f)
				return fmt.Sprint(value, " ", err)
			}()
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	if _, err := Try("x", func() (int, error) { return 0, ordinary }); !errors.Is(err, ordinary) {
		t.Errorf("got %v", err)
	}
}

// A panic must not reach a user: its first line is the error, the stack is kept.
func TestContain(t *testing.T) {
	if err := Contain(func() error { return nil }); err != nil {
		t.Errorf("got %v", err)
	}
	err := Contain(func() error { panic("first\nsecond") })
	fault := (*Fault)(nil)
	if !errors.As(err, &fault) || err.Error() != "first" || !strings.Contains(string(fault.Stack), "TestContain") {
		t.Errorf("got %v", err)
	}
}
