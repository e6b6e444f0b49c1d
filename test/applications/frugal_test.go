//go:build !race

package applications

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"composecdk/test/fixture"
)

// queues returns n queues of ten services, some of which scale by one.
func queues(n int) string {
	var text strings.Builder
	text.WriteString("services:\n")
	for i := range 10 {
		fmt.Fprintf(&text, "  s%d: {image: 'nginx:1.27'}\n", i)
	}
	text.WriteString("x-sqs:\n")
	for i := range n {
		scaling := ""
		if i < 10 {
			scaling = ", Scaling: {Steps: [{LowerBound: 0, UpperBound: 100, Count: 1}, {LowerBound: 100, Count: 5}]}"
		}
		fmt.Fprintf(&text, "  q%03d: {Services: {s%d: {Access: RWMessages%s}}}\n", i, i%10, scaling)
	}
	return text.String()
}

// TestManyQueues: where queues are many, what services use of each must be one
// output, so that 200 fit in a stack; and to become many must change nothing but
// how services refer to them.
func TestManyQueues(t *testing.T) {
	few, many := synthesise(t, target{}, fixture.Write(t, queues(59))), synthesise(t, target{}, fixture.Write(t, queues(60)))
	expected := regexp.MustCompile(`^(\+ Data/xsqsq059\w+|~ Services/s\w+ Properties\.(PolicyDocument|Dimensions|ContainerDefinitions))$`)
	for _, change := range changes(few, many) {
		if !expected.MatchString(change) {
			t.Errorf("this changes too: %s", change)
		}
	}
	full := synthesise(t, target{}, fixture.Write(t, queues(200)))
	withinLimits(t, full)
	checkGate(t, full)
}
