package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/blog/app02/xray"
)

func handler(t *testing.T, zone string) http.Handler {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	tracer, err := xray.New("app02", "")
	if err != nil {
		t.Fatal(err)
	}
	noon := func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }
	return routes(noon, location, tracer)
}

func TestTime(t *testing.T) {
	for zone, local := range map[string]string{
		"":              "2026-07-01T12:00:00Z",
		"Europe/London": "2026-07-01T13:00:00+01:00",
	} {
		w := httptest.NewRecorder()
		handler(t, zone).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/time", nil))
		var got answer
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if w.Code != http.StatusOK || got.Time != "2026-07-01T12:00:00Z" || got.Local != local {
			t.Errorf("zone %q: status %d, %+v", zone, w.Code, got)
		}
	}
}

func TestOtherPaths(t *testing.T) {
	for path, want := range map[string]int{"/healthz": 200, "/": 404, "/time/x": 404} {
		w := httptest.NewRecorder()
		handler(t, "").ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s answered %d, want %d", path, w.Code, want)
		}
	}
}

func TestRun(t *testing.T) {
	// A port that was free a moment ago.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()

	env := map[string]string{"PORT": port, "TZ": "Asia/Tokyo"}
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
	for name, tc := range map[string]struct {
		args   []string
		env    map[string]string
		status int
		want   string
	}{
		"zone": {nil, map[string]string{"TZ": "Mars/Olympus"}, 1, "TZ is"},
		"port": {nil, map[string]string{"PORT": "0"}, 1, "PORT is"},
		"flag": {[]string{"-nonsense"}, nil, 2, "-nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			status := run(t.Context(), tc.args, func(name string) string { return tc.env[name] }, &out)
			if status != tc.status || !strings.Contains(out.String(), tc.want) {
				t.Errorf("status %d: %s", status, out.String())
			}
		})
	}
}
