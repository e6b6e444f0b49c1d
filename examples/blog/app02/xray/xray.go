// Package xray reports requests to the AWS X-Ray daemon: one segment for each
// request served. It is the little that an example needs, in place of a tracing
// SDK: the daemon takes a JSON document per UDP packet, and a lost packet is
// nobody's error. app02 calls nobody, so it has no subsegments.
//
// Every request is reported unless its caller decided otherwise (Sampled=0); an
// application with real traffic would sample.
package xray

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Header is the HTTP header that carries a trace from one service to the next.
const Header = "X-Amzn-Trace-Id"

// preamble announces a JSON document to the daemon.
const preamble = `{"format":"json","version":1}` + "\n"

var (
	rootFormat   = regexp.MustCompile(`^1-[0-9a-f]{8}-[0-9a-f]{24}$`)
	parentFormat = regexp.MustCompile(`^[0-9a-f]{16}$`)
)

// Tracer makes segments under the name of one service and sends them.
type Tracer struct {
	name string
	conn net.Conn // nil: nothing is sent
}

// New returns the tracer of the named service. The daemon's address is the
// value of AWS_XRAY_DAEMON_ADDRESS, either host:port or
// "tcp:host:port udp:host:port"; when it is empty nothing is sent.
func New(name, daemon string) (*Tracer, error) {
	t := &Tracer{name: name}
	if daemon == "" {
		return t, nil
	}
	conn, err := net.Dial("udp", udpAddress(daemon))
	if err != nil {
		return t, fmt.Errorf("AWS_XRAY_DAEMON_ADDRESS %q: %w", daemon, err)
	}
	t.conn = conn
	return t, nil
}

func udpAddress(daemon string) string {
	for _, field := range strings.Fields(daemon) {
		if address, ok := strings.CutPrefix(field, "udp:"); ok {
			return address
		}
	}
	return daemon
}

// segment is a request served.
type segment struct {
	Name      string  `json:"name"`
	ID        string  `json:"id"`
	TraceID   string  `json:"trace_id"`
	ParentID  string  `json:"parent_id,omitempty"`
	StartTime float64 `json:"start_time"`
	EndTime   float64 `json:"end_time"`
	HTTP      struct {
		Request  request  `json:"request"`
		Response response `json:"response"`
	} `json:"http"`
	Error bool `json:"error,omitempty"`
	Fault bool `json:"fault,omitempty"`

	sampled bool
}

type request struct {
	Method    string `json:"method"`
	URL       string `json:"url"`
	UserAgent string `json:"user_agent,omitempty"`
}

type response struct {
	Status int `json:"status"`
}

// Middleware opens a segment for each request, as part of the trace that the
// request's header names or of a new one, and sends it once next has answered.
func (t *Tracer) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := t.open(r)
		answer := &recorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			s.HTTP.Response.Status = answer.status
			s.Error = answer.status >= 400 && answer.status < 500
			s.Fault = answer.status >= 500
			s.EndTime = now()
			t.send(s)
		}()
		next.ServeHTTP(answer, r)
	})
}

func (t *Tracer) open(r *http.Request) *segment {
	s := &segment{Name: t.name, ID: randomHex(8), StartTime: now(), sampled: true}
	s.HTTP.Request = request{Method: r.Method, URL: "http://" + r.Host + r.URL.Path, UserAgent: r.UserAgent()}
	for field := range strings.SplitSeq(r.Header.Get(Header), ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch {
		case key == "Root" && rootFormat.MatchString(value):
			s.TraceID = value
		case key == "Parent" && parentFormat.MatchString(value):
			s.ParentID = value
		case key == "Sampled" && value == "0":
			s.sampled = false
		}
	}
	if s.TraceID == "" {
		// A parent belongs to a trace: without one it would point nowhere.
		s.TraceID, s.ParentID = newTraceID(), ""
	}
	return s
}

func (t *Tracer) send(s *segment) {
	if t.conn == nil || !s.sampled {
		return
	}
	document, err := json.Marshal(s)
	if err != nil {
		return
	}
	// The daemon may be away, which is no reason to fail a request.
	_, _ = t.conn.Write(append([]byte(preamble), document...))
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// newTraceID returns a trace id in X-Ray's format: version, seconds, 96 random bits.
func newTraceID() string {
	return fmt.Sprintf("1-%08x-%s", time.Now().Unix(), randomHex(12))
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func now() float64 {
	return float64(time.Now().UnixMicro()) / 1e6
}
