package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"example.com/blog/app01/xray"
)

type fakeQueue struct {
	bodies []string
	err    error
}

func (q *fakeQueue) Send(_ context.Context, body string) (string, error) {
	q.bodies = append(q.bodies, body)
	return "sqs-1", q.err
}

type fakeClock struct {
	now string
	err error
}

func (c fakeClock) Now(context.Context) (string, error) { return c.now, c.err }

func newFrontEnd(t *testing.T, q queue, c clock) http.Handler {
	t.Helper()
	tracer, err := xray.New("app01", "")
	if err != nil {
		t.Fatal(err)
	}
	return (&frontEnd{queue: q, clock: c, tracer: tracer, log: slog.New(slog.DiscardHandler)}).routes()
}

func get(t *testing.T, h http.Handler, method, path string, into any) int {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	if into != nil {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatalf("%s: %v: %s", path, err, w.Body)
		}
	}
	return w.Code
}

func TestCallSendsAMessageAndAnswersWithTheTime(t *testing.T) {
	q := &fakeQueue{}
	var got answer
	asked := time.Now().Truncate(time.Second)
	status := get(t, newFrontEnd(t, q, fakeClock{now: "2026-01-02T03:04:05Z"}), http.MethodGet, "/some/page?x=1", &got)
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if got.Message == nil || *got.Message != "sqs-1" || got.Time != "2026-01-02T03:04:05Z" {
		t.Errorf("got %+v", got)
	}
	if len(q.bodies) != 1 {
		t.Fatalf("%d messages were sent, want 1", len(q.bodies))
	}
	var sent message
	if err := json.Unmarshal([]byte(q.bodies[0]), &sent); err != nil {
		t.Fatal(err)
	}
	if sent.ID != got.Request || sent.ID == "" || sent.Path != "/some/page" || sent.Time.Before(asked) || sent.Time.After(time.Now()) {
		t.Errorf("sent %+v for %+v", sent, got)
	}
}

func TestWithoutAQueueTheMessageIsNull(t *testing.T) {
	var got map[string]any
	status := get(t, newFrontEnd(t, nil, fakeClock{now: "2026-01-02T03:04:05Z"}), http.MethodGet, "/", &got)
	message, there := got["message"]
	if status != http.StatusOK || !there || message != nil {
		t.Errorf("status %d, %v", status, got)
	}
}

func TestAFailingServiceIsABadGateway(t *testing.T) {
	for name, handler := range map[string]http.Handler{
		"queue": newFrontEnd(t, &fakeQueue{err: errors.New("no")}, fakeClock{now: "2026-01-02T03:04:05Z"}),
		"app02": newFrontEnd(t, &fakeQueue{}, fakeClock{err: errors.New("no")}),
	} {
		t.Run(name, func(t *testing.T) {
			var got failure
			status := get(t, handler, http.MethodGet, "/", &got)
			if status != http.StatusBadGateway || got.Service != name || got.Error == "" || got.Request == "" {
				t.Errorf("status %d, %+v", status, got)
			}
		})
	}
}

func TestHealthDoesNotDependOnOthers(t *testing.T) {
	h := newFrontEnd(t, &fakeQueue{err: errors.New("no")}, fakeClock{err: errors.New("no")})
	if status := get(t, h, http.MethodGet, "/healthz", nil); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	if status := get(t, h, http.MethodPost, "/", nil); status != http.StatusMethodNotAllowed {
		t.Errorf("POST / answered %d", status)
	}
}

func TestConfig(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want string // part of the error; empty: none
	}{
		"the least":        {map[string]string{"APP02_URL": "http://app02:8080"}, ""},
		"all":              {map[string]string{"APP02_URL": "http://app02:8080", "PORT": "81", "QUEUE01": "https://sqs.eu-west-1.amazonaws.com/1/q"}, ""},
		"no app02":         {nil, "APP02_URL is not set"},
		"app02 is no URL":  {map[string]string{"APP02_URL": "app02:8080"}, `APP02_URL is "app02:8080"`},
		"queue is no URL":  {map[string]string{"APP02_URL": "http://app02", "QUEUE01": "Queue01"}, `QUEUE01 is "Queue01"`},
		"port is a name":   {map[string]string{"APP02_URL": "http://app02", "PORT": "http"}, `PORT is "http"`},
		"port is too high": {map[string]string{"APP02_URL": "http://app02", "PORT": "65536"}, `PORT is "65536"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readConfig(func(name string) string { return tc.env[name] })
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("unexpected: %v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestClock(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		ok     bool
	}{
		"good":        {200, `{"time":"2026-01-02T03:04:05Z"}`, true},
		"failing":     {500, `{"time":"2026-01-02T03:04:05Z"}`, false},
		"no JSON":     {200, `<html>`, false},
		"not a time":  {200, `{"time":"noon"}`, false},
		"empty reply": {200, `{}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/time" {
					t.Errorf("path %s", r.URL.Path)
				}
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			}))
			defer server.Close()
			u, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			now, err := newClock(u).Now(t.Context())
			if (err == nil) != tc.ok || (tc.ok && now != "2026-01-02T03:04:05Z") {
				t.Errorf("got %q, %v", now, err)
			}
		})
	}
}

type fakeSender struct{ in *sqs.SendMessageInput }

func (s *fakeSender) SendMessage(_ context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	s.in = in
	return &sqs.SendMessageOutput{MessageId: aws.String("id-1")}, nil
}

func TestSQSQueueSendsToItsURL(t *testing.T) {
	s := &fakeSender{}
	id, err := (&sqsQueue{url: "https://queue", client: s}).Send(t.Context(), "body")
	if err != nil || id != "id-1" || aws.ToString(s.in.QueueUrl) != "https://queue" || aws.ToString(s.in.MessageBody) != "body" {
		t.Errorf("%q, %v, %+v", id, err, s.in)
	}
	if len(s.in.MessageSystemAttributes) != 0 {
		t.Errorf("no trace, no trace header: %v", s.in.MessageSystemAttributes)
	}
}

// freePort returns a port that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestRun(t *testing.T) {
	env := map[string]string{"APP02_URL": "http://127.0.0.1:1", "PORT": freePort(t)}
	getenv := func(name string) string { return env[name] }
	healthcheck := func() int {
		return run(t.Context(), []string{"-healthcheck"}, getenv, io.Discard)
	}
	if status := healthcheck(); status != 1 {
		t.Fatalf("health check of nothing returned %d", status)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	status := make(chan int)
	go func() { status <- run(ctx, nil, getenv, io.Discard) }()
	for deadline := time.Now().Add(3 * time.Minute); healthcheck() != 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never healthy")
		}
	}
	cancel()
	if got := <-status; got != 0 {
		t.Errorf("status %d after shutdown", got)
	}
}

func TestRunRefusesWhatItCannotUse(t *testing.T) {
	var out bytes.Buffer
	if status := run(t.Context(), nil, func(string) string { return "" }, &out); status != 1 {
		t.Errorf("status %d", status)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 1 || !strings.Contains(out.String(), "APP02_URL is not set") {
		t.Errorf("%d lines: %s", lines, out.String())
	}
	if status := run(t.Context(), []string{"-nonsense"}, func(string) string { return "" }, io.Discard); status != 2 {
		t.Errorf("a wrong flag returned %d", status)
	}
}
