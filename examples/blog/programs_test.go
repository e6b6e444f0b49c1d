package blog_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"composecdk/examples/blog/local"
)

// The two programs, built by TestPrograms.
var app01, app02 string

func TestPrograms(t *testing.T) {
	bin := t.TempDir()
	app01, app02 = filepath.Join(bin, "app01"), filepath.Join(bin, "app02")
	for dir, out := range map[string]string{"app01": app01, "app02": app02} {
		if err := local.Build(dir, out); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("pass their own tests", testUnitTests)
	t.Run("a call sends a message and tells the time", testCall)
	t.Run("without a queue the time is told all the same", testWithoutQueue)
	t.Run("a service that is down is a bad gateway", testServiceDown)
	t.Run("a missing variable is one clear line", testMissingVariable)
}

// testUnitTests runs the tests of each program: a module of its own, which the root's
// `go test ./...` does not see.
func testUnitTests(t *testing.T) {
	for _, dir := range []string{"app01", "app02"} {
		if err := local.Go(dir, "test", "./..."); err != nil {
			t.Error(err)
		}
	}
}

func testCall(t *testing.T) {
	endpoint := local.Moto(t)
	queue := local.CreateQueue(t, endpoint, "Queue01")
	daemon := local.XRayDaemon(t, "127.0.0.1:0")
	xray := map[string]string{"AWS_XRAY_DAEMON_ADDRESS": daemon.Address}

	clock := local.Start(t, app02, xray)
	front := local.Start(t, app01, xray, local.Platform(endpoint),
		map[string]string{"APP02_URL": "http://app02:8080", "QUEUE01": queue},
		local.Discovery(t, map[string]string{"app02:8080": clock.Address}))

	var answer struct {
		Request string    `json:"request"`
		Message string    `json:"message"`
		Time    time.Time `json:"time"`
	}
	asked := time.Now()
	if status := get(t, front.URL+"/a/page", &answer); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if !local.Between(answer.Time, asked, time.Now()) {
		t.Errorf("app02 says it is %s", answer.Time)
	}

	messages := local.ReceiveMessages(t, endpoint, queue)
	if len(messages) != 1 || messages[0].ID != answer.Message {
		t.Fatalf("queue has %+v, the answer was %+v", messages, answer)
	}
	var body struct {
		ID   string    `json:"id"`
		Time time.Time `json:"time"`
		Path string    `json:"path"`
	}
	if err := json.Unmarshal([]byte(messages[0].Body), &body); err != nil {
		t.Fatal(err)
	}
	if body.ID != answer.Request || body.Path != "/a/page" || !local.Between(body.Time, asked, time.Now()) {
		t.Errorf("message %+v, the answer was %+v", body, answer)
	}

	// app02 answers, and so reports, first.
	inner, outer := daemon.Next(t), daemon.Next(t)
	if inner.Name != "app02" || outer.Name != "app01" || inner.TraceID != outer.TraceID {
		t.Fatalf("one trace through both was expected: %+v, %+v", outer, inner)
	}
	if calls := outer.Subsegments; len(calls) != 2 || calls[0].Name != "SQS" || calls[1].ID != inner.ParentID {
		t.Errorf("app01 must report its two calls: %+v, then %+v", outer, inner)
	}
	if !strings.Contains(messages[0].Trace, outer.TraceID) {
		t.Errorf("the message belongs to trace %q, not to %s", messages[0].Trace, outer.TraceID)
	}

	for _, p := range []*local.Process{front, clock} {
		if err := p.Stop(); err != nil {
			t.Errorf("SIGTERM: %v\n%s", err, p.Output())
		}
		for line := range strings.Lines(p.Output()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("a log line is not JSON: %s", line)
			}
		}
	}
}

// testWithoutQueue runs app01 in the smallest environment, as on a laptop: no queue, no
// region, no daemon.
func testWithoutQueue(t *testing.T) {
	clock := local.Start(t, app02)
	front := local.Start(t, app01, map[string]string{"APP02_URL": clock.URL})

	var answer map[string]any
	status := get(t, front.URL+"/", &answer)
	if message, there := answer["message"]; status != http.StatusOK || !there || message != nil || answer["time"] == "" {
		t.Errorf("status %d, %v", status, answer)
	}
	if got := strings.Count(front.Output(), "QUEUE01 is not set"); got != 1 {
		t.Errorf("the missing queue was mentioned %d times, want once:\n%s", got, front.Output())
	}

	port := strings.TrimPrefix(front.Address, "127.0.0.1:")
	env := map[string]string{"APP02_URL": clock.URL, "PORT": port}
	if out, status := local.Run(t, app01, []string{"-healthcheck"}, env); status != 0 {
		t.Errorf("the health check of a healthy program returned %d: %s", status, out)
	}
	if err := front.Stop(); err != nil {
		t.Error(err)
	}
	if _, status := local.Run(t, app01, []string{"-healthcheck"}, env); status != 1 {
		t.Errorf("the health check of a stopped program returned %d", status)
	}
}

func testServiceDown(t *testing.T) {
	clock := local.Start(t, app02)
	front := local.Start(t, app01, map[string]string{"APP02_URL": clock.URL})
	if err := clock.Stop(); err != nil {
		t.Fatal(err)
	}
	var answer map[string]string
	status := get(t, front.URL+"/", &answer)
	if status != http.StatusBadGateway || answer["service"] != "app02" || answer["error"] == "" {
		t.Errorf("app02 is down: status %d, %v", status, answer)
	}
	if status := get(t, front.URL+"/healthz", nil); status != http.StatusOK {
		t.Errorf("app01 itself is well, yet /healthz answers %d", status)
	}

	// A queue that does not exist, in an SQS that does.
	endpoint := local.Moto(t)
	clock = local.Start(t, app02)
	front = local.Start(t, app01, local.Platform(endpoint), map[string]string{
		"APP02_URL": clock.URL, "QUEUE01": endpoint + "/123456789012/nowhere",
	})
	answer = nil
	status = get(t, front.URL+"/", &answer)
	if status != http.StatusBadGateway || answer["service"] != "queue" {
		t.Errorf("no such queue: status %d, %v", status, answer)
	}
}

func testMissingVariable(t *testing.T) {
	for name, tc := range map[string]struct {
		binary string
		env    map[string]string
		want   string
	}{
		"app01 without app02":    {app01, nil, "APP02_URL is not set"},
		"app01 without a region": {app01, map[string]string{"APP02_URL": "http://app02:8080", "QUEUE01": "http://q/1/q"}, "AWS_REGION is not set"},
		"app02 in no zone":       {app02, map[string]string{"TZ": "Mars/Olympus"}, `TZ is \"Mars/Olympus\"`},
	} {
		t.Run(name, func(t *testing.T) {
			out, status := local.Run(t, tc.binary, nil, tc.env)
			if status != 1 || strings.Count(out, "\n") != 1 || !strings.Contains(out, tc.want) {
				t.Errorf("status %d, want 1 and one line with %q:\n%s", status, tc.want, out)
			}
		})
	}
}

func get(t *testing.T, url string, into any) (status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if into != nil {
		if err := json.NewDecoder(response.Body).Decode(into); err != nil {
			t.Fatalf("%s: %v", url, err)
		}
	}
	return response.StatusCode
}
