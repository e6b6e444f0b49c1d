package xray

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// daemon listens like the X-Ray daemon and returns its address and the next
// document it got.
func daemon(t *testing.T) (address string, next func() map[string]any) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.LocalAddr().String(), func() map[string]any {
		t.Helper()
		_ = conn.SetReadDeadline(time.Now().Add(3 * time.Minute))
		packet := make([]byte, 64<<10)
		n, _, err := conn.ReadFrom(packet)
		if err != nil {
			t.Fatal(err)
		}
		header, document, _ := bytes.Cut(packet[:n], []byte("\n"))
		if string(header) != `{"format":"json","version":1}` {
			t.Fatalf("header %s", header)
		}
		var segment map[string]any
		if err := json.Unmarshal(document, &segment); err != nil {
			t.Fatalf("%v: %s", err, document)
		}
		return segment
	}
}

func serve(t *testing.T, tracer *Tracer, header string, handler http.HandlerFunc) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/page?secret=1", nil)
	r.Header.Set(Header, header)
	tracer.Middleware(handler).ServeHTTP(httptest.NewRecorder(), r)
}

func TestSegmentContinuesTheCallersTrace(t *testing.T) {
	address, next := daemon(t)
	tracer, err := New("app", "tcp:127.0.0.1:1 udp:"+address)
	if err != nil {
		t.Fatal(err)
	}
	var forwarded string
	serve(t, tracer, "Self=1-x;Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
		func(w http.ResponseWriter, r *http.Request) {
			call := FromContext(r.Context()).Call("other", "remote")
			forwarded = call.Trace()
			call.Close(errors.New("broken"))
			w.WriteHeader(http.StatusBadGateway)
		})
	segment := next()
	if segment["name"] != "app" || segment["trace_id"] != "1-5759e988-bd862e3fe1be46a994272793" ||
		segment["parent_id"] != "53995c3f42cd8ad8" || segment["fault"] != true {
		t.Errorf("segment %v", segment)
	}
	request := segment["http"].(map[string]any)["request"].(map[string]any)
	if request["url"] != "http://example.com/page" {
		t.Errorf("the query must stay out of the trace: %v", request)
	}
	call := segment["subsegments"].([]any)[0].(map[string]any)
	if call["name"] != "other" || call["namespace"] != "remote" || call["fault"] != true {
		t.Errorf("subsegment %v", call)
	}
	if want := "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=" + call["id"].(string) + ";Sampled=1"; forwarded != want {
		t.Errorf("forwarded %q, want %q", forwarded, want)
	}
	if start, end := segment["start_time"].(float64), segment["end_time"].(float64); start > end || end == 0 {
		t.Errorf("from %f to %f", start, end)
	}
}

func TestANewTraceStartsWhereNoneIsGiven(t *testing.T) {
	address, next := daemon(t)
	tracer, err := New("app", address)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range []string{"", "Root=nonsense;Parent=53995c3f42cd8ad8", `Root=1-5759e988-"}`} {
		serve(t, tracer, header, func(http.ResponseWriter, *http.Request) {})
		segment := next()
		if id, _ := segment["trace_id"].(string); !rootFormat.MatchString(id) {
			t.Errorf("%q: trace id %q", header, id)
		}
		if _, there := segment["parent_id"]; there {
			t.Errorf("%q: a new trace has a parent: %v", header, segment)
		}
	}
}

func TestWhatTheCallerDoesNotSampleIsNotSent(t *testing.T) {
	address, next := daemon(t)
	tracer, err := New("app", address)
	if err != nil {
		t.Fatal(err)
	}
	var forwarded string
	serve(t, tracer, "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0", func(_ http.ResponseWriter, r *http.Request) {
		forwarded = FromContext(r.Context()).Trace()
	})
	if !strings.HasSuffix(forwarded, ";Sampled=0") {
		t.Errorf("forwarded %q", forwarded)
	}
	serve(t, tracer, "Root=1-5759e988-000000000000000000000001;Sampled=1", func(http.ResponseWriter, *http.Request) {})
	if segment := next(); segment["trace_id"] != "1-5759e988-000000000000000000000001" {
		t.Errorf("sent %v", segment)
	}
}

func TestWithoutADaemonTheRequestIsServed(t *testing.T) {
	absent, err := New("app", "")
	if err != nil {
		t.Fatal(err)
	}
	broken, err := New("app", "nowhere")
	if err == nil {
		t.Error("an address without a port must be an error")
	}
	for _, tracer := range []*Tracer{absent, broken} {
		called := false
		serve(t, tracer, "", func(http.ResponseWriter, *http.Request) { called = true })
		if !called {
			t.Error("not served")
		}
	}
	var none *Segment
	none.Call("x", "aws").Close(nil)
	if none.Trace() != "" {
		t.Error("a nil segment has a trace")
	}
}
