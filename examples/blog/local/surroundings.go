package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"testing"
	"time"
)

// Platform returns the variables that ECS adds to the environment of a task definition: the
// region and the task role's credentials. Here these are empty words, together with the
// endpoint in place of AWS itself.
func Platform(endpoint string) map[string]string {
	return map[string]string{
		"AWS_REGION":            Region,
		"AWS_DEFAULT_REGION":    Region,
		"AWS_ACCESS_KEY_ID":     "local",
		"AWS_SECRET_ACCESS_KEY": "local",
		"AWS_ENDPOINT_URL":      endpoint,
	}
}

// Discovery lets a program reach others by the names that they have on AWS. Its
// parameter has the address of a process (host:port) for each host:port that a
// program may call; any other name answers 502, as does a process that is down.
// The result goes to Start: it names an HTTP proxy, which is also how Service
// Connect works, so that the URLs in the environment stay as they were synthesised.
func Discovery(t testing.TB, addresses map[string]string) map[string]string {
	t.Helper()
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Host = addresses[r.In.Host] // empty: the proxy answers 502
			r.Out.Host = r.In.Host
		},
		Transport: client.Transport,
		ErrorLog:  log.New(io.Discard, "", 0),
	})
	t.Cleanup(proxy.Close)
	return map[string]string{"HTTP_PROXY": proxy.URL}
}

// Daemon is a stand-in for the X-Ray daemon.
type Daemon struct {
	// Address is the value for AWS_XRAY_DAEMON_ADDRESS.
	Address string

	conn net.PacketConn
}

// XRayDaemon listens for segments on UDP at the address until the test ends;
// "127.0.0.1:0" takes a free port.
func XRayDaemon(t testing.TB, address string) *Daemon {
	t.Helper()
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatalf("X-Ray daemon: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &Daemon{Address: conn.LocalAddr().String(), conn: conn}
}

// Next returns the next segment document that a program sent. It fails the test if none
// comes within five seconds, or if it is no segment.
func (d *Daemon) Next(t testing.TB) Segment {
	t.Helper()
	if err := d.conn.SetReadDeadline(time.Now().Add(hangs)); err != nil {
		t.Fatal(err)
	}
	packet := make([]byte, 64<<10)
	n, _, err := d.conn.ReadFrom(packet)
	if err != nil {
		t.Fatalf("no segment came to the X-Ray daemon: %v", err)
	}
	segment, err := parseSegment(packet[:n])
	if err != nil {
		t.Fatalf("X-Ray daemon: %v in %s", err, packet[:n])
	}
	return segment
}

// Segment is an X-Ray segment, as far as the tests look at it.
type Segment struct {
	Name        string    `json:"name"`
	ID          string    `json:"id"`
	TraceID     string    `json:"trace_id"`
	ParentID    string    `json:"parent_id"`
	StartTime   float64   `json:"start_time"`
	EndTime     float64   `json:"end_time"`
	Fault       bool      `json:"fault"`
	Subsegments []Segment `json:"subsegments"`
}

func parseSegment(packet []byte) (Segment, error) {
	var header struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	var segment Segment
	first, document, _ := bytes.Cut(packet, []byte("\n"))
	if err := json.Unmarshal(first, &header); err != nil || header.Format != "json" || header.Version != 1 {
		return segment, fmt.Errorf("unknown header %q", first)
	}
	if err := json.Unmarshal(document, &segment); err != nil {
		return segment, err
	}
	if segment.Name == "" || segment.ID == "" || segment.TraceID == "" || segment.StartTime == 0 || segment.EndTime == 0 {
		return segment, fmt.Errorf("incomplete segment %s", document)
	}
	return segment, nil
}
